# tests/faults/orders_under_fire.py
"""Orders, twice and out of order, through a system whose workers are killed; poison is redriven, and time passes."""

import contextlib
import io
import json
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench.figures import Report
from infra import dead_letters
from infra.local.senders import Gateway
from infra.local.tokens import token
from tests.faults import oracle, stored
from tests.faults.generator import (
    CURRENCY,
    FROM_THE_FUTURE,
    LATER_SHOP,
    LATER_TYPE,
    SENDERS,
    SHOP,
    UNKNOWN_SHOP,
    UNKNOWN_TYPE,
    ZONE,
    Event,
    Load,
    Shop,
)  # fmt: skip
from tests.faults.killing import POINTS, Kills, Plan, variables
from tests.faults.moving_in import Imports
from tests.local_system import LocalSystem, eventually

FIGURES: Final = tuple(
    f"foundation.{name}"
    for name in (
        "statistics_wrong", "points_wrong", "segments_wrong", "touchpoints_wrong", "cells_wrong", "messages_doubled",
        "events_waiting", "poison_not_dead_lettered", "dead_letters_unexpected", "redriven_not_applied_once", "kills",
        "kill_points_missed", "most_kills_of_a_message",
    )
)  # fmt: skip
BY_CUSTOMER: Final = ("statistics_wrong", "points_wrong", "segments_wrong", "touchpoints_wrong")
PATIENCE_SECONDS: Final = 900
DAYS_LATER: Final = 31
STEP_SECONDS: Final = 15
"""Of the local clock while timers are awaited: a killed holder's lease runs out in its time."""
IMPORTED: Final = 20
"""Customers of the shop that moves in; so its worker is killed, too."""
RUNS_KILLED: Final = "FireDueDeadLetters"


def run(report: Report, sabotage: str) -> None:
    # What a sabotage does shows in few orders.
    small = (20, 60, 6) if sabotage else (40, 150, 12)
    customers, orders, poison = small if report.quick or sabotage else (200, 1000, 50)
    load = Shop(report.seed, now=datetime.now(UTC), customers=customers, orders=orders, poison=poison).load()
    deliveries = sum(map(len, load.deliveries))
    told = f"{orders} orders of {customers} customers: {len(load.good)} events, {len(load.poison_ids)} poison"
    print(f"{told}, {deliveries} deliveries through {SENDERS} senders", flush=True)
    with tempfile.TemporaryDirectory(prefix="rapport-faults-") as folder:
        fight = Fight(Path(folder), load, _plan(report, sabotage))
        try:
            fight.start()
            fight.send()
            letters = fight.letters()
            fight.fix()
            fight.redrive()
            fight.redrive()
            fight.let_time_pass()
            _judge(report, fight, letters)
        finally:
            fight.system.stop()


def _plan(report: Report, sabotage: str) -> Plan:
    plan = Plan.of(often=4, seldom=2, spacing=1.0 if report.quick else 2.0)
    if sabotage:
        plan = Plan.of(often=1, seldom=1, spacing=0.5)
        plan.sabotage = sabotage
    if sabotage == "most_kills_of_a_message":
        plan.most_receives = plan.most_kills = 99
        plan.tickets, plan.spacing = {str(POINTS[0]): 60}, 0
    if sabotage == "kill_points_missed":
        del plan.tickets[str(POINTS[0])]
    return plan


class Fight:
    def __init__(self, folder: Path, load: Load, plan: Plan) -> None:
        self.load = load
        self.plan = plan
        self.kills_folder = folder / "kills"
        plan.save(self.kills_folder)
        self.system = LocalSystem(folder, variables=variables(self.kills_folder))
        self.imports = Imports(self.system, IMPORTED)

    def start(self) -> None:
        self._started_at = time.monotonic()
        self.system.start()
        self.system.found_shop(SHOP, zone=ZONE, currency=CURRENCY)

    def send(self) -> None:
        """Two senders post to the gateway, two put on the bus, and another shop moves in by file, which moving_in.py
        judges; return once all of it has come to rest.
        """
        self.imports.start()
        senders = [
            threading.Thread(target=self._post if number < SENDERS // 2 else self._put, args=(events,))
            for number, events in enumerate(self.load.deliveries)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        self._told("all sent")
        self._rest()
        self._told("at rest")
        self.sent_at = datetime.now(UTC)

    def letters(self) -> list[dict[str, Any]]:
        """All but the notes that a run of the schedule was killed: what it left, the next run has taken."""
        queues = {queue.logical_id for queue in self.system.wiring.dead_letter_queues()} - {RUNS_KILLED}
        return [letter for queue in sorted(queues) for letter in self.system.dead_letters(queue)]

    def fix(self) -> None:
        """The shop is founded, the type deployed, and the time of what came too early has come."""
        self.system.found_shop(LATER_SHOP, zone=ZONE, currency=CURRENCY)
        self.plan.known_types = [LATER_TYPE]
        self.plan.save(self.kills_folder)
        self.system.end("dispatcher")
        self.system.start_dispatcher()
        self.system.move_clock(timedelta(days=DAYS_LATER).total_seconds())
        self._told("fixed")

    def redrive(self) -> None:
        """By reason, and interrupted before the letters are deleted: so all of it happens twice."""
        for reason in (UNKNOWN_SHOP, UNKNOWN_TYPE, FROM_THE_FUTURE):
            _redrive(reason, _Interrupted(self.system.sqs), self.system.s3)
        self._rest()
        self._told("redriven")

    def let_time_pass(self) -> None:
        """Until nothing is due any more."""
        for reason in (UNKNOWN_SHOP, UNKNOWN_TYPE, FROM_THE_FUTURE):
            _redrive(reason, self.system.sqs, self.system.s3)

        def over() -> bool:
            if self.system.settled() and not self.due():
                return True
            self.system.move_clock(STEP_SECONDS)
            return False

        eventually(over, "no timer is due", seconds=PATIENCE_SECONDS)
        self._rest()
        self._told("no timer is due")

    def _told(self, what: str) -> None:
        print(f"{time.monotonic() - self._started_at:4.0f} s  {what}", flush=True)

    def due(self) -> list[datetime]:
        now = self.now()
        return [due for shop in (SHOP, LATER_SHOP) for due in self.stored(shop).timers if due <= now]

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.system.clock_offset())

    def stored(self, shop: str) -> stored.Stored:
        tables = {"crm": self.system.table("CrmTable"), "kpis": self.system.table("KpiTable")}
        return stored.read(self.system.dynamodb, shop, **tables)

    def _rest(self) -> None:
        eventually(self.system.settled, "queues are empty and streams are read", seconds=PATIENCE_SECONDS)

    def _post(self, events: list[Event]) -> None:
        url = self.system.instance.url
        gateway = Gateway(url, SHOP, make_token=lambda: token(url, "service", SHOP))
        for start in range(0, len(events), 20):
            refused = gateway.post(events[start : start + 20])
            assert not refused, refused

    def _put(self, events: list[Event]) -> None:
        for start in range(0, len(events), 10):
            self.system.put_on_bus(*events[start : start + 10])


def _redrive(reason: str, sqs: Any, s3: Any) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        dead_letters.run(["redrive", "--reason", reason], sqs=sqs, s3=s3, invoke=lambda *_: False)


class _Interrupted:
    """An SQS client of somebody who is interrupted before deleting what they have sent."""

    def __init__(self, sqs: Any) -> None:
        self._sqs = sqs

    def delete_message(self, **_: Any) -> None:
        return

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sqs, name)


def _judge(report: Report, fight: Fight, letters: Sequence[dict[str, Any]]) -> None:
    load, now = fight.load, fight.now()
    later = load.poison[UNKNOWN_SHOP]
    here = [*load.good, *load.poison[UNKNOWN_TYPE], *load.poison[FROM_THE_FUTURE]]
    kills = Kills.read(fight.kills_folder)
    wrong = Differences()
    for shop, events in ((SHOP, here), (LATER_SHOP, later)):
        expected = oracle.fold(events, zone=ZONE, currency=CURRENCY, now=now, since=fight.sent_at)
        wrong.compare(shop, expected, fight.stored(shop))
    _print_kills(kills)
    for line in wrong.lines[:20]:
        print(line)

    def tell(name: str, value: float, n: int) -> None:
        if report.wants(f"foundation.{name}"):
            report.tell(f"foundation.{name}", value, n=n)

    for name in BY_CUSTOMER:
        tell(name, len(wrong.customers[name]), wrong.compared)
    tell("cells_wrong", wrong.cells, wrong.cells_compared)
    tell("messages_doubled", sum(count > 1 for count in kills.mails.values()), len(kills.mails))
    applied = {
        event_id for shop in (SHOP, LATER_SHOP) for event_id, at in fight.stored(shop).events.items() if at == "applied"
    }
    unapplied = [event["id"] for event in (*here, *later) if event["id"] not in applied]
    waiting = len(unapplied) + wrong.waiting_refunds + fight.system.in_queues()
    tell("events_waiting", waiting, len(here) + len(later))
    bodies = [_event(letter) for letter in letters]
    poison = [event for kind in load.poison.values() for event in kind]
    tell("poison_not_dead_lettered", sum(event not in bodies for event in poison), len(poison))
    lost = fight.system.archived("aws/lambda/")
    unexpected = [body for body in bodies if body not in poison] + fight.letters() + lost
    for one in unexpected[:5]:
        print(f"unexpected: {json.dumps(one)[:500]}")
    tell("dead_letters_unexpected", len(unexpected), len(letters))
    revs = {shop: fight.stored(shop).order_revs for shop in (SHOP, LATER_SHOP)}
    redriven = sum(
        revs[event["shop"]].get(event["data"]["orderId"]) == 1 and event["id"] in applied for event in poison
    )
    tell("redriven_not_applied_once", len(poison) - redriven, len(poison))
    tell("kills", kills.count, kills.count)
    tell("kill_points_missed", sum(not count for count in kills.by_point.values()), len(POINTS))
    tell("most_kills_of_a_message", max(kills.by_record.values(), default=0), len(kills.by_record))


class Differences:
    """Between what the oracle says and what is stored."""

    def __init__(self) -> None:
        self.customers: dict[str, set[str]] = {name: set() for name in BY_CUSTOMER}
        self.cells = self.cells_compared = self.compared = self.waiting_refunds = 0
        self.lines: list[str] = []

    def compare(self, shop: str, expected: oracle.Verdict, found: stored.Stored) -> None:
        self.waiting_refunds += found.waiting_refunds
        for external_id in expected.customers.keys() | found.customers.keys():
            self.compared += 1
            self._customer(
                f"{shop}/{external_id}", expected.customers.get(external_id), found.customers.get(external_id)
            )
        cells = expected.cells | found.cells_of_stays(ZONE)
        for cell in cells.keys() | found.cells.keys():
            self.cells_compared += 1
            if cells.get(cell, 0) != found.cells.get(cell, 0):
                self.cells += 1
                self.lines.append(f"{shop} {cell}: {cells.get(cell)} expected, {found.cells.get(cell)} stored")

    def _customer(self, name: str, said: oracle.Expected | None, customer: stored.Customer | None) -> None:
        if said is None or customer is None:
            for figure in self.customers:
                self._differs(figure, name, said, customer)
            return
        is_ = customer.found
        sums = [(one.orders, one.totals, one.first, one.last, one.name, one.test) for one in (said, is_)]
        if sums[0] != sums[1]:
            self._differs("statistics_wrong", name, *sums)
        if not said.points == is_.points == customer.ledger:
            self._differs("points_wrong", name, said.points, (is_.points, customer.ledger))
        if said.touchpoints != is_.touchpoints:
            self._differs("touchpoints_wrong", name, said.touchpoints, is_.touchpoints)
        if said.segments != is_.segments:
            self._differs("segments_wrong", name, said.segments, is_.segments)
        elif said.left_at is not None and said.left_at != stored.left_at(customer):
            self._differs("segments_wrong", name, said.left_at, customer.stays)

    def _differs(self, figure: str, name: str, said: Any, found: Any) -> None:
        self.customers[figure].add(name)
        self.lines.append(f"{figure} {name}:\n    expected {said}\n    stored   {found}")


def _event(letter: dict[str, Any]) -> Any:
    try:
        return stored.whole(letter["Body"])
    except ValueError:
        return letter["Body"]


def _print_kills(kills: Kills) -> None:
    width = max(map(len, kills.by_point))
    for point, count in kills.by_point.items():
        print(f"  killed {point:{width}} {count:3}")
