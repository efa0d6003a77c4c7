# crm/touchpoints/carts.py
"""A cart is what its newest touchpoint says. Pure: touchpoints go in, carts come out."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

UPDATED, CHECKOUT = "cart.updated", "checkout.started"


class Said(Protocol):
    """A touchpoint that tells of a cart."""

    type: str
    touchpoint_id: str
    occurred_at: datetime
    properties: Mapping[str, Any]


class Cart(Struct, frozen=True):
    """`ordered_as`: an order that came of it. `properties` are those of the event that told it last."""

    cart_id: str
    properties: Mapping[str, Any]
    updated_at: datetime
    checkout_at: datetime | None = None
    ordered_as: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is something in it that has not been ordered."""
        return self.ordered_as is None and bool(self.properties.get("lines"))


def told(said: Iterable[Said]) -> list[Cart]:
    """The carts, each as it was told last by event time, at one instant by the greater id; the newest first. Who goes
    to pay without saying what for pays for what was in it.
    """
    carts: dict[str, Cart] = {}
    for each in sorted(said, key=lambda one: (one.occurred_at, one.touchpoint_id)):
        cart_id = str(each.properties["cartId"])
        known = carts.pop(cart_id, None)
        checkout_at = known.checkout_at if known else None
        properties = each.properties
        if each.type == CHECKOUT:
            checkout_at = each.occurred_at
            if known is not None and "lines" not in properties:
                properties = known.properties
        carts[cart_id] = Cart(cart_id, properties, each.occurred_at, checkout_at)
    return list(reversed(carts.values()))
