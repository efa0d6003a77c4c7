# crm/intake/words.py
"""From an event's parts to what the areas' services take."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from crm.consent.service import ConsentGiven, SuppressionGiven
from crm.customers import service as customers
from crm.customers.identifiers import is_blocked
from crm.customers.service import Words
from crm.intake.event_types import (
    Behaviour,
    ConsentPart,
    CustomData,
    CustomerPart,
    OrderData,
    RefundData,
    SuppressionData,
)
from crm.kernel import locales, texts
from crm.kernel.money import minor_units
from crm.orders.service import LineVersion, OrderVersion, RefundGiven, ReturnedLine
from crm.touchpoints.service import NO_CAMPAIGN, Campaign, TouchpointSeen

NOT_PROPERTIES = frozenset({"channel", "direction", "sessionId", "utm", "referrer"})
FIELDS = (
    "email", "phone", "first_name", "last_name", "locale", "zone", "birth_date", "gender", "tags", "addresses", "test",
)  # fmt: skip


def customer_words(part: CustomerPart, source: str, *, owner: str | None = None) -> Words:
    """What an event says of its customer. `owner`: the customer whom it is about in any case (a known order's).

    A blocked e-mail address or phone number is as good as not given: the event is still about somebody. So is an
    address with nothing in it; a locale is understood as systems write it (`de_AT`).
    """
    fields: dict[str, Any] = {}
    for name in FIELDS:
        value = getattr(part, name)
        if value is UNSET or (name in {"email", "phone"} and value is not None and is_blocked(value)):
            continue
        fields[name] = value
    if fields.get("birth_date") is not None:
        fields["birth_date"] = fields["birth_date"].isoformat()
    if fields.get("tags") is not None:
        fields["tags"] = customers.tags(map(texts.as_line, fields["tags"]))
    if fields.get("addresses") is not None:
        fields["addresses"] = [
            {name: value for name, value in msgspec.structs.asdict(address).items() if value is not None}
            for address in fields["addresses"]
        ]
    fields = customers.tidied(fields)
    if fields.get("locale"):
        fields["locale"] = locales.written(fields["locale"])
    if fields.get("addresses"):
        fields["addresses"] = [address for address in fields["addresses"] if address]
    external_ids = {source: part.external_id} if part.external_id else {}
    return Words(id=owner or part.id, external_ids=external_ids, email_verified=part.email_verified, fields=fields)


def consents_given(parts: Sequence[ConsentPart], source: str) -> list[ConsentGiven]:
    """`source`: who speaks, where a consent does not say where it was given."""
    return [
        ConsentGiven(
            part.channel,
            part.purpose,
            part.state,
            source=part.source or source,
            topic=part.topic,
            text_version=part.text_version,
            opt_in_level=part.opt_in_level,
            legal_basis=part.legal_basis,
            occurred_at=part.occurred_at,
        )
        for part in parts
    ]


def suppression_given(data: SuppressionData, source: str) -> SuppressionGiven:
    return SuppressionGiven(data.channel, data.address, data.reason, source=source, note=data.note)


def visitor_alone(part: CustomerPart, source: str) -> str | None:
    """The visitor whom an event is about where it names nobody beside; None where it names somebody, or no visitor."""
    said = customer_words(part, source)
    return part.anonymous_id if said.id is None and not said.claims() else None


def order_version(data: OrderData, occurred_at: Any) -> OrderVersion:
    currency = data.currency
    return OrderVersion(
        order_id=data.order_id,
        version=data.version,
        status=data.status,
        currency=currency,
        placed_at=data.placed_at,
        occurred_at=occurred_at,
        lines=[
            LineVersion(
                line_id=line.id or str(place),
                sku=line.sku,
                quantity=line.quantity,
                unit_price=minor_units(line.unit_price, currency),
                discount=minor_units(line.discount, currency),
                tax=minor_units(line.tax, currency),
                title=line.title,
                category=line.category,
                tags=frozenset(line.tags),
                gift_card=line.gift_card,
            )
            for place, line in enumerate(data.lines, start=1)
        ],
        shipping=minor_units(data.shipping, currency),
        channel=data.channel,
        coupon=data.coupon,
        cart_id=data.cart_id,
        points_spent=data.points_spent,
    )


def refund_given(data: RefundData, occurred_at: Any, event_id: str) -> RefundGiven:
    return RefundGiven(
        refund_id=data.refund_id,
        order_id=data.order_id,
        currency=data.currency,
        refunded_at=occurred_at,
        event_id=event_id,
        lines=[
            ReturnedLine(line.line_id, line.quantity, minor_units(line.amount, data.currency) if line.amount else None)
            for line in data.lines
        ],
        reason=data.reason,
    )


def touchpoint_seen(kind: str, data: Behaviour) -> TouchpointSeen:
    """What an event says happened. A shop's own event is a touchpoint of its own name."""
    if isinstance(data, CustomData):
        kind, properties = data.name, dict(data.properties)
    else:
        told = msgspec.to_builtins(data)
        properties = {name: value for name, value in told.items() if name not in NOT_PROPERTIES and value is not None}
    return TouchpointSeen(
        kind,
        data.channel,
        data.session_id,
        properties,
        direction=data.direction,
        campaign=Campaign(**msgspec.structs.asdict(data.utm)) if data.utm else NO_CAMPAIGN,
        referrer=data.referrer,
    )
