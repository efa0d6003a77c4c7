# crm/bulk/lines.py
"""What is known of customers and orders as the events that would tell it to another shop. Pure.

A line leaves out its shop: it is that into which it is imported.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from crm.consent import service as consent
from crm.consent.service import ConsentHead
from crm.customers import service as customers
from crm.customers.service import Customer
from crm.kernel import clock
from crm.kernel.domain_events import camel
from crm.kernel.money import Money
from crm.orders.service import Order, Refund

FIELDS: Final = ("first_name", "last_name", "locale", "zone", "birth_date", "gender")
CONSENTS_AT_ONCE: Final = 50
OF_CONSENTS: Final = ("channel", "purpose", "topic", "state", "source", "text_version", "opt_in_level", "legal_basis")


class Line(Struct, frozen=True):
    """An event, and our own id of the customer, which means nothing to another shop."""

    customer_id: str
    event: dict[str, Any]


def customer_lines(
    profile: Customer, consents: ConsentHead | None, attributes: Mapping[str, Any] | None = None
) -> Iterator[Line]:
    """One line, more where there are more consents than an event may say, and one more for each further system that
    knows the customer under an id of its own. Identifiers that belong to somebody else are left out. `attributes` are
    values of the shop's own, as they are stored.

    The status is for those who read the file: no event can say it, and imports ignore it.
    """
    (source, external_id), *others = _external_ids(profile)
    known = _addresses(profile)
    fields = {camel(name): getattr(profile, name) for name in FIELDS if getattr(profile, name) is not None}
    if profile.tags:
        fields["tags"] = sorted(profile.tags)
    if profile.addresses:
        fields["addresses"] = [_address(address) for address in profile.addresses]
    if profile.test:
        fields["test"] = True
    if attributes:
        fields["attributes"] = {key: _attribute(value) for key, value in attributes.items()}
    fields["status"] = profile.status
    states = sorted(consent.held(consents.states) if consents is not None else [], key=lambda state: state.topic or "")
    first, *more = _bundles([_consent(state) for state in states])
    at = clock.text(profile.changed_at)
    who = {"externalId": external_id} | known | fields
    yield Line(profile.customer_id, _event("customer.updated", source, at, who, {"consents": first}))
    for bundle in more:
        who = {"externalId": external_id}
        yield Line(profile.customer_id, _event("consent.updated", source, at, who, {"consents": bundle}))
    for other, its_id in others:
        yield Line(profile.customer_id, _event("customer.updated", other, at, {"externalId": its_id} | known, {}))


def order_lines(profile: Customer, order: Order) -> Iterator[Line]:
    """The order, and its refunds."""
    source, external_id = _external_ids(profile)[0]
    who = {"externalId": external_id} | _addresses(profile)
    event = _event("order.updated", source, clock.text(order.occurred_at), who, _order(order))
    yield Line(profile.customer_id, event)
    for refund in order.refunds:
        event = _event("refund.created", source, clock.text(refund.refunded_at), None, _refund(order, refund))
        yield Line(profile.customer_id, event)


def _event(kind: str, source: str, at: str, who: Mapping[str, Any] | None, data: Mapping[str, Any]) -> dict[str, Any]:
    line = {"type": kind, "version": 1, "source": source, "occurredAt": at}
    return line | ({"customer": dict(who)} if who is not None else {}) | {"data": dict(data)}


def _external_ids(profile: Customer) -> list[tuple[str, str]]:
    found = [
        (claim.kind.partition(":")[2], claim.value)
        for claim in profile.identities
        if claim.kind.startswith("external:") and not claim.conflicting
    ]
    return found or [(customers.OURS, profile.customer_id)]


def _addresses(profile: Customer) -> dict[str, Any]:
    """The e-mail address and phone number, as they are sent to, unless they identify somebody else."""
    claims = {claim.kind: claim for claim in profile.identities}
    known: dict[str, Any] = {}
    for kind in ("email", "phone"):
        value = getattr(profile, kind)
        if value is not None and not (kind in claims and claims[kind].conflicting):
            known[kind] = value
    if "email" in known and "email" in claims and claims["email"].verified:
        known["emailVerified"] = True
    return known


def _address(address: Any) -> dict[str, Any]:
    parts = {camel(name): value for name, value in address.attribute_values.items() if value is not None}
    return parts | {name: float(parts[name]) for name in ("latitude", "longitude") if name in parts}


def _bundles(consents: list[Any]) -> list[list[Any]]:
    """As many as an event may say; one at least."""
    return [consents[start : start + CONSENTS_AT_ONCE] for start in range(0, len(consents) or 1, CONSENTS_AT_ONCE)]


def _attribute(value: Any) -> Any:
    """As events say it."""
    match value:
        case {"minor": minor, "currency": currency}:
            return {"amount": _amount(minor, currency), "currency": currency}
        case list():
            return [_attribute(element) for element in value]
    return value


def _consent(state: Any) -> dict[str, Any]:
    told = {camel(name): getattr(state, name) for name in OF_CONSENTS if getattr(state, name) is not None}
    return told | {"occurredAt": clock.text(state.occurred_at)}


def _order(order: Order) -> dict[str, Any]:
    told = {
        "orderId": order.order_id,
        "version": int(order.version),
        "status": order.status,
        "currency": order.currency,
        "placedAt": clock.text(order.placed_at),
        "lines": [_order_line(line, order.currency) for line in order.lines],
        "shipping": _amount(order.shipping, order.currency),
        "channel": order.channel,
        "coupon": order.coupon,
        "cartId": order.cart_id,
        "pointsSpent": int(order.points_spent),
    }
    return {name: value for name, value in told.items() if value is not None}


def _order_line(line: Any, currency: str) -> dict[str, Any]:
    told = {
        "id": line.line_id,
        "sku": line.sku,
        "quantity": int(line.quantity),
        "unitPrice": _amount(line.unit_price, currency),
        "discount": _amount(line.discount, currency),
        "tax": _amount(line.tax, currency),
        "title": line.title,
        "category": line.category,
        "tags": sorted(line.tags or ()),
        "giftCard": bool(line.gift_card),
    }
    return {name: value for name, value in told.items() if value is not None}


def _refund(order: Order, refund: Refund) -> dict[str, Any]:
    lines = [
        {"lineId": line.line_id, "quantity": int(line.quantity)}
        | ({"amount": _amount(line.amount, refund.currency)} if line.amount is not None else {})
        for line in refund.lines
    ]
    told = {"refundId": refund.refund_id, "orderId": order.order_id, "currency": refund.currency, "lines": lines}
    return told | ({"reason": refund.reason} if refund.reason is not None else {})


def _amount(minor: Any, currency: str) -> str:
    return format(Money(int(minor), currency).amount, "f")
