# tests/integration/test_graphql_kpi.py


from crm.kpis import service as kpis
from crm.orders import service as orders
from crm.shops.service import Shop
from tests.asking import answer, ask, codes


def test_a_kpi_comes_with_its_definition(ann: str) -> None:
    kpis.roll_up([kpis.news(orders.get("demo", order_id), None) for order_id in ("o1", "o2")])
    query = """query ($from: Date!, $to: Date!) { kpi(name: "net_revenue", from: $from, to: $to, grain: MONTH) {
        name unit numerator exclusions currency grain periods { start end value complete } } }"""
    found = ask(query, {"from": "2026-03-01", "to": "2026-03-31"})["kpi"]
    assert (found["unit"], found["currency"], found["grain"]) == ("money", "EUR", "MONTH")
    assert "test customers" in found["exclusions"]
    assert found["periods"] == [{"start": "2026-03-01", "end": "2026-03-31", "value": "30.00", "complete": False}]


def test_an_unknown_kpi_is_refused(shop: Shop) -> None:
    given = answer('{ kpi(name: "luck", from: "2026-03-01", to: "2026-03-02") { name } }')
    assert codes(given) == ["INVALID_INPUT"]
    assert given.body["data"] == {"kpi": None}
