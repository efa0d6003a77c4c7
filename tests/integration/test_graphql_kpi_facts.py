# tests/integration/test_graphql_kpi_facts.py
"""What a day of a key figure is made of, for staff."""

from decimal import Decimal
from typing import Any

import pytest

from crm.feedback import service as feedback
from crm.kpis import service as kpis
from crm.orders import service as orders
from schema.node import global_id
from tests.asking import NOW, answer, as_staff, ask, codes
from tests.shop_events import order
from tests.shop_history import happened

FACTS = """query ($name: KpiName!, $day: Date!, $first: Int, $after: String) {
    kpiFacts(name: $name, day: $day, first: $first, after: $after) {
        nodes { FIELDS } pageInfo { hasNextPage endCursor } } }"""
DAY = "2026-03-01"


@pytest.fixture
def counted(ann: str) -> str:
    """Ann's orders `o1` (with the refund `r1`) and `o2`, one of Bob's in francs, and Ann's answer `a1`."""
    happened("order.placed", order("o3", currency="CHF"), customer={"externalId": "bob"})
    happened("feedback.received", {"score": 3}, id="a1")
    kpis.roll_up([kpis.news(orders.get("demo", order_id), None, now=NOW) for order_id in ("o1", "o2", "o3")], now=NOW)
    kpis.roll_up(
        [kpis.news(each, None, now=NOW) for each in feedback.responses("demo", ann, before=None, limit=9)], now=NOW
    )
    return ann


def page(name: str, fields: str, *, day: str = DAY, **more: Any) -> Any:
    return ask(FACTS.replace("FIELDS", fields), {"name": name, "day": day, **more})["kpiFacts"]


def test_the_facts_of_a_day_add_up_to_its_figure(counted: str) -> None:
    for name in ("NET_REVENUE", "ORDERS", "AVERAGE_ORDER_VALUE", "REFUNDED", "NPS"):
        query = (
            "query ($name: KpiName!, $from: Date!, $to: Date!) { kpi(name: $name, from: $from, to: $to) { FIELDS } }"
        )
        days = ask(
            query.replace("FIELDS", "unit periods { start numerator denominator }"),
            {"name": name, "from": "2026-02-27", "to": "2026-03-12"},
        )["kpi"]
        found = 0
        for period in days["periods"]:
            facts = page(name, "numerator denominator currency", day=period["start"])["nodes"]
            found += len(facts)
            if days["unit"] == "money":
                facts = [fact for fact in facts if fact["currency"] == "EUR"]
            assert sum(Decimal(fact["numerator"]) for fact in facts) == Decimal(period["numerator"])
            if period["denominator"] is not None:
                assert sum(Decimal(fact["denominator"]) for fact in facts) == Decimal(period["denominator"])
        assert found > 0


def test_a_fact_leads_to_its_order_and_its_customer(counted: str) -> None:
    fields = "kind happenedAt currency orderId refundId response order { orderId } customer { id }"
    first, foreign = page("NET_REVENUE", fields)["nodes"]
    assert first == {
        "kind": "ORDER",
        "happenedAt": "2026-03-01T10:00:00.000000Z",
        "currency": "EUR",
        "orderId": "o1",
        "refundId": None,
        "response": None,
        "order": {"orderId": "o1"},
        "customer": {"id": global_id("Customer", counted)},
    }
    assert (foreign["orderId"], foreign["currency"]) == ("o3", "CHF")


def test_refunds_and_answers_are_named(counted: str) -> None:
    def all_of(name: str) -> list[Any]:
        days = (f"2026-03-{number:02}" for number in range(1, 13))
        return [fact for day in days for fact in page(name, "kind orderId refundId response", day=day)["nodes"]]

    assert all_of("REFUNDED") == [{"kind": "REFUND", "orderId": "o1", "refundId": "r1", "response": None}]
    (given,) = all_of("NPS")
    assert (given["kind"], given["orderId"]) == ("ANSWER", None)
    assert ask("query ($id: ID!) { node(id: $id) { id } }", {"id": given["response"]})["node"] is not None


def test_pages_join_without_gap_or_repeat_and_a_cursor_is_of_one_day_and_figure(counted: str) -> None:
    first = page("ORDERS", "orderId", first=1)
    assert ([fact["orderId"] for fact in first["nodes"]], first["pageInfo"]["hasNextPage"]) == (["o1"], True)
    after = first["pageInfo"]["endCursor"]
    rest = page("ORDERS", "orderId", first=1, after=after)
    assert ([fact["orderId"] for fact in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == (["o3"], False)
    for name, day in (("ORDERS", "2026-03-02"), ("GROSS_REVENUE", DAY)):
        variables = {"name": name, "day": day, "after": after}
        assert codes(answer(FACTS.replace("FIELDS", "kind"), variables)) == ["INVALID_INPUT"]


@pytest.mark.parametrize("first", [0, 101])
def test_a_page_has_bounds(counted: str, first: int) -> None:
    given = answer(FACTS.replace("FIELDS", "kind"), {"name": "ORDERS", "day": DAY, "first": first})
    assert codes(given) == ["INVALID_INPUT"]


def test_a_page_asks_each_shard_once_and_for_its_orders_together(counted: str) -> None:
    body = answer(FACTS.replace("FIELDS", "order { orderId }"), {"name": "ORDERS", "day": DAY}).body
    assert body["extensions"]["capacity"]["requests"] == 4 + 1


def test_it_is_for_staff_who_see_key_figures_and_of_their_shop(counted: str) -> None:
    variables = {"name": "ORDERS", "day": DAY}
    query = FACTS.replace("FIELDS", "kind")
    assert codes(answer(query, variables, principal=as_staff("orders:read"))) == ["FORBIDDEN"]
    found = ask(query, variables, principal=as_staff("kpis:read", shop="other"))
    assert found["kpiFacts"]["nodes"] == []


def test_names_of_customers_and_orders_need_their_own_scopes(counted: str) -> None:
    for field in ("order { orderId }", "customer { id }"):
        given = answer(FACTS.replace("FIELDS", field), {"name": "ORDERS", "day": DAY}, principal=as_staff("kpis:read"))
        assert codes(given) == ["FORBIDDEN"]
