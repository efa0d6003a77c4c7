# tests/integration/test_segment_insights.py
"""What is typical of the members of a segment, found out by walking them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm.customers import service as customers
from crm.kernel import operations
from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.segmentation import insights, measuring, tallies
from crm.segmentation.measuring import Insights, Share
from crm.segmentation.service import SegmentMembership
from tests import bulk, scored
from tests.rfm_table import rows

pytestmark = pytest.mark.usefixtures("shop", "outlets")

NOW = datetime(2026, 3, 31, 10, tzinfo=UTC)
TABLE = {row.customer: row for row in rows()}


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.kernel.clock.now", lambda: NOW)


def join(customer_id: str, segment_id: str = "seg_a") -> None:
    stay = SegmentMembership.of("demo", customer_id, segment_id, NOW, "test:join", begun_in=1)
    stay.rev, stay.cause = 1, "test:join"
    change = Change(NOW)
    change.create(stay, otherwise=Stale())
    change.commit()


def member(row: str, segment_id: str = "seg_a", **how: Any) -> str:
    customer_id = scored.settle("demo", TABLE[row], now=NOW - timedelta(1), **how)
    join(customer_id, segment_id)
    return customer_id


def found_out(*segment_ids: str, occasion: str = "one") -> dict[str, Insights]:
    insights.ask("demo", segment_ids or ["seg_a"], occasion, now=NOW)
    bulk.drain()
    return measuring.insights_of("demo", segment_ids or ["seg_a"])


def spent(found: dict[str, Insights], segment_id: str = "seg_a") -> tuple[int, int]:
    return found[segment_id].typical.members, found[segment_id].typical.spent


def test_revenue_and_traits_are_those_of_the_members_with_their_moment() -> None:
    for row in ("26", "27", "29"):
        member(row)
    scored.settle("demo", TABLE["01"], now=NOW)  # no member
    found = found_out()["seg_a"]
    assert (found.as_of, found.currency) == (NOW, "EUR")
    assert (found.typical.members, found.typical.spent) == (3, 45900 + 1290)
    told = {each.name: (each.known, each.mean, each.median) for each in found.typical.numbers}
    assert told["number_of_orders"] == (3, Decimal("2.00"), Decimal("1.00"))
    assert told["amount_spent"] == (3, Decimal(15730), Decimal(1290))
    assert told["average_order_value"] == (2, Decimal(5235), Decimal(5235))
    (subscribed,) = (each for each in found.typical.choices if each.name == "email_subscription_status")
    assert subscribed.shares == (Share("NOT_SUBSCRIBED", 3, Decimal("1.000000")),)


def test_test_customers_and_those_who_are_deleted_are_left_out() -> None:
    member("26")
    member("01", test=True)
    gone = member("11")
    customers.delete("demo", gone, now=NOW)
    assert spent(found_out()) == (1, 45900)


@pytest.mark.parametrize("page", [1, 2, 5, 500])
def test_the_size_of_a_step_does_not_matter(monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    for limit, most in (("PAGE", page), ("LOOK", 1)):
        monkeypatch.setattr(insights, limit, most)
    monkeypatch.setattr(tallies, "MOST_PARTS", 2)
    for row in ("01", "02", "03", "04", "05", "06", "07"):
        member(row)
    member("26", "seg_c")
    found = found_out("seg_a", "seg_b", "seg_c")
    expected = [TABLE[f"0{number}"].spent for number in range(1, 8)]
    assert spent(found) == (7, sum(expected))
    assert spent(found, "seg_b") == (0, 0)
    assert spent(found, "seg_c") == (1, 45900)


def test_an_occasion_is_one_and_another_finds_out_anew() -> None:
    member("26")
    found_out()
    member("01")
    assert spent(found_out()) == (1, 45900)
    assert spent(found_out(occasion="two")) == (2, 45900 + 88900)


def test_what_is_newer_is_not_written_over() -> None:
    member("26")
    insights.ask("demo", ["seg_a"], "late", now=NOW - timedelta(hours=1))
    late = operations.get("demo", "op_segment_insights_late")
    late.state = {"since": "2026-03-31T09:00:00.000000Z", "segment": 0, "shard": 4, "after": None}
    found_out()
    insights.step(late, patient=True, now=NOW)
    assert spent(measuring.insights_of("demo", ["seg_a"])) == (1, 45900)


def test_segments_of_which_nothing_was_found_out_have_none_yet() -> None:
    assert measuring.insights_of("demo", ["seg_a"]) == {}
    assert insights.ask("demo", [], "none", now=NOW) is None


def test_whoever_dies_after_any_step_is_followed_by_one_who_ends_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("PAGE", "LOOK"):
        monkeypatch.setattr(insights, limit, 1)
    for row in ("01", "02", "03"):
        member(row)
    insights.ask("demo", ["seg_a"], "one", now=NOW)
    bulk.drain_dying(monkeypatch)
    assert spent(measuring.insights_of("demo", ["seg_a"])) == (3, 88900 + 990 + 14900)
