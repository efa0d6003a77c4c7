# tests/faults/throttles.py
"""Throttles, TransactionConflicts and lost answers, injected in botocore while events are taken in: nothing is lost."""

import random
import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from bench.figures import Report
from tests.faults import in_process, oracle, stored
from tests.faults.generator import CURRENCY, ZONE, Event, Shop

FIGURES: Final = ("foundation.throttled_customers_wrong", "foundation.throttles_injected")
SHOP, WORKERS, SHARE = "throttled", 8, 0.6
CANCELLED: Final = "TransactionCanceledException"
THROTTLED: Final = ("ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError")


def run(report: Report, sabotage: str) -> None:
    customers, orders = (20, 40) if report.quick else (40, 120)
    shop = Shop(report.seed, now=datetime.now(UTC), customers=customers, orders=orders, poison=0)
    load = shop.load()
    good = [event | {"shop": SHOP} for event in load.good]
    in_process.found_shop(SHOP, zone=ZONE, currency=CURRENCY)
    from crm.kernel.settings import settings
    from crm.kernel.table import client

    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    trouble = Trouble(report.seed, share=0 if sabotage == "throttles_injected" else SHARE)
    trouble.stir(client())
    given_up = _take_in(event | {"shop": SHOP} for events in load.deliveries for event in events)
    trouble.rest(client())
    found = stored.read(client(), SHOP, crm=settings().crm_table, kpis=settings().kpi_table)
    expected = oracle.fold(good, zone=ZONE, currency=CURRENCY, now=datetime.now(UTC))
    wrong = [
        external_id
        for external_id, said in expected.customers.items()
        if (is_ := found.customers.get(external_id)) is None
        or (said.orders, said.totals, said.first, said.last, said.name, said.test)
        != (is_.found.orders, is_.found.totals, is_.found.first, is_.found.last, is_.found.name, is_.found.test)
    ]
    print(f"{len(good)} events; injected: {dict(trouble.injected)}; given up: {given_up}", flush=True)
    if report.wants(FIGURES[0]):
        report.tell(FIGURES[0], len(wrong) + given_up, n=len(expected.customers))
    if report.wants(FIGURES[1]):
        report.tell(FIGURES[1], trouble.injected.total(), n=trouble.asked)


def _take_in(events: Iterable[Event]) -> int:
    with ThreadPoolExecutor(WORKERS) as workers:
        return sum(not taken for taken in workers.map(in_process.ingest, events))


class Trouble:
    """Refuses a share of all writes before they happen, and loses the answers of some that did."""

    def __init__(self, seed: int, *, share: float) -> None:
        self.injected: Counter[str] = Counter()
        self.asked = 0
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._share = share

    def stir(self, client: Any) -> None:
        client.meta.events.register("before-call.dynamodb.TransactWriteItems", self._refuse)
        client.meta.events.register("after-call.dynamodb.TransactWriteItems", self._lose)

    def rest(self, client: Any) -> None:
        client.meta.events.unregister("before-call.dynamodb.TransactWriteItems", self._refuse)
        client.meta.events.unregister("after-call.dynamodb.TransactWriteItems", self._lose)

    def _refuse(self, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        with self._lock:
            self.asked += 1
            if self._random.random() >= self._share:
                return None
            kind = self._random.choice(["conflict", "throttled item", "throttled"])
            self.injected[kind] += 1
            code = CANCELLED if kind != "throttled" else self._random.choice(THROTTLED[:2])
        parsed: dict[str, Any] = {"Error": {"Code": code, "Message": f"{code} injected"}}
        if code == CANCELLED:
            count = params["body"].count(b'"TableName"')
            reason = "TransactionConflict" if kind == "conflict" else "ThrottlingError"
            parsed["CancellationReasons"] = [{"Code": reason}] + [{"Code": "None"}] * (count - 1)
            parsed["Error"]["Message"] = f"Transaction cancelled [{reason}{', None' * (count - 1)}]"
        return AWSResponse("", 400, HTTPHeaders(), None), parsed

    def _lose(self, http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        """It has happened, and whoever asked for it is told that something broke."""
        if http_response.status_code >= 300:
            return
        with self._lock:
            if self._random.random() >= 0.1 * (self._share > 0):
                return
            self.injected["answer lost"] += 1
        parsed.clear()
        parsed["Error"] = {"Code": THROTTLED[2], "Message": "injected after the fact"}
        http_response.status_code = 500
