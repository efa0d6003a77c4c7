# schema/customer/timeline.py
"""All that happened to a customer, in one list."""

from asyncio import gather
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from itertools import chain
from typing import Annotated, Any, Final, NamedTuple

import strawberry
from msgspec import Struct

from crm.consent import service as consent
from crm.feedback import service as feedback
from crm.kernel import timeline
from crm.kernel.table import Item, customer_key
from crm.loyalty import service as loyalty
from crm.loyalty.rewards import service as rewards
from crm.notifications import service as notifications
from crm.orders import service as orders
from crm.segmentation import service as segmentation
from crm.touchpoints import service as touchpoints
from schema.access import own, signed_in, staff
from schema.connections import Connection, Place, connection, page_size
from schema.consent import ConsentEntry
from schema.context import Context, Info, Loader, stored
from schema.feedback import FeedbackResponse
from schema.loyalty.entries import LedgerEntry
from schema.loyalty.refused_vouchers import RefusedVoucher
from schema.loyalty.rewards import Redemption, redemption_by_key
from schema.loyalty.tiers import TierChange
from schema.message import Message
from schema.order import Order, order_of
from schema.principal import Kind, Principal
from schema.segment.by_key import segment_named
from schema.segment.segment import Segment
from schema.touchpoint import Touchpoint


@strawberry.enum(description="What kind of thing happened.")
class TimelineKind(Enum):
    ORDER = strawberry.enum_value("ORDER", description="An order was placed.")
    REFUND = strawberry.enum_value("REFUND", description="Something was given back.")
    TOUCHPOINT = strawberry.enum_value("TOUCHPOINT", description="A visit, a view, a cart, a checkout.")
    CONSENT = strawberry.enum_value("CONSENT", description="The customer said yes or no to a channel.")
    MESSAGE = strawberry.enum_value("MESSAGE", description="A message was planned, or refused.")
    POINTS = strawberry.enum_value("LEDGER", description="Points moved.")
    TIER = strawberry.enum_value("TIER", description="The customer came to have another tier, or none.")
    VOUCHER_USED = strawberry.enum_value("VOUCHER", description="A voucher of the customer's was used.")
    VOUCHER_REFUSED = strawberry.enum_value(
        "REFUSEDVOUCHER", description="An order of the customer's names a voucher that it could not use. Staff only."
    )
    FEEDBACK = strawberry.enum_value("FEEDBACK", description="The customer answered.")
    SEGMENT_ENTERED = strawberry.enum_value("ENTERED", description="The customer came into a segment. Staff only.")
    SEGMENT_LEFT = strawberry.enum_value("LEFT", description="The customer left a segment. Staff only.")


@strawberry.interface(description="Something that happened to a customer.", directives=signed_in())
class TimelineEntry:
    item: strawberry.Private[Any]
    kind: TimelineKind = strawberry.field(description="What kind of thing.")

    @strawberry.field(description="When it happened, by the clock of whoever told it.")
    def at(self) -> datetime:
        return moment_of(self.item)


@strawberry.type(description="An order was placed.", directives=own("orders:read"))
class OrderPlaced(TimelineEntry):
    item: strawberry.Private[orders.Order]

    @strawberry.field(description="The order as it is now; here never null.")
    def order(self) -> Order | None:
        return Order(item=self.item)


@strawberry.type(description="Something was given back.", directives=own("orders:read"))
class RefundGiven(TimelineEntry):
    item: strawberry.Private[orders.OrderRefund]

    @strawberry.field(description="The shop's id of the refund: one of its order's `refunds`.")
    def refund_id(self) -> str:
        return self.item.refund_id

    @strawberry.field(description="The order as it is now; null where it could not be read.")
    async def order(self, info: Info) -> Order | None:
        return await order_of(info.context, self.item.customer_id, self.item.order_id)


@strawberry.type(description="The customer did something.", directives=own("touchpoints:read"))
class TouchpointSeen(TimelineEntry):
    item: strawberry.Private[touchpoints.Touchpoint]

    @strawberry.field(description="What it was.")
    def touchpoint(self) -> Touchpoint:
        return Touchpoint(item=self.item)


@strawberry.type(description="The customer said yes or no to a channel.", directives=own("consents:read"))
class ConsentSaid(TimelineEntry):
    item: strawberry.Private[consent.ConsentEntry]

    @strawberry.field(description="What was said.")
    def consent(self) -> ConsentEntry:
        return ConsentEntry(item=self.item)


@strawberry.type(description="A message was planned, or refused.", directives=own("messages:read"))
class MessagePlanned(TimelineEntry):
    item: strawberry.Private[notifications.Message]

    @strawberry.field(description="The message as it is now.")
    def message(self) -> Message:
        return Message(item=self.item)


@strawberry.type(description="Points moved.", directives=own("loyalty:read"))
class PointsPosted(TimelineEntry):
    item: strawberry.Private[loyalty.LedgerEntry]

    @strawberry.field(description="The movement.")
    def entry(self) -> LedgerEntry:
        return LedgerEntry(item=self.item)


@strawberry.type(description="The customer came to have another tier, or none.", directives=own("loyalty:read"))
class TierChanged(TimelineEntry):
    item: strawberry.Private[loyalty.TierChange]

    @strawberry.field(description="Which, and why.")
    def change(self) -> TierChange:
        return TierChange(item=self.item)


@strawberry.type(description="A voucher of the customer's was used.", directives=own("loyalty:read"))
class VoucherUsed(TimelineEntry):
    item: strawberry.Private[rewards.VoucherUse]

    @strawberry.field(description="Which, as it is now; null where it could not be read.")
    async def redemption(self, info: Info) -> Redemption | None:
        return await redemption_by_key(info.context, self.item.customer_id, self.item.redemption_id)


@strawberry.type(
    description="An order of the customer's names a voucher that it could not use.", directives=staff("loyalty:read")
)
class VoucherRefused(TimelineEntry):
    item: strawberry.Private[rewards.RefusedVoucher]

    @strawberry.field(description="Which, and why.")
    def refused(self) -> RefusedVoucher:
        return RefusedVoucher(item=self.item)


@strawberry.type(description="The customer answered.", directives=own("feedback:read"))
class FeedbackGiven(TimelineEntry):
    item: strawberry.Private[feedback.FeedbackResponse]

    @strawberry.field(description="The answer.")
    def response(self) -> FeedbackResponse:
        return FeedbackResponse(item=self.item)


@strawberry.type(description="The customer came into a segment.", directives=staff("segments:read"))
class SegmentEntered(TimelineEntry):
    item: strawberry.Private[segmentation.SegmentMembership]

    @strawberry.field(description="Which; it may be deleted since.")
    async def segment(self, info: Info) -> Segment | None:
        return await segment_named(info.context, self.item.segment_id, deleted=True)

    @strawberry.field(description="What made it so, such as `event:…` or `time:…`.")
    def cause(self) -> str:
        return self.item.entered_cause


@strawberry.type(description="The customer left a segment.", directives=staff("segments:read"))
class SegmentLeft(TimelineEntry):
    item: strawberry.Private[segmentation.SegmentLeaving]

    @strawberry.field(description="Which; it may be deleted since.")
    async def segment(self, info: Info) -> Segment | None:
        return await segment_named(info.context, self.item.segment_id, deleted=True)

    @strawberry.field(description="What made it so, such as `event:…` or `time:…`.")
    def cause(self) -> str:
        return self.item.left_cause


class Shown(Struct, frozen=True):
    """How one kind of stored moment is shown. `scope`: what staff need to learn that there is one."""

    stored: type[Item]
    entry: Callable[..., TimelineEntry]
    scope: str
    to_customers: bool = True


SHOWN: Final[dict[TimelineKind, Shown]] = {
    TimelineKind.ORDER: Shown(orders.Order, OrderPlaced, "orders:read"),
    TimelineKind.REFUND: Shown(orders.OrderRefund, RefundGiven, "orders:read"),
    TimelineKind.TOUCHPOINT: Shown(touchpoints.Touchpoint, TouchpointSeen, "touchpoints:read"),
    TimelineKind.CONSENT: Shown(consent.ConsentEntry, ConsentSaid, "consents:read"),
    TimelineKind.MESSAGE: Shown(notifications.Message, MessagePlanned, "messages:read"),
    TimelineKind.POINTS: Shown(loyalty.LedgerEntry, PointsPosted, "loyalty:read"),
    TimelineKind.TIER: Shown(loyalty.TierChange, TierChanged, "loyalty:read"),
    TimelineKind.VOUCHER_USED: Shown(rewards.VoucherUse, VoucherUsed, "loyalty:read"),
    TimelineKind.VOUCHER_REFUSED: Shown(rewards.RefusedVoucher, VoucherRefused, "loyalty:read", to_customers=False),
    TimelineKind.FEEDBACK: Shown(feedback.FeedbackResponse, FeedbackGiven, "feedback:read"),
    TimelineKind.SEGMENT_ENTERED: Shown(
        segmentation.SegmentMembership, SegmentEntered, "segments:read", to_customers=False
    ),
    TimelineKind.SEGMENT_LEFT: Shown(segmentation.SegmentLeaving, SegmentLeft, "segments:read", to_customers=False),
}
KIND_OF: Final = {shown.stored: kind for kind, shown in SHOWN.items()}

Kinds = Annotated[
    list[TimelineKind] | None,
    strawberry.argument(description="Of these kinds only. Kinds that the caller may not see are left out either way."),
]


class TimelinePage(NamedTuple):
    customer_id: str
    kinds: frozenset[TimelineKind] | None
    """None: whatever the caller may see."""
    before: str | None
    limit: int


class TimelineByCustomer(Loader[TimelinePage, list[Item]]):
    """Of all kinds, one Query; of some, one for each, merged: a filter would read all the others on the way."""

    async def load_many(self, keys: list[TimelinePage]) -> Sequence[list[Item] | BaseException]:
        return await gather(*map(self._page, keys), return_exceptions=True)

    async def _page(self, page: TimelinePage) -> list[Item]:
        pk = customer_key(self.context.shop, page.customer_id)
        seen = visible(self.context.principal)
        if page.kinds is None and len(seen) == len(SHOWN):
            return await stored(timeline.moments, pk, before=page.before, limit=page.limit)
        if page.kinds is None and self.context.principal.kind is Kind.CUSTOMER:
            only = [SHOWN[kind].stored for kind in seen]  # of all but what is staff's, which is little beside the rest
            return await stored(timeline.moments, pk, before=page.before, limit=page.limit, only=only)
        pages = await gather(
            *(
                stored(
                    timeline.moments_of, SHOWN[kind].stored, str(kind.value), pk, before=page.before, limit=page.limit
                )
                for kind in (seen if page.kinds is None else page.kinds & seen)
            )
        )
        return sorted(chain(*pages), key=position, reverse=True)[: page.limit]


def visible(principal: Principal) -> frozenset[TimelineKind]:
    """The kinds of moments of which this caller may know that there are any."""
    if principal.kind is Kind.CUSTOMER:
        return frozenset(kind for kind, shown in SHOWN.items() if shown.to_customers)
    return frozenset(kind for kind, shown in SHOWN.items() if shown.scope in principal.scopes)


async def timeline_of(
    context: Context, customer_id: str, *, kinds: list[TimelineKind] | None, first: int | None, after: str | None
) -> Connection[TimelineEntry]:
    """A page of all that happened to a customer, newest first."""
    size = page_size(first)
    wanted = None if kinds is None else frozenset(kinds)
    narrowed = "" if wanted is None else ",".join(sorted(kind.name for kind in wanted))
    place = Place("Customer.timeline", context.shop, customer_id, narrowed)
    page = TimelinePage(customer_id, wanted, place.position(after), size + 1)
    items = await context.loader(TimelineByCustomer).load(page)
    return connection(place, items, first=size, after=after, position=position, node=entry_of)


def entry_of(item: Item) -> TimelineEntry:
    kind = KIND_OF[type(item)]
    return SHOWN[kind].entry(item=item, kind=kind)


def position(item: Item) -> str:
    return item.moment_key or ""


def moment_of(item: Item) -> datetime:
    return datetime.fromisoformat(position(item).split("#", 1)[0])
