# tests/integration/test_bulk_orders.py
import json
from typing import Any

import pytest

from crm.bulk import reading
from tests.bulk import imported, results
from tests.shop_events import customer_of, order, refunded, statistics_of

pytestmark = pytest.mark.usefixtures("shop", "outlets")

HEAD = "order_id,version,status,currency,placed_at,sku,quantity,unit_price,external_id\n"
ORDERS = HEAD + (
    "o1,1,delivered,EUR,2026-01-02T10:00:00Z,A,2,9.90,ann\n"
    "o1,,,,,B,1,5.00,\n"
    "o2,1,placed,EUR,2026-01-03T10:00:00Z,A,none,9.90,ann\n"
    "o2,,,,,B,1,5.00,\n"
    "o3,1,placed,EUR,2026-01-04T10:00:00Z,A,1,1.00,bob\n"
)  # fmt: skip


def told(operation: dict[str, Any]) -> list[tuple[int, str, list[str]]]:
    return [
        (line["row"], line["status"], [f"{fault['path']} {fault['code']}" for fault in line.get("faults", ())])
        for line in results(operation)
    ]


def test_orders_are_taken_in_whole_or_not_at_all_and_each_row_is_told_of() -> None:
    done = imported(
        ORDERS.replace(",,,,,B", ",,,EUR,2026-01-02T10:00:00Z,B").replace("o2,,,EUR,2026-01-02", "o2,,,EUR,2026-01-03"),
        "ordersImport",
    )
    assert told(done) == [
        (2, "applied", []),
        (3, "applied", []),
        (4, "refused", ["quantity INVALID"]),
        (5, "refused", [" INVALID"]),
        (6, "applied", []),
    ]
    assert done["progress"] == done["progress"] | {"rows": 5, "applied": 3, "refused": 2}
    assert statistics_of("ann") == statistics_of("ann") | {"orders": 1, "totals": {"EUR": (1, 2480, 0, 2480)}}
    assert statistics_of("bob")["orders"] == 1


def test_cells_that_only_the_first_row_of_an_order_needs_may_be_empty_in_the_others() -> None:
    imported(ORDERS, "ordersImport")
    assert statistics_of("ann")["totals"] == {"EUR": (1, 2480, 0, 2480)}


def test_an_orders_version_with_other_lines_is_refused_and_a_new_version_is_taken() -> None:
    imported(ORDERS, "ordersImport")
    other = imported(ORDERS.replace("A,2,9.90", "A,3,9.90"), "ordersImport", idempotencyKey="other")
    assert told(other)[:2] == [(2, "refused", ["order_id KEY_REUSED"]), (3, "refused", [" INVALID"])]
    assert statistics_of("ann")["totals"] == {"EUR": (1, 2480, 0, 2480)}
    imported(ORDERS.replace("o1,1", "o1,2").replace("A,2,9.90", "A,3,9.90"), "ordersImport", idempotencyKey="newer")
    assert statistics_of("ann")["totals"] == {"EUR": (1, 3470, 0, 3470)}


def test_rows_of_an_order_that_do_not_stand_together_are_not_lost_in_silence() -> None:
    apart = HEAD + (
        "o1,1,placed,EUR,2026-01-02T10:00:00Z,A,1,1.00,ann\n"
        "o2,1,placed,EUR,2026-01-02T10:00:00Z,A,1,1.00,ann\n"
        "o1,1,placed,EUR,2026-01-02T10:00:00Z,B,1,1.00,ann\n"
    )
    done = imported(apart, "ordersImport")
    assert told(done) == [(2, "applied", []), (3, "applied", []), (4, "refused", ["order_id KEY_REUSED"])]


def test_an_import_messages_nobody_and_says_so_to_whoever_hears_of_it() -> None:
    imported(ORDERS, "ordersImport")
    assert bool(customer_of("ann").replayed)


def test_a_refund_before_its_order_waits_and_has_its_effect_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SLICE_ROWS", 1)
    refund = refunded("o1", "r1") | {"id": "r"}
    placed = {"type": "order.placed", "occurredAt": "2026-03-01T10:00:00Z", "customer": {"externalId": "ann"}}
    lines = [refund, placed | {"data": order("o1")}]
    done = imported("\n".join(map(json.dumps, lines)), "ordersImport", format="JSONL")
    assert [status for _, status, _ in told(done)] == ["waiting", "applied"]
    assert done["progress"] == done["progress"] | {"waiting": 1, "applied": 1}
    assert statistics_of("ann")["totals"] == {"EUR": (1, 2000, 1000, 1000)}


def test_lines_that_are_no_events_of_orders_are_refused_with_what_is_wrong() -> None:
    lines = ['{"type": "customer.updated"}', "[]", '{"data": {}}', '{"shop": "other", "data": {}}']
    done = imported("\n".join(lines), "ordersImport", format="JSONL")
    assert [status for _, status, _ in told(done)] == ["refused"] * 4
    faults = [faults for _, _, faults in told(done)]
    assert faults[:2] == [["type FORBIDDEN"], [" NOT_JSON"]]
    assert {"customer REQUIRED", "data.orderId REQUIRED"} <= set(faults[2])
    assert faults[3] == ["shop FORBIDDEN"]


def test_a_row_with_control_characters_is_refused_at_its_column_and_holds_up_no_other() -> None:
    rows = (
        "o1,1,placed,EUR,2026-01-02T10:00:00Z,A\x0bB,1,9.90,ann\n"
        "o2,1,placed,EUR,2026-01-03T10:00:00Z,A,1,9.90,ann\n"
    )  # fmt: skip
    assert told(imported(HEAD + rows, "ordersImport")) == [(2, "refused", ["sku INVALID"]), (3, "applied", [])]
