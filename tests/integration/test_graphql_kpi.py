# tests/integration/test_graphql_kpi.py


from crm.kpis import service as kpis
from crm.orders import service as orders
from crm.shops.service import Shop
from schema.kpi import KpiName
from tests.asking import NOW, answer, ask, codes


def test_a_kpi_comes_with_its_definition(ann: str) -> None:
    kpis.roll_up([kpis.news(orders.get("demo", order_id), None, now=NOW) for order_id in ("o1", "o2")], now=NOW)
    query = """query ($from: Date!, $to: Date!) { kpi(name: NET_REVENUE, from: $from, to: $to, grain: MONTH) {
        name unit numerator exclusions currency grain periods { start end value complete } } }"""
    found = ask(query, {"from": "2026-03-01", "to": "2026-03-31"})["kpi"]
    assert (found["unit"], found["currency"], found["grain"]) == ("money", "EUR", "MONTH")
    assert "test customers" in found["exclusions"]
    assert found["periods"] == [{"start": "2026-03-01", "end": "2026-03-31", "value": "30.00", "complete": False}]


def test_what_can_be_asked_for_is_in_the_schema(shop: Shop) -> None:
    given = answer('{ kpi(name: LUCK, from: "2026-03-01", to: "2026-03-02") { name } }')
    assert codes(given) == ["GRAPHQL_VALIDATION_FAILED"]
    assert {name.value for name in KpiName} == set(kpis.DEFINITIONS)


def test_days_that_cannot_be_summed_are_refused_with_the_argument_at_fault(shop: Shop) -> None:
    given = answer('{ kpi(name: ORDERS, from: "2020-01-01", to: "2026-03-02") { name } }')
    assert given.body["data"] == {"kpi": None}
    (error,) = given.body["errors"]
    assert (error["message"], error["path"]) == ("to: must end 1,096 days at most after `from`", ["kpi"])
    assert {name: error["extensions"][name] for name in ("code", "field", "faults")} == {
        "code": "INVALID_INPUT",
        "field": ["to"],
        "faults": [{"field": ["to"], "code": "TOO_LONG", "message": "must end 1,096 days at most after `from`"}],
    }
