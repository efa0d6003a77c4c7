# tests/integration/test_points_clocks.py
"""Clocks that differ, calls that were overtaken, and news that comes late: none of them stops an account."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from crm.kernel import clock
from crm.loyalty import maturing, repository, service
from crm.loyalty.bonuses.definitions import Bonuses
from crm.loyalty.expiry import Expiry, Kind
from crm.loyalty.programme import Programme
from crm.orders.events import OrderRecorded
from tests.integration.points import ANN, STAFF, adjust, balances, hold, order, programme, spend
from tests.integration.test_bonuses import profile

__all__ = ["programme"]
pytestmark = pytest.mark.usefixtures("shop", "programme")

DAY, INSTANT = timedelta(days=1), timedelta(milliseconds=5)
ENDS = clock.parse("2026-04-10T22:00:00Z")
"""When points expire that were earned on 10 March."""


def goes_on() -> int:
    """Whatever was before: what is given long after can be spent, and the ledger is as it was posted."""
    later = ENDS + 90 * DAY
    adjust(7, later, key="later")
    spend(7, later, key="later")
    account = service.account("demo", ANN)
    assert account is not None
    assert account.posted_at == later
    return balances()[0]


def paid(now: datetime, *, rev: int = 1, status: str = "placed", at: datetime | None = None) -> OrderRecorded:
    """An order that earns nothing, paid with 50 points."""
    told = order(now, rev=rev, status=status, points_spent=50, order_id="paid")
    return replace(told, net=0, refunded=0, occurred_at=at or now)


def test_a_hold_let_go_by_a_clock_behind_the_one_that_let_its_points_expire_comes_back_for_thirty_days(
    now: datetime,
) -> None:
    adjust(100, now)
    held = hold(40, ENDS - timedelta(hours=1), hours=24).hold
    service.settle("demo", ANN, now=ENDS + INSTANT)
    released = service.release("demo", ANN, held.hold_id, actor=STAFF, now=ENDS - INSTANT)
    assert [(line.effect, line.pool[:10]) for line in released.given.entry.lines] == [("credit", "2026-05-11")]
    assert released.given.entry.recorded_at == ENDS + INSTANT
    assert balances() == (40, 0, 0)
    assert goes_on() == 0


def test_an_order_cancelled_by_a_clock_behind_the_one_that_let_points_expire_gives_them_back(now: datetime) -> None:
    adjust(100, now)
    service.post_for_order(paid(now), now=now)
    service.settle("demo", ANN, now=ENDS + INSTANT)
    service.post_for_order(paid(now, rev=2, status="cancelled"), now=ENDS - INSTANT)
    assert balances() == (50, 0, 0)
    assert goes_on() == 0


def test_what_is_added_by_a_clock_behind_the_one_that_let_an_order_mature_can_be_spent_at_once(now: datetime) -> None:
    service.post_for_order(order(now, net=5_000), now=now)
    matures = clock.parse("2026-03-13T23:00:00Z")
    service.settle("demo", ANN, now=matures + INSTANT)
    service.post_for_order(order(now, rev=2), now=matures - INSTANT)
    assert balances() == (100, 0, 0)
    assert goes_on() == 0


def test_who_is_behind_settles_what_has_fallen_due_by_the_clock_that_is_ahead(now: datetime) -> None:
    """An old order, told with the newer clock, earns what expires at once; the older one finds none of it."""
    adjust(10, ENDS + INSTANT, key="new")
    service.post_for_order(order(now), now=ENDS + INSTANT)
    spend(10, ENDS - INSTANT)
    assert balances() == (0, 0, 0)


def test_news_of_before_that_comes_after_points_expired_for_inactivity_stops_nothing(
    now: datetime, programme: list[Programme]
) -> None:
    programme.append(Programme("EUR", "Europe/Vienna", rate=Decimal("0.5"), expiry=Expiry(1, kind=Kind.INACTIVITY)))
    adjust(50, now)
    service.post_for_order(order(now), now=now)
    service.post_for_order(paid(now), now=now)
    late = ENDS + timedelta(hours=1)
    service.settle("demo", ANN, now=late)
    service.post_for_order(order(now, rev=2, net=0), now=late)
    cancelled = paid(now, rev=2, status="cancelled", at=ENDS - DAY)
    service.post_for_order(cancelled, now=late)
    assert balances() == (50, 0, 0)  # its pool is again what it was when it expired
    assert goes_on() == 0
    causes = [entry.cause or "" for entry in repository.list_all_entries("demo", ANN)]
    assert sum(cause.startswith("pool:idle#2026-03:expire:") for cause in causes) == 2


def test_a_birthday_that_was_forgotten_and_is_told_again_is_celebrated_once_a_year(
    now: datetime, programme: list[Programme]
) -> None:
    programme.append(Programme("EUR", "Europe/Vienna", bonuses=Bonuses(birthday=20)))
    profile(now, birth_date="1990-05-18")
    service.heard_of_birthday("demo", ANN, now=now)
    after = clock.parse("2026-05-20T12:00:00Z")
    service.settle("demo", ANN, now=after)
    profile(now, birth_date=None)
    service.erase("demo", ANN, now=after)
    profile(now, birth_date="1990-06-20")
    service.heard_of_birthday("demo", ANN, now=after)
    account = service.account("demo", ANN)
    assert account is not None
    assert (account.birthday.day, account.birthday.year) == ("06-20", 2027)
    service.settle("demo", ANN, now=after + 60 * DAY)
    assert balances() == (20, 0, 0)


def test_the_newest_birth_date_counts_also_where_the_older_news_of_it_is_late(
    now: datetime, programme: list[Programme], monkeypatch: pytest.MonkeyPatch
) -> None:
    programme.append(Programme("EUR", "Europe/Vienna", bonuses=Bonuses(birthday=20)))
    profile(now, birth_date="1990-05-18")
    opened = [maturing.opened]

    def overtaken(shop: str, customer_id: str, *, now: datetime) -> service.LoyaltyAccount:
        if len(opened) == 1:
            opened.append(opened[0])
            profile(now, birth_date="1990-06-20")
            service.heard_of_birthday(shop, customer_id, now=now)
        return opened[0](shop, customer_id, now=now)

    monkeypatch.setattr(maturing, "opened", overtaken)
    service.heard_of_birthday("demo", ANN, now=now)
    account = service.account("demo", ANN)
    assert account is not None
    assert (account.birthday.day, account.birthday.year) == ("06-20", 2026)


def test_an_order_that_is_said_to_have_happened_before_it_was_placed_counts_from_when_it_was(
    now: datetime, programme: list[Programme]
) -> None:
    programme.append(Programme("EUR", "Europe/Vienna", expiry=Expiry(1), bonuses=Bonuses(signup=50)))
    profile(now)
    placed = now - 20 * DAY
    service.post_for_order(replace(order(placed), occurred_at=placed - 60 * DAY), now=now)
    assert balances() == (150, 0, 0)
    entries = repository.list_all_entries("demo", ANN)
    assert {entry.occurred_at for entry in entries} == {placed}


@pytest.mark.parametrize("read", ["list_months", "list_pending", "get_hold"])
def test_whoever_reads_while_time_is_posted_reads_all_of_it_anew(
    now: datetime, programme: list[Programme], monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    programme.append(replace(programme[0], return_window_days=3, expiry=None))
    service.post_for_order(order(now), now=now)
    adjust(60, now)
    hold(40, now)
    later = now + timedelta(days=5)
    reading = getattr(repository, read)

    def overtaken(*asked: Any, **named: Any) -> Any:
        monkeypatch.setattr(repository, read, reading)
        service.settle("demo", ANN, now=later)
        return reading(*asked, **named)

    monkeypatch.setattr(repository, read, overtaken)
    found = service.balances_at("demo", ANN, now=later)
    assert (found.available, found.pending, found.held) == (160, 0, 0)


def test_when_points_expire_is_read_anew_while_time_is_posted(
    now: datetime, programme: list[Programme], monkeypatch: pytest.MonkeyPatch
) -> None:
    programme.append(replace(programme[0], return_window_days=0, expiry=Expiry(2)))
    service.post_for_order(order(now), now=now)
    hold(40, now)
    later, reading = now + timedelta(days=5), repository.list_months

    def overtaken(*asked: Any, **named: Any) -> Any:
        monkeypatch.setattr(repository, "list_months", reading)
        service.settle("demo", ANN, now=later)
        return reading(*asked, **named)

    monkeypatch.setattr(repository, "list_months", overtaken)
    assert [one.points for one in service.endings("demo", ANN, due=True, idle_at=None, now=later)] == [100]


def test_points_whose_month_is_past_once_their_return_window_is_over_mature_and_expire(
    programme: list[Programme], now: datetime
) -> None:
    """No programme of today has such a window (0109); one of before may."""
    programme.append(replace(programme[0], return_window_days=60))
    adjust(30, now)
    service.settle("demo", ANN, now=ENDS)
    service.post_for_order(order(now), now=now)
    late = now + 70 * DAY
    assert service.balances_at("demo", ANN, now=late).net == 0
    assert [entry.movement for entry in service.settle("demo", ANN, now=late)] == ["mature", "expire"]
    assert goes_on() == 0
