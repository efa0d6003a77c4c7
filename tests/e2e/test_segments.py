# tests/e2e/test_segments.py
"""Segments of a running shop: whatever is told of somebody, and time, brings them in and takes them out."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.e2e.effects import PATIENCE, Buyer, rests
from tests.e2e.telling import (
    RECORDED,
    TELLINGS,
    changes_of,
    define,
    found,
    gives_gold,
    has_colours,
    is_asked_anew_by,
    is_in,
    moves,
    recorded,
    takes_part,
    tell,
    wait_until_in,
    zone_of_segments,
)
from tests.local_system import LocalSystem, eventually

SHOP = "segments"
ENTERED, LEFT = "SegmentEntered", "SegmentLeft"
ABANDONED = "Abandoned"
CART: dict[str, Any] = {"cartId": "cart-1", "lines": [{"sku": "MUG", "quantity": 1}]}


@pytest.fixture(scope="module")
def shop(system: LocalSystem) -> str:
    found(system, SHOP)
    define(system, SHOP, {ABANDONED: "checkout_abandoned(60)", "Seen lately": "event('visit.started', since: -7d)"})
    return SHOP


def test_whatever_is_told_of_somebody_brings_them_into_the_segment_that_asks_for_it(
    system: LocalSystem, shop: str
) -> None:
    buyer = Buyer(system, "told", shop=shop)
    recorded(buyer)
    wait_until_in(buyer, RECORDED.segment)
    assert buyer.segments() == {RECORDED.segment}
    tell(buyer, *TELLINGS)
    wait_until_in(buyer, *(each.segment for each in TELLINGS))
    rests(system)
    for each in (RECORDED, *TELLINGS):
        ((what, _, cause),) = changes_of(buyer, each.segment)
        assert what == ENTERED
        assert cause.startswith(("event:", "order:")), cause


def test_a_consent_that_is_taken_back_and_an_attribute_that_is_another_take_out_again(
    system: LocalSystem, shop: str
) -> None:
    buyer = Buyer(system, "undone", shop=shop)
    who = {"externalId": buyer.name}
    recorded(buyer)
    tell(buyer, *(each for each in TELLINGS if each.segment in {"Large sizes", "Readers"}))
    wait_until_in(buyer, "Large sizes", "Readers")
    denied = {"consents": [{"channel": "email", "purpose": "marketing", "state": "denied"}]}
    smaller = who | {"attributes": {"size": 38}}
    system.post(buyer.event("consent.updated", denied, customer=who), shop=shop)
    system.post(buyer.event("customer.updated", {}, customer=smaller), shop=shop)
    eventually(lambda: not {"Large sizes", "Readers"} & buyer.segments(), "they are out again", seconds=PATIENCE)
    assert [what for what, *_ in changes_of(buyer, "Readers")] == [ENTERED, LEFT]
    assert [what for what, *_ in changes_of(buyer, "Large sizes")] == [ENTERED, LEFT]


def test_a_checkout_is_abandoned_after_an_hour_and_is_no_more_once_that_cart_is_ordered(
    system: LocalSystem, shop: str
) -> None:
    buyer = Buyer(system, "leaves", shop=shop)
    recorded(buyer)
    checkout = buyer.event("checkout.started", CART)
    system.post(checkout, shop=shop)
    rests(system)
    assert ABANDONED not in buyer.segments()
    system.move_clock("PT60M")
    eventually(lambda: bool(changes_of(buyer, ABANDONED)), "the timer has been handled", seconds=PATIENCE)
    due = datetime.fromisoformat(checkout["occurredAt"]) + timedelta(minutes=60)
    assert is_in(ABANDONED)(buyer)
    ((what, at, cause),) = changes_of(buyer, ABANDONED)
    assert (what, datetime.fromisoformat(at)) == (ENTERED, due)
    assert cause.startswith("time:")
    order = buyer.order("leaves-1", cartId=CART["cartId"])
    system.post(order, shop=shop)
    eventually(lambda: ABANDONED not in buyer.segments(), "the cart is ordered", seconds=PATIENCE)
    what, _, cause = changes_of(buyer, ABANDONED)[-1]
    assert (what, cause) == (LEFT, f"event:{order['id']}")


def test_a_touchpoint_that_grows_old_leaves_its_segment_at_the_time_that_was_due(
    system: LocalSystem, shop: str
) -> None:
    buyer = Buyer(system, "visits", shop=shop)
    recorded(buyer)
    system.post(buyer.event("visit.started", {}), shop=shop)
    wait_until_in(buyer, "Seen lately")
    rests(system)
    system.move_clock("P9D")
    assert "Seen lately" not in buyer.segments()  # asked at once: what no timer has told is computed
    eventually(lambda: len(changes_of(buyer, "Seen lately")) == 2, "the timer has been handled", seconds=PATIENCE)
    (_, entered, _), (what, left, cause) = changes_of(buyer, "Seen lately")
    assert what == LEFT
    assert cause == f"time:{_in_a_cause(left)}:flip"
    assert timedelta(days=7) < datetime.fromisoformat(left) - datetime.fromisoformat(entered) <= timedelta(days=8)


def test_a_shop_that_moves_has_its_segments_computed_by_its_new_days(system: LocalSystem, shop: str) -> None:
    moves(system, shop, "Pacific/Auckland")
    eventually(lambda: zone_of_segments(system, shop) == "Pacific/Auckland", "they are computed", seconds=PATIENCE)
    moves(system, shop, "Europe/Vienna")
    eventually(lambda: zone_of_segments(system, shop) == "Europe/Vienna", "and back again", seconds=PATIENCE)


def test_who_is_given_a_tier_is_in_the_segment_that_asks_for_it(system: LocalSystem, shop: str) -> None:
    buyer = Buyer(system, "golden", shop=shop)
    recorded(buyer)
    gives_gold(buyer)
    wait_until_in(buyer, "Golden")


def test_who_takes_part_is_in_the_segment_that_asks_since_when_before_any_points(
    system: LocalSystem, shop: str
) -> None:
    buyer = Buyer(system, "joiner", shop=shop)
    recorded(buyer)
    takes_part(buyer)
    wait_until_in(buyer, "Members")


def test_segments_that_ask_for_an_attribute_are_asked_anew_once_it_has_other_choices(
    system: LocalSystem, shop: str
) -> None:
    assert not is_asked_anew_by(system, shop, "colour")
    has_colours(system, shop, "red", "blue")
    eventually(partial(is_asked_anew_by, system, shop, "colour"), "they are asked anew", seconds=PATIENCE)


def _in_a_cause(at: str) -> str:
    """An instant as causes have it."""
    instant = datetime.fromisoformat(at)
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
