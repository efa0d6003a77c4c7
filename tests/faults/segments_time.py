# tests/faults/segments_time.py
"""90 days of time passing: in one jump and in 90 steps they leave the same stays; and what sweeping them asks of the
store follows from what is due, not from how many customers there are.
"""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from bench.figures import Report
from tests.faults import segments_crowd as crowd
from tests.faults import segments_people as people
from tests.faults.segments_chain import Chain, take_in
from tests.faults.segments_people import NOW, Shop
from tests.faults.segments_queries import IN_TIME, SEGMENTS, Writer
from tests.faults.segments_written import text

DIFFERENCES, SWEEP = FIGURES = ("segments.time_differences", "segments.sweep_requests_growth")
DAYS, QUERIES, PEOPLE = 90, 24, 10
SIZES, DUE = (100, 400, 1_600), 10
MONTH: Final = timedelta(days=30)
FOUNDED: Final = NOW - timedelta(days=1_500)
ENDS: Final = NOW + timedelta(days=DAYS)
LATE: Final = NOW + timedelta(days=3_000)
LEAST_BY_TIME: Final = 50
Stay = tuple[str, str, datetime, str, datetime | None, str | None]
"""Customer, segment, and when and why it began and ended."""


def run(report: Report, sabotage: str) -> None:
    if sabotage == "time_differences":
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    if report.wants(DIFFERENCES):
        _let_time_pass(report)
    if report.wants(SWEEP):
        _sweep(report, sabotage)


def _let_time_pass(report: Report) -> None:
    """Two shops that differ in nothing but when they are swept."""
    queries = dict(_queries(random.Random(report.seed), 6 if report.quick else QUERIES))
    jumping, stepping = (Shop(f"time-{name}", "America/Santiago", "EUR") for name in ("jump", "steps"))
    draw = random.Random(f"{report.seed}:time")
    steps = sorted(NOW + timedelta(days=day, seconds=draw.randrange(86_400)) for day in range(DAYS))
    stays, wakes = [], []
    for shop, moments in ((jumping, [ENDS]), (stepping, [*steps, ENDS])):
        names = crowd.found(shop.name, queries, zone=shop.zone, currency=shop.currency, now=FOUNDED)
        chain = Chain(shop.name)
        everybody = people.everybody(report.seed, [shop], per_shop=PEOPLE)
        events = list(people.in_order(everybody))
        ids = {e["customer"]["externalId"]: take_in(e, now=datetime.fromisoformat(e["occurredAt"])) for e in events}
        chain.follow(now=NOW)
        wakes.append(sum(chain.sweep(now=moment) for moment in moments))
        stays.append(Counter(_stays(shop, {segment_id: name for name, segment_id in names.items()}, ids)))
    differing = [*(stays[0] - stays[1]).elements(), *(stays[1] - stays[0]).elements()]
    for stay in differing[:10]:
        print(stay)
    by_time = sum(_is_lately(stay[2]) + _is_lately(stay[4]) for stay in stays[1])
    print(f"{len(queries)} segments, {PEOPLE} customers: {stays[1].total()} stays; in {DAYS} days time began or ended "
          f"{by_time}; {wakes[0]} wakes in one jump, {wakes[1]} in {len(steps)} steps", flush=True)  # fmt: skip
    tried = by_time >= LEAST_BY_TIME or report.quick
    report.tell(DIFFERENCES, len(differing) if tried or differing else float("nan"), n=stays[1].total())


def _is_lately(at: datetime | None) -> bool:
    return at is not None and at > NOW


def _queries(draw: random.Random, count: int) -> Iterator[tuple[str, str]]:
    """Such as time changes; customers' ids differ, so none goes by chance."""
    for name, query in SEGMENTS.items():
        if query is not None:
            yield name, text(query)
    writer = Writer(draw)
    for number in range(count):
        said = (text(query) for query in writer.queries(IN_TIME[number % len(IN_TIME)]))
        yield f"S{number}", next(each for each in said if "random_bucket" not in each and people.BY_HAND not in each)


def _sweep(report: Report, sabotage: str) -> None:
    """As many timers are due each time, among more and more customers whose timers are not."""
    from crm.kernel.meter import metering

    shop = "time-sweep"
    crowd.found(shop, {"New": "customer_added_date >= -30d"}, zone="UTC", currency="EUR", now=FOUNDED)
    chain = Chain(shop)
    asked: list[Counter[str]] = []
    sizes = SIZES[:2] if report.quick or sabotage else SIZES
    for round_, size in enumerate(sizes):
        crowd.seed(shop, range(sizes[round_ - 1] if round_ else 0, size), now=NOW, wakes_at=LATE)
        due = DUE * (1 + round_ if sabotage else 1)
        for number in range(due):
            take_in(_somebody(shop, f"{round_}-{number}"), now=NOW - MONTH)
        chain.follow(now=NOW - MONTH)
        with metering() as meter:
            woken = chain.sweep(now=NOW + MONTH // 10)
        assert woken == due, woken
        asked.append(Counter(meter.operations))
        print(f"{size} customers, {due} due: {meter.requests} requests {meter.operations}", flush=True)
    report.tell(SWEEP, asked[-1].total() - asked[0].total(), n=sizes[-1])


def _somebody(shop: str, name: str) -> people.Event:
    """Who has been in the segment of those who are new for nearly a month."""
    event = {"id": name, "type": "customer.updated", "version": 1, "shop": shop, "source": "webshop"}
    return event | {"occurredAt": (NOW - MONTH).isoformat(), "customer": {"externalId": name}, "data": {}}


def _stays(shop: Shop, names: dict[str, str], ids: dict[str, str]) -> Iterator[Stay]:
    """All that are stored, whoever reads them."""
    from crm.segmentation import service as segmentation

    for name, customer_id in ids.items():
        for stay in segmentation.history(shop.name, customer_id, before=None, limit=10_000):
            if segment := names.get(stay.segment_id):
                yield name, segment, stay.entered_at, stay.entered_cause, stay.left_at, stay.left_cause
