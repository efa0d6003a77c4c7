# crm/segmentation/scoring.py
"""The bounds of RFM scores, drawn anew each shop-local day by an operation that walks the shop's customers by the page.

Its id comes from the day, so each day is scored once, whoever asks. The bounds are stored, as the next version, in the
transaction that puts them in force; an operation that did so and died finds its own bounds there, and one that was
overtaken those of a later day, which stay.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

from crm.customers import service as customers
from crm.customers.service import Customer, Snapshot
from crm.kernel import clock
from crm.kernel.actor import SYSTEM
from crm.kernel.errors import Stale
from crm.kernel.operations import DONE, Operation
from crm.orders.service import Statistics
from crm.segmentation import begun, in_force, insights, repository, rfm, sampling, sold, tallies
from crm.segmentation.books import Books, edit
from crm.segmentation.language.facts import Rfm
from crm.segmentation.loading import statistics_of
from crm.segmentation.models import RfmThresholds
from crm.segmentation.rfm import Counts, Thresholds
from crm.shops.service import Shop

SCORE: Final = "rfm_score"
PAGE: Final = 500
"""How many customers a step looks at, at most."""
ON, ZONE, CURRENCY = "on", "zone", "currency"
"""Arguments: the day that it is drawn up for, and what amounts and days are in."""
SHARD, BEFORE = "shard", "before"
"""State: in which shard of the list of customers it goes on, before whom."""


def score_shop(shop: Shop, *, occasion: str = "", now: datetime) -> Operation:
    """Let the bounds of the shop's present day be drawn, if that has not been asked for. They are drawn once more where
    there is an `occasion`, such as that its history has been loaded: once for each.
    """
    on = clock.local_day(now, shop.zone).isoformat()
    arguments = {ON: on, ZONE: shop.zone, CURRENCY: shop.currency}
    operation_id = f"op_{SCORE}_{on}" + (f"_{occasion}" if occasion else "")
    return begun.once(shop.shop, operation_id, SCORE, arguments, now=now)


def rfm_of(snapshot: Snapshot, *, now: datetime) -> Rfm | None:
    """A customer's scores by the bounds in force, from a snapshot with statistics; None where there are none."""
    known = in_force.current(snapshot.shop, now=now)
    if known.rfm is None:
        return None
    return rfm.score(known.rfm, statistics_of(snapshot, known.currency), currency=known.currency)


def step(operation: Operation, *, patient: bool, now: datetime) -> None:  # noqa: ARG001  all steps are called alike
    """Count a page of the customers who were there when it was asked for; behind the last, draw the bounds."""
    shard, before = int(operation.state.get(SHARD, 0)), operation.state.get(BEFORE)
    if shard == customers.SHARDS:
        _put_in_force(operation, now=now)
        segments = in_force.current(operation.shop, now=now).segments
        sampling.keep(operation, customer_count=int(operation.row_count), now=now)
        sold.find_out(operation.shop, now=now)
        occasion = operation.operation_id.removeprefix(f"op_{SCORE}_")
        insights.ask(operation.shop, sorted(segments), occasion, now=now)
        operation.status = DONE
        return
    before = before or clock.text(operation.created_at)
    page = customers.list_shard(operation.shop, shard, before=before, limit=PAGE)
    marks = sampling.passing(operation, shard, before)
    tallies.keep(operation, _counted(operation, page))
    operation.row_count = int(operation.row_count) + len(page)
    if len(page) < PAGE:
        operation.state = marks | {SHARD: shard + 1}
    else:
        operation.state = marks | {SHARD: shard, BEFORE: page[-1].list_sk}


def _counted(operation: Operation, page: Iterable[Customer]) -> tallies.Tally:
    """Of those with standing orders who are neither test customers nor deleted."""
    asked = operation.arguments
    ids = [each.customer_id for each in page if not each.test and not customers.is_hidden(each)]
    recency, frequency, monetary = Counter[str](), Counter[str](), Counter[str]()
    for snapshot in customers.snapshots(operation.shop, ids, [Statistics]).values():
        known = statistics_of(snapshot, asked[CURRENCY])
        if known.order_count and known.last_order_at is not None:
            recency[clock.local_day(known.last_order_at, asked[ZONE]).isoformat()] += 1
            frequency[str(known.order_count)] += 1
            monetary[str(known.spent)] += 1
    return {"recency": recency, "frequency": frequency, "monetary": monetary}


def _put_in_force(operation: Operation, *, now: datetime) -> None:
    found = tallies.kept_by(operation)
    counts = Counts(
        {date.fromisoformat(day): count for day, count in found.get("recency", {}).items()},
        _numbers(found.get("frequency", {})),
        _numbers(found.get("monetary", {})),
    )
    asked = operation.arguments

    def decide(books: Books) -> None:
        version = int(books.catalogue.rfm_version) + 1
        latest = repository.get_thresholds(operation.shop, version - 1) if version > 1 else None
        if latest is not None and (latest.scored_on > asked[ON] or latest.operation_id == operation.operation_id):
            return  # whoever puts others in force meanwhile moves the catalogue, which this edit is conditioned on
        drawn = rfm.thresholds(
            counts, version=version, on=date.fromisoformat(asked[ON]), zone=asked[ZONE], currency=asked[CURRENCY]
        )
        books.change.create(_stored(operation, drawn, now=now), otherwise=Stale())
        books.score(version)

    edit(operation.shop, decide, actor=SYSTEM, now=now)


def _numbers(counts: Any) -> dict[int, int]:
    return {int(value): count for value, count in counts.items()}


def _stored(operation: Operation, drawn: Thresholds, *, now: datetime) -> RfmThresholds:
    item = RfmThresholds.of(operation.shop, drawn.version)
    item.scored_on, item.zone, item.currency = drawn.on.isoformat(), drawn.zone, drawn.currency
    item.customer_count, item.drawn_at, item.operation_id = drawn.customers, now, operation.operation_id
    item.recency = [day.isoformat() for day in drawn.recency]
    item.frequency, item.monetary = list(drawn.frequency), list(drawn.monetary)
    return item
