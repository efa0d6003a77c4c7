# tests/integration/test_graphql_ledger_verified.py
"""Ledgers that are too long to wait for, verified as an operation."""

from typing import Any

import pytest

from crm.loyalty import repository
from crm.loyalty.models import LedgerEntry
from crm.loyalty.service import Flaw
from crm.loyalty.verification import auditing, verifying
from schema.loyalty.verification import LedgerFlaw
from schema.node import global_id
from tests import bulk
from tests.asking import as_staff, ask

WHAT = "verification { entryCount intact findings { flaw place } }"


@pytest.fixture(autouse=True)
def _(outlets: None) -> None:
    """There is a queue."""


def asked_for(customer_id: str, **given: Any) -> str:
    return str(bulk.asked_for("loyaltyLedgerVerify", customer=global_id("Customer", customer_id), **given)["id"])


def told(operation_id: str) -> dict[str, Any]:
    text = f"query ($id: ID!) {{ operation(id: $id) {{ kind status faults {{ code }} resultUrl {WHAT} }} }}"
    found: dict[str, Any] = ask(text, {"id": operation_id}, principal=bulk.CLERK)["operation"]
    return found


def test_a_ledger_of_any_length_is_verified_by_and_by(ann: str) -> None:
    operation_id = asked_for(ann)
    assert (told(operation_id)["status"], told(operation_id)["verification"]) == ("QUEUED", None)
    assert asked_for(ann) == operation_id
    bulk.drain()
    assert told(operation_id) == {
        "kind": "LEDGER_VERIFICATION", "status": "DONE", "faults": [], "resultUrl": None,
        "verification": {"entryCount": 2, "intact": True, "findings": []},
    }  # fmt: skip


def test_what_is_wrong_with_it_is_told(ann: str) -> None:
    entry = repository.list_all_entries("demo", ann)[0]
    entry.update(actions=[LedgerEntry.forgiven.set(7)])
    operation_id = asked_for(ann)
    bulk.drain()
    found = told(operation_id)["verification"]
    assert not found["intact"]
    assert {"flaw": "CHANGED", "place": entry.cause} in found["findings"]


def test_one_that_is_longer_than_a_step_has_time_for_is_not_verified(ann: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "MOST_ENTRIES", 1)
    operation_id = asked_for(ann)
    bulk.drain()
    found = told(operation_id)
    assert (found["status"], found["faults"]) == ("FAILED", [{"code": "LEDGER_TOO_LONG"}])


def test_a_ledger_whose_points_keep_moving_is_tried_again_and_then_given_up(
    ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "ATTEMPTS", 0)
    bulk.drain()
    operation_id = asked_for(ann)
    (task,) = bulk.tasks()
    assert not bulk.run(task, delivery=1)
    assert bulk.run(task, delivery=3)
    assert (told(operation_id)["status"], told(operation_id)["faults"]) == ("FAILED", [{"code": "STALE"}])


def test_who_reads_no_points_sees_no_verification(ann: str) -> None:
    operation_id = asked_for(ann)
    clerk = as_staff("customers:read", "exports:read")
    assert ask("query ($id: ID!) { operation(id: $id) { id } }", {"id": operation_id}, principal=clerk) == {
        "operation": None
    }


def test_nobody_is_verified_who_is_not_there(ann: str) -> None:
    payload = bulk.change("loyaltyLedgerVerify", customer=global_id("Customer", "cus_9"), idempotencyKey="k1")
    assert payload["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "customer"]}]


def test_each_flaw_has_its_name_for_clients() -> None:
    assert {flaw.value for flaw in LedgerFlaw} == {*Flaw}
