# tests/e2e/test_timers.py
"""What only time changes. Runs last of those that share a system: its clock never goes back."""

from datetime import datetime

from tests.e2e.effects import (
    SHOP,
    Buyer,
    birthday_awaited,
    birthday_been,
    compared,
    in_segment,
    message_sent,
    rests,
    wait_for,
)
from tests.faults import stored
from tests.local_system import LocalSystem, eventually


def test_a_message_refused_for_want_of_consent_is_looked_at_again(system: LocalSystem) -> None:
    buyer = Buyer(system, "late")
    system.post(buyer.order("late-1"), shop=SHOP)
    eventually(lambda: _messages(buyer) == [("REFUSED", "NO_CONSENT")], "it is refused")
    system.post(buyer.says_yes(), shop=SHOP)
    rests(system)
    system.move_clock("PT16M")
    wait_for(buyer, message_sent)


def test_a_customer_leaves_the_segment_when_time_passes_at_the_time_that_was_due(system: LocalSystem) -> None:
    buyer = Buyer(system, "leaver")
    system.post(buyer.order("leaver-1"), shop=SHOP)
    wait_for(buyer, in_segment, birthday_awaited)
    rests(system)
    (due,) = (due for due in _of(system, buyer)[1] if due is not None)
    system.move_clock("P31D")
    # Asked at once, GraphQL computes what no timer has told yet.
    assert not in_segment(buyer)
    eventually(lambda: _of(system, buyer)[0].stays[-1][1] is not None, "the timer has been handled", seconds=60)
    rests(system)
    customer, timers = _of(system, buyer)
    assert stored.left_at(customer) == due
    assert timers == []
    eventually(lambda: birthday_been(buyer), "their birthday has been, too", seconds=60)


def test_the_day_of_a_shop_begins_by_itself(system: LocalSystem) -> None:
    buyer = Buyer(system, "early")
    system.move_clock("P1D")
    eventually(lambda: compared(buyer), "customers are compared", seconds=90)


def _messages(buyer: Buyer) -> list[tuple[str, str | None]]:
    return [(one["status"], one["reason"]) for one in buyer.shown().get("messages", {}).get("nodes", [])]


def _of(system: LocalSystem, buyer: Buyer) -> tuple[stored.Customer, list[datetime]]:
    """What is stored of the buyer, and when segmentation's timer is due."""
    tables = {"crm": system.table("CrmTable"), "kpis": system.table("KpiTable")}
    found = stored.read(system.dynamodb, SHOP, **tables)
    customer = found.customers[buyer.name]
    return customer, customer.wakes
