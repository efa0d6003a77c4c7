# schema/customer/attributes.py
"""The shop's own attributes of a customer, as clients see and set them."""

from collections.abc import Sequence
from datetime import date as Day  # noqa: N812  a field is called date
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from crm.customers import service
from crm.kernel.errors import Fault
from schema.access import own, signed_in, staff
from schema.attribute import AttributeChoice, AttributeDefinition, may_see
from schema.connections import about
from schema.context import Context, Loader, stored
from schema.customer.history import FieldProvenance, third_parties
from schema.customer.record import Record
from schema.scalars import CurrencyCode, DecimalText, Money


@strawberry.type(description="A text.", directives=signed_in())
class TextValue:
    text: str = strawberry.field(description="As it was written.")


@strawberry.type(description="A number.", directives=signed_in())
class NumberValue:
    number: DecimalText = strawberry.field(description="Exact.")


@strawberry.type(description="An amount.", directives=signed_in())
class MoneyValue:
    money: Money = strawberry.field(description="Of one currency.")


@strawberry.type(description="A day.", directives=signed_in())
class DateValue:
    date: Day = strawberry.field(description="In no zone.")


@strawberry.type(description="A flag.", directives=signed_in())
class BooleanValue:
    boolean: bool = strawberry.field(description="True or false.")


@strawberry.type(description="One of the choices of the definition.", directives=signed_in())
class ChoiceValue:
    choice: AttributeChoice = strawberry.field(
        description="With its name; one that the definition no longer has is named by its key."
    )


@strawberry.type(description="Several values of one type.", directives=signed_in())
class ListValue:
    elements: "list[AttributeValue]" = strawberry.field(
        description="In their order; none of them is a list.", directives=[about(10)]
    )


AttributeValue = Annotated[
    TextValue | NumberValue | MoneyValue | DateValue | BooleanValue | ChoiceValue | ListValue,
    strawberry.union("AttributeValue", description="A value of an attribute, by its type."),
]


@strawberry.type(
    description="One of the shop's own attributes, as a customer has it.", directives=own("customers:read")
)
class Attribute:
    item: strawberry.Private[service.AttributeValue]
    third: strawberry.Private[bool]

    @strawberry.field(description="Its definition's key.")
    def key(self) -> str:
        return self.item.definition.key

    @strawberry.field(description="What it is.")
    def definition(self) -> AttributeDefinition:
        return AttributeDefinition(item=self.item.definition)

    @strawberry.field(description="Its value.")
    def value(self) -> AttributeValue:
        definition = self.item.definition
        if definition.type == service.LIST:
            return ListValue(elements=[_shown(definition, definition.element_type, each) for each in self.item.value])
        return _shown(definition, definition.type, self.item.value)

    @strawberry.field(description="Where it comes from.", directives=staff("customers:read"))
    def provenance(self) -> FieldProvenance:
        return FieldProvenance(item=self.item.provenance, third=self.third)


@strawberry.input(description="An amount of one currency.")
class AttributeMoneyInput:
    amount: DecimalText = strawberry.field(description="In whole units, no finer than the currency.")
    currency_code: CurrencyCode = strawberry.field(description="The currency.")


@strawberry.input(description="An element of a list: exactly one, of the type that the definition says.", one_of=True)
class AttributeElementInput:
    text: strawberry.Maybe[str] = strawberry.field(description="A text.")
    number: strawberry.Maybe[DecimalText] = strawberry.field(description="A number.")
    money: strawberry.Maybe[AttributeMoneyInput] = strawberry.field(description="An amount.")
    date: strawberry.Maybe[Day] = strawberry.field(description="A day.")
    boolean: strawberry.Maybe[bool] = strawberry.field(description="A flag.")
    choice: strawberry.Maybe[str] = strawberry.field(description="The key of a choice.")


Elements = list[AttributeElementInput]  # a field is called list


@strawberry.input(description="A value: exactly one, of the type that the definition says.", one_of=True)
class AttributeValueInput:
    text: strawberry.Maybe[str] = strawberry.field(description="A text.")
    number: strawberry.Maybe[DecimalText] = strawberry.field(description="A number.")
    money: strawberry.Maybe[AttributeMoneyInput] = strawberry.field(description="An amount.")
    date: strawberry.Maybe[Day] = strawberry.field(description="A day.")
    boolean: strawberry.Maybe[bool] = strawberry.field(description="A flag.")
    choice: strawberry.Maybe[str] = strawberry.field(description="The key of a choice.")
    list: strawberry.Maybe[Elements] = strawberry.field(description="All elements; an empty list clears.")


@strawberry.input(description="A value of one attribute.")
class AttributeInput:
    key: str = strawberry.field(description="The definition's key.")
    value: AttributeValueInput | None = strawberry.field(description="Null clears.")


def attribute_faults(attributes: Sequence[AttributeInput]) -> list[Fault]:
    """What is wrong whatever the shop has defined."""
    if len(attributes) > service.MOST_AT_ONCE:
        return [Fault("attributes", "TOO_MANY", f"must be {service.MOST_AT_ONCE} at most")]
    keys = [attribute.key for attribute in attributes]
    return [
        Fault(f"attributes.{index}.key", "DUPLICATE", "is said before")
        for index, key in enumerate(keys)
        if key in keys[:index]
    ]


def given(attributes: Sequence[AttributeInput]) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """What is said by key, and where in the input its value stands, and the key; of what has no `attribute_faults`."""
    values: dict[str, Any] = {}
    paths: dict[str, str] = {}
    keys: dict[str, str] = {}
    for index, attribute in enumerate(attributes):
        said = _said(attribute.value) if attribute.value else None
        values[attribute.key] = said
        paths[attribute.key] = f"attributes.{index}.value" + (f".{said.type}" if said else "")
        keys[attribute.key] = f"attributes.{index}.key"
    return values, paths, keys


class AttributesByCustomer(Loader[str, service.CustomerAttributes]):
    """Those of a page of customers in batch reads."""

    async def load_many(self, keys: list[str]) -> Sequence[service.CustomerAttributes]:
        found = await stored(service.attributes_of, self.context.shop, keys)
        return [found[key] for key in keys]


async def attributes_of(context: Context, record: Record, keys: list[str] | None) -> list[Attribute]:
    """By key, all or those of `keys`; to customers, those they may see."""
    wanted = None if keys is None else set(keys)
    found = await stored(
        service.attribute_values_of,
        await context.loader(AttributesByCustomer).load(record.profile.customer_id),
        context.shop,
        now=context.now,
        shows=lambda definition: may_see(context, definition) and (wanted is None or definition.key in wanted),
    )
    third = await third_parties(context) if found and "Attribute.provenance" in context.uses else frozenset()
    return [Attribute(item=each, third=each.is_third_party(third)) for each in found]


def _said(value: AttributeValueInput | AttributeElementInput) -> service.Typed:
    kind, said = next((name, some.value) for name, some in vars(value).items() if isinstance(some, strawberry.Some))
    match said:
        case list():
            said = [_said(element) for element in said]
        case AttributeMoneyInput():
            said = {"amount": format(said.amount, "f"), "currency": said.currency_code}
        case Day():
            said = said.isoformat()
        case bool() | str():
            pass
        case _:
            said = format(said, "f")
    return service.Typed(kind, said)


def _shown(definition: service.AttributeDefinition, kind: str | None, value: Any) -> AttributeValue:
    """Of one type but a list."""
    match kind:
        case service.NUMBER:
            return NumberValue(number=DecimalText(Decimal(value)))
        case service.MONEY:
            return MoneyValue(money=Money.of(value["minor"], value["currency"]))
        case service.DATE:
            return DateValue(date=Day.fromisoformat(value))
        case service.BOOLEAN:
            return BooleanValue(boolean=value)
        case service.CHOICE:
            name = next((choice["name"] for choice in definition.choices if choice["key"] == value), value)
            return ChoiceValue(choice=AttributeChoice(key=value, name=name))
    return TextValue(text=value)
