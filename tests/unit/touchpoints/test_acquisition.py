# tests/unit/touchpoints/test_acquisition.py
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import permutations

from crm.touchpoints.acquisition import INBOUND, OUTBOUND, Campaign, ends, named

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SITE = "https://www.search.example/?q=shoes"


@dataclass
class Source:
    occurred_at: datetime
    touchpoint_id: str


def test_a_campaign_names_the_source_and_the_site_fills_what_it_leaves_out() -> None:
    assert named(Campaign("newsletter", "email"), SITE, direction=INBOUND) == Campaign("newsletter", "email")
    assert named(Campaign(campaign="spring"), SITE, direction=INBOUND) == Campaign("search.example", campaign="spring")


def test_without_a_campaign_the_site_is_the_source() -> None:
    assert named(Campaign(), SITE, direction=INBOUND) == Campaign("search.example", "referral")


def test_who_came_by_themselves_or_was_called_names_no_source() -> None:
    assert named(Campaign(), None, direction=INBOUND) is None
    assert named(Campaign("newsletter"), SITE, direction=OUTBOUND) is None


def test_first_and_last_are_the_same_in_any_order_also_at_one_instant() -> None:
    told = [Source(NOON, "b"), Source(NOON, "a"), Source(NOON + timedelta(1), "c"), Source(NOON + timedelta(1), "d")]
    for order in permutations(told):
        found = ends([None, *order])
        assert found is not None
        assert [each.touchpoint_id for each in found] == ["a", "d"]


def test_of_nothing_there_is_no_first() -> None:
    assert ends([None, None]) is None
