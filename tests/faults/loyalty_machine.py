# tests/faults/loyalty_machine.py
"""Everything that can happen to two accounts, in any order, against a count of every point: in memory, and as it is
stored. What `make test` runs a little of.
"""

import traceback
from collections import Counter
from itertools import count
from typing import Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from bench.figures import Report
from tests.faults import loyalty_shop

DIFFERENCES, STORED = FIGURES = ("loyalty.machine_differences", "loyalty.stored_machine_differences")
SHOP: Final = "points-machine"
STEPS: Final = 50
EXAMPLES, EXAMPLES_STORED = 1_000, 100


def run(report: Report, sabotage: str) -> None:
    loyalty_shop.found(SHOP)
    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    for figure, examples, is_stored in ((DIFFERENCES, EXAMPLES, False), (STORED, EXAMPLES_STORED, True)):
        if report.wants(figure):
            asked = examples // 10 if report.quick else examples
            report.tell(figure, _differences(asked, report.seed, is_stored=is_stored), n=asked)


def _differences(examples: int, number: int, *, is_stored: bool) -> int:
    """1 where one was found: the machine stops at the first, and shows the shortest way to it."""
    from crm.kernel.errors import CrmError
    from crm.loyalty import service as loyalty
    from crm.loyalty.programme import Programme
    from tests.faults.loyalty_book import StoredBook, counting
    from tests.unit.loyalty.account_machine import AccountMachine
    from tests.unit.loyalty.book import Book

    moved, numbers = Counter[str](), count(1)

    class Counting(AccountMachine):
        @invariant()
        def a_step_is_done(self) -> None:
            moved["steps"] += 1

        def teardown(self) -> None:
            if hasattr(self, "book"):
                for book in (self.book, self.other_book):
                    moved.update(str(entry.movement) for entry in book.all_entries())

    class Stored(Counting):
        """Each time of two customers of whom nothing is stored."""

        def books(self, programme: Programme) -> tuple[Book, Book]:
            self.customers = [f"cus_{next(numbers)}" for _ in range(2)]
            self.in_force = counting(programme)
            self.in_force.__enter__()
            one, other = (StoredBook(SHOP, customer_id, programme) for customer_id in self.customers)
            return one, other

        def teardown(self) -> None:
            super().teardown()
            if hasattr(self, "book"):
                self.in_force.__exit__(None, None, None)
                there = [each for each in self.customers if loyalty.account(SHOP, each)]
                findings = [each for customer_id in there for each in loyalty.verify(SHOP, customer_id).findings]
                assert not findings, findings

    machine = seed(number)(Stored if is_stored else Counting)
    phases = (Phase.generate,) if is_stored else (Phase.generate, Phase.shrink)
    profile = settings(
        max_examples=examples, stateful_step_count=STEPS, deadline=None, database=None, phases=phases,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    try:
        run_state_machine_as_test(machine, settings=profile)
    except (AssertionError, ValueError, LookupError, CrmError):
        traceback.print_exc()
        return 1
    finally:
        print(f"{examples} runs of up to {STEPS} steps: {dict(moved)}", flush=True)
    return 0
