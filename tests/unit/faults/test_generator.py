# tests/unit/faults/test_generator.py
"""The input of the fault tests is what it says it is."""

import itertools
from datetime import UTC, datetime

from tests.faults.generator import SENDERS, Shop

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LOAD = Shop(3, now=NOW, customers=50, orders=300, poison=30).load()
SENT = [event for sender in LOAD.deliveries for event in sender]


def test_the_same_seed_draws_the_same() -> None:
    assert Shop(3, now=NOW, customers=50, orders=300, poison=30).load() == LOAD
    assert Shop(4, now=NOW, customers=50, orders=300, poison=30).load() != LOAD


def test_everything_is_sent_and_three_in_ten_twice() -> None:
    ids = [event["id"] for event in SENT]
    everything = {event["id"] for event in LOAD.good} | LOAD.poison_ids
    assert set(ids) == everything
    assert 0.25 < len(ids) / len(everything) - 1 < 0.35


def test_there_are_edits_cancellations_and_refunds() -> None:
    kinds = {event["type"] for event in LOAD.good}
    assert kinds >= {"order.placed", "order.updated", "order.cancelled", "refund.created", "customer.updated"}


def test_a_good_part_comes_out_of_order() -> None:
    place = {event["id"]: number for number, event in enumerate(LOAD.good)}
    places = [[place[event["id"]] for event in sender if event["id"] in place] for sender in LOAD.deliveries]
    late = sum(later < earlier for sender in places for earlier, later in itertools.pairwise(sender))
    assert late / len(SENT) > 0.1


def test_refunds_come_before_their_orders_too() -> None:
    seen: set[str] = set()
    early = 0
    for event in (event for sender in LOAD.deliveries for event in sender):
        if event["type"] == "refund.created":
            early += event["data"]["orderId"] not in seen
        elif event["type"] == "order.placed":
            seen.add(event["data"]["orderId"])
    assert early


def test_half_of_all_were_visitors_and_some_were_known_before_all_that_they_did_was_heard() -> None:
    identified: set[str] = set()
    late = 0
    for event in SENT:
        visitor = event["customer"].get("anonymousId")
        if visitor is not None and "externalId" in event["customer"]:
            identified.add(visitor)
        elif visitor is not None:
            late += visitor in identified
    assert len(identified) == 25
    assert late


def test_poison_comes_only_from_senders_that_check_nothing() -> None:
    checked = LOAD.deliveries[: SENDERS // 2]
    assert not {event["id"] for sender in checked for event in sender} & LOAD.poison_ids
    assert {kind: len(events) for kind, events in LOAD.poison.items()} == dict.fromkeys(LOAD.poison, 10)
