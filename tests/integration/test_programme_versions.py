# tests/integration/test_programme_versions.py
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from crm.kernel.actor import Actor, Role
from crm.kernel.errors import InvalidInputs, NotFound, VersionMismatch
from crm.kernel.meter import metering
from crm.loyalty import repository as ledger_repository
from crm.loyalty import service
from crm.loyalty.expiry import Expiry, Rounding
from crm.loyalty.programme import Programme
from crm.loyalty.programmes import defining, in_force, repository
from crm.loyalty.programmes.defining import NOTICE, ProgrammeFields
from crm.loyalty.programmes.models import ProgrammeVersion
from crm.loyalty.programmes.versions import Version
from crm.loyalty.tiers import settling
from crm.loyalty.tiers.definitions import Basis, Tier, Tiers, Window
from crm.shops import service as shops
from tests.integration.points import ANN, balances, order

pytestmark = pytest.mark.usefixtures("shop")

STAFF = Actor(Role.STAFF, "s1")
DAY = timedelta(days=1)


def edit(change: Callable[[Programme], Programme], now: datetime, effective_at: datetime | None = None) -> Version:
    return defining.edit("demo", change, actor=STAFF, now=now, effective_at=effective_at)


def grace(days: int) -> Callable[[Programme], Programme]:
    return lambda programme: replace(programme, grace_days=days)


def graces(now: datetime, *moments: datetime) -> list[int]:
    """As of each moment, in a process that knows nothing yet."""
    in_force.forget_cached()
    return [in_force.programme("demo", at=at, now=now).grace_days for at in moments]


def test_a_shop_that_has_defined_none_has_the_usual_programme_in_its_own_currency_and_zone(now: datetime) -> None:
    assert in_force.version("demo", at=now, now=now) == Version(0, Programme(currency="EUR", zone="Europe/Vienna"))
    with pytest.raises(NotFound):
        in_force.programme("nobody", now=now)


def test_a_version_is_stored_as_it_was_said_and_keeps_the_shops_currency_and_zone(now: datetime) -> None:
    said = ProgrammeFields(
        point_value=Decimal("0.015"), return_window_days=14, expiry=Expiry(12, Rounding.MONTH), most_owed=500
    )
    written = defining.update("demo", said, actor=STAFF, now=now)
    shops.update("demo", shops.ShopFields(currency="USD", zone="UTC"))
    shops.forget_cached()
    in_force.forget_cached()
    found = in_force.version("demo", at=now + NOTICE, now=now)
    assert found == written
    assert (found.number, found.written_by, found.effective_at) == (1, "staff:s1", now + NOTICE)
    assert (found.programme.currency, found.programme.zone) == ("EUR", "Europe/Vienna")
    assert found.programme.point_value == Decimal("0.015")


def test_the_version_that_counts_is_the_one_that_counted_then(now: datetime) -> None:
    edit(grace(1), now)
    edit(grace(2), now + DAY)
    moments = [now, now + NOTICE - timedelta(microseconds=1), now + NOTICE, now + DAY, now + DAY + NOTICE]
    assert graces(now + 2 * DAY, *moments) == [30, 30, 1, 1, 2]


def test_no_process_that_has_looked_a_moment_before_judges_by_an_older_version(now: datetime) -> None:
    """It looks again after a minute, and a version counts after two."""
    assert in_force.programme("demo", now=now).grace_days == 30
    item = defining._item("demo", Version(1, Programme("EUR", "UTC", grace_days=7), now + NOTICE, now, "staff:s1"))
    item.save()  # by another process, at the same moment
    for seconds in range(0, 240, 7):
        at = now + timedelta(seconds=seconds)
        assert in_force.programme("demo", now=at).grace_days == (7 if at >= now + NOTICE else 30)


def test_a_version_may_be_asked_for_later_and_never_earlier_than_everybody_knows(now: datetime) -> None:
    assert edit(grace(1), now, now + DAY).effective_at == now + DAY
    for at in (now - DAY, now, now + NOTICE - timedelta(seconds=1), now + timedelta(days=731)):
        with pytest.raises(InvalidInputs, match="effective_at: must be two minutes to two years from now"):
            edit(grace(2), now, at)


def test_the_first_version_may_count_from_the_past_for_a_shop_that_moves_in_with_its_orders(now: datetime) -> None:
    for at in (now - timedelta(days=3_661), now + timedelta(days=731)):
        with pytest.raises(InvalidInputs, match="effective_at: must be at most ten years ago and two years from now"):
            edit(grace(1), now, at)
    edit(grace(1), now, now - 400 * DAY)
    assert graces(now, now - 401 * DAY, now - 400 * DAY, now) == [30, 1, 1]


def test_an_edit_waits_for_the_version_that_is_to_come_and_never_makes_it_count_sooner(now: datetime) -> None:
    edit(grace(1), now, now + 10 * DAY)
    assert edit(lambda programme: replace(programme, most_owed=5), now).effective_at == now + 10 * DAY
    assert [one.number for one in in_force.standing("demo", now=now)] == [2, 1, 0]
    with pytest.raises(InvalidInputs, match=r"effective_at: must not be before 20\S+Z, from when version 2 counts"):
        edit(grace(3), now, now + 2 * DAY)
    assert edit(grace(3), now, now + 11 * DAY).number == 3
    assert graces(now, now + 2 * DAY, now + 10 * DAY, now + 11 * DAY) == [30, 1, 3]


def withdraw(now: datetime, expected_version: int | None = None) -> Version:
    return defining.withdraw("demo", actor=STAFF, now=now, expected_version=expected_version)


def test_what_is_still_to_come_can_be_withdrawn_and_then_never_counts(now: datetime) -> None:
    edit(grace(1), now)
    later = now + DAY
    edit(grace(2), later, later + 10 * DAY)
    edit(grace(3), later, later + 20 * DAY)
    withdrawn = withdraw(later, expected_version=3)
    assert (withdrawn.number, withdrawn.effective_at) == (4, later + NOTICE)
    assert in_force.upcoming(in_force.standing("demo", now=later), now=later) == [withdrawn]
    assert graces(later, later, later + NOTICE, later + 10 * DAY, later + 30 * DAY) == [1, 1, 1, 1]
    assert edit(grace(9), later, later + 2 * DAY).number == 5
    assert graces(later, later + DAY, later + 2 * DAY, later + 20 * DAY) == [1, 9, 9]


def test_what_counts_in_two_minutes_stays_when_others_are_withdrawn(now: datetime) -> None:
    edit(grace(1), now)
    assert withdraw(now).number == 1
    edit(grace(2), now, now + DAY)
    assert withdraw(now).programme.grace_days == 1
    assert graces(now, now, now + NOTICE, now + 2 * DAY) == [30, 1, 1]
    assert withdraw(now + DAY).number == 3


def test_who_withdraws_another_version_than_they_have_seen_is_told(now: datetime) -> None:
    edit(grace(1), now, now + DAY)
    with pytest.raises(VersionMismatch):
        withdraw(now, expected_version=0)
    assert graces(now, now + DAY) == [1]


def test_an_edit_that_changes_nothing_makes_no_version(now: datetime) -> None:
    assert edit(grace(30), now).number == 0
    first = edit(grace(1), now, now + DAY)
    assert edit(grace(1), now, now + DAY) == first


def test_who_edits_an_older_version_than_there_is_is_told(now: datetime) -> None:
    edit(grace(1), now)
    with pytest.raises(VersionMismatch) as refusal:
        defining.edit("demo", grace(2), actor=STAFF, now=now, expected_version=0)
    assert (refusal.value.expected, refusal.value.actual) == (0, 1)


def test_all_that_is_wrong_is_told_at_once(now: datetime) -> None:
    said = ProgrammeFields(
        currency="EURO", zone="Vienna", point_value=Decimal("0.0000001"), return_window_days=-1, grace_days=401,
        most_owed=-1,
    )  # fmt: skip
    with pytest.raises(InvalidInputs) as refusal:
        defining.update("demo", said, actor=STAFF, now=now, effective_at=now + timedelta(days=731))
    assert [fault.path for fault in refusal.value.faults] == [
        "currency", "zone", "point_value", "return_window_days", "most_owed", "grace_days", "effective_at",
    ]  # fmt: skip
    assert in_force.newest("demo", now=now).number == 0


def test_a_programme_keeps_its_currency_once_its_tiers_count_spend(now: datetime) -> None:
    def update(currency: str) -> Version:
        return defining.update("demo", ProgrammeFields(currency=currency), actor=STAFF, now=now)

    tiers = Tiers(all=(Tier("g", "Gold", 50_000, archived_at=now),))
    edit(lambda programme: replace(programme, tiers=tiers), now)
    assert update("JPY").programme.currency == "JPY"
    edit(lambda programme: replace(programme, tiers=replace(tiers, basis=Basis.SPEND)), now)
    assert update("JPY").programme.currency == "JPY"
    with pytest.raises(InvalidInputs, match="currency: must stay what it is"):
        update("EUR")
    edit(lambda programme: replace(programme, tiers=Tiers(basis=Basis.SPEND)), now)
    assert update("EUR").programme.currency == "EUR"


def test_of_two_edits_at_once_both_stand(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile: list[Callable[[], object]] = [
        lambda: edit(lambda programme: replace(programme, most_owed=5), now),
    ]
    read = in_force.newest

    def read_and_be_overtaken(shop: str, *, now: datetime) -> Version:
        answer = read(shop, now=now)
        if meanwhile:
            meanwhile.pop()()
        return answer

    monkeypatch.setattr(in_force, "newest", read_and_be_overtaken)
    written = edit(grace(1), now)
    assert (written.number, written.programme.grace_days, written.programme.most_owed) == (2, 1, 5)


def test_versions_older_than_a_process_keeps_are_found_too(now: datetime) -> None:
    for number in range(1, 24):
        written = Version(number, Programme("EUR", "UTC", grace_days=number), now + number * DAY, now, "staff:s1")
        defining._item("demo", written).save()
    late = now + 40 * DAY
    assert graces(late, now, now + DAY, now + 2 * DAY, now + 9 * DAY, late) == [30, 1, 2, 9, 23]
    assert in_force.version("demo", at=late, now=late, number=2).programme.grace_days == 2


# --- orders


def windows(now: datetime, days: int) -> None:
    edit(lambda programme: replace(programme, return_window_days=days), now)


def test_an_order_is_judged_by_the_programme_that_counted_when_it_was_placed(now: datetime) -> None:
    windows(now - DAY, 14)
    windows(now, 0)  # from two minutes on
    later = now + timedelta(hours=1)
    service.post_for_order(order(now), now=later)
    assert balances() == (0, 100, 0)
    service.post_for_order(order(now + NOTICE, order_id="o2"), now=later)
    assert balances() == (100, 100, 0)


def test_an_order_of_a_clock_that_is_ahead_is_judged_by_no_version_that_may_never_count(now: datetime) -> None:
    windows(now - DAY, 14)
    edit(lambda programme: replace(programme, return_window_days=0), now, effective_at=now + 2 * NOTICE)
    service.post_for_order(order(now + 2 * NOTICE), now=now)
    withdraw(now)
    _, earning = ledger_repository.get_for_order("demo", ANN, "o1")
    assert earning.programme_version == 1


def test_an_order_keeps_its_programme_also_where_it_turns_out_to_have_been_placed_at_another_time(
    now: datetime,
) -> None:
    windows(now - DAY, 14)
    service.post_for_order(order(now), now=now)
    again = order(now - 2 * DAY, rev=2, net=20_000, refunded=0)
    service.post_for_order(again, now=now)
    _, earning = ledger_repository.get_for_order("demo", ANN, "o1")
    assert (earning.programme_version, balances()) == (1, (0, 200, 0))


def test_the_versions_are_asked_about_once_a_minute(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int | None] = []
    read = repository.newest_first

    def reading(shop: str, **place: int) -> Iterator[ProgrammeVersion]:
        asked.append(place.get("after"))
        return read(shop, **place)

    monkeypatch.setattr(repository, "newest_first", reading)
    edit(grace(1), now - DAY)
    asked.clear()
    for seconds in (0, 30, 59, 60, 61, 119, 121):
        in_force.programme("demo", now=now + timedelta(seconds=seconds))
    assert asked == [0, 1, 1]


def test_nothing_is_asked_for_before_the_first_version() -> None:
    with metering() as meter:
        assert list(repository.newest_first("demo", before=1)) == []
    assert meter.requests == 0


def test_which_day_it_is_for_a_tier_says_the_zone_that_counts_now_also_where_an_older_order_is_refunded() -> None:
    first, june = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 6, 1, 10, tzinfo=UTC)
    tiers = Tiers(window=Window.CALENDAR_YEAR, notice_days=0, all=(Tier("s", "Silver", 500), Tier("g", "Gold", 1000)))
    edit(lambda programme: replace(programme, tiers=tiers), first, first - DAY)
    in_force.forget_cached()
    bought = replace(order(june), gross=120_000, net=120_000)
    service.post_for_order(bought, now=june)
    edit(lambda programme: replace(programme, zone="Pacific/Auckland"), june + DAY)
    in_force.forget_cached()
    new_year = datetime(2026, 12, 31, 11, tzinfo=UTC)  # in Auckland; in Vienna it is noon
    settling.settle("demo", ANN, now=new_year)
    told = new_year + timedelta(minutes=30)
    service.post_for_order(replace(bought, rev=2, refunded=100, net=119_900, occurred_at=told), now=told)
    settling.settle("demo", ANN, now=new_year + DAY)
    changes = service.tier_changes("demo", ANN, before=None, limit=10)
    assert [(each.after_id, each.why, each.occurred_at) for each in changes[::-1]] == [
        ("g", "ATTAINED", june), ("s", "ENDED", new_year),
    ]  # fmt: skip
