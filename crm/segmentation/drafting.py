# crm/segmentation/drafting.py
"""Queries that are being written: what they say, and what they may name."""

from datetime import datetime

from msgspec.structs import replace

from crm.customers import service as customers
from crm.segmentation import in_force, repository
from crm.segmentation.in_force import InForce
from crm.segmentation.language.catalogue import Catalogue
from crm.segmentation.language.compiling import Understood, understand
from crm.segmentation.language.mistakes import Mistake
from crm.segmentation.language.writing import written


def newest(shop: str, *, now: datetime) -> InForce:
    """The segments in force as they are stored at this moment, for whoever has just changed one: one request more than
    `current`; and what new queries may name of the shop's own attributes. Raises NotFound for an unknown shop.
    """
    catalogue = repository.get_catalogue(shop)
    return _writing(in_force.current(shop, now=now, at_least=int(catalogue.rev) if catalogue else 0), now=now)


def may_be_named(shop: str, *, now: datetime) -> Catalogue:
    """What a new query may name, as it was at most a minute ago. Raises NotFound for an unknown shop."""
    return _writing(in_force.current(shop, now=now), now=now).catalogue


def understood(shop: str, text: str, *, now: datetime) -> tuple[Understood, InForce]:
    """What a text says as a query of a shop, and what it was understood by. Raises NotFound for an unknown shop."""
    known = newest(shop, now=now)
    return understand(text, known.catalogue), known


def mistakes_of(known: InForce, segment_id: str) -> tuple[Mistake, ...]:
    """What is wrong with the query of a segment that is broken, in its canonical text."""
    query = known.catalogue.segments[segment_id].query
    return understand(written(query), known.catalogue, itself=segment_id).mistakes if query else ()


def _writing(known: InForce, *, now: datetime) -> InForce:
    own = in_force.own_attributes(customers.attribute_definitions_of(known.shop, now=now))
    return replace(known, own=own, catalogue=replace(known.catalogue, own=own))
