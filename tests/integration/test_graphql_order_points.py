# tests/integration/test_graphql_order_points.py
"""What an order earns, or why nothing."""

from datetime import timedelta
from typing import Any

from crm.kernel.actor import SYSTEM
from crm.loyalty import service as loyalty
from schema.node import global_id
from schema.principal import Principal
from tests.asking import NOW, STAFF, answer, as_customer, as_staff, ask, codes
from tests.shop_events import order
from tests.shop_history import happened, recorded

POINTS = "query ($number: String!) { orderByNumber(orderId: $number) { points { earned withheld } } }"


def points(number: str, principal: Principal = STAFF) -> Any:
    return ask(POINTS, {"number": number}, principal=principal)["orderByNumber"]["points"]


def test_an_order_tells_what_it_earned_to_its_owner_and_to_staff(ann: str) -> None:
    for principal in (STAFF, as_customer(ann)):
        assert points("o1", principal) == {"earned": 10, "withheld": None}


def test_an_order_in_another_currency_says_why_it_earns_nothing(ann: str) -> None:
    happened("order.placed", order("o9", currency="CHF"))
    recorded("o9")
    assert points("o9", as_customer(ann)) == {"earned": 0, "withheld": "OTHER_CURRENCY"}


def test_until_it_is_posted_nothing_is_said(ann: str) -> None:
    happened("order.placed", order("o9"))
    assert points("o9") is None


def test_staff_need_the_scope_of_points(ann: str) -> None:
    assert codes(answer(POINTS, {"number": "o1"}, principal=as_staff("orders:read"))) == ["FORBIDDEN"]


def test_the_points_of_a_page_of_orders_take_one_request(ann: str) -> None:
    def requests(fields: str) -> int:
        body = answer(f"{{ customers(first: 1) {{ nodes {{ orders {{ nodes {{ orderId {fields} }} }} }} }} }}").body
        return int(body["extensions"]["capacity"]["requests"])

    assert requests("points { earned withheld }") == requests("") + 1


def test_balances_count_what_is_due_by_now_and_no_timer_has_handled(ann: str) -> None:
    given: dict[str, Any] = {"actor": SYSTEM, "idempotency_key": "k1", "now": NOW}
    loyalty.hold("demo", ann, 7, lasts=timedelta(hours=1), **given)
    query = "query ($id: ID!) { customer(id: $id) { loyalty { available pending held } } }"
    for later, available, held in ((timedelta(), 23, 7), (timedelta(hours=1), 30, 0)):
        found = ask(query, {"id": global_id("Customer", ann)}, principal=as_customer(ann), now=NOW + later)
        assert found["customer"]["loyalty"] == {"available": available, "pending": 0, "held": held}
