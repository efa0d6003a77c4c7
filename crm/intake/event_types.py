# crm/intake/event_types.py
"""The events that shops send, each defined once: from these classes come the parser, the JSON Schemas and the docs.

Amounts are decimal texts in whole currency units. Absent is unchanged, null clears. Unknown fields are kept out of
decisions and never refused: sources grow.
"""

from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

EXPECTED = "x-expected"
"""Beside a pattern in the JSON Schemas: what the text must be, in words."""


def _form(pattern: str, expected: str, *, min_length: int | None = None, max_length: int | None = None) -> Meta:
    """A text that matches as a whole; `expected` says what it must be to whoever sent another."""
    # Python's `$` also matches before a line's end, which JSON Schema's does not.
    whole = rf"^{pattern}$(?!\n)"
    more = {EXPECTED: expected}
    return Meta(
        pattern=whole,
        min_length=min_length,
        max_length=max_length,
        description=f"{expected[0].upper()}{expected[1:]}.",
        extra_json_schema=more,
    )


Identifier = Annotated[
    str,
    _form(
        r"[^\s#|]+", "a text of at most 128 characters without spaces, hashes and pipes", min_length=1, max_length=128
    ),
]
Text = Annotated[str, Meta(min_length=1, max_length=200)]
LongText = Annotated[str, Meta(max_length=2000)]
Amount = Annotated[str, _form(r"[0-9]{1,12}([.][0-9]{1,4})?", "an amount as a text, such as 12.90")]
Currency = Annotated[str, _form("[A-Z]{3}", "three capital letters (ISO 4217), such as EUR")]
Country = Annotated[str, _form("[A-Z]{2}", "two capital letters (ISO 3166-1 alpha-2), such as DE")]
Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 with its zone.")]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Address = Annotated[str, Meta(max_length=2000)]
Degrees = Annotated[float, Meta(ge=-180, le=180)]


class Camel(Struct, rename="camel", frozen=True, kw_only=True, omit_defaults=True):
    """Written in camel case on the wire."""


class AddressPart(Camel, frozen=True, kw_only=True):
    line1: Text | None = None
    line2: Text | None = None
    postal_code: Text | None = None
    city: Text | None = None
    region: Text | None = None
    country: Country | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Degrees | None = None


class MoneyPart(Camel, frozen=True, kw_only=True):
    amount: Annotated[str, _form(r"-?[0-9]{1,18}([.][0-9]{1,6})?", "an amount as a text, such as 12.90")]
    currency: Currency


AttributeKey = Annotated[
    str, _form("[a-z][a-z0-9_]{0,39}", "the key of an attribute: a lower-case letter, then letters, digits and _")
]
AttributeText = Annotated[str, Meta(max_length=500)]
AttributeNumber = Annotated[int, Meta(ge=-(10**18 - 1), le=10**18 - 1)]
AttributeSingle = AttributeText | AttributeNumber | bool | MoneyPart
Attributes = Annotated[
    dict[AttributeKey, AttributeSingle | Annotated[list[AttributeSingle], Meta(max_length=100)] | None],
    Meta(max_length=200, description="Values of the shop's own attributes, by key; null clears one"),
]


class CustomerPart(Camel, frozen=True, kw_only=True):
    """Whom the event is about: identifiers, and any fields the source knows as of `occurredAt`. `anonymousId` names a
    visitor: alone, somebody nobody knows yet; beside an identifier, it says who that visitor was.
    """

    id: Identifier | None = None
    anonymous_id: Identifier | None = None
    external_id: Annotated[str, Meta(max_length=200)] | None = None
    email: Annotated[str, Meta(max_length=254)] | UnsetType | None = UNSET
    email_verified: bool = False
    phone: Annotated[str, Meta(max_length=40)] | UnsetType | None = UNSET
    first_name: Text | UnsetType | None = UNSET
    last_name: Text | UnsetType | None = UNSET
    locale: Text | UnsetType | None = UNSET
    zone: Text | UnsetType | None = UNSET
    birth_date: date | UnsetType | None = UNSET
    gender: Literal["female", "male", "other", "undisclosed"] | UnsetType | None = UNSET
    tags: Annotated[list[Text], Meta(max_length=100)] | UnsetType | None = UNSET
    addresses: Annotated[list[AddressPart], Meta(max_length=20)] | UnsetType | None = UNSET
    test: bool | UnsetType = UNSET
    attributes: Attributes = {}


class ConsentPart(Camel, frozen=True, kw_only=True):
    channel: Literal["email", "sms", "push", "in_app", "postal", "ads"]
    purpose: Literal["marketing", "transactional", "profiling"]
    topic: (
        Annotated[str, _form("[a-z0-9][a-z0-9_-]{0,39}", "1 to 40 lower-case letters, digits, hyphens and underscores")]
        | None
    ) = None
    state: Literal["granted", "pending", "denied"]
    source: Text | None = None
    text_version: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    opt_in_level: Literal["single", "double", "unknown"] = "unknown"
    legal_basis: Literal["consent", "contract", "legal_obligation", "legitimate_interest"] | None = None
    occurred_at: Instant | None = None


class CustomerData(Camel, frozen=True, kw_only=True):
    consents: Annotated[list[ConsentPart], Meta(max_length=50)] = []


class ConsentData(Camel, frozen=True, kw_only=True):
    """What a customer said. Without a topic it is about the channel and purpose as a whole; `pending` awaits its
    confirmation (double opt-in) and takes no yes back; without `occurredAt` it was said when the event occurred.
    """

    consents: Annotated[list[ConsentPart], Meta(min_length=1, max_length=50)]


class MessagePart(Camel, frozen=True, kw_only=True):
    """A message that Rapport sent."""

    customer_id: Identifier
    message_id: Identifier


class SuppressionData(Camel, frozen=True, kw_only=True):
    """`address` is an e-mail address, a phone number with its country, or a device's token; whoever's it is. `message`
    names a message of Rapport's own that it was the answer to, which then has bounced or been complained about.
    """

    channel: Literal["email", "sms", "push"]
    address: Annotated[str, Meta(min_length=1, max_length=1000)]
    reason: Literal["hard_bounce", "complaint", "manual"]
    note: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    message: MessagePart | None = None


class LinePart(Camel, frozen=True, kw_only=True):
    """`discount` and `tax` are of the whole line. Without an id, a line is known by its place (1, 2, …)."""

    id: Identifier | None = None
    sku: Text
    quantity: Count
    unit_price: Amount
    discount: Amount = "0"
    tax: Amount = "0"
    title: Text | None = None
    category: Text | None = None
    tags: Annotated[list[Text], Meta(max_length=50)] = []
    gift_card: bool = False


class OrderData(Camel, frozen=True, kw_only=True):
    """The whole order as of its version; a version that is not newer than the stored one changes nothing."""

    order_id: Identifier
    version: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    status: Literal["placed", "paid", "fulfilled", "delivered", "cancelled"]
    currency: Currency
    placed_at: Instant
    lines: Annotated[list[LinePart], Meta(max_length=200)]
    shipping: Amount = "0"
    channel: Text | None = None
    coupon: Text | None = None
    cart_id: Identifier | None = None
    points_spent: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0


class ReturnedPart(Camel, frozen=True, kw_only=True):
    """Units given back; without an amount they count their share of the line."""

    line_id: Identifier
    quantity: Count
    amount: Amount | None = None


class RefundData(Camel, frozen=True, kw_only=True):
    refund_id: Identifier
    order_id: Identifier
    currency: Currency
    lines: Annotated[list[ReturnedPart], Meta(min_length=1, max_length=200)]
    reason: Text | None = None


class UtmPart(Camel, frozen=True, kw_only=True):
    """The UTM parameters of the link that led to the shop."""

    source: Text | None = None
    medium: Text | None = None
    campaign: Text | None = None
    term: Text | None = None
    content: Text | None = None


class Behaviour(Camel, frozen=True, kw_only=True):
    """What every touchpoint can say. Of addresses, scheme, host and path are kept."""

    channel: Text | None = None
    direction: Literal["inbound", "outbound"] = "inbound"
    session_id: Identifier | None = None
    utm: UtmPart | None = None
    referrer: Address | None = None


class VisitData(Behaviour, frozen=True, kw_only=True):
    url: Address | None = None


class ProductData(Behaviour, frozen=True, kw_only=True):
    sku: Text
    title: Text | None = None
    category: Text | None = None
    url: Address | None = None


class CartLine(Camel, frozen=True, kw_only=True):
    sku: Text
    quantity: Count
    unit_price: Amount | None = None


CartLines = Annotated[list[CartLine], Meta(max_length=200)]


class CartPart(Behaviour, frozen=True, kw_only=True):
    """What is said of any cart. An amount needs a `currency`."""

    cart_id: Identifier
    lines: CartLines | None = None
    currency: Currency | None = None
    total: Amount | None = None


class CartData(CartPart, frozen=True, kw_only=True):
    """`lines` is all that is in it, and empty where nothing is."""

    lines: CartLines


class CheckoutData(CartPart, frozen=True, kw_only=True):
    """Without `lines`, the cart is as it was told before."""


class CustomData(Behaviour, frozen=True, kw_only=True):
    """A shop's own touchpoint. `name` is its type, such as `wishlist.shared`; Rapport's own nouns are reserved."""

    name: Annotated[str, _form("[a-z][a-z0-9_]*[.][a-z0-9_]+", "like noun.past_tense, in lower case", max_length=100)]
    properties: Annotated[dict[str, Any], Meta(max_length=100)] = {}


class FeedbackData(Camel, frozen=True, kw_only=True):
    """`score` answers "how likely are you to recommend us", from 0 (not at all) to 10."""

    score: Annotated[int, Meta(ge=0, le=10)]
    comment: LongText | None = None
    order_id: Identifier | None = None


D = TypeVar("D")


class Envelope(Struct, Generic[D], rename="camel", frozen=True, kw_only=True):
    """What every event is sent in. `id` is unique in its shop and makes a repeat harmless."""

    id: Identifier
    type: str
    version: Literal[1]
    shop: Annotated[str, _form("[a-z0-9][a-z0-9-]{0,39}", "1 to 40 lower-case letters, digits and hyphens")]
    source: Annotated[
        str, _form("[a-z0-9][a-z0-9_.-]{0,39}", "1 to 40 lower-case letters, digits, dots, hyphens and underscores")
    ]
    occurred_at: Instant
    customer: CustomerPart | None = None
    data: D


class EventType(msgspec.Struct, frozen=True):
    """A type of event: what its data is, what it is for, whether it must say whom it is about, in which status."""

    name: str
    data: type[Struct]
    description: str
    needs_customer: bool = True
    status: str | None = None


EVENT_TYPES = {
    kind.name: kind
    for kind in (
        EventType("customer.updated", CustomerData, "A customer's fields, identifiers or consents are known."),
        EventType("consent.updated", ConsentData, "A customer agreed, asked to, or withdrew."),
        EventType(
            "address.suppressed",
            SuppressionData,
            "An address does not exist, or its owner complained: nothing is sent to it any more. Tell no customer.",
            needs_customer=False,
        ),
        EventType("order.placed", OrderData, "An order was placed.", status="placed"),
        EventType("order.updated", OrderData, "An order was edited, up or down, or anything else about it changed."),
        EventType("order.paid", OrderData, "An order was paid.", status="paid"),
        EventType("order.fulfilled", OrderData, "An order left the shop.", status="fulfilled"),
        EventType("order.delivered", OrderData, "An order arrived.", status="delivered"),
        EventType("order.cancelled", OrderData, "An order was cancelled.", status="cancelled"),
        EventType(
            "refund.created",
            RefundData,
            "Units of an order were given back. May come before its order; the order says whose it is.",
            needs_customer=False,
        ),
        EventType("visit.started", VisitData, "A customer came to the shop, or was turned to."),
        EventType("product.viewed", ProductData, "A customer looked at a product."),
        EventType("cart.updated", CartData, "A customer's cart changed; the whole cart."),
        EventType("checkout.started", CheckoutData, "A customer went to pay for a cart."),
        EventType("custom.recorded", CustomData, "Something happened that only this shop has a name for."),
        EventType("feedback.received", FeedbackData, "A customer answered the recommendation question (NPS)."),
    )
}

BEHAVIOUR = frozenset(name for name, kind in EVENT_TYPES.items() if issubclass(kind.data, Behaviour))
"""The events that are touchpoints, and nothing else."""
RESERVED = frozenset(name.partition(".")[0] for name in EVENT_TYPES) | {
    "consent", "identity", "loyalty", "message", "points", "rapport", "segment", "shop", "timer", "visitor",
}  # fmt: skip
"""Nouns that a shop's own touchpoints may not begin with: theirs would pass for ours."""
