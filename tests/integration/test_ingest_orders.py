# tests/integration/test_ingest_orders.py
from itertools import permutations
from typing import Any

import pytest

from crm.customers import service as customers
from crm.intake import service as intake
from crm.kernel.errors import Stale
from crm.orders import repository, statistics
from crm.orders import service as orders
from tests.shop_events import customer_of, deliver, event, order, placed, refunded, statistics_of

pytestmark = pytest.mark.usefixtures("shop")


def euros(orders_: int, gross: int, refunded_: int, net: int) -> dict[str, tuple[int, int, int, int]]:
    return {"EUR": (orders_, gross, refunded_, net)}


def test_an_order_founds_its_customer_and_counts_once_however_often_it_is_delivered() -> None:
    sent = placed("o1")
    assert deliver(sent, sent) == []
    deliver(sent, placed("o1"))
    assert statistics_of() == {
        "orders": 1,
        "totals": euros(1, 2000, 0, 2000),
        "first": "2026-03-01T10:00:00+00:00",
        "last": "2026-03-01T10:00:00+00:00",
    }


def test_the_newest_version_wins_and_older_ones_change_nothing() -> None:
    deliver(placed("o1", 2, status="paid", lines=[{"sku": "A", "quantity": 1, "unitPrice": "30"}]))
    deliver(placed("o1", 1))
    assert orders.get("demo", "o1").status == "paid"
    assert statistics_of()["totals"] == euros(1, 3000, 0, 3000)


def test_an_order_edited_up_and_down_counts_its_difference() -> None:
    for version, quantity in enumerate((2, 5, 1), start=1):
        deliver(placed("o1", version, lines=[{"sku": "A", "quantity": quantity, "unitPrice": "10.00"}]))
    assert statistics_of()["totals"] == euros(1, 1000, 0, 1000)


def test_cancelling_the_first_order_makes_the_next_one_first() -> None:
    deliver(placed("o1", placedAt="2026-03-01T10:00:00Z"), placed("o2", placedAt="2026-03-02T10:00:00Z"))
    deliver(placed("o1", 2, status="cancelled"))
    told = statistics_of()
    assert (told["orders"], told["first"], told["last"]) == (
        1,
        "2026-03-02T10:00:00+00:00",
        "2026-03-02T10:00:00+00:00",
    )
    deliver(placed("o2", 2, status="cancelled"))
    assert statistics_of() == {"orders": 0, "totals": {}, "first": None, "last": None}


def test_a_cancelled_order_that_comes_back_counts_again() -> None:
    deliver(placed("o1", 1), placed("o1", 2, status="cancelled"), placed("o1", 3, status="paid"))
    assert statistics_of()["totals"] == euros(1, 2000, 0, 2000)


LIFE = (
    placed("o1", 1),
    placed("o1", 2, lines=[{"id": "1", "sku": "A", "quantity": 4, "unitPrice": "10.00"}]),
    refunded("o1", "r1", 1),
    refunded("o1", "r2", 2, amount="15.50"),
)


@pytest.mark.parametrize("arrival", list(permutations(LIFE)))
def test_versions_and_refunds_end_alike_in_any_order(arrival: tuple[dict[str, Any], ...]) -> None:
    assert deliver(*arrival) == []
    assert statistics_of()["totals"] == euros(1, 4000, 2550, 1450)
    assert [intake.status("demo", sent["id"]).status for sent in LIFE] == ["applied"] * 4  # type: ignore[union-attr]


def test_a_refund_before_its_order_waits_in_its_shell_and_is_told_so() -> None:
    early = refunded("o1", "r1")
    deliver(early)
    told = intake.status("demo", early["id"])
    assert told is not None
    assert told.status == "waiting"
    assert told.customer_id is None
    deliver(placed("o1"))
    told = intake.status("demo", early["id"])
    assert told is not None
    assert (told.status, told.customer_id) == ("applied", customer_of().customer_id)
    assert statistics_of()["totals"] == euros(1, 2000, 1000, 1000)


@pytest.mark.parametrize("early", [True, False])
def test_a_refund_in_another_currency_is_kept_and_worth_nothing_whatever_came_first(early: bool) -> None:
    pair = [placed("o1"), refunded("o1", "r1", currency="USD")]
    deliver(*(reversed(pair) if early else pair))
    assert [refund.currency for refund in orders.get("demo", "o1").refunds] == ["USD"]
    assert statistics_of()["totals"] == euros(1, 2000, 0, 2000)


def test_an_order_takes_no_more_refund_lines_than_an_item_can_hold(outlets: None) -> None:
    many = [{"lineId": f"l{number}", "quantity": 1} for number in range(200)]
    refunds = [
        event("refund.created", {"refundId": f"r{number}", "orderId": "o1", "currency": "EUR", "lines": many})
        for number in range(3)
    ]
    deliver(*refunds, placed("o1"))
    third = intake.status("demo", refunds[2]["id"])
    assert third is not None
    assert third.status == "dead_lettered"
    assert len(orders.get("demo", "o1").refunds) == 2


def test_what_happened_last_to_an_order_is_its_refund_where_that_is_later() -> None:
    deliver(placed("o1", occurredAt="2026-03-01T10:00:00Z"), refunded("o1", "r1", occurredAt="2026-03-04T10:00:00Z"))
    deliver(placed("o1", 2, occurredAt="2026-03-02T10:00:00Z"))
    assert orders.get("demo", "o1").occurred_at.isoformat() == "2026-03-04T10:00:00+00:00"


def test_a_refund_told_twice_before_its_order_waits_once_and_leaves_nothing_waiting() -> None:
    once, twice = refunded("o1", "r1"), refunded("o1", "r1")
    deliver(once, twice, placed("o1"))
    told = [intake.status("demo", sent["id"]) for sent in (once, twice)]
    assert [event and event.status for event in told] == ["applied", "applied"]
    assert statistics_of()["totals"] == euros(1, 2000, 1000, 1000)


def test_an_order_stays_with_the_customer_it_came_to_first() -> None:
    deliver(placed("o1", 1), placed("o1", 2, customer={"externalId": "bob"}, status="paid"))
    assert orders.get("demo", "o1").customer_id == customer_of("ann").customer_id
    assert customers.find("demo", "external", "bob", source="shopify") is None


def test_two_currencies_are_never_added() -> None:
    yen = placed("o2", currency="JPY", lines=[{"sku": "A", "quantity": 3, "unitPrice": "700"}])
    deliver(placed("o1"), yen)
    assert statistics_of()["totals"] == {"EUR": (1, 2000, 0, 2000), "JPY": (1, 2100, 0, 2100)}


def test_the_day_of_an_order_is_the_shops_and_stays_when_the_zone_changes() -> None:
    late = "2026-03-28T23:30:00Z"  # 00:30 on the 29th in Vienna
    deliver(placed("o1", placedAt=late))
    assert orders.get("demo", "o1").placed_on == "2026-03-29"


def test_the_same_order_and_customer_ids_in_two_shops_are_two(two_shops: None) -> None:
    deliver(placed("o1"), placed("o1", shop="other", lines=[{"sku": "A", "quantity": 1, "unitPrice": "7"}]))
    assert statistics_of()["totals"] == euros(1, 2000, 0, 2000)
    assert statistics_of(shop="other")["totals"] == euros(1, 700, 0, 700)
    assert orders.get("demo", "o1").customer_id != orders.get("other", "o1").customer_id


def test_an_order_that_was_overtaken_decides_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another order of the customer is recorded after the statistics were read and before they are written."""
    deliver(placed("o1"))
    rival = placed("o3")
    real = statistics.moved
    rivals = [rival]

    def racing(*told: Any) -> Any:
        if rivals:
            deliver(rivals.pop())
        return real(*told)

    monkeypatch.setattr(statistics, "moved", racing)
    assert deliver(placed("o2")) == []
    assert statistics_of()["totals"] == euros(3, 6000, 0, 6000)


def test_an_order_that_is_always_overtaken_is_left_to_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken(*_: Any, **__: Any) -> None:
        raise Stale

    monkeypatch.setattr(repository, "get_ref", overtaken)
    sent = placed("o1")
    assert deliver(sent) == ["m0"]
    assert intake.status("demo", sent["id"]) is None


def test_the_status_of_an_order_is_the_last_it_was_told() -> None:
    deliver(event("order.paid", order("o1", 2, status="paid")), event("order.placed", order("o1", 1)))
    assert orders.get("demo", "o1").status == "paid"
