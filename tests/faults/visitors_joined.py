# tests/faults/visitors_joined.py
"""Visitors who turn out to be customers, in random interleavings of events, repeats and joining steps: all end alike.

What should be is folded here from the events by their own times, without any of the code that joins.
"""

import json
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bench.figures import Report
from tests.faults import in_process

FIGURES: Final = ("gateway.visitor_interleavings_wrong",)
SHOP: Final = "visitors"
INTERLEAVINGS, AT_ONCE, THREADS = 1000, 40, 6
BEGAN: Final = datetime.now(UTC) - timedelta(hours=6)
STEP: Final = "step"

Event = dict[str, Any]
Ends = tuple[str, str] | None


@dataclass(frozen=True)
class Story:
    """One device and two people: what is told of them, and what must be so in the end."""

    visitor: str
    people: tuple[str, str]
    events: list[Event]
    histories: dict[str, list[str]]
    brought: dict[str, Ends]


def run(report: Report, sabotage: str) -> None:
    in_process.found_shop(SHOP, zone="Europe/Vienna", currency="EUR")
    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    chance = random.Random(report.seed)
    count = 100 if report.quick else INTERLEAVINGS
    stories = [story(chance, number) for number in range(count)]
    overlaps = Overlaps()
    wrong = 0
    # Stories touch nothing of each other; within one, a part of them is told by several threads at once.
    at_once = set(range(0, count, max(1, count // AT_ONCE)))
    with ThreadPoolExecutor(THREADS) as threads:
        for number, one in enumerate(stories):
            steps = interleaved(chance, one)
            if number in at_once:
                list(threads.map(overlaps.watched(one), steps))
            else:
                for step in steps:
                    take(one, step)
            take(one, STEP)
            wrong += not as_it_should_be(one)
    print(f"{count} interleavings, {len(at_once)} of them by {THREADS} threads; overlaps: {overlaps.seen}", flush=True)
    report.tell(FIGURES[0], wrong, n=count)


class Overlaps:
    """How often a step began while another of the same story was under way."""

    def __init__(self) -> None:
        self.seen = 0
        self._busy = 0
        self._lock = threading.Lock()

    def watched(self, one: Story) -> Callable[[Event | str], None]:
        def taken(step: Event | str) -> None:
            with self._lock:
                self.seen += self._busy > 0
                self._busy += 1
            try:
                take(one, step)
            finally:
                with self._lock:
                    self._busy -= 1

        return taken


def story(chance: random.Random, number: int) -> Story:
    visitor, people = f"v{number}", (f"ann{number}", f"bob{number}")
    events: list[Event] = []

    def told(kind: str, minute: int, who: dict[str, str], data: dict[str, Any]) -> Event:
        event = {"id": f"{visitor}-{len(events)}", "type": kind, "version": 1, "shop": SHOP, "source": "webshop"}
        event |= {"occurredAt": (BEGAN + timedelta(minutes=minute)).isoformat(), "customer": who, "data": data}
        events.append(event)
        return event

    anonymous = {"anonymousId": visitor}
    for _ in range(chance.randint(1, 5)):
        source = {"utm": {"source": f"s{len(events)}"}} if chance.random() < 0.7 else {}
        told("product.viewed", chance.randint(0, 20), anonymous, {"sku": f"k{len(events)}"} | source)
    for person in people:
        for _ in range(chance.randint(0, 2)):
            told("customer.updated", chance.randint(0, 20), anonymous | {"externalId": person}, {})
        if chance.random() < 0.3:  # what somebody does by name is theirs, whoever the device was
            data = {"sku": f"k{len(events)}", "utm": {"source": f"s{len(events)}"}}
            told("product.viewed", chance.randint(0, 20), {"externalId": person}, data)
    return Story(visitor, people, events, *folded(events, people))


def folded(events: list[Event], people: tuple[str, str]) -> tuple[dict[str, list[str]], dict[str, Ends]]:
    """Whose each touchpoint is, newest first, and the first and last source of each of the people."""
    identifications = [e for e in events if e["type"] == "customer.updated"]
    first = min(identifications, key=_place, default=None)
    was = first["customer"]["externalId"] if first else None
    histories, brought = {}, {}
    for person in people:
        own = [
            event
            for event in sorted(events, key=_place)
            if event["type"] == "product.viewed" and event["customer"].get("externalId", was) == person
        ]
        sources = [event["data"]["utm"]["source"] for event in own if "utm" in event["data"]]
        histories[person] = [event["data"]["sku"] for event in reversed(own)]
        brought[person] = (sources[0], sources[-1]) if sources else None
    return histories, brought


def _place(event: Event) -> tuple[str, str]:
    return event["occurredAt"], event["id"]


def interleaved(chance: random.Random, one: Story) -> list[Event | str]:
    """Every event once at least, some again, and joining steps anywhere among them."""
    steps: list[Event | str] = [*one.events, *chance.choices(one.events, k=chance.randint(0, 3))]
    steps += [STEP] * chance.randint(0, 4)
    chance.shuffle(steps)
    return steps


def take(one: Story, step: Event | str) -> None:
    from crm.kernel.errors import Stale
    from crm.touchpoints import service as touchpoints

    if not isinstance(step, str):
        assert in_process.ingest(step), step["id"]
        return
    for _ in range(in_process.TRIES):
        try:
            touchpoints.settle(SHOP, one.visitor, now=datetime.now(UTC))
        except Stale:
            continue
        return


def as_it_should_be(one: Story) -> bool:
    found = {person: dict(_stored(person)) for person in one.people}
    for person in one.people:
        touched = found[person].get("history", [])
        if touched != one.histories[person] or found[person].get("brought") != one.brought[person]:
            print(
                f"{person}: {touched} of {one.histories[person]}, {found[person]} of {one.brought[person]}", flush=True
            )
            return False
    return True


def _stored(person: str) -> Iterator[tuple[str, Any]]:
    """What a customer's partition holds, raw."""
    from boto3.dynamodb.types import TypeDeserializer

    from crm.customers import service as customers
    from crm.kernel.settings import settings
    from crm.kernel.table import client

    customer_id = customers.find(SHOP, "external", person, source="webshop")
    if customer_id is None:
        return
    plain = TypeDeserializer()
    answer = client().query(
        TableName=settings().crm_table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"SHOP#{SHOP}#CUSTOMER#{customer_id}"}},
        ConsistentRead=True,
    )
    items = [{name: plain.deserialize(value) for name, value in item.items()} for item in answer["Items"]]
    seen = sorted((item for item in items if item["sk"].startswith("TOUCHPOINT#")), key=lambda i: i["timeline_key"])
    yield "history", [json.loads(item["properties"])["sku"] for item in reversed(seen)]
    for item in items:
        if item["sk"] == "HEAD#ACQUISITION" and item.get("first"):
            yield "brought", (item["first"]["source"], item["last"]["source"])
