# crm/touchpoints/service.py
"""What customers did before, between and after orders: the only door into this area."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import asdict, replace

from crm.kernel import compact_json
from crm.kernel.change import Change
from crm.kernel.errors import Fault, InvalidInputs
from crm.touchpoints import acquisition, repository, urls, visitors
from crm.touchpoints import carts as carts_
from crm.touchpoints.acquisition import INBOUND, OUTBOUND, Campaign
from crm.touchpoints.carts import Cart
from crm.touchpoints.models import (
    Acquisition,
    CampaignPart,
    CartOrder,
    OrderedCart,
    Seen,
    SourcePart,
    Touchpoint,
    VisitorTouchpoint,
)
from crm.touchpoints.sources import MOST_VISITORS, Sources
from crm.touchpoints.told import NO_CAMPAIGN, OrderOfCart, Told, TouchpointSeen
from crm.touchpoints.visitors import LIFETIME, MOST_TOUCHPOINTS, Claim

__all__ = [
    "INBOUND",
    "LIFETIME",
    "MOST_CART_LINES",
    "MOST_TOUCHPOINTS",
    "MOST_VISITORS",
    "NO_CAMPAIGN",
    "OUTBOUND",
    "Acquisition",
    "Campaign",
    "CampaignPart",
    "Cart",
    "Claim",
    "OrderOfCart",
    "SourcePart",
    "Told",
    "Touchpoint",
    "TouchpointSeen",
    "carts",
    "checkouts",
    "faults",
    "get",
    "identify",
    "newest_of_direction",
    "of_type_since",
    "order_cart",
    "record",
    "record_of_visitor",
    "settle",
    "touchpoints",
    "type_fault",
]

TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
LONGEST_NAME = 200
MOST_CART_EVENTS = 50  # of each of the two: what carts are told from
MOST_CART_LINES = 200  # as the schemas of the events have it
MOST_CART_ORDERS = 100  # the first of a cart's: an item holds 400 KB
LARGEST_PROPERTIES = 100_000
"""Bytes of JSON as stored. DynamoDB lets an item and its entries in local indexes hold 400 KB together, and a
touchpoint is in two.
"""


get = repository.get
settle = visitors.settle
of_type_since = repository.list_since
newest_of_direction = repository.newest_of_direction


def record(
    change: Change, shop: str, customer_id: str, seen: TouchpointSeen, told: Told, *, visitor_id: str | None = None
) -> Claim | None:
    """Add to `change`: what a customer did, and what brought them where it says something new of that. `visitor_id`:
    the visitor whom the event says they are; returned is what became of that.

    Raises InvalidInputs; the commit raises Stale where any of it was told meanwhile.
    """
    item = Touchpoint.of(shop, customer_id, seen.type, told.event_id, occurred_at=told.occurred_at)
    source = _fill(item, seen, told)
    change.once(item)
    sources = Sources(shop, told)
    if source is not None:
        sources.add(customer_id, source)
    claim = None
    if visitor_id is not None:
        claim = visitors.identify(change, sources, shop, visitor_id, customer_id, told)
    sources.add_to(change)
    return claim


def record_of_visitor(change: Change, shop: str, visitor_id: str, seen: TouchpointSeen, told: Told) -> str | None:
    """Add to `change`: what a visitor did. Where it is known by now who that was, it is a touchpoint of that customer,
    whose id is returned. Of a visitor the newest 1,000 are kept, for 90 days from the first.

    Raises InvalidInputs; the commit raises Stale where any of it was told meanwhile.
    """
    item = VisitorTouchpoint.of(shop, visitor_id, seen.type, told.event_id, occurred_at=told.occurred_at)
    source = _fill(item, seen, told)
    sources = Sources(shop, told)
    customer_id = visitors.record(change, sources, item, source, told)
    sources.add_to(change)
    return customer_id


def identify(change: Change, shop: str, visitor_id: str, customer_id: str, told: Told) -> Claim:
    """Add to `change`: the visitor was this customer. The earliest identification by event time holds, whatever order
    they come in; a customer can be 20 visitors at a time, and a 21st stays unknown. `settle` brings the touchpoints.
    """
    sources = Sources(shop, told)
    claim = visitors.identify(change, sources, shop, visitor_id, customer_id, told)
    sources.add_to(change)
    return claim


def touchpoints(
    shop: str,
    customer_id: str,
    *,
    of_type: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: str | None = None,
    limit: int,
) -> list[Touchpoint]:
    """At most `limit`, newest first, from `since` until just before `until`: one Query, which reads no others.

    `before` is the last one's place: its sort key where they are of one type, else its timeline key.
    """
    if of_type is None:
        return repository.list_newest(shop, customer_id, since=since, until=until, before=before, limit=limit)
    if type_fault(of_type):
        return []
    return repository.list_newest_of_type(
        shop, customer_id, of_type, since=since, until=until, before=before, limit=limit
    )


def carts(shop: str, customer_id: str) -> list[Cart]:
    """The carts that the newest 50 of either cart event tell of, each as it was told last; the newest first."""
    return _ordered(shop, customer_id, carts_.told(_newest_of_carts(shop, customer_id)))


def checkouts(shop: str, customer_id: str, *, since: datetime | None) -> list[Cart]:
    """The carts whose checkout was started at `since` or later, or ever, each as it was told last; the newest first.

    Of one whose checkout does not say what is in it, and of which nothing else was told since, that was said by the
    newest 50 of either cart event before.
    """
    started = repository.list_since(shop, customer_id, carts_.CHECKOUT, since=since)
    if not started:
        return []
    said = [*started, *repository.list_since(shop, customer_id, carts_.UPDATED, since=since)]
    if since is not None and not all("lines" in cart.properties for cart in carts_.told(said) if cart.checkout_at):
        said += _newest_of_carts(shop, customer_id, until=since)
    told = [cart for cart in carts_.told(said) if cart.checkout_at and (since is None or cart.checkout_at >= since)]
    return _ordered(shop, customer_id, told)


def order_cart(change: Change, shop: str, customer_id: str, order: OrderOfCart, told: Told) -> None:
    """Add to `change`: of which cart an order came. Whatever is told of the cart, before or after, it is closed, as the
    first of its orders (by when they were placed, at one instant by the lesser id), until none stands.

    The commit raises Stale where another order of the cart was told meanwhile.
    """
    concerned = sorted({cart_id for cart_id in (order.before, order.cart_id) if cart_id is not None})
    known = repository.get_ordered_carts(shop, customer_id, concerned) if concerned else {}
    for cart_id in concerned:
        item = known.get(cart_id) or OrderedCart.of(shop, customer_id, cart_id)
        orders = [each for each in item.orders if each.order_id != order.order_id]
        if cart_id == order.cart_id:
            orders.append(CartOrder(order_id=order.order_id, placed_at=order.placed_at))
        item.orders = sorted(orders, key=lambda each: (each.placed_at, each.order_id))[:MOST_CART_ORDERS]
        item.cause, item.replayed = told.cause, told.replayed
        change.revise(item)


def type_fault(name: str) -> str | None:
    """What is wrong with the name of a type; None where nothing is."""
    if not TYPE.fullmatch(name) or len(name) > LONGEST_NAME:
        return "must be like noun.past_tense, in lower case"
    return None


def faults(seen: TouchpointSeen) -> list[Fault]:
    """What is wrong with what was said: whoever takes it in can ask before, and is told what recording it would say."""
    found = []
    if wrong := type_fault(seen.type):
        found.append(Fault("type", "INVALID", wrong))
    if seen.direction not in {INBOUND, OUTBOUND}:
        found.append(Fault("direction", "INVALID", f"must be {INBOUND} or {OUTBOUND}"))
    texts = {"channel": seen.channel, "session_id": seen.session_id}
    texts |= {f"campaign.{name}": value for name, value in asdict(seen.campaign).items()}
    for name, value in texts.items():
        if value is not None and not 0 < len(value) <= LONGEST_NAME:
            found.append(Fault(name, "TOO_LONG" if value else "INVALID", f"must have 1 to {LONGEST_NAME} characters"))
    if compact_json.size(_kept(seen)) > LARGEST_PROPERTIES:
        found.append(Fault("properties", "TOO_LARGE", f"must not exceed {LARGEST_PROPERTIES:,} bytes of JSON"))
    return found


def _newest_of_carts(shop: str, customer_id: str, *, until: datetime | None = None) -> list[Touchpoint]:
    return [
        touchpoint
        for of_type in (carts_.UPDATED, carts_.CHECKOUT)
        for touchpoint in repository.list_newest_of_type(
            shop, customer_id, of_type, until=until, limit=MOST_CART_EVENTS
        )
    ]


def _ordered(shop: str, customer_id: str, told: Sequence[Cart]) -> list[Cart]:
    ordered = repository.get_ordered_carts(shop, customer_id, [cart.cart_id for cart in told])
    first = {cart_id: item.orders[0].order_id for cart_id, item in ordered.items() if item.orders}
    return [replace(cart, ordered_as=first.get(cart.cart_id)) for cart in told]


def _kept(seen: TouchpointSeen) -> dict[str, Any]:
    """The properties as they are stored."""
    properties = dict(seen.properties)
    if isinstance(url := properties.get("url"), str):
        properties["url"] = urls.plain(url)
    return properties


def _fill(item: Seen, seen: TouchpointSeen, told: Told) -> SourcePart | None:
    """Write on the item what was said; return the source it names, if any. Raises InvalidInputs."""
    if wrong := faults(seen):
        raise InvalidInputs(wrong)
    item.channel, item.direction, item.session_id = seen.channel, seen.direction, seen.session_id
    item.campaign = CampaignPart(**asdict(seen.campaign)) if seen.campaign else None
    item.referrer = urls.plain(seen.referrer) if seen.referrer else None
    item.properties = _kept(seen)
    item.recorded_at = told.now
    item.rev, item.cause, item.replayed = 1, told.cause, told.replayed
    named = acquisition.named(seen.campaign, seen.referrer, direction=seen.direction)
    if named is None:
        return None
    return SourcePart(
        **asdict(named),
        referrer=item.referrer,
        channel=seen.channel,
        touchpoint_id=told.event_id,
        occurred_at=told.occurred_at,
    )
