# tests/faults/segments_storm.py
"""Ten thousand deliveries, twice and out of order, through a system whose workers are killed, while segments change and
are deleted; then some days pass. In the end everybody is where the oracle says, and every stay was told of once.

`python -m tests.faults.segments_storm SHOP EDITS` makes edits in a process of its own, as another one would.
"""

import json
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from bench.figures import Report
from tests.faults import segments_people as people
from tests.faults.killing import Kills, Plan
from tests.faults.segments_judge import Judge
from tests.faults.segments_known import known
from tests.faults.segments_people import Event, Shop, Told
from tests.faults.segments_written import Call, Compare, Given, Holds, Join, Not, Query, text
from tests.faults.storming import PATIENCE_SECONDS, Storm, instant, plan_of, points_of
from tests.local_system import eventually

WRONG, TRANSITIONS, KILLS = FIGURES = (
    "segments.storm_memberships_wrong",
    "segments.storm_transitions_wrong",
    "segments.storm_kills",
)
SHOP: Final = Shop("storm", "Europe/Vienna", "EUR")
DELIVERIES: Final = 10_000
TWICE, LATE = 0.3, 0.3
FUNCTIONS: Final = (
    "IngestFunction", "PublishChangesFunction", "RefreshMembershipsFunction", "RunOperationFunction", "FireDueFunction",
)  # fmt: skip
"""Whose workers are killed. Of the others, those that segments do not wait for are not started."""
NOT_STARTED: Final = ("OrdersToLoyalty", "OrdersToNotifications", "MessagesToDeliveries")
DAYS_LATER: Final = 12
TOLD: Final = "storm-told"
GONE: Final = "one that is deleted"
FOREVER: Final = datetime.max.replace(tzinfo=UTC)


def _of(name: str, *given: Given) -> Holds:
    return Holds(Call(name, given))


def _with(name: str, value: Any) -> Given:
    return Given(name, ":", (value,))


def _n(number: int) -> Decimal:
    return Decimal(number)


FIRST: Final[dict[str, Query]] = {
    "Repeat": Compare("number_of_orders", ">=", (_n(2),)),
    "Lately": Compare("last_order_date", ">=", ((-30, "d"),)),
    "Big": _of("orders_placed", _with("sum_amount_min", _n(150)), _with("since", (-7, "m"))),
    "Music": _of("products_purchased", _with("category", "music"), _with("since", (-200, "d"))),
    "Abandoned": _of("checkout_abandoned", _with("", _n(60)), _with("since", (-45, "d"))),
    "Looking": _of("event", _with("", "product.viewed"), _with("since", (-1, "y"))),
    "Reachable": Compare("email_subscription_status", "=", ("SUBSCRIBED",)),
    "Birthday": Compare(Call("anniversary", attribute="birth_date"), "BETWEEN", ((-40, "d"), (40, "d"))),
    "Named": Join("OR", (Compare("first_name", "STARTS WITH", ("A",)), Compare("customer_tags", "CONTAINS", ("vip",)))),
    "Seen": Compare("last_seen_channel", "IN", ("web", "app")),
    "Brought": Compare("utm_source", "=", ("newsletter",)),
    "Tall": Compare("attributes.size", "IN", ("M", "L")),
    "Content": Compare("nps_score", ">=", (_n(7),)),
    "Wedding": Compare("attributes.wedding", "<", ((-5, "y"),)),
}
REPEAT: Final = _of("segment", _with("", "Repeat"))
EDITS: Final[tuple[dict[str, Query | None], ...]] = (
    {"Lately": Compare("last_order_date", ">=", ((-60, "d"),)), "Both": Join("AND", (REPEAT, Not(FIRST["Abandoned"])))},
    {"Repeat": Compare("number_of_orders", ">=", (_n(3),)), "Tall": None},
    {"Music": _of("products_purchased", _with("category", "music"), _with("quantity_min", _n(3)))},
    {"Looking": _of("event", _with("", "visit.started"), _with("count_max", _n(1)), _with("since", (-6, "m")))},
    {"Lately": Compare("last_order_date", "<", ((-45, "d"),)), "Brought": Compare("utm_source", "IS NULL")},
)
"""Made one after the other in between: another query, or (None) the segment deleted."""


def run(report: Report, sabotage: str) -> None:
    deliveries = DELIVERIES // 10 if report.quick or sabotage else DELIVERIES
    now = datetime.now(UTC) - timedelta(minutes=1)
    with tempfile.TemporaryDirectory(prefix="rapport-faults-") as folder:
        plan = plan_of(points_of(FUNCTIONS), often=5 if report.quick else 9, seldom=3 if report.quick else 4,
                       sabotage=sabotage)  # fmt: skip
        storm = SegmentsStorm(Path(folder), report.seed, deliveries, now, plan)
        try:
            storm.start()
            storm.rage()
            storm.let_time_pass(timedelta(days=DAYS_LATER))
            _judge(report, storm)
        finally:
            storm.system.stop()


@dataclass
class Shipment:
    """What is sent: `told` of the customers, and the deliveries of that in their order."""

    told: list[Told]
    deliveries: list[Event] = field(default_factory=list)

    @classmethod
    def of(cls, seed: int, count: int, now: datetime) -> "Shipment":
        """Customers until there is enough of them; some events come twice, and some late."""
        draw = random.Random(f"{seed}:storm")
        everybody = people.everybody(seed, [SHOP], per_shop=max(10, count // 25), now=now)
        places: list[tuple[float, int, Event]] = []
        told: list[Told] = []
        for each in everybody:
            if len(places) >= count:
                break
            told.append(each)
            for event in each.events:
                at = draw.random()
                for again in range(1 + (draw.random() < TWICE)):
                    late = draw.random() if draw.random() < LATE else 0
                    places.append(
                        (at + late + again * draw.random() / 3, len(places), event | {"id": _id(each, event)})
                    )
        places.sort(key=lambda place: place[:2])
        return cls(told, [event for _, _, event in places])


def _id(told: Told, event: Event) -> str:
    return f"{told.name}.{event['id']}"


class SegmentsStorm(Storm):
    def __init__(self, folder: Path, seed: int, deliveries: int, now: datetime, plan: Plan) -> None:
        super().__init__(
            folder, SHOP.name, plan, zone=SHOP.zone, currency=SHOP.currency, owner="segmentation", without=NOT_STARTED
        )
        self.shipment = Shipment.of(seed, deliveries, now)
        self.queries: dict[str, Query] = {}
        self.edits = 0

    def start(self) -> None:
        super().start()
        self._listen()
        self.edit(FIRST)

    def rage(self) -> None:
        """A share of the deliveries, and an edit while they are taken in; and so on, until all have come to rest."""
        share = len(self.shipment.deliveries) // (len(EDITS) + 1) + 1
        for number in range(len(EDITS) + 1):
            self.send(self.shipment.deliveries[number * share : (number + 1) * share])
            if number < len(EDITS):
                self.edit(EDITS[number])
        self.tell("all sent")
        self.rest()

    def edit(self, wanted: Mapping[str, Query | None]) -> None:
        for name, query in wanted.items():
            if query is None:
                del self.queries[name]
            else:
                self.queries[name] = query
        said = json.dumps({name: None if query is None else text(query) for name, query in wanted.items()})
        self.run("tests.faults.segments_storm", said)
        self.edits += len(wanted)
        self.tell(f"{', '.join(wanted)} edited")

    def published(self) -> list[dict[str, Any]]:
        """What the bus was told of stays, in any order, some of it twice."""
        return [event["detail"] for event in self.system.heard(TOLD)]

    def _listen(self) -> None:
        """A queue of our own for what is published of stays."""
        self.system.listen(TOLD, {"detail-type": ["segment.entered", "segment.left"]})

    def rest(self) -> None:
        super().rest()
        eventually(self._have_edits_arrived, "no operation is under way", seconds=PATIENCE_SECONDS)
        self.tell("at rest")

    def _have_edits_arrived(self) -> bool:
        """What tells an operation to go on may be kept back in its queue."""
        operations = self.listed(f"SHOP#{SHOP.name}#OPERATIONS#segments_refresh")
        return all(operation["status"] not in {"queued", "running"} for operation in operations)


def _judge(report: Report, storm: SegmentsStorm) -> None:
    now = storm.now()
    items = list(storm.items())
    kills = Kills.read(storm.kills_folder)
    by_point = {point: kills.by_point[str(point)] for point in map(str, points_of(FUNCTIONS))}
    wrong = list(_memberships_wrong(storm, items, now))
    transitions, stays = _transitions_wrong(items, storm.published())
    for line in [*wrong[:10], *transitions[:10]]:
        print(line)
    print(f"{len(storm.shipment.deliveries)} deliveries of {len({each['id'] for each in storm.shipment.deliveries})} "
          f"events about {len(storm.shipment.told)} customers, {storm.edits} edits of segments; {stays} stays; kills: "
          f"{by_point}", flush=True)  # fmt: skip
    queues = [queue.logical_id for queue in storm.system.wiring.dead_letter_queues()]
    letters = {name: count for name in queues if (count := len(storm.system.dead_letters(name)))}
    print(f"dead letters: {letters or 'none'}", flush=True)
    report.tell(WRONG, len(wrong), n=len(storm.shipment.told) * len(storm.queries))
    report.tell(TRANSITIONS, len(transitions), n=stays)
    everywhere = all(by_point.values()) or report.quick
    report.tell(KILLS, sum(by_point.values()) if everywhere else float("nan"), n=len(by_point))


def _memberships_wrong(storm: SegmentsStorm, items: list[dict[str, Any]], now: datetime) -> Iterator[str]:
    """Whoever is not where the oracle says: by their head, or by their stays."""
    ids = {item["sk"]: item for item in items if item["sk"].startswith("SEGMENT#")}
    names = {item["segment_id"]: item["name"] for item in ids.values() if "deleted_at" not in item}
    assert storm.queries.keys() <= set(names.values()), names
    by_customer: defaultdict[str, dict[str, set[str]]] = defaultdict(lambda: {"head": set(), "stays": set()})
    customers = {}
    for item in items:
        customer = item["pk"].rpartition("#")[2]
        if item["sk"] == "HEAD#SEGMENTS":
            by_customer[customer]["head"] = {names.get(state["segment_id"], GONE) for state in item["open"]}
        if item["sk"].startswith("MEMBERSHIP#") and "left_at" not in item:
            by_customer[customer]["stays"].add(names.get(item["segment_id"], GONE))
        if item["pk"].startswith(f"SHOP#{SHOP.name}#IDENTITY#external:"):
            customers[item["pk"].rpartition("#")[2]] = item["customer_id"]
    judge = Judge(dict(storm.queries), Counter())
    for told in storm.shipment.told:
        who = known(told, customers[told.name])
        expected = {name for name, query in storm.queries.items() if judge.is_member(query, who, now)}
        for where, all_ in by_customer[who.customer_id].items():
            found = all_ & {*storm.queries, GONE}
            if found != expected:
                missing, besides = sorted(expected - found), sorted(found - expected)
                yield f"{told.name} {who.customer_id}, by {where}: not {missing}, but {besides}"


Transition = tuple[str, str, str, datetime, str]
"""Entered or left, whose, which segment, and when and why."""


def _transitions_wrong(items: list[dict[str, Any]], published: list[dict[str, Any]]) -> tuple[list[str], int]:
    """Stays that overlap, transitions that were not told, or told otherwise, or never happened; and how many stays."""
    stays: defaultdict[tuple[str, str], list[tuple[datetime, datetime]]] = defaultdict(list)
    happened: Counter[Transition] = Counter()
    for item in items:
        if item["sk"].startswith("MEMBERSHIP#"):
            pk, segment, entered = item["pk"], item["segment_id"], instant(item["entered_at"])
            left = instant(item["left_at"]) if "left_at" in item else FOREVER
            stays[pk, segment].append((entered, left))
            happened["entered", pk, segment, entered, item["entered_cause"]] += 1
            if left != FOREVER:
                happened["left", pk, segment, left, item["left_cause"]] += 1
    wrong = [
        f"{key} left at {left} and came again at {entered}"
        for key, several in stays.items()
        for (_, left), (entered, _) in pairwise(sorted(several))
        if left > entered
    ]
    told: dict[str, Transition] = {}
    for event in published:
        kind, pk = event["id"].rpartition(":")[2], f"SHOP#{event['shop']}#CUSTOMER#{event['customerId']}"
        said = kind, pk, event["segmentId"], instant(event["occurredAt"]), event["cause"]
        if told.setdefault(event["id"], said) != said:
            wrong.append(f"{event['id']} was told as {said} and as {told[event['id']]}")
    once = Counter(told.values())
    wrong += [f"not told: {each}" for each in (happened - once).elements()]
    wrong += [f"told, and not so: {each}" for each in (once - happened).elements()]
    return wrong, sum(map(len, stays.values()))


def main() -> None:
    """The edits, as JSON: queries by name; null deletes."""
    from crm.customers import attribute_definitions
    from crm.customers.attribute_definitions import AttributeFields
    from crm.kernel import clock
    from crm.kernel.actor import SYSTEM
    from crm.kernel.table import connection
    from crm.segmentation import service as segmentation
    from crm.segmentation.service import DYNAMIC, SegmentFields

    shop, edits = sys.argv[1], json.loads(sys.argv[2])
    connection()
    ids = {each.name: each.segment_id for each in segmentation.list_definitions(shop)}
    if not attribute_definitions.current(shop, now=clock.now()):
        for key, said in people.OWN.items():
            attribute_definitions.define(shop, key, AttributeFields(**said), now=clock.now())
    for name, query in edits.items():
        if query is None:
            segmentation.delete(shop, ids[name], actor=SYSTEM, now=clock.now())
        elif name in ids:
            segmentation.update(shop, ids[name], SegmentFields(query=query), actor=SYSTEM, now=clock.now())
        else:
            fields = SegmentFields(name=name, query=query)
            segmentation.create(shop, DYNAMIC, fields, actor=SYSTEM, now=clock.now())


if __name__ == "__main__":
    main()
