# tests/integration/test_tiers.py
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from crm.intake.changes import events_of
from crm.kernel import timers
from crm.kernel.domain_events import DomainEvent
from crm.kernel.errors import InvalidInputs
from crm.kernel.timers import TimerDue
from crm.loyalty import service
from crm.loyalty.programme import Programme
from crm.loyalty.service import Tier, TierChange, TierOverride, Tiers, Window
from crm.loyalty.tiers import record
from crm.loyalty.tiers.book import FOLDED_MONTHS
from crm.loyalty.tiers.models import TierNotice
from tests.integration.points import ANN, STAFF, order, programme

pytestmark = pytest.mark.usefixtures("shop", "ruled")

__all__ = ["programme"]

THREE = (Tier("b", "Bronze", 100), Tier("s", "Silver", 500), Tier("g", "Gold", 1000, ("Free shipping",)))
DAY = timedelta(days=1)
JUNE = datetime(2025, 6, 1, 10, tzinfo=UTC)


@pytest.fixture
def ruled(programme: list[Programme]) -> list[Programme]:
    """Calendar years, one step down, told a month before. Put another in here, and it counts."""
    tiers = Tiers(window=Window.CALENDAR_YEAR, notice_days=31, all=THREE)
    programme.append(replace(programme[0], return_window_days=0, expiry=None, tiers=tiers))
    return programme


def bought(at: datetime, points: int, order_id: str = "o1", *, now: datetime | None = None, **others: Any) -> None:
    """An order that earns so many points, told at once."""
    placed = order(at, order_id=order_id, net=points * 100, **others)
    service.post_for_order(replace(placed, gross=max(placed.gross, points * 100)), now=now or at)


def standing(now: datetime) -> tuple[str | None, str | None, str | None]:
    found = service.tier_at("demo", ANN, now=now)
    since, until = (day.isoformat() if day else None for day in (found.since, found.until))
    return found.tier.id if found.tier else None, since, until


def history() -> list[tuple[str, str | None, str]]:
    """Oldest first: on which day (UTC) which tier, and why."""
    found = service.tier_changes("demo", ANN, before=None, limit=100)
    return [(each.occurred_at.date().isoformat(), each.after_id, each.why) for each in found[::-1]]


def told() -> list[DomainEvent]:
    notices = TierNotice.query(f"SHOP#demo#CUSTOMER#{ANN}", TierNotice.sk.startswith("TIERNOTICE#"))
    return [event for notice in notices for event in events_of(notice, None)]


def wake(now: datetime) -> list[TierChange]:
    """As the timer does, if it is due."""
    timer = timers.get("demo", ANN, service.OWNER, service.TIER)
    if timer is None or timer.due_at > now:
        return []
    due = TimerDue(timer.shop, timer.customer_id, timer.owner, timer.subject, timer.due_at)
    return service.wake_tier(due, now=now)


def due_at() -> datetime | None:
    timer = timers.get("demo", ANN, service.OWNER, service.TIER)
    return timer.due_at if timer else None


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
    service.redeem("demo", ANN, 450, actor=STAFF, idempotency_key="r", now=JUNE + DAY)
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


def test_a_tier_given_by_hand_counts_until_its_end_and_then_what_was_reached() -> None:
    bought(JUNE, 100)
    until = JUNE + 30 * DAY
    said = TierOverride(tier_id="g", until=until, reason=" A late parcel ")
    service.override_tier("demo", ANN, said, actor=STAFF, now=JUNE + DAY)
    service.override_tier("demo", ANN, said, actor=STAFF, now=JUNE + DAY)
    assert standing(JUNE + 2 * DAY) == ("g", "2025-06-02", "2025-07-01")
    bought(JUNE + 3 * DAY, 400, "o2")
    assert standing(JUNE + 3 * DAY)[0] == "g"
    assert due_at() == until
    assert standing(until)[0] == "s"
    wake(until + DAY)
    assert history() == [
        ("2025-06-01", "b", "ATTAINED"), ("2025-06-02", "g", "OVERRIDDEN"), ("2025-07-01", "s", "OVERRIDE_ENDED"),
    ]  # fmt: skip
    given = service.tier_changes("demo", ANN, before=None, limit=100)[1]
    assert (given.actor, given.reason, given.until) == ("staff:s1", "A late parcel", until)
    assert standing(until + DAY) == ("s", "2025-06-04", "2026-12-31")


def test_a_tier_given_by_hand_can_be_taken_back() -> None:
    service.override_tier(
        "demo", ANN, TierOverride(tier_id="g", until=JUNE + 30 * DAY, reason="A guest"), actor=STAFF, now=JUNE
    )
    assert standing(JUNE)[0] == "g"
    taken = TierOverride(tier_id=None, until=None, reason="A mistake")
    service.override_tier("demo", ANN, taken, actor=STAFF, now=JUNE + DAY)
    assert standing(JUNE + DAY)[0] is None
    assert [each[1:] for each in history()] == [("g", "OVERRIDDEN"), (None, "OVERRIDE_ENDED")]


def test_all_that_is_wrong_with_a_tier_given_by_hand_is_told_at_once() -> None:
    with pytest.raises(InvalidInputs) as refused:
        service.override_tier(
            "demo", ANN, TierOverride(tier_id="x", until=JUNE - DAY, reason=" "), actor=STAFF, now=JUNE
        )
    assert {fault.path for fault in refused.value.faults} == {"reason", "until", "tier"}


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


def test_what_an_import_brings_up_to_the_present_is_told_to_nobody() -> None:
    bought(JUNE, 1000, now=datetime(2026, 12, 20, tzinfo=UTC), replayed=True)
    [change] = service.tier_changes("demo", ANN, before=None, limit=100)
    assert change.replayed
    assert [event.detail()["replayed"] for event in told()] == [True]


def test_an_order_told_late_is_judged_by_the_tier_that_its_customer_had_then() -> None:
    bought(JUNE, 500)
    bought(JUNE + 2 * DAY, 500, "o2")
    head = service.account("demo", ANN)
    assert head is not None
    moments = (JUNE, JUNE + DAY, JUNE + 2 * DAY, JUNE + 3 * DAY)
    assert [service.tier_before("demo", ANN, head, at) for at in moments] == [None, "s", "s", "g"]
