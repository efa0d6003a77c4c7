# schema/shop.py
"""The shop, as clients see it."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from crm.kernel.errors import Fault, NotFound
from crm.shops import service
from schema.access import own, signed_in, staff
from schema.connections import about
from schema.context import GIVEN, Info, stored
from schema.errors import AnswersRefusals, UserError
from schema.forms import said
from schema.node import Node, global_id
from schema.principal import Principal
from schema.scalars import CurrencyCode, EmailAddress, TimeZone


@strawberry.type(description="The shop the caller belongs to.", directives=own(None))
class Shop(Node):
    item: strawberry.Private[service.Shop]

    @strawberry.field(description="Opaque.", directives=signed_in())
    def id(self) -> strawberry.ID:
        return global_id("Shop", self.item.shop)

    @strawberry.field(description="What events and tokens name it by.")
    def shop_id(self) -> str:
        return self.item.shop

    @strawberry.field(description="Its name, for people.")
    def name(self) -> str:
        return self.item.name

    @strawberry.field(description="Decides which calendar day something belongs to.")
    def zone(self) -> TimeZone:
        return TimeZone(self.item.zone)

    @strawberry.field(description="The currency of its KPIs and points.")
    def currency(self) -> CurrencyCode:
        return CurrencyCode(self.item.currency)

    @strawberry.field(description="BCP 47, such as `de-AT`.")
    def locale(self) -> str:
        return self.item.locale

    @strawberry.field(description="The address messages come from; null: none are sent.", directives=staff("shop:read"))
    def sender(self) -> EmailAddress | None:
        return EmailAddress(self.item.sender) if self.item.sender else None

    @strawberry.field(
        description="The sources of events that are not the shop's own: what they say is third-party data.",
        directives=[*staff("shop:read"), about(5)],
    )
    def third_party_sources(self) -> list[str]:
        return sorted(self.item.third_party_sources or ())

    @strawberry.field(
        description="Give it as `expectedVersion` to change what was read.", directives=staff("shop:read")
    )
    def version(self) -> int:
        return int(self.item.rev)

    @classmethod
    async def current(cls, info: Info) -> Self | None:
        try:
            item = await stored(service.current, info.context.shop, now=info.context.now)
        except NotFound:
            return None
        return cls(item=item)


@strawberry.input(
    description="What to change; what is left out stays. Null is refused, but for `sender`, which it clears."
)
class ShopUpdateInput:
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse where the stored version is another."
    )
    name: strawberry.Maybe[str] = strawberry.field(description="Its name, for people.")
    zone: strawberry.Maybe[TimeZone] = strawberry.field(description="Counts from now on; earlier days keep theirs.")
    currency: strawberry.Maybe[CurrencyCode] = strawberry.field(description="The currency of its KPIs and points.")
    locale: strawberry.Maybe[str] = strawberry.field(description="BCP 47, such as `de-AT`.")
    sender: strawberry.Maybe[EmailAddress | None] = strawberry.field(
        description="The address messages come from; null: no more are sent."
    )

    third_party_sources: strawberry.Maybe[list[str]] = strawberry.field(
        description="All sources of events that are not the shop's own."
    )

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return service.faults(self.fields())

    def fields(self) -> service.ShopFields:
        """What is given; the null of a field that cannot be cleared is told by its form (schema/forms.py)."""
        fields = said(self)
        no_sender = "sender" in fields and fields["sender"] is None
        return service.ShopFields(**fields, no_sender=no_sender)


@strawberry.type(description="The shop as it is now, or why it was not changed.", directives=signed_in())
class ShopUpdatePayload:
    shop: Shop | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type
class ShopQuery:
    @strawberry.field(description="The shop the caller belongs to.", directives=own(None))
    async def shop(self, info: Info) -> Shop | None:
        return await Shop.current(info)


@strawberry.type
class ShopMutation:
    @strawberry.mutation(
        description="Change the caller's shop; the first change founds a shop that is not there yet.",
        extensions=[AnswersRefusals()],
        directives=staff("shop:write"),
    )
    async def shop_update(self, info: Info, input: Annotated[ShopUpdateInput, GIVEN]) -> ShopUpdatePayload:
        item = await stored(_changed, info.context.shop, input)
        return ShopUpdatePayload(shop=Shop(item=item))


def _changed(shop: str, input: ShopUpdateInput) -> service.Shop:
    try:
        return service.update(shop, input.fields(), expected_version=input.expected_version)
    except NotFound:
        return service.create(shop, input.fields())
