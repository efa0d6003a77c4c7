# tests/unit/loyalty/ledger/test_time_of_points.py
"""What time does beside maturing and expiring: points that wait for their customer, notices and birthdays."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from msgspec.structs import replace

from crm.kernel import clock
from crm.loyalty import expiry
from crm.loyalty.bonuses import birthdays, celebrating
from crm.loyalty.bonuses.birthdays import Birthday
from crm.loyalty.bonuses.definitions import Bonuses, Enrolment
from crm.loyalty.bonuses.eligibility import Unearned, refusal
from crm.loyalty.expiry import Expiry, Kind, Rounding
from crm.loyalty.ledger import due, idling, movements
from crm.loyalty.ledger.due import Calendar, Expiring, Noticed
from crm.loyalty.ledger.idling import Activity
from crm.loyalty.ledger.movements import Account, Occasion
from crm.loyalty.ledger.pools import Pool
from crm.loyalty.programme import Programme
from tests.unit.loyalty.book import START, Book

WAITING = Expiry(6, kind=Kind.INACTIVITY)
PROGRAMME = Programme(currency="EUR", zone="Europe/Vienna", bonuses=Bonuses(signup=100, birthday=20))
DAY = timedelta(days=1)


@dataclass
class Profile:
    status: str = "active"
    merged_into: str | None = None
    zone: str | None = None


def lived(book: Book) -> Activity:
    return book.activity


# --- inactivity


def test_all_points_live_on_whenever_their_customer_earns_or_spends() -> None:
    book = Book(expiry=WAITING)
    book.order(gross=10_000)
    assert lived(book).idle_at == clock.parse("2026-09-10T22:00:00Z")
    book.wait(days=30)
    book.redeem(10)
    assert lived(book).idle_at == clock.parse("2026-10-09T22:00:00Z")


def test_refunds_gifts_and_birthdays_are_no_sign_of_life() -> None:
    book = Book(expiry=WAITING)
    book.order(gross=10_000)
    before = lived(book)
    book.wait(days=30)
    book.order(gross=10_000, refunded=5_000)
    book.adjust(10)
    book.take(movements.earn(book.account, 20, pool=book.pool(), occasion=book.occasion("birthday:2026:bonus")))
    assert lived(book) == before


def test_the_latest_sign_of_life_counts_in_whatever_order_they_are_told() -> None:
    one, other = Book(expiry=WAITING), Book(expiry=WAITING)
    for book, days in ((one, (0, 30)), (other, (30, 0))):
        for number, each in enumerate(days):
            occasion = book.occasion(f"order:o{number}:earn:1", START + each * DAY)
            book.take(movements.earn(book.account, 10, pool=book.pool(), occasion=occasion))
    assert lived(one) == lived(other)


def test_points_that_are_given_to_who_was_never_there_live_as_long_as_any() -> None:
    book = Book(expiry=WAITING)
    book.adjust(10)
    assert lived(book) == Activity(None, clock.parse("2026-09-10T22:00:00Z"))


def test_points_that_come_back_after_the_others_went_live_anew() -> None:
    book = Book(expiry=WAITING)
    book.order(gross=10_000)
    ended = lived(book).idle_at
    assert ended
    late = START + 365 * DAY
    back = movements.adjust(book.account, 5, pool="idle#2027-03", occasion=book.occasion("adjustment:a:adjust", late))
    found = idling.after(lived(book), back.entry, book.programme)
    assert idling.concerns(lived(book), back.entry)
    assert found.idle_at == clock.parse("2027-09-10T22:00:00Z")


def test_a_programme_that_no_longer_asks_for_life_lets_points_live() -> None:
    book = Book(expiry=WAITING)
    book.order(gross=10_000)
    book.programme = replace(book.programme, expiry=None)
    assert lived(book).idle_at is None


def test_points_of_inactivity_are_kept_by_the_month_in_which_they_were_earned() -> None:
    assert expiry.pool_for(START, WAITING, "Europe/Vienna") == "idle#2026-03"
    assert expiry.pool_for(clock.parse("2026-03-31T22:30:00Z"), WAITING, "Europe/Vienna") == "idle#2026-04"
    assert sorted(["never", "idle#2026-03", "2099-01-01T00:00:00.000000Z"])[1] == "idle#2026-03"


def test_a_refund_of_points_that_expired_unused_takes_nothing_of_what_was_earned_since() -> None:
    book = Book(expiry=WAITING)
    book.order("o1", gross=10_000)
    pool = "idle#2026-03"
    occasion = book.occasion(due.cause_of_expiry(pool, book.account.number + 1), START + 190 * DAY)
    book.take(movements.expire(book.account, pool, occasion=occasion))
    book.now += 200 * DAY
    book.order("o2", gross=5_000)
    book.order("o1", gross=10_000, refunded=10_000)
    assert book.balances == (50, 0, 0, 0)


# --- clocks


def test_what_is_given_back_by_a_clock_behind_the_one_that_let_points_expire_can_be_spent_for_thirty_days() -> None:
    book = Book(expiry=Expiry(1))
    book.adjust(100)
    spent = book.redeem(40)
    book.wait(days=31, hours=11)
    book.turn_back(2, book.account.posted_at or START)
    assert book.clock < clock.parse("2026-04-10T22:00:00Z")
    book.reverse(spent)
    assert book.open == {"2026-05-11": 40}
    assert [entry.recorded_at for entry in book.entries] == sorted(entry.recorded_at for entry in book.entries)


def test_what_is_added_by_a_clock_behind_the_one_that_let_an_order_mature_does_not_wait_again() -> None:
    book = Book(return_window_days=3)
    book.order(gross=5_000)
    book.wait(days=4)
    book.turn_back(30, book.account.posted_at or START)
    book.order(gross=10_000)
    assert book.balances == (100, 0, 0, 0)


# --- notices

END = clock.parse("2026-06-30T22:00:00Z")  # the end of 30 June in Vienna
TOLD = Calendar(zone="Europe/Vienna", notice_days=14)


def coming(pools: dict[str, Pool], calendar: Calendar = TOLD) -> list[tuple[str, str]]:
    return [(str(at), type(one).__name__) for at, one in due.all_due(pools, [], [], calendar)]


def test_customers_are_told_so_many_days_before_points_expire() -> None:
    assert coming({expiry.pool_of(END): Pool(10)}) == [
        ("2026-06-16 22:00:00+00:00", "Noticed"), ("2026-06-30 22:00:00+00:00", "Expiring"),
    ]  # fmt: skip


def test_nobody_is_told_twice_or_of_points_that_are_spent_or_live_for_ever() -> None:
    told = due.told_of(Book().account, {expiry.pool_of(END): Pool(10)}, END)
    assert coming(dict(told.pools)) == [("2026-06-30 22:00:00+00:00", "Expiring")]
    assert coming({expiry.pool_of(END): Pool(10, taken=10), "never": Pool(10)}) == []


def test_what_expires_together_is_told_together() -> None:
    calendar = replace(TOLD, idle_at=END)
    pools = {"idle#2026-01": Pool(10), "idle#2026-02": Pool(5)}
    ending = due.ending_at(pools, END, calendar)
    assert sum(pool.remaining for pool in ending.values()) == 15
    assert [kind for _, kind in coming(pools, calendar)] == ["Noticed", "Expiring", "Expiring"]
    # Once told of an end, what comes to it later is not told of again; of another end it is.
    told = dict(due.told_of(Book().account, {"idle#2026-01": Pool(10)}, END).pools) | {"idle#2026-02": Pool(5)}
    assert [kind for _, kind in coming(told, calendar)] == ["Expiring", "Expiring"]
    assert "Noticed" in [kind for _, kind in coming(told, replace(calendar, idle_at=END + DAY))]


def test_a_programme_that_tells_nobody_may_begin_to_and_is_looked_at_in_time() -> None:
    silent = replace(TOLD, notice_days=None)
    pools = {expiry.pool_of(END): Pool(10)}
    assert [kind for _, kind in coming(pools, silent)] == ["Expiring"]
    assert due.looked_at(pools, silent, now=START - 365 * DAY) == clock.parse("2026-04-01T22:00:00Z")
    assert due.looked_at(pools, silent, now=END - DAY) is None


def test_at_one_instant_points_come_before_they_go() -> None:
    calendar = replace(TOLD, birthday_at=END)
    kinds = [type(one) for at, one in due.all_due({expiry.pool_of(END): Pool(1)}, [], [], calendar) if at == END]
    assert kinds == [due.BirthdayCome, Expiring]
    assert Noticed not in kinds


# --- birthdays


def celebrated(
    programme: Programme = PROGRAMME,
    customer: Profile | None = None,
    *,
    enrolled_at: datetime | None = START,
    at: datetime = START,
) -> celebrating.Celebrated:
    account, occasion = Account("demo", "cus_1"), Occasion(cause="", occurred_at=at, now=at)
    return celebrating.celebrate(
        account, Birthday(f"{at:%m-%d}", 2026, at), programme, customer or Profile(), enrolled_at=enrolled_at,
        occasion=occasion,
    )  # fmt: skip


@pytest.mark.parametrize("expiry", [None, Expiry(1), Expiry(12, Rounding.MONTH), Expiry(6, kind=Kind.INACTIVITY)])
def test_nothing_that_is_posted_of_a_birthday_says_more_than_its_month(expiry: Expiry | None) -> None:
    programme = replace(PROGRAMME, expiry=expiry)
    first, last = (
        celebrated(programme, enrolled_at=None, at=clock.parse(f"2026-05-{day}T22:00:00Z")) for day in ("01", "30")
    )
    assert len(first.entries) == 2
    assert first.entries == last.entries
    assert {entry.occurred_at for entry in first.entries} == {clock.parse("2026-04-30T22:00:00Z")}
    [pool] = first.account.pools
    assert pool in {"never", "idle#2026-05"} or pool > "2026-06-30T21"  # a month from the 31st


@pytest.mark.parametrize("year", [2026, 2027])
@pytest.mark.parametrize("day", ["01-01", "01-31", "02-28", "02-29", "03-01", "03-31", "12-31"])
@pytest.mark.parametrize("lives", ["Pacific/Kiritimati", "Pacific/Auckland", "Europe/Vienna", "Pacific/Niue"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Europe/Vienna", "Pacific/Niue"])
def test_an_entry_says_the_month_of_a_birthday_wherever_its_customer_and_the_programme_are(
    year: int, day: str, lives: str, zone: str
) -> None:
    programme = replace(PROGRAMME, zone=zone)
    known = birthdays.from_year(Birthday(day, year, None), year, zone=lives)
    for _ in range(2):  # where the month has yet to begin, it is waited for
        assert known.next_at is not None
        occasion = Occasion(cause="", occurred_at=known.next_at, now=known.next_at, recorded_at=known.next_at)
        found = celebrating.celebrate(
            Account("demo", "cus_1"), known, programme, Profile(zone=lives), enrolled_at=START, occasion=occasion
        )
        if found.entries:
            break
        assert found.birthday is not None
        known = found.birthday
    [entry] = found.entries
    assert clock.local_day(entry.occurred_at, zone) == date(year, int(day[:2]), 1)
    assert entry.recorded_at == entry.occurred_at <= occasion.now


def test_a_birthday_gives_points_that_wait_for_their_customer_as_long_as_if_it_were_the_last_of_its_month() -> None:
    waiting, ended = replace(PROGRAMME, expiry=WAITING), Activity(START, START + DAY)
    found = celebrated(waiting, at=START + 2 * DAY)
    [entry] = found.entries
    assert not idling.concerns(ended, entry)  # it says a day before the end
    known = idling.ended(ended, START + 2 * DAY)
    assert idling.concerns(known, entry)
    after = idling.after(known, entry, waiting, lives_from=found.lives_from)
    assert after.idle_at == clock.parse("2026-09-30T22:00:00Z")
    assert idling.ended(ended, START) == ended


def test_a_birthday_gives_points_once_a_year() -> None:
    found = celebrated()
    assert [(entry.cause, entry.points) for entry in found.entries] == [("birthday:2026:bonus", 20)]
    assert found.birthday == Birthday("03-10", 2027, clock.parse("2027-03-09T23:00:00Z"))


def test_somebody_whose_first_points_are_a_birthdays_is_welcomed_with_them() -> None:
    found = celebrated(enrolled_at=None)
    assert [entry.cause for entry in found.entries] == ["birthday:2026:bonus", "account:enroll:signup"]
    assert found.account.balances.available == 120


def test_where_nothing_is_given_the_next_birthday_is_waited_for_all_the_same() -> None:
    asked = replace(PROGRAMME, enrolment=Enrolment.ON_REQUEST)
    for found in (
        celebrated(replace(PROGRAMME, bonuses=Bonuses())), celebrated(customer=Profile("blocked")),
        celebrated(asked, enrolled_at=None), celebrated(asked, enrolled_at=START + DAY),
    ):  # fmt: skip
        assert found.entries == ()
        assert found.birthday is not None
        assert found.birthday.year == 2027


def test_who_is_blocked_deleted_or_absorbed_is_given_nothing_and_it_is_said_why() -> None:
    for customer in (None, Profile("blocked"), Profile("deleted"), Profile(merged_into="cus_2")):
        assert refusal(PROGRAMME, customer, enrolled_at=START, at=START) is Unearned.NOT_SERVED
    assert refusal(PROGRAMME, Profile(), enrolled_at=None, at=START) is None
    asked = replace(PROGRAMME, enrolment=Enrolment.ON_REQUEST)
    assert refusal(asked, Profile(), enrolled_at=None, at=START) is Unearned.NOT_ENROLLED
