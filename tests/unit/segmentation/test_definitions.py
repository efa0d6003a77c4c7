# tests/unit/segmentation/test_definitions.py
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.segmentation.definitions import Facts, ordered_in_the_last_30_days, repeat_buyer
from crm.segmentation.language.verdicts import Verdict

INSTANT = timedelta(microseconds=1)
ZONES = [
    "Europe/Vienna", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe",
    "Asia/Kathmandu", "Africa/Cairo", "Asia/Beirut", "America/Santiago", "America/Havana", "UTC",
]  # fmt: skip


def facts(last_order_at: datetime | None, zone: str = "Europe/Vienna", count: int = 1) -> Facts:
    return Facts(zone=zone, order_count=count, last_order_at=last_order_at)


def local(text: str, zone: str = "Europe/Vienna") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_without_an_order_nobody_ordered_lately_and_time_will_not_change_it() -> None:
    assert ordered_in_the_last_30_days(facts(None, count=0), local("2026-03-10T12:00")) == Verdict(member=False)


@pytest.mark.parametrize("time", ["00:00:00", "12:00:00", "23:59:59.999999"])
def test_whatever_its_time_an_order_counts_to_the_end_of_the_29th_day_after(time: str) -> None:
    ordered = facts(local(f"2026-01-05T{time}"))
    ends = local("2026-02-04T00:00:00")
    assert ordered_in_the_last_30_days(ordered, ends - INSTANT) == Verdict(member=True, flips_at=ends)
    assert ordered_in_the_last_30_days(ordered, ends) == Verdict(member=False)


@pytest.mark.parametrize(
    ("ordered_at", "ends"),
    [
        ("2026-03-01T12:00", "2026-03-31T00:00"),  # over the day of 23 hours, 29 March
        ("2026-10-01T12:00", "2026-10-31T00:00"),  # over the day of 25 hours, 25 October
        ("2028-01-31T12:00", "2028-03-01T00:00"),  # over 29 February
        ("2027-01-30T12:00", "2027-03-01T00:00"),  # no 29 February
    ],
)
def test_days_are_those_of_the_calendar_not_24_hours(ordered_at: str, ends: str) -> None:
    verdict = ordered_in_the_last_30_days(facts(local(ordered_at)), local(ordered_at))
    assert verdict == Verdict(member=True, flips_at=local(ends))


def test_one_instant_is_on_different_days_in_different_shops() -> None:
    ordered_at, now = datetime(2026, 1, 5, 23, 30, tzinfo=UTC), datetime(2026, 2, 4, 0, 0, tzinfo=UTC)
    assert ordered_in_the_last_30_days(facts(ordered_at, "Europe/Vienna"), now).member
    assert not ordered_in_the_last_30_days(facts(ordered_at, "UTC"), now).member


def test_where_a_day_begins_at_one_it_ends_the_membership_at_one() -> None:
    # Cairo's clocks went from 0:00 to 1:00 on 26 April 2024.
    verdict = ordered_in_the_last_30_days(
        facts(local("2024-03-27T12:00", "Africa/Cairo"), "Africa/Cairo"), local("2024-04-01T00:00")
    )
    assert verdict.flips_at == local("2024-04-26T01:00", "Africa/Cairo")


@given(
    st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001  hypothesis wants them naive
    st.sampled_from(ZONES),
    st.timedeltas(timedelta(0), timedelta(days=29)),
)
def test_a_verdict_holds_until_the_instant_it_names_and_not_longer(
    ordered: datetime, zone: str, after: timedelta
) -> None:
    ordered_at = ordered.replace(tzinfo=UTC)
    verdict = ordered_in_the_last_30_days(facts(ordered_at, zone), ordered_at + after * 0.9)
    assert verdict.member
    assert verdict.flips_at is not None
    assert ordered_in_the_last_30_days(facts(ordered_at, zone), verdict.flips_at - INSTANT) == verdict
    assert not ordered_in_the_last_30_days(facts(ordered_at, zone), verdict.flips_at).member


@pytest.mark.parametrize(("count", "member"), [(0, False), (1, False), (2, True), (3, True)])
def test_the_second_order_makes_a_repeat_buyer(count: int, member: bool) -> None:
    assert repeat_buyer(facts(None, count=count), local("2026-03-10T12:00")) == Verdict(member=member)
