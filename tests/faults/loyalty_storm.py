# tests/faults/loyalty_storm.py
"""Orders, refunds and what else earns, of few accounts, twice and out of order, through a system whose workers are
killed; then a part of it again, 11 minutes and 25 hours later, and time passes until everything has matured, and until
everything has expired.

`python -m tests.faults.loyalty_storm SHOP DEED` does in a process of its own what a shop's staff would do.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from bench.figures import Report
from tests.faults import loyalty_bonuses, oracle
from tests.faults.generator import CURRENCY, SHOP, ZONE, Event, Shop
from tests.faults.killing import Kills, Plan
from tests.faults.loyalty_bonuses import (
    BIRTHDAY,
    INVITED,
    LEAST_STARS,
    MOST_INVITED,
    MOST_VISITS_A_DAY,
    POINTS,
    REVIEWED,
    SIGNUP,
    VISITED,
)
from tests.faults.storming import Storm, plan_of, points_of

BALANCES, LOST, DOUBLED, LATE, KILLED = FIGURES = (
    "loyalty.balances_wrong",
    "loyalty.orders_lost",
    "loyalty.orders_doubled",
    "loyalty.late_duplicates_doubled",
    "loyalty.workers_killed",
)
EVENTS, ACCOUNTS, SEEDS = 5_000, 50, 5
AGAIN: Final = 1_000
"""So many deliveries come again, each time."""
FUNCTIONS: Final = ("IngestFunction", "PublishChangesFunction", "PostPointsFunction", "FireDueFunction")
NOT_STARTED: Final = ("ChangesToSegmentation", "OrdersToNotifications", "MessagesToDeliveries")
GIFT: Final = 1_000_000
"""So that whatever an order is paid with is there, in whatever order they come."""
WINDOW_DAYS, EXPIRY_MONTHS = 14, 3
EARLIER: Final = timedelta(days=63)
"""The programme counts before the first of the orders is placed."""
SOUND: Final = "sound"
LATER: Final = (timedelta(minutes=11), timedelta(hours=25))


def run(report: Report, sabotage: str) -> None:
    count = EVENTS // 5 if report.quick or sabotage else EVENTS
    seeds = 1 if report.quick or sabotage else SEEDS
    told = Counter[str]()
    kills = []
    for number in range(seeds):
        often, seldom = (0, 0) if sabotage == "workers_killed" else (12, 6)
        plan = plan_of(points_of(FUNCTIONS), often=often, seldom=seldom, sabotage=sabotage)
        with tempfile.TemporaryDirectory(prefix="rapport-faults-") as folder:
            storm = PointsStorm(Path(folder), report.seed + number, count, plan)
            try:
                storm.start()
                told += storm.rage(late=number == 0)
            finally:
                storm.system.stop()
            killed = Kills.read(storm.kills_folder)
            kills.append(sum(killed.by_point[str(point)] for point in points_of(FUNCTIONS)))
            print(f"seed {report.seed + number}: {kills[-1]} kills, {dict(told)} so far", flush=True)
    # One run, of an hour, has them all.
    for figure, n in ((BALANCES, ACCOUNTS), (LOST, count), (DOUBLED, count)):
        report.tell(figure, told[figure], n=n * seeds)
    report.tell(LATE, told[LATE], n=AGAIN * len(LATER))
    report.tell(KILLED, min(kills), n=sum(kills))


class PointsStorm(Storm):
    def __init__(self, folder: Path, seed: int, count: int, plan: Plan) -> None:
        super().__init__(
            folder, SHOP, plan, zone=ZONE, currency=CURRENCY, owner="loyalty", without=NOT_STARTED
        )  # fmt: skip
        self._draw, self._seed, self._count = Random(f"{seed}:points"), seed, count

    def rage(self, *, late: bool) -> Counter[str]:
        """What was wrong, by figure."""
        self.run("tests.faults.loyalty_storm", "programme")
        self.system.move_clock(EARLIER.total_seconds())
        events, deliveries = self._drawn(self.now())
        self._send_all([event for event in events if event["type"] == "customer.updated"])
        self.run("tests.faults.loyalty_storm", "gifts")
        told = [event for event in events if event["type"] != "customer.updated"]
        orders = sum(map(_is_of_an_order, told))
        self.tell(
            f"{ACCOUNTS} accounts; {orders} events of orders, {len(told) - orders} others, {len(deliveries)} deliveries"
        )
        self._send_all(deliveries)
        wrong = self._judged("as they came", told)
        if late:
            for forward in LATER:
                self.system.move_clock(forward.total_seconds())
                self._send_all(self._draw.sample(deliveries, min(AGAIN, len(deliveries))))
                again = self._judged(f"again {forward} later", told)
                wrong[LATE] += max(0, again[DOUBLED] - wrong[DOUBLED])
        self.let_time_pass(timedelta(days=WINDOW_DAYS + 1))
        wrong[BALANCES] += self._judged("matured", told, pending=False)[BALANCES]
        self.let_time_pass(timedelta(days=31 * (EXPIRY_MONTHS + 1)))
        wrong[BALANCES] += sum(int(item["available"]) != 0 for item in self.items() if item["sk"] == "HEAD#LOYALTY")
        verified = self.run("tests.faults.loyalty_storm", "verify").strip()
        self.tell(verified)
        wrong[BALANCES] += verified.splitlines()[-1] != SOUND
        return wrong

    def _drawn(self, now: datetime) -> tuple[list[Event], list[Event]]:
        """The events, each once, and what is delivered of them but of profiles: some orders were paid with points."""
        shop = Shop(self._seed, now=now, customers=ACCOUNTS, orders=self._count // 3 + 50, poison=0)
        load = shop.load(loyalty_bonuses.drawn(self._seed, now=now, customers=ACCOUNTS))
        for event in load.good:
            if event["type"] == "customer.updated":
                loyalty_bonuses.tell_birthday(event, now=now)
            paid = Random(f"{self._seed}:{event['data'].get('orderId')}").choice([0, 0, 30, 450])
            if paid and event["type"].startswith("order."):
                event["data"]["pointsSpent"] = paid
        kept = {event["id"] for event in [each for each in load.good if _is_of_an_order(each)][: self._count]}
        kept |= {event["id"] for event in load.good if event["type"] == "custom.recorded"}
        events = [event for event in load.good if event["id"] in kept or event["type"] == "customer.updated"]
        places = [(place, event) for sender in load.deliveries for place, event in enumerate(sender)]
        places.sort(key=lambda one: one[0])
        return events, [event for _, event in places if event["id"] in kept]

    def _send_all(self, events: Sequence[Event]) -> None:
        for start in range(0, len(events), 1_000):
            self.send(events[start : start + 1_000])
        self.rest()

    def _judged(self, when: str, told: Sequence[Event], *, pending: bool = True) -> Counter[str]:
        """`pending`: points may be, and no birthday has been."""
        own = [event for event in told if not _is_of_an_order(event)]
        expected = {each.order_id: each for each in oracle.worths(filter(_is_of_an_order, told))}
        ids, heads, entries = self._stored()
        wrong = Counter[str]()
        posted = _posted(entries)
        for order_id, worth in expected.items():
            earned, kept = points(worth)
            found = posted.get(order_id, (0, 0))
            lost, doubled = found < (earned, kept) or found[1] < kept, found[0] > earned or found[1] > kept
            wrong += self._wrong(f"{when} {order_id}: {(earned, kept)} expected, {found} posted", lost, doubled)
        bonuses = loyalty_bonuses.due(own, ids.values(), celebrated=not pending)
        given = Counter(loyalty_bonuses.given(entries, ids, own))
        for due in sorted({*bonuses, *given}):
            expects = bonuses.get(due, 0)
            what = f"{when} {due}: {expects} expected, {given[due]} given"
            wrong += self._wrong(what, given[due] < expects, given[due] > expects)
        for customer_id, external_id in ids.items():
            of_orders = [points(worth) for worth in expected.values() if worth.customer == external_id]
            balance = GIFT + sum(earned - kept for earned, kept in of_orders)
            balance += sum(each for (who, *_), each in bonuses.items() if who == external_id)
            head = heads[customer_id]
            is_ = int(head["available"]) + int(head["pending"]) * pending
            is_right = is_ == balance and (pending or int(head["pending"]) == 0) and not int(head["owed"])
            wrong[BALANCES] += not is_right
            if not is_right:
                print(f"{when} {external_id}: {balance} expected, {is_} there", flush=True)
        self.tell(
            f"{when}: {len(expected)} orders, {len(bonuses)} bonuses, {len(ids)} accounts; "
            f"wrong: {dict(+wrong) or 'nothing'}"
        )
        return wrong

    def _wrong(self, what: str, *lost_and_doubled: bool) -> Counter[str]:
        if any(lost_and_doubled):
            print(what, flush=True)
        return Counter(dict(zip((LOST, DOUBLED), map(int, lost_and_doubled), strict=True)))

    def _stored(self) -> tuple[dict[str, str], dict[str, Any], list[dict[str, Any]]]:
        """External ids and heads by customer, and all entries."""
        ids, heads, entries = {}, {}, []
        for item in self.items():
            if item["pk"].startswith(f"SHOP#{SHOP}#IDENTITY#external:"):
                ids[item["customer_id"]] = item["pk"].rpartition("#")[2]
            if item["sk"] == "HEAD#LOYALTY":
                heads[item["pk"].rpartition("#")[2]] = item
            if item["sk"].startswith("LEDGER#"):
                entries.append(item)
        return ids, heads, entries


def _posted(entries: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """By order what was earned, and spent, as the entries say."""
    posted: dict[str, tuple[int, int]] = {}
    for item in entries:
        if item["sk"].startswith("LEDGER#order:"):
            sides = Counter({each["account"]: int(each["points"]) for each in item["postings"]})
            earned, spent = posted.get(item["order_id"], (0, 0))
            posted[item["order_id"]] = earned - sides["programme:issued"], spent + sides["programme:redeemed"]
    return posted


def points(worth: oracle.Worth) -> tuple[int, int]:
    """What an order earns and what it costs as it stands: a point a whole euro, and a cent for a point. Points pay for
    their share of all that it costs: that of its goods earns nothing, and that of what is given back comes back. By
    hand.
    """
    if worth.cancelled:
        return 0, 0
    if not worth.bill:
        return 0, worth.points_spent
    kept = worth.points_spent - worth.points_spent * worth.given_back // worth.bill
    paid_otherwise = worth.bill - min(worth.points_spent, worth.bill)
    return worth.net * paid_otherwise // worth.bill // 100 if worth.currency == CURRENCY else 0, kept


def _is_of_an_order(event: Event) -> bool:
    kind: str = event["type"]
    return kind.startswith("order.") or kind == "refund.created"


def main() -> None:
    """`programme`: points wait and expire, and not only orders earn. `gifts`: everybody has enough. `verify`: whether
    ledgers are as they were posted.
    """
    from crm.kernel import clock
    from crm.kernel.actor import SYSTEM
    from crm.kernel.table import connection
    from crm.loyalty import service as loyalty
    from infra.local import verify

    shop, deed = sys.argv[1:]
    connection()
    match deed:
        case "programme":
            _define(shop)
        case "gifts":
            for customer_id in _customers(shop):
                loyalty.adjust(
                    shop, customer_id, GIFT, reason="A gift", actor=SYSTEM, idempotency_key="gift", now=clock.now()
                )
        case "verify":
            print(SOUND if verify.run(shop) == 0 else "unsound")


def _define(shop: str) -> None:
    from crm.kernel import clock
    from crm.kernel.actor import SYSTEM
    from crm.loyalty import service as loyalty
    from crm.loyalty.expiry import Expiry

    said = loyalty.ProgrammeFields(
        return_window_days=WINDOW_DAYS, expiry=Expiry(EXPIRY_MONTHS), signup_points=SIGNUP, birthday_points=BIRTHDAY
    )
    loyalty.update_programme(shop, said, actor=SYSTEM, now=clock.now())
    stars = loyalty.PropertyFilter("review.stars", loyalty.Comparison.AT_LEAST, str(LEAST_STARS))
    limits: dict[str, dict[str, Any]] = {
        REVIEWED: {"filters": (stars,)},
        INVITED: {"per_customer": MOST_INVITED},
        VISITED: {"per_day": MOST_VISITS_A_DAY},
    }
    for name, limit in limits.items():
        bonus = loyalty.EventBonusFields(name=name, event=name, points=POINTS[name], **limit)
        loyalty.create_bonus(shop, bonus, actor=SYSTEM, now=clock.now())


def _customers(shop: str) -> Iterator[str]:
    from crm.customers import service as customers

    for shard in range(customers.SHARDS):
        yield from (each.customer_id for each in customers.list_shard(shop, shard, before=None, limit=100))


if __name__ == "__main__":
    main()
