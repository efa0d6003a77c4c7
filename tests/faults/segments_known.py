# tests/faults/segments_known.py
"""What a customer's raw events come to, as docs/segments.md, docs/glossary.md and docs/events.md define it: a plain
fold over them, for the oracle of segments. Pure; shares no code with what it judges.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any, Final
from urllib.parse import urlsplit

from tests.faults.segments_calendar import day_of
from tests.faults.segments_people import CONSENT_CHANNELS, OWN, Event, Shop, Told

STATUSES: Final = {"granted": "SUBSCRIBED", "pending": "PENDING", "denied": "UNSUBSCRIBED"}
UTM: Final = ("source", "medium", "campaign", "term", "content")
NO_DIGITS: Final[dict[str, int]] = {"JPY": 0, "CLP": 0}
BEHAVIOUR: Final = {"visit.started", "product.viewed", "cart.updated", "checkout.started", "custom.recorded"}
OF_ALL_TOUCHPOINTS: Final = {"channel", "direction", "sessionId", "utm", "referrer"}


@dataclass(frozen=True)
class Line:
    sku: str
    category: str | None
    tags: tuple[str, ...]
    units: int


@dataclass(frozen=True)
class Order:
    """A standing one."""

    placed_at: datetime
    currency: str
    net: int
    channel: str | None
    coupon: str | None
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Seen:
    kind: str
    at: datetime
    properties: dict[str, Any]


@dataclass(frozen=True)
class Cart:
    """One that is open, and whose checkout was started."""

    started_at: datetime
    told_at: datetime


@dataclass(frozen=True)
class Known:
    """`values` of all attributes by name: None is unknown, a list at most empty. Amounts in minor units, days as dates.
    `places`: latitude and longitude. `by_hand`: a member of the segment whose members are set by hand.
    """

    customer_id: str
    shop: Shop
    values: dict[str, Any]
    orders: tuple[Order, ...] = ()
    seen: tuple[Seen, ...] = ()
    carts: tuple[Cart, ...] = ()
    places: tuple[tuple[float, float], ...] = ()
    by_hand: bool = False

    @property
    def zone(self) -> str:
        return self.shop.zone


def known(told: Told, customer_id: str) -> Known:
    """`customer_id`: as the first event's receipt named it."""
    events = sorted(told.events, key=_at)
    said: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for event in events:  # the latest event to say something about a field wins
        said |= event["customer"]
        own |= event["customer"].get("attributes", {})
    shop, beside = told.shop, told.beside
    addresses = said.get("addresses") or []
    orders = tuple(sorted(_orders(events), key=lambda order: order.placed_at))
    seen = tuple(_seen(events))
    carts = tuple(_open_carts(events))
    values = {
        "first_name": said.get("firstName"),
        "last_name": said.get("lastName"),
        "customer_email_domain": said["email"].split("@")[1] if said.get("email") else None,
        "customer_language": said["locale"].split("-")[0] if said.get("locale") else None,
        "customer_locale": said.get("locale"),
        "customer_countries": [each["country"] for each in addresses if "country" in each],
        "customer_regions": [name for each in addresses if "region" in each for name in _named(each, "region")],
        "customer_cities": [name for each in addresses if "city" in each for name in _cities(each)],
        "customer_tags": list(said.get("tags") or []),
        "customer_added_date": day_of(_at(events[0]), shop.zone),
        "birth_date": date.fromisoformat(said["birthDate"]) if said.get("birthDate") else None,
        "gender": said.get("gender"),
        "customer_status": "blocked" if beside.get("blocked") else "active",
        "abandoned_checkout_date": max((day_of(cart.started_at, shop.zone) for cart in carts), default=None),
    }
    values |= _sources(events) | _consents(events) | _statistics(orders, shop) | _last_seen(events, shop)
    values |= _loyalty(orders, shop, beside) | _answers(events, shop, beside) | _expected(beside)
    values |= {f"attributes.{key}": _own(key, own.get(key), shop) for key in OWN}
    places = tuple((each["latitude"], each["longitude"]) for each in addresses if "latitude" in each)
    return Known(customer_id, shop, values, orders, seen, carts, places, bool(beside.get("by_hand")))


def _at(event: Event) -> datetime:
    return datetime.fromisoformat(event["occurredAt"])


def _named(address: dict[str, Any], part: str) -> list[str]:
    name = address[part]
    return [name, f"{address['country']}-{name}"] if "country" in address else [name]


def _cities(address: dict[str, Any]) -> list[str]:
    names = _named(address, "city")
    if "country" in address and "region" in address:
        names.append(f"{address['country']}-{address['region']}-{address['city']}")
    return names


def _sources(events: Iterable[Event]) -> dict[str, str | None]:
    """Of the first and the last touchpoint from the customer that named a campaign, or came from another site."""
    found: list[dict[str, Any]] = []
    for event in events:
        data = event["data"]
        if event["type"] not in BEHAVIOUR or data.get("direction") == "outbound":
            continue
        site = (urlsplit(data["referrer"]).hostname or "").removeprefix("www.") if "referrer" in data else None
        if data.get("utm"):
            found.append({"channel": data.get("channel"), "source": site} | data["utm"])
        elif site:
            found.append({"channel": data.get("channel"), "source": site, "medium": "referral"})
    first, last = (found[0], found[-1]) if found else ({}, {})
    values = {f"utm_{part}": first.get(part) for part in UTM} | {f"last_utm_{part}": last.get(part) for part in UTM}
    return values | {"acquisition_channel": first.get("channel")}


def _consents(events: Iterable[Event]) -> dict[str, str]:
    """Of each channel the last word on marketing; a request takes no yes back."""
    said = dict.fromkeys(CONSENT_CHANNELS, "NOT_SUBSCRIBED")
    for event in events:
        for each in event["data"].get("consents", ()):
            takes_back = each["state"] == "pending" and said[each["channel"]] == "SUBSCRIBED"
            if each["purpose"] == "marketing" and not takes_back:
                said[each["channel"]] = STATUSES[each["state"]]
    return {f"{channel}_subscription_status": status for channel, status in said.items()}


def _orders(events: list[Event]) -> Iterable[Order]:
    """Each as its highest version says, less what was given back."""
    newest: dict[str, dict[str, Any]] = {}
    units: Counter[tuple[str, str]] = Counter()
    for event in events:
        data = event["data"]
        if event["type"] == "refund.created":
            for line in data["lines"]:
                units[data["orderId"], line["lineId"]] += line["quantity"]
        elif event["type"].startswith("order."):
            before = newest.get(data["orderId"])
            if before is None or data["version"] > before["version"]:
                newest[data["orderId"]] = data
    for order_id, data in newest.items():
        if data["status"] != "cancelled":
            lines = [(line, units[order_id, line["id"]]) for line in data["lines"]]
            yield Order(
                datetime.fromisoformat(data["placedAt"]),
                data["currency"],
                sum(_net(line, back, data["currency"]) for line, back in lines),
                data.get("channel"),
                data.get("coupon"),
                tuple(
                    Line(line["sku"], line.get("category"), tuple(line["tags"]), max(0, line["quantity"] - back))
                    for line, back in lines
                ),
            )


def _net(line: dict[str, Any], back: int, currency: str) -> int:
    """What it cost without its discount, less the share of the units given back, rounded down."""
    quantity = int(line["quantity"])
    worth = max(0, quantity * minor(line["unitPrice"], currency) - minor(line["discount"], currency))
    return worth - worth * min(back, quantity) // quantity


def minor(amount: str, currency: str) -> int:
    scaled: Decimal = Decimal(amount).scaleb(NO_DIGITS.get(currency, 2))
    return int(scaled)


def _seen(events: Iterable[Event]) -> Iterable[Seen]:
    for event in events:
        if event["type"] == "custom.recorded":
            yield Seen(event["data"]["name"], _at(event), event["data"]["properties"])
        elif event["type"] in BEHAVIOUR:
            properties = {name: value for name, value in event["data"].items() if name not in OF_ALL_TOUCHPOINTS}
            yield Seen(event["type"], _at(event), properties)


def _open_carts(events: list[Event]) -> Iterable[Cart]:
    """A cart holds what was last said of it; no order that stands names it."""
    ordered: dict[str, str | None] = {}
    versions: Counter[str] = Counter()
    for event in events:
        data = event["data"]
        if event["type"].startswith("order.") and data["version"] > versions[data["orderId"]]:
            versions[data["orderId"]] = data["version"]
            ordered[data["orderId"]] = None if data["status"] == "cancelled" else data["cartId"]
    started: dict[str, datetime] = {}
    told: dict[str, datetime] = {}
    lines: dict[str, list[Any]] = {}
    for event in events:
        if event["type"] in {"cart.updated", "checkout.started"}:
            cart = event["data"]["cartId"]
            told[cart] = _at(event)
            lines[cart] = event["data"].get("lines", lines.get(cart, []))
            if event["type"] == "checkout.started":
                started[cart] = _at(event)
    for cart, at in started.items():
        if lines[cart] and cart not in ordered.values():
            yield Cart(at, told[cart])


def _statistics(orders: tuple[Order, ...], shop: Shop) -> dict[str, Any]:
    own = [order.net for order in orders if order.currency == shop.currency]
    days = [day_of(order.placed_at, shop.zone) for order in orders]
    average = (Decimal(sum(own)) / len(own)).quantize(Decimal(1), ROUND_HALF_UP) if own else None
    return {
        "number_of_orders": len(orders),
        "amount_spent": sum(own),
        "average_order_value": None if average is None else int(average),
        "first_order_date": days[0] if days else None,
        "last_order_date": days[-1] if days else None,
        "days_between_orders": Fraction((days[-1] - days[0]).days, len(days) - 1) if len(days) > 1 else None,
        "last_order_channel": orders[-1].channel if orders else None,
    }


def _last_seen(events: Iterable[Event], shop: Shop) -> dict[str, Any]:
    visit, channel = None, None
    for event in events:
        if event["type"] == "visit.started":
            visit = day_of(_at(event), shop.zone)
        if event["type"] in BEHAVIOUR and event["data"].get("direction") != "outbound":
            channel = event["data"].get("channel")
    return {"last_visit_date": visit, "last_seen_channel": channel}


def _loyalty(orders: tuple[Order, ...], shop: Shop, beside: dict[str, Any]) -> dict[str, Any]:
    """A point for each whole unit of an order's net in the shop's currency."""
    points = sum(order.net // 10**shop.digits for order in orders if order.currency == shop.currency)
    return {
        "loyalty_tier": beside.get("tier") if points else None,
        "loyalty_points": points or None,
        "loyalty_member_since": beside.get("joined_on") if points else None,
    }


def _answers(events: Iterable[Event], shop: Shop, beside: dict[str, Any]) -> dict[str, Any]:
    answers = [event for event in events if event["type"] == "feedback.received"]
    if not answers:
        return dict.fromkeys(("nps_score", "csat_score", "ces_score", "last_feedback_date"))
    return {
        "nps_score": answers[-1]["data"]["score"],
        "csat_score": beside.get("csat"),
        "ces_score": beside.get("ces"),
        "last_feedback_date": day_of(_at(answers[-1]), shop.zone),
    }


def _expected(beside: dict[str, Any]) -> dict[str, Any]:
    is_scored = "group" in beside
    return {
        "predicted_value": beside.get("predicted_value"),
        "predicted_orders": beside.get("predicted_orders"),
        "churn_risk": beside.get("churn_risk"),
        "predicted_spend_tier": beside.get("spend_tier"),
        "rfm_group": beside.get("group"),
        **{f"rfm_{part}": beside.get(part) if is_scored else None for part in ("recency", "frequency", "monetary")},
    }


def _own(key: str, value: Any, shop: Shop) -> Any:
    if value is None:
        return [] if OWN[key]["type"] == "list" else None
    match OWN[key]["type"], OWN[key].get("element_type"):
        case "number", _:
            return Decimal(value)
        case "money", _:
            return minor(value["amount"], value["currency"]) if value["currency"] == shop.currency else None
        case "date", _:
            return date.fromisoformat(value)
        case "list", "date":
            return [date.fromisoformat(each) for each in value]
    return value
