# tests/integration/test_carts.py
import json
from itertools import permutations
from typing import Any

import pytest

from crm.intake.parsing import parse
from crm.kernel import clock
from crm.kernel.errors import InvalidInputs
from crm.touchpoints import service as touchpoints
from schema.node import global_id
from tests.asking import answer, as_customer, ask
from tests.shop_events import customer_of, deliver, event, placed
from tests.visiting import at, identified, settled

pytestmark = pytest.mark.usefixtures("shop", "outlets")

CARTS = """{ viewer {
  cart { cartId lines { sku quantity unitPrice { amount currencyCode } } total { amount } updatedAt }
  carts { cartId open orderId checkoutStartedAt }
} }"""


def cart(cart_id: str, minute: int, *skus: str, kind: str = "cart.updated", **envelope: Any) -> dict[str, Any]:
    lines = [{"sku": sku, "quantity": 1, "unitPrice": "9.90"} for sku in skus]
    data = {"cartId": cart_id, "lines": lines, "currency": "EUR", "total": f"{9.9 * len(skus):.2f}"}
    return event(kind, data, occurredAt=at(minute), **envelope)


def seen(external_id: str = "ann") -> Any:
    return ask(CARTS, principal=as_customer(customer_of(external_id).customer_id))["viewer"]


def skus(viewer: Any) -> list[str]:
    return [line["sku"] for line in viewer["cart"]["lines"]]


def test_a_cart_is_as_it_was_told_last_on_any_device_and_in_any_order() -> None:
    for number, order in enumerate(permutations([1, 2, 3])):
        ann = {"externalId": f"ann{number}"}
        told = {minute: cart("c1", minute, *"ABC"[:minute], customer=ann, source="shopify") for minute in order}
        deliver(*told.values())
        viewer = seen(f"ann{number}")
        assert skus(viewer) == ["A", "B", "C"]
        assert viewer["cart"]["total"] == {"amount": "29.70"}
        assert viewer["cart"]["lines"][0]["unitPrice"] == {"amount": "9.90", "currencyCode": "EUR"}


@pytest.mark.parametrize("order_comes_first", [True, False])
def test_a_cart_that_was_ordered_is_closed_whichever_came_first(order_comes_first: bool) -> None:
    told = [cart("c1", 1, "A"), cart("c2", 2, "B"), placed("o1", cartId="c2")]
    deliver(*(reversed(told) if order_comes_first else told))
    viewer = seen()
    assert viewer["cart"]["cartId"] == "c1"
    assert [(each["cartId"], each["open"], each["orderId"]) for each in viewer["carts"]] == [
        ("c2", False, "o1"),
        ("c1", True, None),
    ]


def test_who_goes_to_pay_without_saying_what_for_pays_for_what_was_in_the_cart() -> None:
    to_pay = event("checkout.started", {"cartId": "c1"}, occurredAt=at(2))
    of_another = event("checkout.started", {"cartId": "c2"}, occurredAt=at(3))
    for told in permutations([cart("c1", 1, "A"), to_pay, of_another]):
        deliver(*told)
        viewer = seen()
        assert skus(viewer) == ["A"]
        assert viewer["cart"]["total"] == {"amount": "9.90"}
        assert [(each["cartId"], each["open"]) for each in viewer["carts"]] == [("c2", False), ("c1", True)]
        assert viewer["carts"][1]["checkoutStartedAt"] is not None


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ({"total": "9.90"}, [("data.currency", "REQUIRED")]),
        ({"lines": [{"sku": "A", "quantity": 1, "unitPrice": "9.90"}]}, [("data.currency", "REQUIRED")]),
        ({"currency": "ZZZ", "total": "9.90"}, [("data.currency", "INVALID")]),
        (
            {"currency": "EUR", "total": "9.905", "lines": [{"sku": "A", "quantity": 1, "unitPrice": "9.9051"}]},
            [("data.lines[0].unitPrice", "INVALID"), ("data.total", "INVALID")],
        ),
    ],
)
def test_amounts_that_nobody_could_show_are_refused(said: dict[str, Any], faults: list[tuple[str, str]]) -> None:
    for kind in ("cart.updated", "checkout.started"):
        told = event(kind, {"cartId": "c1", "lines": [], **said}, occurredAt=at(1))
        with pytest.raises(InvalidInputs) as refused:
            parse(json.dumps(told), now=clock.now())
        assert [(fault.path, fault.code) for fault in refused.value.faults] == faults


def test_a_cart_says_what_is_in_it() -> None:
    with pytest.raises(InvalidInputs) as refused:
        parse(json.dumps(event("cart.updated", {"cartId": "c1"}, occurredAt=at(1))), now=clock.now())
    assert [(fault.path, fault.code) for fault in refused.value.faults] == [("data.lines", "REQUIRED")]


def test_an_empty_cart_is_not_resumed_and_a_checkout_is_shown() -> None:
    deliver(cart("c1", 1, "A"), cart("c1", 2, "A", kind="checkout.started"), cart("c1", 3, "A", "B"), cart("c2", 4))
    viewer = seen()
    assert skus(viewer) == ["A", "B"]
    assert [each["checkoutStartedAt"] for each in viewer["carts"]] == [None, "2026-03-01T10:02:00.000000Z"]


def test_what_a_visitor_put_into_a_cart_is_resumed_by_the_customer_they_were(now: Any) -> None:
    deliver(cart("c1", 1, "A", customer={"anonymousId": "v1"}), identified("v1", "ann", 2))
    settled("v1", now=now)
    assert skus(seen()) == ["A"]
    deliver(cart("c1", 3, "A", "B", customer={"anonymousId": "v1"}))
    assert skus(seen()) == ["A", "B"]
    deliver(placed("o1", cartId="c1"))
    assert seen()["cart"] is None


def test_carts_take_three_requests_and_are_their_customers_only() -> None:
    deliver(cart("c1", 1, "A"), cart("c2", 2, "B", customer={"externalId": "bob"}))
    query = "query($id: ID!) { customer(id: $id) { carts { cartId } cart { cartId } } }"
    variables = {"id": global_id("Customer", customer_of("ann").customer_id)}
    given = answer(query, variables)
    assert given.body["extensions"]["capacity"]["requests"] == 1 + 3
    assert given.body["data"]["customer"] == {"carts": [{"cartId": "c1"}], "cart": {"cartId": "c1"}}
    bob = as_customer(customer_of("bob").customer_id)
    assert answer(query, variables, principal=bob).body["data"]["customer"] is None


def test_no_more_than_the_newest_twenty_carts_are_listed_and_priced_as_so_many() -> None:
    deliver(*(cart(f"c{number}", number, "A") for number in range(22)))
    ann = as_customer(customer_of().customer_id)
    given = answer("{ viewer { carts { cartId } } }", principal=ann).body
    assert [each["cartId"] for each in given["data"]["viewer"]["carts"]] == [f"c{21 - place}" for place in range(20)]
    single = answer("{ viewer { cart { cartId } } }", principal=ann).body
    assert given["extensions"]["cost"]["requested"] - single["extensions"]["cost"]["requested"] == 19
    assert ask('{ viewer { cart(cartId: "c0") { open } } }', principal=ann)["viewer"]["cart"] == {"open": True}


def test_a_cart_behind_the_newest_fifty_events_of_its_kinds_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(touchpoints, "MOST_CART_EVENTS", 2)
    deliver(cart("old", 1, "A"), cart("c1", 2, "B"), cart("c2", 3))
    ann = as_customer(customer_of().customer_id)
    query = '{ viewer { cart { cartId } old: cart(cartId: "old") { cartId } } }'
    assert ask(query, principal=ann)["viewer"] == {"cart": {"cartId": "c1"}, "old": None}


def of_cart(viewer: Any) -> list[tuple[str, str | None]]:
    return sorted((each["cartId"], each["orderId"]) for each in viewer["carts"])


def test_of_two_orders_of_one_cart_the_first_placed_closed_it_in_any_order() -> None:
    for number, arrival in enumerate(list(permutations(range(5)))[::13]):
        ann = {"externalId": f"ann{number}"}
        first, second, moving = f"a{number}", f"b{number}", f"m{number}"
        told = [
            placed(second, cartId="c1", placedAt="2026-03-01T10:05:00Z", customer=ann),
            placed(first, cartId="c1", placedAt="2026-03-01T10:05:00Z", customer=ann),
            placed(moving, 1, cartId="c1", placedAt="2026-03-01T10:01:00Z", customer=ann),
            placed(moving, 2, cartId="c2", placedAt="2026-03-01T10:01:00Z", customer=ann),
            cart("c3", 9, "A", customer=ann),
        ]
        deliver(cart("c1", 1, "A", customer=ann), cart("c2", 2, "B", customer=ann))
        deliver(*(told[place] for place in arrival))
        assert of_cart(seen(f"ann{number}")) == [("c1", first), ("c2", moving), ("c3", None)]


def test_a_cart_whose_orders_were_all_cancelled_is_resumed_in_any_order() -> None:
    for number, arrival in enumerate(permutations(range(4))):
        ann = {"externalId": f"ann{number}"}
        first, second = f"a{number}", f"b{number}"
        told = [
            placed(first, 1, cartId="c1", customer=ann),
            placed(first, 2, cartId="c1", status="cancelled", customer=ann),
            placed(second, 1, cartId="c1", customer=ann),
            cart("c1", 1, "A", customer=ann),
        ]
        deliver(*(told[place] for place in arrival))
        assert of_cart(seen(f"ann{number}")) == [("c1", second)]
        deliver(placed(second, 2, cartId="c1", status="cancelled", customer=ann))
        assert skus(seen(f"ann{number}")) == ["A"]
