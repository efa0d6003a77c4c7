# tests/segments.py
"""Segments in tests, defined as anybody defines them and known by their names."""

from datetime import datetime

from crm.kernel.actor import Actor, Role
from crm.segmentation import service
from crm.segmentation.service import SegmentDefinition, SegmentFields
from tests.usual_segments import LATELY, QUERIES, REPEAT

__all__ = ["LATELY", "REPEAT", "define", "define_usual", "id_of", "name_of"]

ANNA = Actor(Role.STAFF, "anna")


def define(name: str, query: str, *, shop: str = "demo", now: datetime) -> SegmentDefinition:
    return service.create(shop, service.DYNAMIC, SegmentFields(name, query=query), actor=ANNA, now=now).definition


def define_usual(*, shop: str = "demo", now: datetime) -> None:
    """Those of tests/usual_segments.py."""
    for name, query in QUERIES.items():
        define(name, query, shop=shop, now=now)


def id_of(name: str, *, shop: str = "demo") -> str:
    return next(each.segment_id for each in service.list_definitions(shop) if each.name == name)


def name_of(segment_id: str, *, shop: str = "demo") -> str:
    return service.get(shop, segment_id).name
