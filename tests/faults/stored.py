# tests/faults/stored.py
"""What is stored, read by raw scans: none of the code that wrote it helps to read it."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from boto3.dynamodb.types import TypeDeserializer

from tests.faults.oracle import RECENT, Cell, Expected

Item = dict[str, Any]


@dataclass
class Customer:
    """`expected` is what the oracle says, as found; the rest must agree with it."""

    found: Expected = field(default_factory=Expected)
    ledger: int = 0
    stays: list[tuple[str, str | None]] = field(default_factory=list)
    """Of those who ordered recently: entered and left."""
    wakes: list[datetime] = field(default_factory=list)
    """When segmentation's timer is due."""


@dataclass
class Stored:
    """One shop. `events`: the status of each by id; `order_revs`: how often each order was written."""

    customers: dict[str, Customer] = field(default_factory=dict)
    cells: dict[Cell, int] = field(default_factory=dict)
    stays: list[tuple[str, datetime, datetime | None]] = field(default_factory=list)
    """In whatever segment: which, entered and left."""
    events: dict[str, str] = field(default_factory=dict)
    order_revs: dict[str, int] = field(default_factory=dict)
    waiting_refunds: int = 0
    timers: list[datetime] = field(default_factory=list)

    def cells_of_stays(self, zone: str) -> dict[Cell, int]:
        """What the cells of segments must hold."""
        place, cells = ZoneInfo(zone), Counter[Cell]()
        for segment, entered, left in self.stays:
            cells["segment_entered", segment, entered.astimezone(place).date().isoformat()] += 1
            cells["segment_members", segment, "9999-12-31"] += left is None
            if left is not None:
                cells["segment_left", segment, left.astimezone(place).date().isoformat()] += 1
        return {cell: amount for cell, amount in cells.items() if amount}


def read(dynamodb: Any, shop: str, *, crm: str, kpis: str) -> Stored:
    """Everything of a shop, keyed by the customers' external ids."""
    stored = Stored()
    external: dict[str, str] = {}
    by_customer: defaultdict[str, list[Item]] = defaultdict(list)
    names = {item["segment_id"]: item["name"] for rest, item in _of_shop(dynamodb, crm, shop) if _defines(rest, item)}
    for rest, item in _of_shop(dynamodb, crm, shop):
        match rest.split("#", 1):
            case ["IDENTITY", key] if key.startswith("external:"):
                external[item["customer_id"]] = key.split("#", 1)[1]
            case ["CUSTOMER", customer_id]:
                by_customer[customer_id].append(item)
            case ["EVENT", event_id]:
                stored.events[event_id] = item["status"]
            case ["ORDERREF", _]:
                stored.waiting_refunds += len(item.get("waiting_refunds") or [])
    for customer_id, items in by_customer.items():
        customer = stored.customers.setdefault(external.get(customer_id, customer_id), Customer())
        seen = [item for item in items if item["sk"].startswith("TOUCHPOINT#")]
        customer.found.touchpoints = sorted(json.loads(item["properties"])["sku"] for item in seen)
        for item in items:
            _take(stored, customer, item, names)
        stored.stays += _stays(items)
    for rest, item in _of_shop(dynamodb, kpis, shop):
        kind, _, name = rest.partition("#")
        if kind == "CELLS" and item["value"]:
            metric, dimension = name.split("#")
            stored.cells[metric, dimension, item["sk"]] = int(item["value"])
    return stored


def _defines(rest: str, item: Item) -> bool:
    """Whether it is the definition of a segment."""
    return rest == "SEGMENTS" and bool(item["sk"].startswith("SEGMENT#"))


def _of_shop(dynamodb: Any, table: str, shop: str) -> Iterator[tuple[str, Item]]:
    """Every item with its partition key behind the shop's prefix."""
    for item in scan(dynamodb, table):
        if item["pk"].startswith(f"SHOP#{shop}#"):
            yield item["pk"].removeprefix(f"SHOP#{shop}#"), item


def scan(dynamodb: Any, table: str) -> Iterator[Item]:
    plain = TypeDeserializer()
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            yield {name: plain.deserialize(value) for name, value in item.items()}


def _stays(items: list[Item]) -> Iterator[tuple[str, datetime, datetime | None]]:
    for item in items:
        if item["sk"].startswith("MEMBERSHIP#") and (entered := _instant(item["entered_at"])):
            yield item["segment_id"], entered, _instant(item.get("left_at"))


def _take(stored: Stored, customer: Customer, item: Item, names: Mapping[str, str]) -> None:
    found = customer.found
    match item["sk"].split("#"):
        case ["HEAD", "PROFILE"]:
            found.name, found.test = item.get("first_name"), bool(item["test"])
        case ["HEAD", "STATISTICS"]:
            found.orders = int(item["order_count"])
            found.first, found.last = _instant(item.get("first_order_at")), _instant(item.get("last_order_at"))
            found.totals = {
                total["currency"]: (
                    int(total["orders"]),
                    int(total["gross"]),
                    int(total["refunded"]),
                    int(total["net"]),
                )
                for total in item["totals"]
            }
        case ["HEAD", "LOYALTY"]:
            found.points = int(item["available"])
        case ["HEAD", "SEGMENTS"]:
            found.segments = {names[state["segment_id"]] for state in item["open"]}
        case ["LEDGER", *_]:
            customer.ledger += int(item["points"])
        case ["MEMBERSHIP", segment, *_] if names[segment] == RECENT:
            customer.stays.append((item["entered_at"], item.get("left_at")))
        case ["ORDER", order_id]:
            stored.order_revs[order_id] = int(item.get("rev", 0))
        case ["TIMER", owner, *_]:
            due = _instant(item["due_at"])
            assert due is not None
            stored.timers.append(due)
            if owner == "segmentation":
                customer.wakes.append(due)


def _instant(text: str | None) -> datetime | None:
    """As PynamoDB writes it."""
    return None if text is None else datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def left_at(customer: Customer) -> datetime | None:
    """When the last of the stays ended; None where one is open."""
    if any(left is None for _, left in customer.stays):
        return None
    return max((at for _, left in customer.stays if (at := _instant(left))), default=None)


def whole(body: str) -> Any:
    """A dead letter's event: itself, or the detail of the bus event that holds it."""
    event = json.loads(body)
    return event["detail"] if isinstance(event, dict) and "detail-type" in event else event
