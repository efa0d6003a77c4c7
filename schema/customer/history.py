# schema/customer/history.py
"""Where a customer's data comes from, and what changed: for staff."""

from datetime import datetime
from enum import Enum

import strawberry

from crm.customers import service
from crm.kernel.actor import Actor as Doer
from crm.kernel.actor import Role
from crm.kernel.domain_events import camel
from crm.kernel.errors import NotFound
from crm.shops import service as shops
from schema.access import signed_in, staff
from schema.connections import about
from schema.context import Context, stored
from schema.loaders import Page, PageByCustomer

ATTRIBUTES = "attributes."
ENUMS = frozenset({"status", "gender"})


@strawberry.enum(description="What somebody is who says or changes something.")
class ActorKind(Enum):
    CUSTOMER = strawberry.enum_value(Role.CUSTOMER.value, description="The customer.")
    STAFF = strawberry.enum_value(Role.STAFF.value, description="Somebody of the shop.")
    SERVICE = strawberry.enum_value(Role.SERVICE.value, description="A system, by its events.")
    SYSTEM = strawberry.enum_value(Role.SYSTEM.value, description="Rapport, or its operators.")


@strawberry.enum(description="Whose data it is.")
class Party(Enum):
    FIRST = strawberry.enum_value("first", description="The shop's own: said by the customer, staff or its systems.")
    THIRD = strawberry.enum_value("third", description="Of a source that the shop names as third-party.")


@strawberry.type(description="Who said or changed something.", directives=signed_in())
class Actor:
    kind: ActorKind = strawberry.field(description="What they are.")
    reference: str | None = strawberry.field(
        description="A customer's id, the subject of a person's token, or the source that a system's events name."
    )

    @classmethod
    def of(cls, actor: Doer) -> "Actor":
        return cls(kind=ActorKind(actor.role.value), reference=actor.id)


@strawberry.type(description="Where a value comes from.", directives=staff("customers:read"))
class FieldProvenance:
    item: strawberry.Private[service.Provenance]
    third: strawberry.Private[bool]

    @strawberry.field(description="The field, as it is called on the customer, also where it was cleared.")
    def field(self) -> str:
        return camel(self.item.field)

    @strawberry.field(description="When that came about, by its source.")
    def at(self) -> datetime:
        return self.item.at

    @strawberry.field(description="The system that said it; `rapport` for this API; null: it was not kept.")
    def source(self) -> str | None:
        return self.item.origin.source if self.item.origin else None

    @strawberry.field(description="Who said it there; null: it was not kept.")
    def actor(self) -> Actor | None:
        return Actor.of(self.item.origin.actor) if self.item.origin else None

    @strawberry.field(description="Whose data it is.")
    def party(self) -> Party:
        return Party.THIRD if self.third else Party.FIRST


@strawberry.type(
    description="A value before and after. Numbers, dates and flags are written as text, lists and addresses as JSON.",
    directives=signed_in(),
)
class FieldChange:
    change: strawberry.Private[service.FieldChange]

    @strawberry.field(description="The field as it is called on the customer, or `attributes.` and the key.")
    def field(self) -> str:
        name = self.change.field
        return name if name.startswith(ATTRIBUTES) else camel(name)

    @strawberry.field(description="Null: there was none; also of tags and identities.")
    def before(self) -> str | None:
        return _shown(self.change.field, self.change.before)

    @strawberry.field(description="Null: there is none; also of tags and identities.")
    def after(self) -> str | None:
        return _shown(self.change.field, self.change.after)

    @strawberry.field(description="Of tags and identities: those that came.", directives=[about(5)])
    def added(self) -> list[str]:
        return list(self.change.added)

    @strawberry.field(description="Of tags and identities: those that went.", directives=[about(5)])
    def removed(self) -> list[str]:
        return list(self.change.removed)

    @strawberry.field(description="Too long to be told whole.")
    def cut(self) -> bool:
        return self.change.cut


def _shown(field: str, text: str | None) -> str | None:
    """As the API writes it; the text may be cut short, so it is not read as JSON."""
    if text is not None and field in ENUMS:
        return text.upper()
    # Inside a text, the quotation mark before the colon would be escaped.
    return text.replace('"postal_code":', '"postalCode":') if text is not None and field == "addresses" else text


@strawberry.type(description="One change of a customer's record; it is never changed.", directives=signed_in())
class CustomerChange:
    item: strawberry.Private[service.HistoryEntry]

    @strawberry.field(description="Who made it.")
    def actor(self) -> Actor:
        return Actor.of(service.Origin.parse(self.item.origin).actor)

    @strawberry.field(description="The system in which it was made; `rapport` for this API.")
    def source(self) -> str:
        return service.Origin.parse(self.item.origin).source

    @strawberry.field(description="When it came about, by its source.")
    def occurred_at(self) -> datetime:
        return self.item.occurred_at

    @strawberry.field(description="When it was written here.")
    def recorded_at(self) -> datetime:
        return self.item.recorded_at

    @strawberry.field(description="What made it, such as `event:` and the event's id.")
    def cause(self) -> str:
        return self.item.cause

    @strawberry.field(description="Whether it was history, taken in by an operator.")
    def replayed(self) -> bool:
        return bool(self.item.replayed)

    @strawberry.field(description="Each field that changed, by name.", directives=[about(5)])
    def fields(self) -> list[FieldChange]:
        return [FieldChange(change=change) for change in service.changes_in(self.item)]


class ChangesByCustomer(PageByCustomer[service.HistoryEntry]):
    def read(self, page: Page) -> list[service.HistoryEntry]:
        return service.changes(self.context.shop, page.customer_id, before=page.before, limit=page.limit)


async def third_parties(context: Context) -> frozenset[str]:
    """The shop's third-party sources as they were at most a minute ago."""
    try:
        shop = await stored(shops.current, context.shop, now=context.now)
    except NotFound:
        return frozenset()
    return frozenset(shop.third_party_sources or ())
