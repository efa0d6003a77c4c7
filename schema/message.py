# schema/message.py
"""Messages, as clients see them."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

import strawberry

from crm.notifications import service
from schema.access import own, signed_in, staff
from schema.context import Context, Info, Loader, stored
from schema.customer.record import visible_record
from schema.loaders import Page, PageByCustomer
from schema.node import Node, global_id
from schema.order import Order, order_of


@strawberry.enum(description="What became of a message.")
class MessageStatus(Enum):
    PLANNED = strawberry.enum_value(service.PLANNED, description="It is to be sent.")
    REFUSED = strawberry.enum_value(service.REFUSED, description="It may not be sent; `reason` tells staff why.")
    SENDING = strawberry.enum_value(service.SENDING, description="It is being handed to the provider.")
    SENT = strawberry.enum_value(service.SENT, description="The provider took it.")
    UNKNOWN = strawberry.enum_value(service.UNKNOWN, description="Nobody knows whether the provider took it.")
    FAILED = strawberry.enum_value(service.FAILED, description="The provider refused it.")
    BOUNCED = strawberry.enum_value(service.BOUNCED, description="It was sent, and the address takes no mail.")
    COMPLAINED = strawberry.enum_value(service.COMPLAINED, description="It was sent, and its recipient called it spam.")


@strawberry.type(description="One thing said to one customer through one channel.", directives=own("messages:read"))
class Message(Node):
    item: strawberry.Private[service.Message]

    @strawberry.field(description="Opaque.", directives=signed_in())
    def id(self) -> strawberry.ID:
        return global_id("Message", self.item.customer_id, self.item.message_id)

    @strawberry.field(description="What it says, by the name of its template.")
    def template(self) -> str:
        return self.item.template

    @strawberry.field(description="How it goes, such as `email`.")
    def channel(self) -> str:
        return self.item.channel

    @strawberry.field(description="What it is for, such as `transactional`.")
    def purpose(self) -> str:
        return self.item.purpose

    @strawberry.field(description="What became of it.")
    def status(self) -> MessageStatus:
        return MessageStatus(self.item.status)

    @strawberry.field(
        description="Why it was refused or failed: a stable code. Not for customers: that their address is suppressed "
        "is told to nobody who may not see why.",
        directives=staff("messages:read"),
    )
    def reason(self) -> str | None:
        return self.item.reason

    @strawberry.field(description="The `orderId` of the order it is about.")
    def order_id(self) -> str | None:
        return self.item.order_id

    @strawberry.field(
        description="The order; null where there is none, or it has not come yet.", directives=own("orders:read")
    )
    async def order(self, info: Info) -> Order | None:
        return await order_of(info.context, self.item.customer_id, self.item.order_id)

    @strawberry.field(description="When it was decided on.")
    def planned_at(self) -> datetime:
        return self.item.planned_at

    @strawberry.field(description="When its fate was known; what is reported of it later has a time of its own.")
    def settled_at(self) -> datetime | None:
        return self.item.settled_at

    @strawberry.field(description="When it bounced, or its recipient complained, by the provider's report.")
    def reported_at(self) -> datetime | None:
        return self.item.reported_at


class MessagesByCustomer(PageByCustomer[service.Message]):
    def read(self, page: Page) -> list[service.Message]:
        return service.messages(self.context.shop, page.customer_id, before=page.before, limit=page.limit)


class MessageByKey(Loader[tuple[str, str], service.Message | None]):
    """Messages by customer and message id."""

    async def load_many(self, keys: list[tuple[str, str]]) -> Sequence[service.Message | None]:
        found = await stored(service.get_many, self.context.shop, keys)
        return [found.get(key) for key in keys]


async def message_by_key(context: Context, customer_id: str, message_id: str) -> Message | None:
    """None for a message that does not exist, is another shop's, or is not the caller's to see."""
    if await visible_record(context, customer_id) is None:
        return None
    item = await context.loader(MessageByKey).load((customer_id, message_id))
    return Message(item=item) if item else None
