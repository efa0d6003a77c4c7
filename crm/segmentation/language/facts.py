# crm/segmentation/language/facts.py
"""What segments are asked about: all that is known of one customer, as values.

Whoever loads them reads what `reading.Reads` names and no more. What was read and is not known is None, an empty
history is empty; a history that was not read is None too, and asking for it is a bug that raises.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from msgspec import Struct, field

from crm.kernel.money import Money

T = TypeVar("T")
Attribute = str | Decimal | Money | date | bool | tuple[str | Decimal | Money | date | bool, ...]
"""A value of a shop's own attribute."""


class Fact(StrEnum):
    """Kinds of facts, each from one place. An event touches a segment only where it can change one that it reads."""

    ACQUISITION = "acquisition"
    ATTRIBUTES = "attributes"
    CARTS = "carts"
    CONSENT = "consent"
    FEEDBACK = "feedback"
    IDENTITY = "identity"
    LAST_ORDER = "last_order"
    LAST_SEEN = "last_seen"
    LOYALTY = "loyalty"
    MEMBERSHIPS = "memberships"
    ORDERS = "orders"
    PREDICTIONS = "predictions"
    PROFILE = "profile"
    RFM = "rfm"
    STATISTICS = "statistics"
    TOUCHPOINTS = "touchpoints"


ORIGINS = {
    Fact.ACQUISITION: "What brought the customer: the first and the last source.",
    Fact.ATTRIBUTES: "The shop's own attributes.",
    Fact.CARTS: "Carts whose checkout was started.",
    Fact.CONSENT: "What the customer said of marketing, by channel.",
    Fact.FEEDBACK: "The latest answers to surveys.",
    Fact.IDENTITY: "The customer's id, which never changes.",
    Fact.LAST_ORDER: "The last standing order.",
    Fact.LAST_SEEN: "The last visit, and the last time the customer turned to the shop.",
    Fact.LOYALTY: "The loyalty account.",
    Fact.MEMBERSHIPS: "Segments whose members are set by hand.",
    Fact.ORDERS: "Standing orders, as far back as the query looks.",
    Fact.PREDICTIONS: "What a model expects of the customer.",
    Fact.PROFILE: "The profile.",
    Fact.RFM: "The RFM scores, computed on a schedule.",
    Fact.STATISTICS: "Sums over all standing orders.",
    Fact.TOUCHPOINTS: "Touchpoints of the types named, as far back as the query looks.",
}


class Address(Struct, frozen=True):
    """Coordinates in degrees, WGS 84."""

    country: str | None = None
    region: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class Profile(Struct, frozen=True):
    added_at: datetime
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    locale: str | None = None
    gender: str | None = None
    birth_date: date | None = None
    status: str = "active"
    tags: frozenset[str] = frozenset()
    addresses: tuple[Address, ...] = ()


class Source(Struct, frozen=True):
    """What somebody came from: UTM parameters, and the channel of the touchpoint that said so."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    term: str | None = None
    content: str | None = None
    channel: str | None = None


class Loyalty(Struct, frozen=True):
    points: int
    tier: str | None = None
    joined_on: date | None = None


class Feedback(Struct, frozen=True):
    """The latest score of each kind: NPS 0 to 10, CSAT 1 to 5, CES 1 to 7."""

    nps: int | None = None
    csat: int | None = None
    ces: int | None = None
    answered_at: datetime | None = None


class Predictions(Struct, frozen=True):
    """Of the next 365 days. `value` in minor units of the shop's currency, `churn_risk` from 0 to 1."""

    value: int | None = None
    orders: Decimal | None = None
    churn_risk: Decimal | None = None
    spend_tier: str | None = None


class Rfm(Struct, frozen=True):
    """Scores from 1 to 5, 5 the best; none of one who never ordered."""

    group: str
    recency: int | None = None
    frequency: int | None = None
    monetary: int | None = None


class Statistics(Struct, frozen=True):
    """Of all standing orders. `spent` is the net of those in the shop's currency, `average` that per order (None
    without any), both in its minor units.
    """

    order_count: int = 0
    spent: int = 0
    average: int | None = None
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None


class Line(Struct, frozen=True):
    """`quantity`: units bought, less those given back."""

    sku: str
    quantity: int
    category: str | None = None
    tags: frozenset[str] = frozenset()


class Order(Struct, frozen=True):
    """A standing order; `net` in minor units of its currency."""

    order_id: str
    placed_at: datetime
    currency: str
    net: int
    channel: str | None = None
    coupon: str | None = None
    lines: tuple[Line, ...] = ()


class Touchpoint(Struct, frozen=True):
    touchpoint_id: str
    type: str
    occurred_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


class Checkout(Struct, frozen=True):
    """A cart whose checkout was started, last at `started_at`. `is_open`: it holds something and no order came of it.
    `told_at`: when anything was last heard of it.
    """

    cart_id: str
    started_at: datetime
    told_at: datetime
    is_open: bool


class Facts(Struct, frozen=True):
    """`consents`: what was said of marketing (`granted`, `pending`, `denied`) by channel. `memberships`: the ids of the
    segments set by hand that the customer is in; `exclusions`: of those with a query that somebody took them out of.
    `touchpoints` by type. `hidden`: deleted, and in no segment.

    `told`: when the newest of each kind came about, where it is known; for moments before that they say little.
    """

    customer_id: str
    zone: str
    profile: Profile
    statistics: Statistics = field(default_factory=Statistics)
    consents: Mapping[str, str] = field(default_factory=dict)
    first_source: Source | None = None
    last_source: Source | None = None
    loyalty: Loyalty | None = None
    feedback: Feedback | None = None
    predictions: Predictions | None = None
    rfm: Rfm | None = None
    last_order_channel: str | None = None
    last_visit_at: datetime | None = None
    last_seen_channel: str | None = None
    attributes: Mapping[str, Attribute] | None = None
    orders: tuple[Order, ...] | None = None
    touchpoints: Mapping[str, tuple[Touchpoint, ...]] | None = None
    checkouts: tuple[Checkout, ...] | None = None
    memberships: frozenset[str] | None = None
    exclusions: frozenset[str] = frozenset()
    hidden: bool = False
    told: Mapping[Fact, datetime] = field(default_factory=dict)


def read(history: T | None, fact: Fact) -> T:
    """A history that the query reads. Raises ValueError where it was not loaded: any verdict would be a guess."""
    if history is None:
        raise ValueError(f"the query reads {fact.value}, which were not loaded")
    return history
