# tests/integration/test_points_held.py
"""Points set aside: whose they are, and what becomes of them. As they are stored."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from crm.kernel.actor import Actor, Role
from crm.kernel.errors import NotFound
from crm.loyalty import repository, service
from crm.loyalty.admission import of_customer
from crm.loyalty.bonuses.definitions import Bonuses
from crm.loyalty.holding import LONGEST, MOST_FOR_ORDER, MOST_HOLDS, SHORTEST
from crm.loyalty.programme import Programme, Shortfall
from crm.loyalty.service import Tier, Tiers, Window
from tests.asking import NOW
from tests.integration.points import ANN, BEA, STAFF, adjust, balances, hold, order, programme
from tests.shop_events import order as shop_order
from tests.shop_history import happened, recorded

pytestmark = pytest.mark.usefixtures("shop", "programme")
__all__ = ["programme"]

SECOND = timedelta(seconds=1)


def test_a_hold_is_captured_once_and_the_rest_comes_back(now: datetime) -> None:
    adjust(100, now)
    held = hold(60, now).hold
    assert balances() == (40, 0, 60)
    captured = service.capture("demo", ANN, held.hold_id, points=45, actor=STAFF, now=now)
    assert (captured.hold.status, captured.hold.captured) == ("CAPTURED", 45)
    assert service.capture("demo", ANN, held.hold_id, points=45, actor=STAFF, now=now).given.replayed
    assert balances() == (55, 0, 0)
    for other in (50, None):
        with pytest.raises(service.HoldClosed):
            service.capture("demo", ANN, held.hold_id, points=other, actor=STAFF, now=now)
    with pytest.raises(service.HoldClosed):
        service.release("demo", ANN, held.hold_id, actor=STAFF, now=now)


@pytest.mark.parametrize(("first", "again"), [(None, 60), (60, None)])
def test_to_capture_all_is_to_capture_as_many_as_there_are(first: int | None, again: int | None, now: datetime) -> None:
    adjust(100, now)
    held = hold(60, now).hold
    for points, replayed in ((first, False), (again, True)):
        captured = service.capture("demo", ANN, held.hold_id, points=points, actor=STAFF, now=now)
        assert (captured.hold.captured, captured.given.replayed) == (60, replayed)


def test_what_the_shop_has_set_aside_its_customer_neither_lifts_nor_spends(now: datetime) -> None:
    adjust(100, now)
    theirs: dict[str, Any] = {"actor": Actor(Role.CUSTOMER, ANN), "now": now}
    shops = [hold(20, now, key=key).hold.hold_id for key in ("open", "released", "captured")]
    service.release("demo", ANN, shops[1], actor=STAFF, now=now)
    service.capture("demo", ANN, shops[2], actor=STAFF, now=now)
    for hold_id in shops:
        for move in (service.capture, service.release):
            with pytest.raises(service.HoldNotYours):
                move("demo", ANN, hold_id, **theirs)
    own = service.hold("demo", ANN, 20, lasts=timedelta(hours=1), idempotency_key="open", **theirs).hold
    assert own.hold_id not in shops  # whatever key the customer chooses, it is not the checkout's
    assert service.release("demo", ANN, own.hold_id, **theirs).hold.status == "RELEASED"
    assert balances() == (60, 0, 20)


def test_what_a_customer_has_set_aside_the_shop_captures(now: datetime) -> None:
    adjust(100, now)
    customer, checkout = Actor(Role.CUSTOMER, ANN), Actor(Role.SERVICE, "checkout")
    own = service.hold(
        "demo", ANN, 60, lasts=timedelta(hours=1), actor=customer, idempotency_key="k", now=now
    ).hold  # fmt: skip
    assert service.capture("demo", ANN, own.hold_id, actor=checkout, now=now).hold.captured == 60


def test_a_hold_is_released_once_however_often_it_is_asked_for(now: datetime) -> None:
    adjust(100, now)
    held = hold(60, now).hold
    for replayed in (False, True, True):
        assert service.release("demo", ANN, held.hold_id, actor=STAFF, now=now).given.replayed is replayed
    assert balances() == (100, 0, 0)
    with pytest.raises(service.HoldClosed):
        service.capture("demo", ANN, held.hold_id, actor=STAFF, now=now)


def test_a_hold_that_has_run_out_is_let_go_whoever_comes_first(now: datetime) -> None:
    adjust(100, now)
    held = hold(60, now).hold
    later = now + timedelta(hours=2)
    with pytest.raises(service.HoldClosed):
        service.capture("demo", ANN, held.hold_id, actor=STAFF, now=later)
    assert balances() == (100, 0, 0)
    assert service.release("demo", ANN, held.hold_id, actor=STAFF, now=later).given.replayed
    entry = repository.get_entry("demo", ANN, f"hold:{held.hold_id}:release")
    assert entry is not None
    assert (entry.occurred_at, entry.recorded_at) == (now + timedelta(hours=1), later)


def test_what_is_let_go_in_a_month_after_it_would_have_expired_is_found_again(now: datetime) -> None:
    adjust(100, now)  # until 10 April
    held = hold(60, now + timedelta(days=29), hours=26 * 24).hold  # to 4 May
    later = now + timedelta(days=60)
    assert [entry.movement for entry in service.settle("demo", ANN, now=later)] == ["expire", "release"]
    assert balances() == (0, 0, 0)
    assert service.release("demo", ANN, held.hold_id, actor=STAFF, now=later).given.replayed


def test_nobody_holds_without_end(now: datetime) -> None:
    adjust(100, now)
    for number in range(MOST_HOLDS):
        hold(1, now, key=f"h{number}")
    with pytest.raises(service.TooManyHolds):
        hold(1, now, key="one more")
    said: dict[str, Any] = {"order_id": None, "idempotency_key": "k"}
    for lasts, faults in ((SHORTEST, 0), (LONGEST, 0), (SHORTEST - SECOND, 1), (LONGEST + SECOND, 1)):
        assert len(service.hold_faults(1, lasts=lasts, **said)) == faults


def test_a_checkout_that_tries_again_holds_for_its_order_three_times_at_most(now: datetime) -> None:
    adjust(100, now)
    held = [hold(10, now, key=f"h{number}", order_id="o1").hold for number in range(MOST_FOR_ORDER)]
    with pytest.raises(service.TooManyHolds) as refused:
        hold(10, now, key="one more", order_id="o1")
    assert refused.value.field == "order_id"
    hold(10, now, key="another's", order_id="o2")
    service.release("demo", ANN, held[0].hold_id, actor=STAFF, now=now)
    hold(10, now, key="one more", order_id="o1")


def test_a_hold_that_is_not_there_or_anothers_answers_alike(now: datetime) -> None:
    adjust(100, now)
    held = hold(60, now).hold
    for customer_id, hold_id in ((ANN, "hld_x"), (BEA, held.hold_id)):
        with pytest.raises(NotFound):
            service.capture("demo", customer_id, hold_id, actor=STAFF, now=now)


def test_an_order_captures_the_hold_that_was_made_for_it(now: datetime) -> None:
    adjust(100, now)
    held = hold(60, now, order_id="o1").hold
    service.post_for_order(order(now, points_spent=50), now=now)
    assert balances() == (50, 99, 0)
    told = service.capture("demo", ANN, held.hold_id, actor=STAFF, now=now)  # whatever number is asked for
    assert (told.given.replayed, told.hold.captured) == (True, 50)
    service.post_for_order(order(now, rev=2, net=0, status="cancelled", points_spent=50), now=now)
    assert balances() == (100, 0, 0)


def test_a_hold_that_was_captured_before_its_order_came_is_given_back_with_it(now: datetime) -> None:
    adjust(100, now)
    held = hold(60, now, order_id="o1").hold
    service.capture("demo", ANN, held.hold_id, actor=STAFF, now=now)
    service.post_for_order(order(now), now=now)
    assert balances() == (40, 99, 0)
    service.post_for_order(order(now, rev=2, net=0), now=now)
    assert balances() == (100, 0, 0)


def test_what_was_forgiven_while_it_was_set_aside_is_claimed_when_it_comes_back(
    now: datetime, programme: list[Programme]
) -> None:
    programme.append(replace(programme[0], return_window_days=0, shortfall=Shortfall.WITHIN_BALANCE))
    service.post_for_order(order(now), now=now)
    held = hold(100, now).hold
    service.post_for_order(order(now, rev=2, net=0), now=now)
    assert balances() == (0, 0, 100)
    later = now + timedelta(hours=2)
    assert service.balances_at("demo", ANN, now=later).net == 0  # also before that is posted
    service.settle("demo", ANN, now=later)
    assert balances() == (0, 0, 0)
    claimed = repository.get_entry("demo", ANN, f"hold:{held.hold_id}:release:claim:3")
    assert claimed is not None
    assert (claimed.points, claimed.order_id, service.why(claimed)) == (-100, "o1", "order_changed")
    service.post_for_order(order(now, rev=3), now=later)
    assert balances() == (100, 0, 0)


@pytest.mark.parametrize(("spent", "forgiven"), [(0, 0), (60, 60)])
def test_what_comes_back_of_a_hold_pays_first_what_was_forgiven_and_what_is_spent_stays_so(
    now: datetime, programme: list[Programme], spent: int, forgiven: int
) -> None:
    programme.append(replace(programme[0], return_window_days=0, shortfall=Shortfall.WITHIN_BALANCE))
    service.post_for_order(order(now), now=now)
    held = hold(100, now).hold
    service.post_for_order(order(now, rev=2, net=0), now=now)
    if spent:
        service.capture("demo", ANN, held.hold_id, points=spent, actor=STAFF, now=now)
    else:
        service.release("demo", ANN, held.hold_id, actor=STAFF, now=now)
    assert balances() == (0, 0, 0)
    assert repository.get_for_order("demo", ANN, "o1")[1].forgiven == forgiven


def test_what_was_forgiven_of_an_order_is_claimed_when_it_gives_back_what_paid_for_it(
    now: datetime, programme: list[Programme]
) -> None:
    """50 pay for it, and it earns 99, all of which are spent. Half a refund gives back 25 and takes 50, the other half
    25 and 49: of 99 there are 50.
    """
    programme.append(replace(programme[0], return_window_days=0, shortfall=Shortfall.WITHIN_BALANCE))
    adjust(50, now)
    service.post_for_order(order(now, points_spent=50), now=now)
    hold(99, now, hours=100)
    service.post_for_order(order(now, rev=2, net=5_000, points_spent=50), now=now)
    assert balances() == (0, 0, 99)
    assert repository.get_for_order("demo", ANN, "o1")[1].forgiven == 25
    service.post_for_order(order(now, rev=3, net=0, points_spent=50), now=now)
    assert balances() == (0, 0, 99)
    assert repository.get_for_order("demo", ANN, "o1")[1].forgiven == 49


@pytest.mark.parametrize("status", ["placed", "cancelled"])
def test_an_order_and_the_capture_of_its_hold_end_alike_whichever_is_told_first(
    status: str, programme: list[Programme]
) -> None:
    programme.append(replace(programme[0], return_window_days=0))
    ends = []
    for case in ("order-first", "capture-first"):
        who = {"customer": {"externalId": case}}
        customer_id = happened("order.placed", shop_order(f"earns-{case}"), **who)
        recorded(f"earns-{case}")
        held = service.hold(
            "demo", customer_id, 12, lasts=timedelta(days=1), order_id=case, actor=STAFF, idempotency_key="h", now=NOW
        ).hold
        happened("order.updated", shop_order(case, status=status), **who)
        if case == "order-first":
            recorded(case)
        if case == "capture-first" or status == "placed":
            service.capture("demo", customer_id, held.hold_id, actor=STAFF, now=NOW)
        else:
            with pytest.raises(service.HoldClosed):  # the order has let it go
                service.capture("demo", customer_id, held.hold_id, actor=STAFF, now=NOW)
        if case == "capture-first":
            recorded(case)
        earned = repository.get_for_order("demo", customer_id, case)[1].posted
        ends.append((balances(customer_id), earned))
    assert ends[0] == ends[1] == (((20 - 12 + 19, 0, 0), 19) if status == "placed" else ((20, 0, 0), 0))


def test_what_was_held_for_an_order_that_was_cancelled_before_comes_back_when_it_is_captured() -> None:
    customer_id = happened("order.placed", shop_order("o1"))
    recorded("o1")
    happened("order.updated", shop_order("o2", status="cancelled"))
    recorded("o2")
    before = balances(customer_id)
    held = service.hold(
        "demo", customer_id, 12, lasts=timedelta(days=1), order_id="o2", actor=STAFF, idempotency_key="h", now=NOW
    ).hold
    assert service.capture("demo", customer_id, held.hold_id, actor=STAFF, now=NOW).hold.status == "CAPTURED"
    assert balances(customer_id) == before


def test_with_a_capture_somebody_may_earn_their_first_points(programme: list[Programme]) -> None:
    """What lets the capture in and what gives the points for taking part both rely on the profile."""
    programme.append(replace(programme[0], return_window_days=0, bonuses=Bonuses(signup=50)))
    customer_id = happened(
        "order.placed", shop_order(lines=[{"id": "1", "sku": "A", "quantity": 1, "unitPrice": "0.50"}])
    )
    recorded("o1")
    adjust(100, NOW, customer_id=customer_id)
    held = service.hold(
        "demo", customer_id, 5, lasts=timedelta(days=1), order_id="o1", actor=STAFF, idempotency_key="h", now=NOW
    ).hold
    happened("order.updated", shop_order("o1", 2))  # and nobody has told points of it
    let_in = of_customer("demo", customer_id, themselves=False, of_hold=True)
    service.capture("demo", customer_id, held.hold_id, actor=STAFF, now=NOW, admit=let_in)
    assert balances(customer_id) == (100 - 5 + 19 + 50, 0, 0)


def test_what_is_captured_for_an_order_ends_no_tier_that_time_has_ended(programme: list[Programme]) -> None:
    """Nobody has handled the timer yet: the capture finds that Gold is over, as of when it was."""
    tiers = Tiers(window=Window.CALENDAR_YEAR, all=(Tier("s", "Silver", 5), Tier("g", "Gold", 15)))
    programme.append(replace(programme[0], return_window_days=0, expiry=None, tiers=tiers))
    customer_id = happened("order.placed", shop_order("o1"))
    recorded("o1")
    later = datetime(2028, 1, 5, 12, tzinfo=NOW.tzinfo)
    held = service.hold(
        "demo", customer_id, 12, lasts=timedelta(days=20), order_id="o1", actor=STAFF, idempotency_key="h",
        now=later - timedelta(days=10),
    ).hold  # fmt: skip
    service.capture("demo", customer_id, held.hold_id, actor=STAFF, now=later)
    [ended, attained] = service.tier_changes("demo", customer_id, before=None, limit=5)
    assert (attained.after_id, attained.why) == ("g", "ATTAINED")
    assert (ended.before_id, ended.why, ended.cause) == ("g", "ENDED", "tier:2028-01-01:end")
