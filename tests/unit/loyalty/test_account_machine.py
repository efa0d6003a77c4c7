# tests/unit/loyalty/test_account_machine.py
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.loyalty.account_machine import AccountMachine

SMALL = settings(
    max_examples=60, stateful_step_count=30, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_whatever_happens_in_any_order_the_ledger_says_what_a_count_of_every_point_says() -> None:
    run_state_machine_as_test(AccountMachine, settings=SMALL)
