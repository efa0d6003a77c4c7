# crm/segmentation/in_force.py
"""What a shop's segments mean at present, ready to be asked. A process looks once a minute whether any has changed, and
reads and compiles them only then.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from crm.customers import service as customers
from crm.customers.service import Definitions
from crm.kernel import clock
from crm.kernel.change import retrying
from crm.kernel.errors import Stale
from crm.kernel.remembered import Remembered
from crm.segmentation import repository
from crm.segmentation.language import catalogue as language
from crm.segmentation.language import tree
from crm.segmentation.language.catalogue import Catalogue, OwnAttribute
from crm.segmentation.language.compiling import Compiled, compiled
from crm.segmentation.language.facts import Fact
from crm.segmentation.language.mistakes import Mistakes
from crm.segmentation.language.parser import parse
from crm.segmentation.language.reading import Reads, only
from crm.segmentation.language.tree import Query
from crm.segmentation.models import DYNAMIC, SegmentCatalogue, SegmentDefinition
from crm.segmentation.rfm import Thresholds
from crm.shops import service as shops
from crm.shops.service import Shop

FRESH_FOR: Final = timedelta(seconds=60)
BY_HAND: Final = only(Fact.MEMBERSHIPS)
"""What is read of any segment: who was put into it, or taken out of it, by hand."""


class Status(StrEnum):
    """Of a segment: its members are those of what it means now; or some are still those of what it meant before; or
    nobody can be asked any more, and whoever is a member stays one.
    """

    READY = "ready"
    COMPUTING = "computing"
    BROKEN = "broken"


class Meaning(Struct, frozen=True):
    """Since which version of the catalogue, since when and by what cause a definition means what it means."""

    version: int
    at: datetime
    cause: str


class Segment(Struct, frozen=True):
    """`version` is the definition's own. `compiled` is None of one whose members are set by hand, and of one that is
    broken. `meaning` is the latest of its own and of all that it depends on: segments that it names, by way of others
    too, RFM thresholds where it reads scores, the shop's own attributes that it reads, the shop's zone and currency.
    `edited` is the latest without RFM thresholds, which are drawn on schedule: what somebody has changed.
    """

    id: str
    name: str
    kind: str
    version: int
    compiled: Compiled | None
    reads: Reads
    meaning: Meaning
    edited: Meaning

    @property
    def is_broken(self) -> bool:
        """Its query no longer is right, by what the shop has changed since: whoever is a member stays one."""
        return self.kind == DYNAMIC and self.compiled is None

    def status(self, ready_in: int) -> Status:
        """`ready_in` is the last version of the catalogue for which all customers have been looked at."""
        if self.is_broken:
            return Status.BROKEN
        done = self.compiled is None or self.meaning.version <= ready_in
        return Status.READY if done else Status.COMPUTING


class InForce(Struct, frozen=True):
    """A shop's segments in one version of its catalogue; 0 while it has none. `segments` and `gone` (the deleted, with
    what their deletion means) by id; `own` are the shop's own attributes by key. `refreshed_by` is the id of the newest
    operation that brings all customers up to what segments mean: it does what older ones had left to do.
    """

    shop: str
    version: int
    zone: str
    currency: str
    catalogue: Catalogue
    segments: Mapping[str, Segment] = field(default_factory=dict)
    gone: Mapping[str, Meaning] = field(default_factory=dict)
    rfm: Thresholds | None = None
    own: Mapping[str, OwnAttribute] = field(default_factory=dict)
    refreshed_by: str | None = None


_cache = Remembered[tuple[datetime, InForce]]()
"""Compiled: up to 200 queries of a shop."""


def current(shop: str, *, now: datetime, at_least: int = 0, anew: bool = False) -> InForce:
    """The segments as they were at most a minute ago: no request; then one, and some more only where any has changed.

    `at_least` is a version that is known to exist: an older one is read anew. `anew`: it is looked whether any has
    changed, however short ago that was. Raises Stale where the store has an older one than that still, and NotFound for
    an unknown shop.
    """
    cached = _cache.get(shop)
    if cached and not anew and cached[1].version >= at_least and abs(now - cached[0]) < FRESH_FOR:
        return cached[1]
    found = retrying(lambda: _read(shop, cached[1] if cached else None, now=now))
    if found.version < at_least:
        raise Stale
    _cache.keep(shop, (now, found))
    return found


def forget_cached(shop: str | None = None) -> None:
    """What this process has changed it reads anew; all shops, for tests, whose tables are new each time."""
    _cache.forget(shop)


def build(
    shop: str,
    stored: SegmentCatalogue,
    definitions: Sequence[SegmentDefinition],
    *,
    own: Mapping[str, OwnAttribute],
) -> InForce:
    """The segments as they are stored, compiled. One that no longer can be is broken, and breaks no other than those
    that name it.
    """
    standing = [each for each in definitions if each.deleted_at is None]
    gone = {each.segment_id: meaning_of(each) for each in definitions if each.deleted_at is not None}
    named = {each.segment_id: language.Segment(each.segment_id, each.name, query_of(each)) for each in standing}
    catalogue = Catalogue(stored.currency, own, named)
    asked = _asked(catalogue)
    meanings = {each.segment_id: meaning_of(each) for each in standing}
    segments = {}
    for each in standing:
        found = _compiled(each.segment_id, asked)
        edited, drawn = _edited(meanings, each.segment_id, found, stored), _drawn(found, stored)
        segments[each.segment_id] = Segment(
            each.segment_id,
            each.name,
            each.segment_kind,
            int(each.rev),
            found,
            found.reads | BY_HAND if found else BY_HAND,
            max(edited, drawn or edited, key=lambda reason: reason.version),
            edited,
        )
    version, by = int(stored.rev), stored.refreshed_by
    return InForce(shop, version, stored.zone, stored.currency, catalogue, segments, gone, own=own, refreshed_by=by)


def compiled_in(catalogue: Catalogue, segment_id: str) -> Compiled | None:
    """A segment that is in force there; None of one without a query, and of one that is broken."""
    return _compiled(segment_id, _asked(catalogue))


def own_attributes(definitions: Definitions) -> dict[str, OwnAttribute]:
    """By key, as queries know them."""
    return {
        key: OwnAttribute(
            key,
            definition.name,
            definition.type,
            definition.element_type,
            tuple(choice["key"] for choice in definition.choices),
            definition.currency,
            definition.retired_at is not None,
        )
        for key, definition in definitions.items()
    }


def query_of(definition: SegmentDefinition) -> Query | None:
    """What a stored definition asks; None of one whose members are set by hand, and of what cannot be read any more."""
    return parse(definition.normalized, Mistakes(definition.normalized)).query if definition.normalized else None


def own_named(query: Query) -> frozenset[str]:
    """The keys of the shop's own attributes that a query names itself, whether it is right or not."""
    subjects = [leaf.subject for leaf in tree.leaves(query) if isinstance(leaf, tree.Predicate)]
    names = [each.value for each in subjects if isinstance(each, tree.Name)]
    return frozenset(name.removeprefix(language.OWN) for name in names if name.startswith(language.OWN))


def meaning_of(definition: SegmentDefinition) -> Meaning:
    """A definition's own, without that of what it depends on."""
    return Meaning(int(definition.changed_in), definition.changed_at, definition.changed_cause)


def empty(shop: Shop) -> SegmentCatalogue:
    """The catalogue of a shop that has had no segment yet."""
    catalogue = SegmentCatalogue.of(shop.shop)
    catalogue.zone, catalogue.currency = shop.zone, shop.currency
    return catalogue


def _read(shop: str, known: InForce | None, *, now: datetime) -> InForce:
    """Raises Stale where the catalogue moved while its definitions were read."""
    stored = repository.get_catalogue(shop)
    if stored is None:
        none_yet = empty(shops.current(shop, now=now))
        return InForce(shop, 0, none_yet.zone, none_yet.currency, Catalogue(none_yet.currency))
    if known is not None and known.version == stored.rev:
        return known
    definitions = repository.list_definitions(shop)
    own = own_attributes(customers.attribute_definitions_now(shop, now=now))
    bounds = repository.get_thresholds(shop, int(stored.rfm_version)) if stored.rfm_version else None
    after = repository.get_catalogue(shop)
    if after is None or after.rev != stored.rev:
        raise Stale
    return replace(build(shop, stored, definitions, own=own), rfm=bounds.drawn() if bounds else None)


def _asked(catalogue: Catalogue) -> Catalogue:
    """An attribute that is retired takes no more values; what it has is asked for as before."""
    kept = {key: replace(each, retired=False) for key, each in catalogue.own.items()}
    return Catalogue(catalogue.currency, kept, catalogue.segments)


def _compiled(segment_id: str, catalogue: Catalogue) -> Compiled | None:
    query = catalogue.segments[segment_id].query
    if query is None:
        return None
    try:
        return compiled(query, catalogue, itself=segment_id)
    except ValueError:
        return None


def _edited(own: Mapping[str, Meaning], segment_id: str, found: Compiled | None, stored: SegmentCatalogue) -> Meaning:
    reasons = [own[segment_id]]
    if found is not None:
        reasons += [own[each] for each in found.reads.segments if each in own]
        if stored.shop_changed_at is not None:
            cause = stored.shop_changed_cause or ""
            reasons.append(Meaning(int(stored.shop_changed_in), stored.shop_changed_at, cause))
        for key in found.reads.attributes & stored.attributes.keys():
            _, version, at, cause = stored.attributes[key]
            reasons.append(Meaning(version, clock.parse(at), cause))
    return max(reasons, key=lambda reason: reason.version)


def _drawn(found: Compiled | None, stored: SegmentCatalogue) -> Meaning | None:
    """What new scores mean to a segment that reads them."""
    if found is None or stored.rfm_changed_at is None or Fact.RFM not in found.reads.facts:
        return None
    return Meaning(int(stored.rfm_changed_in), stored.rfm_changed_at, f"rfm:{int(stored.rfm_version)}:score")
