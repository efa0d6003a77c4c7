# tests/unit/faults/test_oracle.py
"""The oracle of the fault tests, by hand-computed examples: it judges, so it must be right by itself."""

from datetime import UTC, datetime
from typing import Any

from tests.faults import oracle
from tests.faults.oracle import RECENT, REPEAT

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def order(order_id: str = "o1", version: int = 1, /, **more: Any) -> dict[str, Any]:
    lines = [{"id": "1", "sku": "A", "quantity": 3, "unitPrice": "10.00", "discount": "0.01"}]
    data = {"orderId": order_id, "version": version, "status": "placed", "currency": "EUR", "lines": lines}
    return told("order.updated", data | {"placedAt": "2026-03-01T23:30:00+00:00"} | more)


def refund(refund_id: str, quantity: int, at: str, **more: Any) -> dict[str, Any]:
    part = {"lineId": "1", "quantity": quantity} | more
    return told("refund.created", {"refundId": refund_id, "orderId": "o1", "lines": [part]}, occurredAt=at)


def told(kind: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    who = {"externalId": "ann"}
    return {"type": kind, "occurredAt": "2026-03-01T23:30:00+00:00", "customer": who, "data": data} | more


def fold(*events: dict[str, Any], now: datetime = NOW) -> oracle.Verdict:
    return oracle.fold(events, zone="Europe/Vienna", currency="EUR", now=now)


def test_the_highest_version_counts_whatever_the_order() -> None:
    small = order("o1", 1)
    large = order("o1", 2, lines=[{"id": "1", "sku": "A", "quantity": 5, "unitPrice": "10.00", "discount": "0"}])
    for events in ((small, large), (large, small)):
        assert fold(*events).customers["ann"].totals == {"EUR": (1, 5000, 0, 5000)}


def test_units_given_back_one_by_one_give_back_the_whole() -> None:
    refunds = [refund(f"r{day}", 1, f"2026-03-0{day}T10:00:00+00:00") for day in (2, 3, 4)]
    verdict = fold(order(), *refunds)
    assert verdict.customers["ann"].totals == {"EUR": (1, 2999, 2999, 0)}
    days = {day: amount for (metric, _, day), amount in verdict.cells.items() if metric == "refunded"}
    assert days == {"2026-03-02": 999, "2026-03-03": 1000, "2026-03-04": 1000}


def test_never_more_is_given_back_than_a_line_was_worth() -> None:
    known = fold(order(), refund("r1", 1, "2026-03-02T10:00:00+00:00", amount="99.00")).customers["ann"]
    assert known.totals == {"EUR": (1, 2999, 2999, 0)}
    assert known.points == 0


def test_an_order_counts_on_the_shops_day_and_earns_whole_units() -> None:
    verdict = fold(order())
    assert verdict.cells["net_revenue", "EUR", "2026-03-02"] == 2999
    assert verdict.customers["ann"].points == 29


def test_a_cancelled_order_counts_nowhere() -> None:
    verdict = fold(order(), order("o1", 2, status="cancelled"))
    assert verdict.cells == {}
    assert (verdict.customers["ann"].orders, verdict.customers["ann"].points) == (0, 0)


def test_a_test_customer_has_points_and_counts_in_no_cell() -> None:
    profile = told("customer.updated", {}, customer={"externalId": "ann", "test": True})
    verdict = fold(order(), profile)
    assert verdict.cells == {}
    assert verdict.customers["ann"].points == 29


def test_a_visitor_was_the_first_who_was_said_to_be_them() -> None:
    anonymous = {"anonymousId": "v1"}
    seen = told("product.viewed", {"sku": "A"}, customer=anonymous)
    own = told("product.viewed", {"sku": "B"})
    claims = [
        told("customer.updated", {}, customer=anonymous | {"externalId": name}, occurredAt=f"2026-03-0{day}T10:00:00Z")
        for name, day in (("bob", 4), ("ann", 3))
    ]
    customers = fold(*claims, seen, own).customers
    assert {name: known.touchpoints for name, known in customers.items()} == {"ann": ["A", "B"], "bob": []}
    assert fold(seen).customers == {}


def test_two_orders_make_a_repeat_buyer_and_time_ends_the_other_segment_at_midnight() -> None:
    two = (order("o1"), order("o2"))
    assert fold(*two).customers["ann"].segments == {RECENT, REPEAT}
    later = fold(*two, now=datetime(2026, 4, 1, 12, tzinfo=UTC)).customers["ann"]
    assert later.segments == {REPEAT}
    # The order was on 2 March in Vienna: 29 days later is the last, and by then the clocks have gone forward.
    assert later.left_at == datetime(2026, 3, 31, 22, tzinfo=UTC)
