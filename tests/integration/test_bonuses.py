# tests/integration/test_bonuses.py
"""What is earned and lost without an order: taking part, birthdays, shops' own events, inactivity, notices."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from crm.customers.models import Customer
from crm.customers.refusals import CustomerBlocked
from crm.kernel import clock, timers
from crm.kernel.actor import Actor, Role
from crm.kernel.change import Change
from crm.kernel.timers import TimerDue
from crm.loyalty import repository, service
from crm.loyalty.bonuses.definitions import Bonuses, Comparison, Enrolment, EventBonus, PropertyFilter
from crm.loyalty.bonuses.eligibility import Unearned
from crm.loyalty.events import LoyaltyEnrolled, PointsExpiring
from crm.loyalty.expiry import Expiry, Kind
from crm.loyalty.models import Enrolled, ExpiryNotice
from crm.loyalty.programme import Programme, Withheld
from crm.loyalty.programmes import in_force
from crm.loyalty.programmes.versions import Version
from crm.shops.models import Shop
from crm.touchpoints.events import TouchpointRecorded
from crm.touchpoints.models import Touchpoint
from tests.integration.points import ANN, STAFF, adjust, balances, order, programme, spend

__all__ = ["programme"]

DAY = timedelta(days=1)
ANN_HERSELF = Actor(Role.CUSTOMER, ANN)
REVIEW = EventBonus(
    id="ebn_1", name="Reviews", event="review.written", points=50,
    filters=(PropertyFilter("stars", Comparison.IS_SET),), per_day=1, per_customer=2,
)  # fmt: skip
GIVING = Programme(
    currency="EUR", zone="Europe/Vienna", bonuses=Bonuses(signup=100, birthday=20, events=(REVIEW,))
)  # fmt: skip
ON_REQUEST = replace(GIVING, enrolment=Enrolment.ON_REQUEST)


@pytest.fixture(autouse=True)
def giving(shop: Shop, programme: list[Programme], now: datetime) -> list[Programme]:
    """Ann is there, and the programme gives for all there is."""
    programme.append(GIVING)
    profile(now)
    return programme


def profile(now: datetime, **said: Any) -> None:
    """Ann's, as it is from now on."""
    change = Change(now)
    try:
        customer = Customer.get(f"SHOP#demo#CUSTOMER#{ANN}", Customer.SK)
    except Customer.DoesNotExist:
        customer = Customer.of("demo", ANN, now=now)
    for name, value in said.items():
        setattr(customer, name, value)
    change.revise(customer)
    change.commit()


def head() -> service.LoyaltyAccount:
    found = service.account("demo", ANN)
    assert found is not None
    return found


def wakes_at() -> datetime | None:
    found = timers.get("demo", ANN, "loyalty", "ledger")
    return found.due_at if found else None


def wake(now: datetime) -> list[str]:
    return [entry.cause for entry in service.wake(TimerDue("demo", ANN, "loyalty", "ledger", now), now=now)]


def reads(now: datetime) -> int:
    """What whoever asks now is told, whether a timer has been handled or not."""
    return service.played("demo", ANN, head(), now=now).balances.net


def happened(event_id: str, at: datetime, *, visitor_id: str | None = None, **properties: Any) -> TouchpointRecorded:
    item = Touchpoint.of("demo", ANN, "review.written", event_id, occurred_at=at)
    item.direction, item.recorded_at, item.properties, item.visitor_id = "inbound", at, properties, visitor_id
    item.rev, item.cause = 1, f"event:{event_id}:touchpoint"
    item.save()
    return TouchpointRecorded.of(item)


def given(event: TouchpointRecorded, now: datetime) -> list[tuple[int, Unearned | None]]:
    return [(one.points, one.unearned) for one in service.give_for_event(event, now=now)]


# --- taking part


def test_who_asks_to_takes_part_once_and_is_welcomed_once(now: datetime) -> None:
    first = service.enroll("demo", ANN, actor=ANN_HERSELF, now=now)
    again = service.enroll("demo", ANN, actor=STAFF, now=now + DAY)
    assert (first.replayed, again.replayed) == (False, True)
    assert balances() == (100, 0, 0)
    assert again.account.enrolled_at == now
    told = LoyaltyEnrolled.of(Enrolled.get(f"SHOP#demo#CUSTOMER#{ANN}", "ENROLLED"))
    assert (told.enrolled_at, told.cause, told.replayed) == (now, "account:enroll", False)


def test_who_is_blocked_or_deleted_cannot_take_part(now: datetime) -> None:
    profile(now, status="blocked")
    for actor in (ANN_HERSELF, STAFF):
        with pytest.raises(CustomerBlocked):
            service.enroll("demo", ANN, actor=actor, now=now)
    assert service.account("demo", ANN) is None


def test_with_the_first_order_that_earns_a_customer_takes_part_and_is_welcomed(now: datetime) -> None:
    service.post_for_order(order(now), now=now)
    assert balances() == (200, 0, 0)
    assert head().enrolled_at == now
    service.post_for_order(order(now - DAY, order_id="earlier"), now=now)
    assert balances() == (300, 0, 0)
    assert head().enrolled_at == now - DAY


def test_who_is_blocked_earns_by_orders_and_is_not_welcomed(now: datetime) -> None:
    profile(now, status="blocked")
    service.post_for_order(order(now), now=now)
    assert balances() == (100, 0, 0)


def test_an_order_of_before_its_customer_took_part_earns_nothing_whenever_it_is_told(
    now: datetime, giving: list[Programme]
) -> None:
    giving.append(ON_REQUEST)
    before, since = order(now - DAY, order_id="o0"), order(now + DAY)
    assert service.post_for_order(before, now=now).withheld is Withheld.NOT_ENROLLED
    assert service.account("demo", ANN) is None
    service.enroll("demo", ANN, actor=ANN_HERSELF, now=now)
    service.post_for_order(replace(before, rev=2), now=now + DAY)
    assert balances() == (100, 0, 0)
    service.post_for_order(since, now=now + DAY)
    assert balances() == (200, 0, 0)


# --- birthdays


def test_a_birthday_gives_points_at_midnight_where_the_customer_lives_once_a_year(now: datetime) -> None:
    profile(now, birth_date="1990-04-02", zone="Pacific/Auckland")
    assert service.heard_of_birthday("demo", ANN, now=now)
    assert not service.heard_of_birthday("demo", ANN, now=now)
    midnight = clock.parse("2026-04-01T11:00:00Z")
    assert wakes_at() == midnight
    assert [reads(midnight - timedelta(seconds=1)), reads(midnight)] == [0, 120]
    assert wake(midnight) == ["birthday:2026:bonus", "account:enroll:signup"]
    assert wake(midnight) == []
    assert (balances(), wakes_at()) == ((120, 0, 0), midnight.replace(year=2027))


def test_who_was_born_on_the_first_of_a_month_is_given_nothing_before_the_programme_is_in_that_month(
    now: datetime,
) -> None:
    """Or the entry would say another one, and so the day."""
    profile(now, birth_date="1990-04-01", zone="Pacific/Auckland")
    service.heard_of_birthday("demo", ANN, now=now)
    midnight, april = clock.parse("2026-03-31T11:00:00Z"), clock.parse("2026-03-31T22:00:00Z")
    assert (reads(midnight), wake(midnight), wakes_at()) == (0, [], april)
    service.heard_of_birthday("demo", ANN, now=midnight)
    assert (reads(april - timedelta(seconds=1)), reads(april)) == (0, 120)
    assert wake(april) == ["birthday:2026:bonus", "account:enroll:signup"]
    assert wakes_at() == midnight.replace(year=2027)


def test_years_that_nobody_was_told_of_are_made_up_for_each_as_of_its_day(now: datetime) -> None:
    profile(now, birth_date="1988-02-29")
    service.heard_of_birthday("demo", ANN, now=now)
    late = now + 750 * DAY
    assert reads(late) == 140
    assert wake(late) == ["birthday:2027:bonus", "account:enroll:signup", "birthday:2028:bonus"]
    entry = repository.get_entry("demo", ANN, "birthday:2028:bonus")
    assert entry is not None
    assert (entry.occurred_at, entry.recorded_at) == (
        clock.parse("2028-01-31T23:00:00Z"), clock.parse("2028-02-29T23:00:00Z"),
    )  # fmt: skip
    assert balances() == (140, 0, 0)


def test_changing_the_date_of_birth_earns_nothing(now: datetime) -> None:
    profile(now, birth_date="1990-03-10")
    service.heard_of_birthday("demo", ANN, now=now)
    assert wake(now) == ["birthday:2026:bonus", "account:enroll:signup"]
    for birth_date in ("1990-03-11", None, "1990-03-12"):
        profile(now, birth_date=birth_date)
        service.heard_of_birthday("demo", ANN, now=now)
    assert wake(now + 300 * DAY) == []
    assert head().birthday.next_at == clock.parse("2027-03-11T23:00:00Z")
    assert wake(now + 364 * DAY) == []
    assert balances() == (120, 0, 0)


def test_who_is_blocked_on_their_birthday_is_given_nothing(now: datetime) -> None:
    profile(now, birth_date="1990-04-01", status="deleted")
    service.heard_of_birthday("demo", ANN, now=now)
    assert reads(now + 30 * DAY) == 0
    assert wake(now + 30 * DAY) == []
    assert wakes_at() == clock.parse("2027-03-31T22:00:00Z")


# --- what customers do


def test_an_event_earns_once_however_often_it_is_told_and_only_as_its_bonus_asks(now: datetime) -> None:
    review = happened("e1", now, stars=5)
    assert given(review, now) == [(150, None)]
    assert given(review, now) == [(0, None)]
    assert given(happened("e2", now), now) == [(0, Unearned.NOT_FULFILLED)]
    assert service.give_for_event(replace(review, type="wishlist.shared"), now=now) == []
    assert balances() == (150, 0, 0)


def test_a_bonus_is_given_no_oftener_than_it_may_on_a_day_or_ever(now: datetime) -> None:
    later = [now, now + timedelta(hours=1), now + DAY, now + 2 * DAY]
    found = [given(happened(f"e{number}", at, stars=5), at) for number, at in enumerate(later)]
    assert found == [[(150, None)], [(0, Unearned.CAPPED)], [(50, None)], [(0, Unearned.CAPPED)]]
    assert balances() == (200, 0, 0)


def test_a_day_of_a_bonus_is_one_of_the_programmes_zone(now: datetime) -> None:
    for event_id, at, points in (("e1", "2026-03-09T22:30:00Z", 150), ("e2", "2026-03-09T23:30:00Z", 50)):
        assert given(happened(event_id, clock.parse(at), stars=5), now) == [(points, None)]


def test_an_event_that_is_told_late_earns_what_it_did_then_and_that_expires_with_what_came_then(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = replace(GIVING, expiry=Expiry(1)), replace(GIVING, bonuses=Bonuses())
    monkeypatch.setattr(in_force, "version", lambda *_, at, **__: Version(0, before if at < now else after))
    assert given(happened("e1", now - 20 * DAY, stars=5), now) == [(150, None)]
    ends = clock.parse("2026-03-18T23:00:00Z")
    assert (wakes_at(), reads(ends - timedelta(seconds=1)), reads(ends)) == (ends, 150, 0)
    assert given(happened("e2", now, stars=5), now) == []


def test_what_two_events_at_once_take_of_a_cap_is_not_more_than_it(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (happened(event_id, now, stars=5) for event_id in ("e1", "e2"))
    reading = repository.get_tallies

    def overtaken(*asked: Any) -> Any:
        tallies = reading(*asked)
        monkeypatch.setattr(repository, "get_tallies", reading)
        assert given(second, now) == [(150, None)]
        return tallies

    monkeypatch.setattr(repository, "get_tallies", overtaken)
    assert given(first, now) == [(0, Unearned.CAPPED)]
    assert balances() == (150, 0, 0)


def test_what_somebody_did_before_they_were_known_earns_nothing(now: datetime) -> None:
    assert service.give_for_event(happened("e1", now, visitor_id="v1", stars=5), now=now) == []


def test_who_is_blocked_or_takes_no_part_yet_earns_nothing_by_events(now: datetime, giving: list[Programme]) -> None:
    giving.append(ON_REQUEST)
    assert given(happened("e1", now, stars=5), now) == [(0, Unearned.NOT_ENROLLED)]
    profile(now, status="blocked")
    assert given(happened("e1", now, stars=5), now) == [(0, Unearned.NOT_SERVED)]


# --- what time takes


def test_points_expire_when_their_customer_does_nothing_for_so_long(now: datetime, giving: list[Programme]) -> None:
    giving.append(Programme(currency="EUR", zone="Europe/Vienna", expiry=Expiry(1, kind=Kind.INACTIVITY)))
    service.post_for_order(order(now), now=now)
    ends = clock.parse("2026-04-10T22:00:00Z")
    assert wakes_at() == ends
    spend(10, now + 20 * DAY)
    assert [reads(ends), wake(ends)] == [90, []]
    moved = clock.parse("2026-04-30T22:00:00Z")
    assert (head().idle_at, wakes_at()) == (moved, moved)
    assert reads(moved) == 0
    [cause] = wake(moved + DAY)
    assert cause.startswith("pool:idle#2026-03:expire:")
    assert (balances(), wakes_at()) == ((0, 0, 0), None)
    adjust(5, moved + 2 * DAY)
    assert head().idle_at == clock.parse("2026-06-03T22:00:00Z")


@pytest.mark.parametrize("ordered", [True, False])
def test_a_birthday_after_all_has_expired_lives_as_if_it_had_been_on_the_last_of_its_month(
    now: datetime, giving: list[Programme], ordered: bool
) -> None:
    idle = Expiry(1, kind=Kind.INACTIVITY)
    giving.append(Programme(currency="EUR", zone="Europe/Vienna", expiry=idle, bonuses=Bonuses(birthday=20)))
    profile(now, birth_date="1990-04-12")
    service.heard_of_birthday("demo", ANN, now=now)
    if ordered:  # what it earns expires at the end of 4 April
        service.post_for_order(order(now - 6 * DAY), now=now)
    day = clock.parse("2026-04-11T22:00:00Z")
    assert reads(day) == 20
    wake(day)
    assert balances() == (20, 0, 0)
    assert head().idle_at == clock.parse("2026-05-30T22:00:00Z")
    assert head().enrolled_at == (now - 6 * DAY if ordered else clock.parse("2026-03-31T22:00:00Z"))


def test_customers_are_told_once_before_their_points_expire(now: datetime, giving: list[Programme]) -> None:
    giving.append(Programme(currency="EUR", zone="Europe/Vienna", expiry=Expiry(12), notice_days=14))
    service.post_for_order(order(now), now=now)
    tells, ends = clock.parse("2027-02-24T23:00:00Z"), clock.parse("2027-03-10T23:00:00Z")
    assert wake(wakes_at() or now) == []  # to look whether the programme tells of it at all
    assert wakes_at() == tells
    assert reads(tells) == 100
    assert wake(tells) == []
    notice = ExpiryNotice.get(f"SHOP#demo#CUSTOMER#{ANN}", "NOTICE#pool:2027-03-10T23:00:00.000000Z:notice")
    told = PointsExpiring.of(notice)
    assert (told.points, told.expires_at, told.occurred_at, told.replayed) == (100, ends, tells, False)
    assert (wake(tells), wakes_at()) == ([], ends)


def test_nobody_is_told_when_it_is_too_late(now: datetime, giving: list[Programme]) -> None:
    giving.append(Programme(currency="EUR", zone="Europe/Vienna", expiry=Expiry(1), notice_days=14))
    service.post_for_order(order(now), now=now)
    assert reads(now + 40 * DAY) == 0
    assert wake(now + 40 * DAY) == ["pool:2026-04-10T22:00:00.000000Z:expire:2"]
    notices = ExpiryNotice.query(f"SHOP#demo#CUSTOMER#{ANN}", ExpiryNotice.sk.startswith("NOTICE#"))
    assert (list(notices), balances(), wakes_at()) == ([], (0, 0, 0), None)
