# tests/faults/segments_projection.py
"""What the oracle knows of a customer, as the facts that the engine judges by."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from crm.kernel.money import Money
from crm.segmentation.language import facts
from tests.faults.segments_known import UTM, Known, minor
from tests.faults.segments_people import BY_HAND, CONSENT_CHANNELS, OWN, Told

STATES = {"SUBSCRIBED": "granted", "PENDING": "pending", "UNSUBSCRIBED": "denied"}


def projected(told: Told, who: Known) -> facts.Facts:
    values = who.values
    said: dict[str, Any] = {}
    times: dict[str, datetime] = {}
    for event in told.events:
        said |= event["customer"]
        times[event["type"]] = datetime.fromisoformat(event["occurredAt"])
    parts = ("country", "region", "city", "latitude", "longitude")
    addresses = tuple(facts.Address(*map(each.get, parts)) for each in said.get("addresses") or [])
    statuses = {channel: values[f"{channel}_subscription_status"] for channel in CONSENT_CHANNELS}
    seen = {kind: tuple(_touchpoints(who, kind)) for kind in {each.kind for each in who.seen}}
    return facts.Facts(
        who.customer_id,
        who.zone,
        facts.Profile(
            datetime.fromisoformat(told.events[0]["occurredAt"]),
            said.get("firstName"),
            said.get("lastName"),
            said.get("email"),
            said.get("locale"),
            said.get("gender"),
            values["birth_date"],
            values["customer_status"],
            frozenset(said.get("tags") or ()),
            addresses,
        ),
        facts.Statistics(
            len(who.orders),
            values["amount_spent"],
            values["average_order_value"],
            *((who.orders[0].placed_at, who.orders[-1].placed_at) if who.orders else ()),
        ),
        {channel: STATES[value] for channel, value in statuses.items() if value in STATES},
        facts.Source(*(values[name] for name in (*(f"utm_{part}" for part in UTM), "acquisition_channel"))),
        facts.Source(*(values[f"last_utm_{part}"] for part in UTM)),
        facts.Loyalty(values["loyalty_points"], values["loyalty_tier"], values["loyalty_member_since"])
        if values["loyalty_points"]
        else None,
        facts.Feedback(values["nps_score"], values["csat_score"], values["ces_score"], times.get("feedback.received")),
        facts.Predictions(
            *(values[name] for name in ("predicted_value", "predicted_orders", "churn_risk", "predicted_spend_tier"))
        ),
        facts.Rfm(*(values[f"rfm_{part}"] for part in ("group", "recency", "frequency", "monetary")))
        if values["rfm_group"]
        else None,
        values["last_order_channel"],
        times.get("visit.started"),
        values["last_seen_channel"],
        {key: _own(key, value) for event in told.events for key, value in _attributes(event)},
        tuple(_order(order, number) for number, order in enumerate(who.orders)),
        seen,
        tuple(
            facts.Checkout(str(number), cart.started_at, cart.told_at, is_open=True)
            for number, cart in enumerate(who.carts)
        ),
        frozenset({BY_HAND} if who.by_hand else ()),
    )


def _attributes(event: dict[str, Any]) -> list[tuple[str, Any]]:
    return list(event["customer"].get("attributes", {}).items())


def _own(key: str, value: Any) -> Any:
    match OWN[key]["type"], OWN[key].get("element_type"):
        case "number", _:
            return Decimal(value)
        case "money", _:
            return Money(minor(value["amount"], value["currency"]), value["currency"])
        case "date", _:
            return datetime.fromisoformat(value).date()
        case "list", "date":
            return tuple(datetime.fromisoformat(each).date() for each in value)
        case "list", _:
            return tuple(value)
    return value


def _order(order: Any, number: int) -> facts.Order:
    lines = (facts.Line(line.sku, line.units, line.category, frozenset(line.tags)) for line in order.lines)
    return facts.Order(
        str(number), order.placed_at, order.currency, order.net, order.channel, order.coupon, tuple(lines)
    )


def _touchpoints(who: Known, kind: str) -> list[facts.Touchpoint]:
    return [
        facts.Touchpoint(str(number), kind, seen.at, seen.properties)
        for number, seen in enumerate(who.seen)
        if seen.kind == kind
    ]
