# schema/attribute.py
"""A shop's own attributes: what they are, and how they are defined."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import strawberry

from crm.customers import service
from crm.kernel.errors import Fault
from schema.access import own, signed_in, staff
from schema.connections import about
from schema.context import GIVEN, Context, Info, Loader, stored
from schema.customer.history import Party
from schema.errors import AnswersRefusals, UserError
from schema.forms import said
from schema.node import Node, global_id
from schema.principal import Kind, Principal
from schema.scalars import CurrencyCode


@strawberry.enum(description="What kind of value an attribute has.")
class AttributeType(Enum):
    TEXT = strawberry.enum_value("text", description="A text of at most 500 characters.")
    NUMBER = strawberry.enum_value("number", description="An exact decimal number.")
    MONEY = strawberry.enum_value("money", description="An amount of one currency.")
    DATE = strawberry.enum_value("date", description="A calendar day.")
    BOOLEAN = strawberry.enum_value("boolean", description="True or false.")
    CHOICE = strawberry.enum_value("choice", description="One of the choices that the definition lists.")
    LIST = strawberry.enum_value("list", description="At most 100 values of one of the other types, in their order.")


@strawberry.enum(description="What customers may do with an attribute of their own record.")
class AttributeCustomerAccess(Enum):
    HIDDEN = strawberry.enum_value("hidden", description="Nothing: to them there is none.")
    VISIBLE = strawberry.enum_value("visible", description="See it.")
    EDITABLE = strawberry.enum_value("editable", description="See and set it.")


@strawberry.type(description="One of the values that a choice can have.", directives=signed_in())
class AttributeChoice:
    key: str = strawberry.field(description="What is stored and sent.")
    name: str = strawberry.field(description="What people read.")


@strawberry.type(description="An attribute that the shop keeps of its customers.", directives=own("customers:read"))
class AttributeDefinition(Node):
    item: strawberry.Private[service.AttributeDefinition]

    @strawberry.field(description="Opaque.", directives=signed_in())
    def id(self) -> strawberry.ID:
        return global_id("AttributeDefinition", self.item.key)

    @strawberry.field(description="What events and inputs name it by; it never changes.")
    def key(self) -> str:
        return self.item.key

    @strawberry.field(description="What people read.")
    def name(self) -> str:
        return self.item.name

    @strawberry.field(description="What it is for.")
    def description(self) -> str | None:
        return self.item.description

    @strawberry.field(description="It never changes.")
    def type(self) -> AttributeType:
        return AttributeType(self.item.type)

    @strawberry.field(description="Of a list: what it is a list of; it never changes.")
    def element_type(self) -> AttributeType | None:
        return AttributeType(self.item.element_type) if self.item.element_type else None

    @strawberry.field(description="Of a choice, or a list of choices: all of them, in order.", directives=[about(10)])
    def choices(self) -> list[AttributeChoice]:
        return [AttributeChoice(key=choice["key"], name=choice["name"]) for choice in self.item.choices]

    @strawberry.field(description="Of money: the one currency it may be in; null: any.")
    def currency(self) -> CurrencyCode | None:
        return CurrencyCode(self.item.currency) if self.item.currency else None

    @strawberry.field(description="Whose data it is, whoever says it.", directives=staff("customers:read"))
    def party(self) -> Party:
        return Party(self.item.party)

    @strawberry.field(description="What customers may do with it.")
    def customer_access(self) -> AttributeCustomerAccess:
        return AttributeCustomerAccess(self.item.customer_access)

    @strawberry.field(description="Since when it takes no values any more; those that are there stay.")
    def retired_at(self) -> datetime | None:
        return self.item.retired_at

    @strawberry.field(
        description="Give it as `expectedVersion` to change what was read.", directives=staff("customers:read")
    )
    def version(self) -> int:
        return int(self.item.rev)

    @strawberry.field(description="When it was first defined.", directives=staff("customers:read"))
    def created_at(self) -> datetime:
        return self.item.created_at

    @strawberry.field(description="When the definition last changed.", directives=staff("customers:read"))
    def updated_at(self) -> datetime:
        return self.item.updated_at


def may_see(context: Context, item: service.AttributeDefinition) -> bool:
    return context.principal.kind is not Kind.CUSTOMER or item.customer_access != service.HIDDEN


class DefinitionsByShop(Loader[str, service.Definitions]):
    """As they were at most a minute ago."""

    async def load_many(self, keys: list[str]) -> list[service.Definitions]:
        return [await stored(service.attribute_definitions_of, shop, now=self.context.now) for shop in keys]


async def definition_by_key(context: Context, key: str) -> AttributeDefinition | None:
    """None for one that is not there, or is not the caller's to see."""
    known = await context.loader(DefinitionsByShop).load(context.shop)
    item = known.get(key)
    return AttributeDefinition(item=item) if item is not None and may_see(context, item) else None


@strawberry.input(description="A choice.")
class AttributeChoiceInput:
    key: str = strawberry.field(description="What is stored and sent: 1 to 64 letters, digits, `_`, `.` and `-`.")
    name: str = strawberry.field(description="What people read.")


@strawberry.input(
    description="A new attribute, or what changes about one: what is left out stays. The type never changes."
)
class AttributeDefineInput:
    key: str = strawberry.field(description="A lower-case letter, then letters, digits and `_`; at most 40.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse where the stored version is another; 0: where it is defined already."
    )
    name: strawberry.Maybe[str] = strawberry.field(description="What people read. A new attribute needs it.")
    type: strawberry.Maybe[AttributeType] = strawberry.field(description="A new attribute needs it.")
    element_type: strawberry.Maybe[AttributeType] = strawberry.field(
        description="What a list is of. A new list needs it."
    )
    description: strawberry.Maybe[str | None] = strawberry.field(description="What it is for.")
    choices: strawberry.Maybe[list[AttributeChoiceInput]] = strawberry.field(
        description="All of them, 100 at most. Values that have one that is gone keep it."
    )
    currency: strawberry.Maybe[CurrencyCode | None] = strawberry.field(
        description="The one currency money may be in; null: any."
    )
    party: strawberry.Maybe[Party] = strawberry.field(description="Whose data it is; `FIRST` unless it is said.")
    customer_access: strawberry.Maybe[AttributeCustomerAccess] = strawberry.field(
        description="What customers may do with it; `HIDDEN` unless it is said."
    )

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return service.faults_of_definition(self.key, self.fields())

    def fields(self) -> service.AttributeFields:
        given: dict[str, Any] = {name: _plain(value) for name, value in said(self).items()}
        return service.AttributeFields(**given)


@strawberry.input(description="An attribute that shall take no more values.")
class AttributeRetireInput:
    key: str = strawberry.field(description="Which attribute.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse where the stored version is another."
    )


@strawberry.type(description="The definition as it is now, or why it is not so.", directives=signed_in())
class AttributeDefinePayload:
    definition: AttributeDefinition | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The definition as it is now, or why it is not so.", directives=signed_in())
class AttributeRetirePayload:
    definition: AttributeDefinition | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type
class AttributeQuery:
    @strawberry.field(
        description="The attributes that the shop keeps of its customers, by key; to customers those they may see.",
        directives=[*own("customers:read"), about(50)],
    )
    async def attribute_definitions(
        self,
        info: Info,
        include_retired: Annotated[  # noqa: FBT002  a GraphQL argument is named
            bool | None, strawberry.argument(description="Also those that take no values any more.")
        ] = False,
    ) -> list[AttributeDefinition]:
        known = await info.context.loader(DefinitionsByShop).load(info.context.shop)
        return [
            AttributeDefinition(item=item)
            for _, item in sorted(known.items())
            if may_see(info.context, item) and (include_retired or item.retired_at is None)
        ]


@strawberry.type
class AttributeMutation:
    @strawberry.mutation(
        description="Define an attribute of customers, or change its definition. A shop has 200 at most.",
        extensions=[AnswersRefusals()],
        directives=staff("shop:write"),
    )
    async def attribute_define(
        self, info: Info, input: Annotated[AttributeDefineInput, GIVEN]
    ) -> AttributeDefinePayload:
        item = await stored(
            service.define_attribute,
            info.context.shop,
            input.key,
            input.fields(),
            now=info.context.now,
            expected_version=input.expected_version,
        )
        return AttributeDefinePayload(definition=AttributeDefinition(item=item))

    @strawberry.mutation(
        description="Take no more values of an attribute. Those that are there stay; defining it again revives it.",
        extensions=[AnswersRefusals()],
        directives=staff("shop:write"),
    )
    async def attribute_retire(
        self, info: Info, input: Annotated[AttributeRetireInput, GIVEN]
    ) -> AttributeRetirePayload:
        item = await stored(
            service.retire_attribute,
            info.context.shop,
            input.key,
            now=info.context.now,
            expected_version=input.expected_version,
        )
        return AttributeRetirePayload(definition=AttributeDefinition(item=item))


def _plain(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case list():
            return [(choice.key, choice.name) for choice in value]
    return value
