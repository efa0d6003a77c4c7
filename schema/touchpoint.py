# schema/touchpoint.py
"""What customers did before, between and after orders, as clients see it."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, ClassVar, NamedTuple

import strawberry
from strawberry.scalars import JSON

from crm.kernel.errors import InvalidInput
from crm.touchpoints import service
from schema.access import own, signed_in
from schema.connections import Connection, Place, connection, page_size
from schema.context import Context, Loader, stored

OfType = Annotated[
    str | None, strawberry.argument(description="Of this type only, such as `cart.updated` or a shop's own name.")
]
SINCE = strawberry.argument(name="from", description="Not before this instant.")
UNTIL = strawberry.argument(name="to", description="Before this instant.")


@strawberry.enum(description="Who turned to whom.")
class Direction(Enum):
    INBOUND = strawberry.enum_value(service.INBOUND, description="The customer to the shop.")
    OUTBOUND = strawberry.enum_value(service.OUTBOUND, description="The shop to the customer.")


@strawberry.type(description="The UTM parameters of a link.", directives=signed_in())
class Campaign:
    item: strawberry.Private[service.CampaignPart]

    @strawberry.field(description="Where the link was, such as `newsletter`.")
    def source(self) -> str | None:
        return self.item.source

    @strawberry.field(description="What kind of place that is, such as `email`.")
    def medium(self) -> str | None:
        return self.item.medium

    @strawberry.field(description="What it was a part of.")
    def campaign(self) -> str | None:
        return self.item.campaign

    @strawberry.field(description="The words that were searched for.")
    def term(self) -> str | None:
        return self.item.term

    @strawberry.field(description="Which of several links it was.")
    def content(self) -> str | None:
        return self.item.content


@strawberry.type(description="Something that happened; it is never changed.", directives=own("touchpoints:read"))
class Touchpoint:
    item: strawberry.Private[service.Touchpoint]

    @strawberry.field(description="The id of the event that told it.")
    def touchpoint_id(self) -> str:
        return self.item.touchpoint_id

    @strawberry.field(description="What happened, such as `product.viewed`, or a shop's own name for it.")
    def type(self) -> str:
        return self.item.type

    @strawberry.field(description="Through what, such as `web`.")
    def channel(self) -> str | None:
        return self.item.channel

    @strawberry.field(description="Who turned to whom.")
    def direction(self) -> Direction:
        return Direction(self.item.direction)

    @strawberry.field(description="The session it belongs to, as the source calls it.")
    def session_id(self) -> str | None:
        return self.item.session_id

    @strawberry.field(description="The UTM parameters of the link that led here.")
    def campaign(self) -> Campaign | None:
        return Campaign(item=self.item.campaign) if self.item.campaign else None

    @strawberry.field(description="The page that led here, without what it was asked.")
    def referrer(self) -> str | None:
        return self.item.referrer

    @strawberry.field(
        description=(
            "What its event's `data` said beside the fields above and the UTM parameters: of the fields that the "
            "event's type has those that have a value, of `custom.recorded` its `properties` as they were sent. Fields "
            "that the type does not know are not kept."
        )
    )
    def properties(self) -> JSON:
        return JSON(self.item.properties)

    @strawberry.field(description="When it happened.")
    def occurred_at(self) -> datetime:
        return self.item.occurred_at

    @strawberry.field(description="When it was told.")
    def recorded_at(self) -> datetime:
        return self.item.recorded_at

    @strawberry.field(description="Whether it was told as history.")
    def replayed(self) -> bool:
        return bool(self.item.replayed)


@strawberry.type(description="What a touchpoint said it came from.", directives=signed_in())
class AcquisitionSource:
    item: strawberry.Private[service.SourcePart]

    @strawberry.field(description="The campaign; of a link without one, the site it was on (`referral`).")
    def campaign(self) -> Campaign:
        return Campaign(item=self.item)

    @strawberry.field(description="The page that led here, without what it was asked.")
    def referrer(self) -> str | None:
        return self.item.referrer

    @strawberry.field(description="Through what, such as `web`.")
    def channel(self) -> str | None:
        return self.item.channel

    @strawberry.field(description="When.")
    def occurred_at(self) -> datetime:
        return self.item.occurred_at


@strawberry.type(
    description="What brought the customer. Visits that name no source count for neither.", directives=signed_in()
)
class Acquisition:
    HEAD: ClassVar = service.Acquisition

    item: strawberry.Private[service.Acquisition | None]

    @strawberry.field(description="The first source there was.")
    def first(self) -> AcquisitionSource | None:
        return AcquisitionSource(item=self.item.first) if self.item and self.item.first else None

    @strawberry.field(description="The last source there was.")
    def last(self) -> AcquisitionSource | None:
        return AcquisitionSource(item=self.item.last) if self.item and self.item.last else None


class TouchpointPage(NamedTuple):
    customer_id: str
    of_type: str | None
    since: datetime | None
    until: datetime | None
    before: str | None
    limit: int


class TouchpointsByCustomer(Loader[TouchpointPage, list[service.Touchpoint]]):
    """One Query for each page that is asked for."""

    async def load_many(self, keys: list[TouchpointPage]) -> Sequence[list[service.Touchpoint] | BaseException]:
        pages = (stored(service.touchpoints, self.context.shop, **page._asdict()) for page in keys)
        return await gather(*pages, return_exceptions=True)


async def touchpoints_of(
    context: Context,
    customer_id: str,
    *,
    of_type: str | None,
    since: datetime | None,
    until: datetime | None,
    first: int | None,
    after: str | None,
) -> Connection[Touchpoint]:
    """A page of a customer's touchpoints, newest first. A cursor is of use with the same type and times only."""
    if since and until and since > until:
        raise InvalidInput("may not lie after `to`", field="from")
    size = page_size(first)
    place = Place("Customer.touchpoints", context.shop, customer_id, f"{of_type} {since} {until}")
    page = TouchpointPage(customer_id, of_type, since, until, place.position(after), size + 1)
    items = await context.loader(TouchpointsByCustomer).load(page)
    return connection(
        place,
        items,
        first=size,
        after=after,
        position=lambda item: item.timeline_key or "" if of_type is None else item.sk,
        node=lambda item: Touchpoint(item=item),
    )
