# crm/touchpoints/told.py
"""What is said of a touchpoint, and how it came to be known."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from crm.touchpoints.acquisition import INBOUND, Campaign

NO_CAMPAIGN = Campaign()


class TouchpointSeen(Struct, frozen=True):
    """Something that happened: `type` is `product.viewed`, `cart.updated`, ... or a shop's own `noun.past_tense`.

    `direction` is `inbound` where the customer turned to the shop, `outbound` where the shop turned to them.
    """

    type: str
    channel: str | None = None
    session_id: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    direction: str = INBOUND
    campaign: Campaign = NO_CAMPAIGN
    referrer: str | None = None


class OrderOfCart(Struct, frozen=True):
    """An order as its newest version has it: of which cart it came, and of which the version `before` said it did."""

    order_id: str
    placed_at: datetime
    cart_id: str | None
    before: str | None = None


class Told(Struct, frozen=True):
    """How it came to be known: the event, its cause, when that happened, and when it is told. `by_app`: somebody's own
    device says so, and nobody vouches for the time that it claims.
    """

    event_id: str
    cause: str
    occurred_at: datetime
    now: datetime
    replayed: bool
    by_app: bool = False

    @property
    def identifies_at(self) -> datetime:
        """From when it counts as an identification: an app's from when it is heard, so that none is backdated."""
        return self.now if self.by_app else self.occurred_at
