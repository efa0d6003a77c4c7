# tests/faults/segments_stored.py
"""The customers of the oracle of segments as the engine knows them: their events taken in, what follows from these, and
what is loaded from the store. What no event says yet is put beside.
"""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.faults import in_process
from tests.faults.segments_people import BY_HAND, NOW, OWN, SHOPS, Event, Shop, Told, in_order
from tests.faults.segments_queries import SEGMENTS
from tests.faults.segments_written import text

if TYPE_CHECKING:
    from crm.segmentation.in_force import InForce
    from crm.segmentation.language.facts import Facts
    from crm.segmentation.language.reading import Reads

FOUNDED = NOW - timedelta(days=1_500)


def take_in(everybody: list[Told]) -> dict[tuple[str, str], str]:
    """All events, each heard when it occurred; returns customers' ids, as receipts told them, by shop and name."""
    for shop in SHOPS:
        _found(shop)
    ids: dict[tuple[str, str], str] = {}
    for event in in_order(everybody):
        customer_id = _heard(event)
        ids.setdefault((event["shop"], event["customer"]["externalId"]), customer_id)
    for told in everybody:
        _follow(told, ids[told.shop.name, told.name])
    return ids


def in_force(shop: Shop) -> "InForce":
    from crm.segmentation import service as segmentation

    return segmentation.current(shop.name, now=NOW)


def everything_read() -> "Reads":
    """All facts, and all of every history."""
    from crm.segmentation.language.facts import Fact
    from crm.segmentation.language.reading import Reads
    from tests.faults.segments_people import OWN_EVENTS

    kinds = ("visit.started", "product.viewed", "cart.updated", "checkout.started", *OWN_EVENTS)
    all_of_it = frozenset({None})
    return Reads(frozenset(Fact), frozenset(OWN), frozenset(), all_of_it, all_of_it, dict.fromkeys(kinds, all_of_it))


def loaded(told: Told, customer_id: str, reads: "Reads") -> "Facts":
    """What is stored of it, as it is read for queries that read this, from NOW on."""
    from crm.customers import service as customers
    from crm.segmentation import loading

    snapshot = customers.take_snapshot(told.shop.name, customer_id)
    assert snapshot is not None
    return _with_what_no_event_says(loading.load(snapshot, reads, earliest=NOW, in_force=in_force(told.shop)), told)


def _found(shop: Shop) -> None:
    from crm.customers import attribute_definitions
    from crm.customers.attribute_definitions import AttributeFields
    from crm.kernel.actor import SYSTEM
    from crm.segmentation import service as segmentation
    from crm.segmentation.service import DYNAMIC, STATIC, SegmentFields

    in_process.found_shop(shop.name, zone=shop.zone, currency=shop.currency)
    for key, said in OWN.items():
        attribute_definitions.define(shop.name, key, AttributeFields(**said), now=FOUNDED)
    for name, query in SEGMENTS.items():
        fields = SegmentFields(name=name) if query is None else SegmentFields(name=name, query=text(query))
        kind = STATIC if query is None else DYNAMIC
        segmentation.create(shop.name, kind, fields, actor=SYSTEM, now=FOUNDED)


def _heard(event: Event) -> str:
    from datetime import datetime

    from crm.intake import service as intake

    outcome = intake.apply(json.dumps(event), now=datetime.fromisoformat(event["occurredAt"]))
    return outcome.customer_id or ""


def _follow(told: Told, customer_id: str) -> None:
    """What handlers make of events, and what staff say."""
    from crm.customers import service as customers
    from crm.customers.service import Words
    from crm.loyalty import service as loyalty
    from crm.orders import service as orders
    from crm.orders.events import OrderRecorded

    for order_id in sorted({event["data"]["orderId"] for event in told.events if "orderId" in event["data"]}):
        loyalty.post_for_order(OrderRecorded.of(orders.get(told.shop.name, order_id)), now=NOW)
    if told.beside["blocked"]:
        customers.update(told.shop.name, customer_id, Words(fields={"status": "blocked"}), now=NOW)


def _with_what_no_event_says(known: "Facts", told: Told) -> "Facts":
    from msgspec.structs import replace

    from crm.segmentation.language.facts import Predictions, Rfm

    said = told.beside
    more: dict[str, Any] = {
        "predictions": Predictions(
            said.get("predicted_value"), said.get("predicted_orders"), said.get("churn_risk"), said.get("spend_tier")
        ),
        "memberships": frozenset(
            each.id for each in in_force(told.shop).segments.values() if each.name == BY_HAND and said["by_hand"]
        ),
    }
    if "group" in said:
        scores = (said.get(part) for part in ("recency", "frequency", "monetary"))
        more["rfm"] = Rfm(said["group"], *scores)
    if known.loyalty is not None:
        more["loyalty"] = replace(known.loyalty, tier=said.get("tier"), joined_on=said.get("joined_on"))
    if known.feedback is not None:
        more["feedback"] = replace(known.feedback, csat=said.get("csat"), ces=said.get("ces"))
    return replace(known, **more)
