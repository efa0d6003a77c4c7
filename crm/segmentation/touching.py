# crm/segmentation/touching.py
"""Which facts an event of any area can have changed: only segments that read one of them are computed anew. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from msgspec import Struct

from crm.consent.events import ConsentRecorded
from crm.customers.events import AttributesRecorded, CustomerRecorded
from crm.customers.standing import DELETED
from crm.feedback.events import FeedbackRecorded
from crm.loyalty.events import LoyaltyEnrolled, PointsPosted
from crm.loyalty.tiers.events import TierChanged
from crm.orders.events import OrderRecorded
from crm.segmentation.language.facts import Fact
from crm.segmentation.language.reading import Reads
from crm.touchpoints.carts import CHECKOUT, UPDATED
from crm.touchpoints.events import AcquisitionRecorded, TouchpointRecorded


class Touched(Struct, frozen=True):
    """Kinds of facts; of touchpoints those of the `types`, of the shop's own attributes those of the `keys`, where it
    is known which.
    """

    facts: frozenset[Fact] = frozenset()
    types: frozenset[str] | None = None
    keys: frozenset[str] | None = None

    def touches(self, reads: Reads) -> bool:
        return reads.is_touched_by(self.facts, types=self.types, keys=self.keys)


NOTHING: Final = Touched()
"""As time touches: only what it changes is looked at."""
EVERYTHING: Final = Touched(frozenset(Fact))
"""Of who is new, deleted or restored: in question is each segment, whatever it reads."""
CustomerEvent: TypeAlias = (
    AcquisitionRecorded
    | AttributesRecorded
    | ConsentRecorded
    | CustomerRecorded
    | FeedbackRecorded
    | LoyaltyEnrolled
    | OrderRecorded
    | PointsPosted
    | TierChanged
    | TouchpointRecorded
)
"""What is told of one customer."""
CARTS: Final = frozenset({UPDATED, CHECKOUT})
SIGHTINGS: Final = frozenset({Fact.TOUCHPOINTS, Fact.LAST_SEEN, Fact.CARTS})


def touched(event: CustomerEvent) -> Touched:
    return TOUCHED_BY[type(event)](event)


def _by_customer(event: CustomerRecorded) -> Touched:
    # Restoring has a cause of its own (crm/customers/deletion.py); nothing else shows who was hidden.
    restored = event.cause.startswith(f"customer:{event.customer_id}:restore:")
    if event.rev == 1 or event.status == DELETED or restored:
        return EVERYTHING
    return Touched(frozenset({Fact.PROFILE}))


def _by_touchpoint(event: TouchpointRecorded) -> Touched:
    told = {Fact.TOUCHPOINTS, Fact.LAST_SEEN} | ({Fact.CARTS} if event.type in CARTS else set())
    return Touched(frozenset(told), types=frozenset({event.type}))


def _by_acquisition(event: AcquisitionRecorded) -> Touched:
    gone = SIGHTINGS if event.touchpoints_gone else frozenset()
    return Touched(frozenset({Fact.ACQUISITION}) | gone)


TOUCHED_BY: Final[Mapping[type[CustomerEvent], Callable[[Any], Touched]]] = {
    AcquisitionRecorded: _by_acquisition,
    AttributesRecorded: lambda event: Touched(frozenset({Fact.ATTRIBUTES}), keys=frozenset(event.keys)),
    ConsentRecorded: lambda _: Touched(frozenset({Fact.CONSENT})),
    CustomerRecorded: _by_customer,
    FeedbackRecorded: lambda _: Touched(frozenset({Fact.FEEDBACK})),
    LoyaltyEnrolled: lambda _: Touched(frozenset({Fact.LOYALTY})),
    OrderRecorded: lambda _: Touched(frozenset({Fact.STATISTICS, Fact.ORDERS, Fact.LAST_ORDER, Fact.CARTS, Fact.RFM})),
    PointsPosted: lambda _: Touched(frozenset({Fact.LOYALTY})),
    TierChanged: lambda _: Touched(frozenset({Fact.LOYALTY})),
    TouchpointRecorded: _by_touchpoint,
}
"""PREDICTIONS nothing computes yet; MEMBERSHIPS are refreshed by what sets them, in its own transaction; RFM bounds are
a new version of the catalogue.
"""
