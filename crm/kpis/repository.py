# crm/kpis/repository.py
"""Every read and write of the `kpis` table, and the records its facts are told by."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from heapq import merge
from itertools import islice

from crm.feedback.service import FeedbackResponse
from crm.kernel import batch_reads
from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.kernel.settings import settings
from crm.kernel.table import customer_key
from crm.kpis.batches import Correction
from crm.kpis.contributions import EVER, total
from crm.kpis.facts import FactKey
from crm.kpis.models import SHARDS, Cell, Contribution, KpiItem, facts_key
from crm.loyalty.models import LedgerEntry
from crm.orders.service import Order


def list_records(shop: str, customer_id: str) -> Iterator[Order | FeedbackResponse | LedgerEntry]:
    """Every record of a customer that tells facts, strongly consistent (AP-74)."""
    pk = customer_key(shop, customer_id)
    yield from Order.query(pk, Order.sk.startswith("ORDER#"), consistent_read=True)
    yield from FeedbackResponse.query(pk, FeedbackResponse.sk.startswith("FEEDBACK#"), consistent_read=True)
    yield from LedgerEntry.query(pk, LedgerEntry.sk.startswith("LEDGER#"), consistent_read=True)


def get_contributions(keys: Iterable[FactKey]) -> dict[FactKey, Contribution]:
    """What facts contribute at present, strongly consistent (AP-70)."""
    by_pk = {Contribution.key(key.shop, key.kind, key.id): key for key in keys}
    found = batch_reads.read(settings().kpi_table, [(pk, Contribution.SK) for pk in by_pk])
    return {by_pk[item.pk]: item for item in map(Contribution.from_raw_data, found)}


def add(change: Change, corrections: Sequence[Correction[Contribution]]) -> None:
    """Add to `change`: new contributions of facts of one day or more, each conditional on the one it was worked out
    from, and what all of them together change in the cells (AP-71).
    """
    for correction in corrections:
        item = correction.write
        read = int(item.rev) - 1
        unmoved = Contribution.rev == read if read else Contribution.sk.does_not_exist()
        change.once_more(item, when=unmoved)
    for shop in dict.fromkeys(correction.shop for correction in corrections):
        sums = total(correction.differences for correction in corrections if correction.shop == shop)
        for cell, amount in sums.items():
            number = Cell.of(shop, cell.metric, cell.dimension, cell.day)
            change.update(number, [Cell.value.add(amount)], when=None, otherwise=Stale())


def list_cells(shop: str, metric: str, dimension: str, *, first: date, last: date) -> dict[date, int]:
    """The days of a metric that have a number, both ends included (AP-72)."""
    days = Cell.sk.between(first.isoformat(), last.isoformat())
    cells = Cell.query(Cell.key(shop, metric, dimension), range_key_condition=days)
    return {date.fromisoformat(cell.sk): int(cell.value) for cell in cells}


def get_totals(shop: str, metric: str, dimensions: Iterable[str]) -> dict[str, int]:
    """What a metric sums up to over all days, strongly consistent, by those dimensions that have a number (AP-171)."""
    keys = {Cell.key(shop, metric, dimension): dimension for dimension in dimensions}
    found = batch_reads.read(settings().kpi_table, [(pk, EVER.isoformat()) for pk in keys])
    return {keys[cell.pk]: int(cell.value) for cell in map(Cell.from_raw_data, found)}


def list_facts(shop: str, kind: str, day: date, *, after: str | None, limit: int) -> list[Contribution]:
    """The facts a day is made of, by id, from behind the id `after`: each shard is asked once (AP-73)."""
    behind = KpiItem.fact_sk > after if after else None
    shards = [
        list(Contribution.facts.query(facts_key(shop, kind, day, shard), range_key_condition=behind, limit=limit))
        for shard in range(SHARDS)
    ]
    in_order = merge(*shards, key=lambda item: str(item.fact_sk))
    return [item for item in islice(in_order, limit) if isinstance(item, Contribution)]
