# tests/e2e/test_order_journey.py
"""A posted order, all the way: into statistics, segments, points, a KPI and a message, and back through GraphQL."""

import time
from typing import TYPE_CHECKING

import pytest

from bench.figures import E2E, Report
from tests.e2e.effects import (
    SHOP,
    Buyer,
    counted,
    has_bonus,
    has_points,
    in_segment,
    message_sent,
    rests,
    suppressed,
    visitor_joined,
    wait_for,
)
from tests.local_system import LocalSystem, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

report = Report(E2E, seed=1)


def test_a_posted_order_reaches_statistics_segment_points_kpi_and_message(system: LocalSystem) -> None:
    """Also says how long each took (for information)."""
    warm = Buyer(system, "warm")
    system.post(warm.says_yes(), warm.order("warm-1"), shop=SHOP)
    wait_for(warm, counted, has_points, in_segment, message_sent)
    buyer = Buyer(system, "ada")
    system.post(buyer.says_yes(), shop=SHOP)
    rests(system)
    before = buyer.kpi()
    effects: dict[str, Callable[[], bool]] = {
        "statistics": lambda: counted(buyer),
        "segment": lambda: in_segment(buyer),
        "points": lambda: has_points(buyer),
        "kpi": lambda: buyer.kpi() == before + 1,
        "message": lambda: message_sent(buyer),
    }
    seen: dict[str, float] = {}
    posted_at = time.perf_counter()
    assert [one["status"] for one in system.post(buyer.order("ada-1"), shop=SHOP)] == ["queued"]

    def all_seen() -> bool:
        for name in effects.keys() - seen.keys():
            if effects[name]():
                seen[name] = 1000 * (time.perf_counter() - posted_at)
        return len(seen) == len(effects)

    eventually(all_seen, "all effects", seconds=60)
    for name in effects:
        report.tell(f"foundation.order_to_{name}", seen[name], n=1)


def test_an_event_of_a_source_on_the_bus_has_its_effect(system: LocalSystem) -> None:
    buyer = Buyer(system, "bus")
    system.put_on_bus(buyer.order("bus-1"))
    wait_for(buyer, counted, has_points, in_segment)


def test_what_only_the_shop_has_a_name_for_earns_points(system: LocalSystem) -> None:
    buyer = Buyer(system, "sharer")
    system.post(buyer.shares(), shop=SHOP)
    wait_for(buyer, has_bonus)


def test_what_a_customer_was_sent_can_be_read(system: LocalSystem) -> None:
    buyer = Buyer(system, "reader")
    system.post(buyer.says_yes(), buyer.order("reader-1"), shop=SHOP)
    wait_for(buyer, message_sent)
    messages = system.http.get(f"{system.instance.url}/_local/messages").raise_for_status().json()["messages"]
    (message,) = [message for message in messages if message["to"] == ["reader@e2e.example.com"]]
    assert "Ada" in message["text"]
    assert message["subject"]


@pytest.mark.parametrize(("mailbox", "status"), [("bounce", "BOUNCED"), ("complaint", "COMPLAINED")])
def test_a_message_that_bounces_or_is_complained_about_is_the_last_to_its_address(
    system: LocalSystem, mailbox: str, status: str
) -> None:
    buyer = Buyer(system, mailbox)
    address = f"{mailbox}+e2e@simulator.amazonses.com"
    who = {"externalId": buyer.name, "email": address, "emailVerified": True}
    yes = buyer.says_yes() | {"customer": who}
    system.post(yes, buyer.order(f"{mailbox}-1") | {"customer": who}, shop=SHOP)

    def ended() -> bool:
        return [one["status"] for one in buyer.shown().get("messages", {}).get("nodes", [])] == [status]

    eventually(ended, f"the message is {status}", seconds=60)
    assert suppressed(buyer, address)


def test_an_event_sent_twice_counts_once(system: LocalSystem) -> None:
    buyer = Buyer(system, "twice")
    order = buyer.order("twice-1")
    rests(system)
    before = buyer.kpi()
    system.post(order, order, shop=SHOP)
    system.put_on_bus(order)
    wait_for(buyer, counted, has_points)
    rests(system)
    assert counted(buyer)
    assert has_points(buyer)
    assert buyer.kpi() == before + 1
    assert len(buyer.shown()["loyalty"]["entries"]["nodes"]) == 1


def test_a_refund_that_comes_first_waits_and_then_takes_points_back(system: LocalSystem) -> None:
    buyer = Buyer(system, "early")
    line = {"lineId": "1", "quantity": 1}
    data = {"refundId": "r1", "orderId": "early-1", "currency": "EUR", "lines": [line]}
    refund = buyer.event("refund.created", data)
    del refund["customer"]
    system.post(refund, shop=SHOP)
    eventually(lambda: _status(system, refund["id"]) == "waiting", "it waits")
    system.post(buyer.order("early-1"), shop=SHOP)
    eventually(lambda: _status(system, refund["id"]) == "applied", "it is applied")
    rests(system)
    shown = buyer.shown()
    assert shown["statistics"]["totals"][0]["net"]["amount"] == "10.00"
    assert shown["loyalty"]["available"] == 10


def test_an_answer_counts_in_the_kpi_and_is_shown(system: LocalSystem) -> None:
    buyer = Buyer(system, "critic")
    system.post(buyer.event("feedback.received", {"score": 9, "comment": "Good."}), shop=SHOP)
    eventually(lambda: bool(buyer.shown() and buyer.shown()["feedback"]["nodes"]), "it is shown")
    rests(system)
    assert buyer.shown()["feedback"]["nodes"] == [{"score": 9}]


def test_what_a_visitor_did_is_the_customers_once_they_are_known(system: LocalSystem) -> None:
    buyer = Buyer(system, "stranger")
    system.post(*buyer.looks_around(), shop=SHOP)
    wait_for(buyer, visitor_joined)


def _status(system: LocalSystem, event_id: str) -> str | None:
    told = system.told_of(event_id, shop=SHOP)
    return str(told["status"]) if told else None
