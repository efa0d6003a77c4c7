# tests/integration/test_limits_merged.py
"""Two customers become one: what either was given before counts towards what the survivor may be given."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from crm.loyalty import absorbing, order_case, service
from crm.loyalty.bonuses.definitions import Bonuses
from crm.loyalty.earning.definitions import Caps, Earning, Kind, Rule
from crm.loyalty.programme import Programme, Shortfall
from crm.loyalty.service import Tiers
from tests.integration.merging import DAY, REVIEW, bought, merged, profile, reviewed, ruled, wake
from tests.integration.points import ANN, BEA, balances, hold, programme

__all__ = ["programme", "ruled"]

WELCOME = Rule("w", "Welcome", Kind.FIXED, Decimal(100), caps=Caps(per_customer=100))


@pytest.fixture
def capped(ruled: list[Programme]) -> list[Programme]:
    """An order earns nothing but a hundred points, once."""
    ruled.append(replace(ruled[-1], rate=Decimal(0), tiers=Tiers(), earning=Earning((WELCOME,))))
    return ruled


@pytest.mark.usefixtures("capped")
def test_what_both_were_given_counts_towards_a_cap_until_it_goes_back(now: datetime) -> None:
    bought(ANN, 20, now)
    merged(now)
    bought(BEA, 20, now, "b1")
    assert balances(BEA)[0] == 100
    bought(ANN, 0, now, rev=2, refunded=2_000)
    assert balances(BEA)[0] == 0
    bought(BEA, 20, now, "b2")
    assert balances(BEA)[0] == 100
    bought(ANN, 20, now, rev=3)
    bought(ANN, 20, now, "a2")
    assert balances(BEA)[0] == 100


def test_of_a_day_both_are_given_no_more_than_one_is(now: datetime, capped: list[Programme]) -> None:
    capped.append(replace(capped[-1], earning=Earning((replace(WELCOME, caps=Caps()),), Caps(per_day=150))))
    bought(ANN, 20, now)
    merged(now)
    bought(BEA, 20, now, "b1")
    bought(ANN, 20, now, "a2")
    bought(BEA, 20, now + DAY, "b2")
    assert balances(BEA)[0] == 250


@pytest.mark.usefixtures("capped")
def test_what_an_order_of_the_absorbed_one_is_given_counts_for_the_survivor_at_once(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where whoever worked for it has died before its points have followed."""
    merged(now)
    with monkeypatch.context() as patch:
        patch.setattr(absorbing, "follow", lambda *_, **__: 0)
        bought(ANN, 20, now)
    bought(BEA, 20, now, "b1")
    assert (balances(ANN)[0], balances(BEA)[0]) == (100, 0)


@pytest.mark.usefixtures("capped")
@pytest.mark.parametrize(("one", "other"), [(ANN, BEA), (BEA, ANN)])
def test_orders_of_both_at_once_are_given_no_more_together_than_a_rule_may(
    now: datetime, monkeypatch: pytest.MonkeyPatch, one: str, other: str
) -> None:
    merged(now)
    rooms = order_case.Case.rooms

    def overtaken(*given: Any) -> Any:
        monkeypatch.setattr(order_case.Case, "rooms", rooms)
        bought(other, 20, now, "o2")
        return rooms(*given)

    monkeypatch.setattr(order_case.Case, "rooms", overtaken)
    bought(one, 20, now, "o1")
    assert (balances(ANN)[0], balances(BEA)[0]) == (0, 100)


@pytest.mark.usefixtures("capped")
def test_what_was_given_follows_through_all_into_whom_somebody_was_merged(now: datetime) -> None:
    third = "cus_3"
    profile(third, now)
    bought(ANN, 20, now)
    merged(now)
    merged(now, absorbed=BEA, survivor=third)
    bought(third, 20, now, "c1")
    assert balances(third)[0] == 100
    bought(ANN, 0, now, rev=2, refunded=2_000)
    bought(third, 20, now, "c2")
    bought(ANN, 20, now, "a2")
    assert balances(third)[0] == 100


def test_what_is_claimed_of_the_absorbed_one_is_room_for_the_survivor(now: datetime, capped: list[Programme]) -> None:
    capped.append(replace(capped[-1], shortfall=Shortfall.WITHIN_BALANCE))
    bought(ANN, 20, now)
    hold(100, now)
    merged(now)
    bought(ANN, 0, now, rev=2, refunded=2_000)
    bought(BEA, 20, now, "b1")
    assert balances(BEA)[0] == 0  # what is forgiven is given
    wake(ANN, now + 2 * DAY)
    bought(BEA, 20, now + 2 * DAY, "b2")
    assert balances(BEA)[0] == 100


def test_what_an_order_gives_back_before_all_has_followed_makes_no_more_room_than_there_is(
    now: datetime, capped: list[Programme], monkeypatch: pytest.MonkeyPatch
) -> None:
    bought(ANN, 20, now)
    with monkeypatch.context() as patch:
        patch.setattr(absorbing, "_carry", lambda *_, **__: False)
        merged(now)
        bought(ANN, 0, now, rev=2, refunded=2_000)
        capped.append(replace(capped[-1], earning=Earning((replace(WELCOME, value=Decimal(500)),))))
        bought(BEA, 20, now, "b1")
    assert balances(BEA)[0] == 100
    absorbing.follow("demo", ANN, now=now)
    bought(BEA, 20, now, "b2")
    assert balances(BEA)[0] == 100


def test_bonuses_that_both_were_given_count_towards_how_often_they_may_be(
    now: datetime, ruled: list[Programme]
) -> None:
    ruled.append(replace(ruled[-1], bonuses=Bonuses(events=(REVIEW,))))
    third = "cus_3"
    profile(third, now)
    assert [reviewed(who, now) for who in (ANN, BEA)] == [50, 50]
    merged(now)
    assert reviewed(BEA, now) == 0  # two of a day
    merged(now, absorbed=BEA, survivor=third)
    assert [reviewed(third, now + days * DAY) for days in (0, 1, 2)] == [0, 50, 0]
    assert balances(third)[0] == 150
    assert all(not service.verify("demo", who).findings for who in (ANN, BEA, third))
