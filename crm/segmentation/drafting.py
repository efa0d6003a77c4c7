# crm/segmentation/drafting.py
"""Queries that are being written: what they say, and what they may."""

from datetime import datetime

from crm.customers import service as customers
from crm.segmentation import in_force, repository
from crm.segmentation.in_force import InForce
from crm.segmentation.language.catalogue import Catalogue
from crm.segmentation.language.compiling import Understood, understand


def newest(shop: str, *, now: datetime) -> InForce:
    """The segments in force as they are stored at this moment, for whoever has just changed one: one request more than
    `current`. Raises NotFound for an unknown shop.
    """
    catalogue = repository.get_catalogue(shop)
    return in_force.current(shop, now=now, at_least=int(catalogue.rev) if catalogue else 0)


def may_be_named(shop: str, *, now: datetime) -> Catalogue:
    """What a new query may name, as it was at most a minute ago: segments, and the shop's own attributes. Raises
    NotFound for an unknown shop.
    """
    return _named(in_force.current(shop, now=now), now=now)


def understood(shop: str, text: str, *, now: datetime) -> Understood:
    """What a text says as a query of a shop. Raises NotFound for an unknown shop."""
    return understand(text, _named(newest(shop, now=now), now=now))


def _named(known: InForce, *, now: datetime) -> Catalogue:
    own = in_force.own_attributes(customers.attribute_definitions_of(known.shop, now=now))
    return Catalogue(known.currency, own, known.catalogue.segments)
