# bench/events.py
"""Orders through the whole local run: how many a second, and how long one takes. For information: it is a laptop."""

import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final

from bench import shop
from bench.figures import Report
from tests.local_system import eventually, running

RATE, LATENCY = FIGURES = ("foundation.event_throughput", "foundation.event_latency")
COUNTED = """query($value: String!) {
  customerByIdentifier(identifier: {external: {source: "webshop", value: $value}}) { statistics { orderCount } } }"""
SINGLE: Final = 15


def run(report: Report) -> None:
    orders = 60 if report.quick else 300
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder, running(Path(folder)) as system:
        system.found_shop(shop.SHOP)

        def counted(customer: int) -> bool:
            found = system.ask(COUNTED, shop=shop.SHOP, value=f"c{customer}")["customerByIdentifier"]
            return bool(found and found["statistics"]["orderCount"])

        latencies = []
        for number in range(SINGLE):
            started_at = time.perf_counter()
            system.post(shop.order(number, customer=number), shop=shop.SHOP)
            eventually(partial(counted, number), "the order is counted")
            latencies.append(1000 * (time.perf_counter() - started_at))
        eventually(system.settled, "all is at rest", seconds=120)
        started_at = time.perf_counter()
        for start in range(0, orders, 100):
            numbers = range(100 + start, 100 + min(start + 100, orders))
            system.post(*(shop.order(number, customer=number) for number in numbers), shop=shop.SHOP)
        eventually(system.settled, "all is at rest", seconds=600)
        seconds = time.perf_counter() - started_at
    if report.wants(RATE):
        report.tell(RATE, orders / seconds, n=orders)
    if report.wants(LATENCY):
        report.tell(LATENCY, statistics.median(latencies), n=len(latencies))
