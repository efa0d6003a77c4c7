# crm/kpis/rollup.py
"""Keeps every fact's contribution, and the cells they add up to, in step with the facts.

Whatever the order in which records arrive, repeat or cross, the cells end equal to a fresh count, because
- a contribution is replaced only by one of the same or a later revision of its fact, conditional on what was read;
- whether the customer is a test customer is read, strongly consistently, after the contribution that is to be replaced:
  a writer that read the older profile had read its contribution before any with the newer flag was written, and its
  condition fails;
- a change of that flag counts all facts of the customer anew, as strongly consistent reads find them.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import date

from crm.customers import service as customers
from crm.customers.service import Customer
from crm.kernel.change import MOST_WRITES, Change, PartlyDone, wait_before
from crm.kernel.ids import shard_of
from crm.kernel.table import STORE_ERRORS
from crm.kpis import repository
from crm.kpis.batches import Correction, filled
from crm.kpis.contributions import Addends, CellKey, addends, difference
from crm.kpis.facts import Fact, FactKey
from crm.kpis.models import SHARDS, Addend, Contribution, facts_key

log = logging.getLogger(__name__)

ROUNDS = 8


def roll_up(facts: Iterable[Fact]) -> set[FactKey]:
    """Let these facts count as they now are; return those for which it failed for now. A repeat changes nothing."""
    left = newest(facts)
    failed: set[FactKey] = set()
    for attempt in range(ROUNDS):
        if not left:
            return failed
        if attempt:
            wait_before(attempt)
        overtaken: set[FactKey] = set()
        try:
            corrections = _corrections(left)
        except STORE_ERRORS:
            log.exception("contributions not read")
            return failed | set(left)
        for batch in filled(corrections, most_writes=MOST_WRITES):
            keys = {_key(correction.write) for correction in batch}
            try:
                overtaken |= _commit(batch)
            except STORE_ERRORS:
                log.exception("contributions not written", extra={"facts": len(keys)})
                failed |= keys
        left = {key: left[key] for key in overtaken}
    return failed | set(left)


def newest(facts: Iterable[Fact]) -> dict[FactKey, Fact]:
    """Of each fact its latest revision; what came before it in the same delivery is no news."""
    latest: dict[FactKey, Fact] = {}
    for fact in facts:
        known = latest.get(fact.key)
        if known is None or fact.rev >= known.rev:
            latest[fact.key] = fact
    return latest


def _corrections(facts: Mapping[FactKey, Fact]) -> list[Correction[Contribution]]:
    stored = repository.get_contributions(facts)
    # After the contributions, never before: see above.
    tests = _test_customers(facts.values())
    found = (
        _correction(fact, stored.get(key), test=tests.get((key.shop, fact.customer_id))) for key, fact in facts.items()
    )
    return [correction for correction in found if correction is not None]


def _test_customers(facts: Collection[Fact]) -> dict[tuple[str, str], bool]:
    """Who is a test customer, where that matters. Those whose profile is gone are left out."""
    flags: dict[tuple[str, str], bool] = {}
    asked = {(fact.key.shop, fact.customer_id) for fact in facts if not fact.of_tests}
    for shop in {shop for shop, _ in asked}:
        ids = {customer_id for owner, customer_id in asked if owner == shop}
        for customer_id, snapshot in customers.snapshots(shop, ids, [Customer]).items():
            profile = snapshot.head(Customer)
            if profile is not None:
                flags[shop, customer_id] = bool(profile.test)
    return flags


def _correction(fact: Fact, stored: Contribution | None, *, test: bool | None) -> Correction[Contribution] | None:
    """What must change for the fact to count as it now is; None where it does already, or where it is outdated."""
    before: Addends = {}
    day = fact.day
    if stored is not None:
        if fact.rev < stored.fact_rev:
            return None
        before = _addends_of(stored)
        if fact.at == stored.happened_at:  # a zone the shop has changed since does not rewrite its history
            day = date.fromisoformat(stored.day)
        if test is None:  # erased: what was counted stays counted
            test = bool(stored.test)
    after = addends(fact, day=day, test=bool(test))
    if stored is not None and (fact.rev, after, bool(test)) == (stored.fact_rev, before, stored.test):
        return None
    item = Contribution.of(fact.key.shop, fact.key.kind, fact.key.id)
    item.rev = int(stored.rev) + 1 if stored is not None else 1
    item.customer_id, item.fact_rev, item.happened_at = fact.customer_id, fact.rev, fact.at
    item.day, item.test = day.isoformat(), bool(test)
    item.addends = [
        Addend(metric=cell.metric, dimension=cell.dimension, day=cell.day.isoformat(), amount=amount)
        for cell, amount in sorted(after.items())
    ]
    if after:
        item.fact_pk = facts_key(fact.key.shop, fact.key.kind, day, shard_of(fact.key.id, SHARDS))
        item.fact_sk = fact.key.id
    return Correction(fact.key.shop, day, difference(before, after), item)


def _commit(batch: list[Correction[Contribution]]) -> set[FactKey]:
    """Write the batch in one transaction; return the facts that another writer got to first, left out of it."""
    left, overtaken = batch, set[FactKey]()
    while left:
        change = Change()
        repository.add(change, left)
        try:
            if change.commit():
                return overtaken
            done = {correction.write.pk for correction in left}
        except PartlyDone as partly:
            done = {item.pk for item in partly.done}
        overtaken |= {_key(correction.write) for correction in left if correction.write.pk in done}
        left = [correction for correction in left if correction.write.pk not in done]
    return overtaken


def _key(item: Contribution) -> FactKey:
    return FactKey(item.shop, item.fact_kind, item.fact_id)


def _addends_of(item: Contribution) -> dict[CellKey, int]:
    return {
        CellKey(date.fromisoformat(part.day), part.metric, part.dimension): int(part.amount) for part in item.addends
    }
