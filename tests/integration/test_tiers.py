# tests/integration/test_tiers.py
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from msgspec.structs import replace

from crm.intake.changes import events_of
from crm.loyalty import service
from crm.loyalty.programme import Programme
from crm.loyalty.service import Tier, TierOverride, Tiers, Window
from crm.loyalty.tiers import book, record, settling
from crm.loyalty.tiers.book import FOLDED_MONTHS
from tests.integration.points import ANN, STAFF, order, programme, spend
from tests.integration.tiers import DAY, JUNE, THREE, bought, due_at, history, redefine, ruled, standing, told, wake

pytestmark = pytest.mark.usefixtures("shop", "ruled")

__all__ = ["programme", "ruled"]


def test_a_tier_is_had_as_soon_as_an_order_attains_it() -> None:
    bought(JUNE, 400)
    bought(JUNE + DAY, 100, "o2")
    assert standing(JUNE + DAY) == ("s", "2025-06-02", "2026-12-31")
    assert history() == [("2025-06-01", "b", "ATTAINED"), ("2025-06-02", "s", "ATTAINED")]
    [newest, _] = service.tier_changes("demo", ANN, before=None, limit=100)
    assert (newest.cause, newest.order_id, newest.direction) == ("order:o2:tier:1", "o2", 1)
    assert (newest.before_name, newest.after_name) == ("Bronze", "Silver")


def test_spending_points_lowers_no_tier_and_a_refund_does() -> None:
    bought(JUNE, 500)
    spend(450, JUNE + DAY)
    assert standing(JUNE + DAY)[0] == "s"
    bought(JUNE, 99, rev=2, now=JUNE + 2 * DAY, refunded=40_100)
    assert standing(JUNE + 2 * DAY) == (None, None, None)
    assert history()[-1] == ("2025-06-01", None, "REFUNDED")


def test_revisions_and_orders_in_any_order_and_any_number_end_in_the_same_tier() -> None:
    said = [(JUNE, 700, "o1", 1), (JUNE, 100, "o1", 2), (JUNE + DAY, 450, "o2", 1), (JUNE + 220 * DAY, 50, "o3", 1)]
    now = JUNE + 230 * DAY
    ends = set()
    for number, told_in in enumerate(list(permutations(said))[::5]):
        customer_id = f"cus_p{number}"
        for at, points, order_id, rev in (*told_in, told_in[0]):
            placed = order(at, order_id=order_id, rev=rev, net=points * 100)
            service.post_for_order(replace(placed, customer_id=customer_id), now=now)
        head = service.account("demo", customer_id)
        assert head is not None
        assert head.rev == len(service.entries("demo", customer_id, before=None, limit=50))
        kept = record.kept_of(head)
        ends.add((kept.tier, kept.since, kept.ends_on, kept.folded, head.tier_due_at))
    assert len(ends) == 1
    assert ends.pop()[:2] == ("s", date(2025, 6, 2))


def test_a_tier_ends_by_its_timer_with_notice_and_as_of_when_it_ended() -> None:
    bought(JUNE, 1000)
    end = datetime(2026, 12, 31, 23, tzinfo=UTC)  # midnight in Vienna
    assert due_at() == end - 31 * DAY
    assert wake(end - 31 * DAY) == []
    [notice] = told()
    assert notice.detail() | {"id": "", "occurredAt": ""} == {
        "id": "", "shop": "demo", "customerId": ANN, "rev": 1, "tierId": "g", "tier": "Gold", "nextTierId": "s",
        "nextTier": "Silver", "endsOn": "2027-01-01", "basis": "POINTS", "missing": 1000, "occurredAt": "",
        "cause": "tier:g:notice:2027-01-01", "replayed": False,
    }  # fmt: skip
    assert due_at() == end
    [change] = wake(end + 5 * DAY)
    assert (change.before_id, change.after_id, change.direction, change.occurred_at) == ("g", "s", -1, end)
    [event] = events_of(change, None)
    assert event.detail()["reason"] == "ENDED"
    assert standing(end + 5 * DAY) == ("s", "2027-01-01", "2027-12-31")
    assert wake(end + 5 * DAY) == []
    assert len(told()) == 1


def test_whoever_reads_sees_what_time_has_changed_before_its_timer_was_handled() -> None:
    bought(JUNE, 1000)
    assert standing(datetime(2026, 12, 31, 22, 59, tzinfo=UTC)) == ("g", "2025-06-01", "2026-12-31")
    assert standing(datetime(2026, 12, 31, 23, tzinfo=UTC)) == ("s", "2027-01-01", "2027-12-31")
    assert standing(datetime(2028, 5, 1, tzinfo=UTC)) == ("b", "2028-01-01", "2028-12-31")
    assert history() == [("2025-06-01", "g", "ATTAINED")]
    bought(datetime(2028, 5, 1, tzinfo=UTC), 100, "o2")
    assert history()[1:] == [("2026-12-31", "s", "ENDED"), ("2027-12-31", "b", "ENDED")]


def test_an_order_told_late_puts_right_the_downgrade_that_it_would_have_prevented() -> None:
    bought(JUNE, 1000)
    wake(datetime(2026, 12, 1, tzinfo=UTC))
    january = datetime(2027, 1, 10, tzinfo=UTC)
    assert [change.after_id for change in wake(january)] == ["s"]
    bought(datetime(2026, 12, 30, tzinfo=UTC), 1000, "o2", now=january)
    assert standing(january) == ("g", "2025-06-01", "2027-12-31")
    [corrected, ended, _] = service.tier_changes("demo", ANN, before=None, limit=100)
    assert corrected.number == 3
    assert (corrected.why, corrected.corrects, corrected.order_id) == ("CORRECTED", ended.number, "o2")


def test_a_downgrade_is_put_right_once() -> None:
    bought(JUNE, 500)
    january = datetime(2027, 1, 10, tzinfo=UTC)
    wake(datetime(2026, 12, 1, tzinfo=UTC))
    wake(january)
    for order_id in ("o2", "o3"):
        bought(datetime(2026, 12, 30, tzinfo=UTC), 500, order_id, now=january)
    assert [each[1:] for each in history()[1:]] == [("b", "ENDED"), ("s", "CORRECTED"), ("g", "ATTAINED")]


@pytest.mark.parametrize("day", [1, 10])  # also on the day itself
def test_an_upgrade_after_a_downgrade_puts_nothing_right(day: int) -> None:
    bought(JUNE, 500)
    wake(datetime(2026, 12, 1, tzinfo=UTC))
    january = datetime(2027, 1, day, tzinfo=UTC)
    wake(january)
    bought(january, 500, "o2")
    [newest, ended, _] = service.tier_changes("demo", ANN, before=None, limit=100)
    assert (ended.why, newest.after_id, newest.why) == ("ENDED", "s", "ATTAINED")
    assert newest.corrects is None


def test_an_order_told_late_that_lifts_only_with_what_came_after_the_downgrade_puts_nothing_right(
    ruled: list[Programme],
) -> None:
    ruled.append(replace(ruled[-1], tiers=replace(ruled[-1].tiers, window=Window.ROLLING)))
    bought(JUNE, 500)
    later = JUNE + 380 * DAY
    wake(JUNE + 340 * DAY)
    assert [change.after_id for change in wake(later)] == ["b"]
    bought(later, 450, "o2")
    bought(JUNE + 300 * DAY, 50, "o3", now=later)
    [newest, *_] = service.tier_changes("demo", ANN, before=None, limit=100)
    assert (newest.after_id, newest.why) == ("s", "ATTAINED")
    assert newest.corrects is None


def test_an_order_told_late_by_which_years_begin_on_another_day_is_no_refund(ruled: list[Programme]) -> None:
    ruled.append(replace(ruled[-1], tiers=replace(ruled[-1].tiers, window=Window.MEMBERSHIP_YEAR)))
    later = datetime(2026, 5, 1, tzinfo=UTC)
    bought(JUNE, 300)
    bought(later, 300, "o2")
    assert standing(later)[0] == "s"
    bought(JUNE - 40 * DAY, 10, "o0", now=later)
    assert standing(later)[0] == "b"
    [newest, *_] = service.tier_changes("demo", ANN, before=None, limit=100)
    assert (newest.after_id, newest.why) == ("b", "CORRECTED")
    assert newest.corrects is None


def test_an_order_of_long_ago_counts_for_all_that_came_after_it() -> None:
    bought(JUNE, 1000)
    later = datetime(2027, 6, 1, tzinfo=UTC)
    wake(later)
    head = service.account("demo", ANN)
    assert head is not None
    folded = record.kept_of(head).folded
    assert folded is not None
    assert folded.day > JUNE.date()
    assert folded.day < (later - FOLDED_MONTHS * 29 * DAY).date()
    bought(JUNE - DAY, 1000, "o2", now=later)
    assert standing(later)[0] == "s"
    bought(JUNE, 0, rev=2, now=later, refunded=100_000)
    bought(JUNE - DAY, 0, "o2", rev=2, now=later, refunded=100_000)
    assert standing(later) == (None, None, None)


def test_an_order_that_earns_no_whole_point_counts_as_an_order(ruled: list[Programme]) -> None:
    tiers = replace(ruled[-1].tiers, basis=service.Basis.ORDERS, all=(Tier("x", "Fan", 2),))
    ruled.append(replace(ruled[-1], tiers=tiers))
    for order_id in ("o1", "o2"):
        service.post_for_order(order(JUNE, order_id=order_id, net=50), now=JUNE)
    assert standing(JUNE)[0] == "x"
    service.post_for_order(order(JUNE, order_id="o2", rev=2, net=0, status="cancelled"), now=JUNE)
    assert standing(JUNE)[0] is None


@pytest.fixture
def unearning(ruled: list[Programme]) -> list[Programme]:
    """Orders earn nothing, count, and let nobody join. Years are those of members."""
    tiers = Tiers(basis=service.Basis.ORDERS, window=Window.MEMBERSHIP_YEAR, all=(Tier("r", "Regular", 2),))
    ruled.append(replace(ruled[-1], rate=Decimal(0), tiers=tiers))
    return ruled


def since(now: datetime) -> str | None:
    found = service.tier_progress("demo", ANN, now=now)
    return found.since.isoformat() if found else None


def test_whoever_never_joined_has_the_tier_that_their_orders_attain_also_of_tiers_that_are_defined_later(
    unearning: list[Programme],
) -> None:
    defined = unearning[-1]
    unearning.append(replace(defined, tiers=replace(defined.tiers, all=())))
    for number in range(2):
        bought(JUNE + number * DAY, 1, f"o{number}")
    head = service.account("demo", ANN)
    assert head is not None
    assert head.enrolled_at is None
    unearning.append(defined)
    assert standing(JUNE + 2 * DAY)[:2] == ("r", "2025-06-02")
    progress = service.tier_progress("demo", ANN, now=JUNE + 2 * DAY)
    assert progress is not None
    assert (progress.reached, progress.next_tier, progress.missing_to_stay) == (2, None, 2)
    settling.settle("demo", ANN, now=JUNE + 3 * DAY)
    assert [each[1:] for each in history()] == [("r", "ATTAINED")]


@pytest.mark.usefixtures("unearning")
def test_whoever_never_joined_has_their_years_from_the_first_order_that_stands() -> None:
    bought(JUNE, 1)
    bought(JUNE + 40 * DAY, 1, "o2")
    assert since(JUNE + 50 * DAY) == "2025-06-01"
    bought(JUNE, 1, rev=2, now=JUNE + 50 * DAY, status="cancelled")
    assert since(JUNE + 50 * DAY) == "2025-07-11"


@pytest.mark.usefixtures("unearning")
def test_the_years_of_whoever_never_joined_begin_with_their_first_order_however_long_ago() -> None:
    march = datetime(2022, 3, 1, 10, tzinfo=UTC)
    bought(JUNE - 3 * 365 * DAY, 1, "first")
    for year in range(1, 5):
        bought(march.replace(year=2022 + year), 1, f"o{year}")
    now = datetime(2026, 9, 1, tzinfo=UTC)
    assert since(now) == "2026-06-02"
    bought(now, 1, "o9")
    assert since(now) == "2026-06-02"
    assert since(now + 5 * 365 * DAY) == "2031-06-02"
    bought(JUNE - 3 * 365 * DAY, 1, "first", rev=2, now=now, status="cancelled")
    assert since(now) == "2026-03-01"
    bought(march.replace(year=2021, month=4), 1, "older", now=now)
    assert since(now) == "2026-04-01"


def test_tiers_that_are_defined_later_are_had_by_whoever_looks_and_written_with_what_comes_next(
    ruled: list[Programme],
) -> None:
    ruled.append(replace(ruled[-1], tiers=Tiers()))
    bought(JUNE, 600)
    assert (standing(JUNE), due_at()) == ((None, None, None), None)
    ruled.append(ruled[1])
    assert standing(JUNE + DAY)[0] == "s"
    bought(JUNE + DAY, 500, "o2")
    assert [each[1] for each in history()] == ["s", "g"]


def test_progress_says_what_is_reached_and_what_is_missing() -> None:
    bought(JUNE, 600)
    found = service.tier_progress("demo", ANN, now=JUNE + 300 * DAY)
    assert found is not None
    assert found.next_tier is not None
    assert (found.since.isoformat(), found.reached, found.next_tier.id, found.missing) == ("2026-01-01", 0, "g", 1000)
    assert found.ends_after is not None
    assert (str(found.ends_on), found.ends_after.id, found.missing_to_stay) == ("2027-01-01", "b", 500)
    assert service.tier_progress("demo", "cus_9", now=JUNE) is None


def test_nothing_is_said_to_keep_a_tier_that_nobody_attains_any_more(
    ruled: list[Programme], monkeypatch: pytest.MonkeyPatch
) -> None:
    bought(JUNE, 1000)
    archived = replace(THREE[2], archived_at=JUNE)
    redefine(monkeypatch, ruled, JUNE + DAY, all=(*THREE[:2], archived))
    found = service.tier_progress("demo", ANN, now=JUNE + DAY)
    assert found is not None
    assert (found.ends_on, found.missing_to_stay) == (date(2027, 1, 1), None)
    wake(datetime(2026, 12, 1, tzinfo=UTC))
    assert [event.detail()["missing"] for event in told()] == [None]


def test_progress_under_a_lower_tier_that_was_given_goes_by_what_is_reached() -> None:
    bought(JUNE, 600)
    said = TierOverride(tier_id="b", until=JUNE + 30 * DAY, reason="A mistake")
    service.override_tier("demo", ANN, said, actor=STAFF, now=JUNE)
    found = service.tier_progress("demo", ANN, now=JUNE)
    assert found is not None
    assert found.next_tier is not None
    assert (found.next_tier.id, found.missing, found.reached) == ("g", 400, 600)


def test_what_an_import_brings_up_to_the_present_is_told_to_nobody() -> None:
    bought(JUNE, 1000, now=datetime(2026, 12, 20, tzinfo=UTC), replayed=True)
    [change] = service.tier_changes("demo", ANN, before=None, limit=100)
    assert change.replayed


def test_an_end_that_is_still_to_come_is_told_though_an_import_brought_the_tier() -> None:
    during = datetime(2026, 12, 20, 10, tzinfo=UTC)
    bought(JUNE, 1000, now=during, replayed=True)
    bought(JUNE + DAY, 10, "o2", now=during, replayed=True)
    assert (told(), due_at()) == ([], datetime(2026, 12, 20, 23, tzinfo=UTC))  # the next morning in Vienna
    assert wake(datetime(2026, 12, 21, tzinfo=UTC)) == []
    assert [(event.detail()["endsOn"], event.detail()["replayed"]) for event in told()] == [("2027-01-01", False)]
    assert due_at() == datetime(2026, 12, 31, 23, tzinfo=UTC)


def test_what_an_import_brings_in_time_keeps_a_tier_of_whose_end_nobody_was_told() -> None:
    during = datetime(2026, 12, 20, 10, tzinfo=UTC)
    bought(JUNE, 1000, now=during, replayed=True)
    bought(datetime(2026, 6, 1, tzinfo=UTC), 1000, "o2", now=during, replayed=True)
    wake(datetime(2026, 12, 21, tzinfo=UTC))
    assert told() == []
    assert standing(datetime(2027, 6, 1, tzinfo=UTC))[0] == "g"


def test_what_an_import_brought_before_there_were_tiers_is_told_to_nobody(ruled: list[Programme]) -> None:
    ruled.append(replace(ruled[-1], tiers=Tiers()))
    bought(JUNE, 600, now=JUNE + 10 * DAY, replayed=True)
    ruled.append(ruled[1])
    [change] = settling.settle("demo", ANN, now=JUNE + 20 * DAY)
    assert (change.after_id, change.replayed) == ("s", True)


def test_definitions_count_for_all_of_the_day_on_which_they_take_effect(
    ruled: list[Programme], monkeypatch: pytest.MonkeyPatch
) -> None:
    bought(JUNE, 450)
    assert standing(JUNE)[0] == "b"
    since = JUNE + timedelta(hours=2)
    redefine(monkeypatch, ruled, since, all=(THREE[0], replace(THREE[1], threshold=400), THREE[2]))
    assert standing(since)[0] == "s"
    [change] = settling.settle("demo", ANN, now=since + timedelta(hours=1))
    assert (change.after_id, change.why, change.occurred_at) == ("s", "REDEFINED", since)


def test_an_end_is_told_as_it_was_when_it_came_near() -> None:
    bought(JUNE, 1000)
    wake(datetime(2026, 12, 1, tzinfo=UTC))
    before = told()
    bought(datetime(2026, 12, 10, tzinfo=UTC), 10, "o2")
    assert [event.detail() for event in told()] == [event.detail() for event in before]


def test_whoever_is_found_to_have_joined_earlier_is_judged_by_other_years(ruled: list[Programme]) -> None:
    years = replace(ruled[-1].tiers, window=Window.MEMBERSHIP_YEAR, downgrade=service.Downgrade.REEVALUATE)
    ruled.append(replace(ruled[-1], tiers=years))
    bought(JUNE, 300)
    bought(datetime(2026, 5, 1, tzinfo=UTC), 700, "o2")
    later = datetime(2027, 7, 1, tzinfo=UTC)
    bought(later, 1, "o3")
    head = service.account("demo", ANN)
    assert head is not None
    head.enrolled_at = JUNE - 40 * DAY
    folded = record.kept_of(head).folded
    assert folded is not None
    assert folded.tier == "g"
    found = book.TierBook("demo", ANN, head, now=later, zone="Europe/Vienna")
    assert (standing(later)[0], found.state.tier) == (None, "s")


def test_an_order_told_late_is_judged_by_the_tier_that_its_customer_had_then() -> None:
    bought(JUNE, 500)
    bought(JUNE + 2 * DAY, 500, "o2")
    head = service.account("demo", ANN)
    assert head is not None
    moments = (JUNE, JUNE + DAY, JUNE + 2 * DAY, JUNE + 3 * DAY)
    assert [service.tier_before("demo", ANN, head, at, now=moments[-1]) for at in moments] == [None, "s", "s", "g"]
