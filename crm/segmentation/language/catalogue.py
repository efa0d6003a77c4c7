# crm/segmentation/language/catalogue.py
"""All that a query of one shop may name: the vocabulary, the shop's own attributes, and its segments."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from msgspec import Struct, field

from crm.kernel.money import Money
from crm.segmentation.language.facts import Attribute as OwnValue
from crm.segmentation.language.facts import Fact, read
from crm.segmentation.language.kinds import DATE, FLAG, NUMBER, TEXT, Kind, Type, choice, folded
from crm.segmentation.language.reading import Reads
from crm.segmentation.language.tree import Query
from crm.segmentation.language.truth import Moment
from crm.segmentation.language.vocabulary import behaviour, buying, orders, profile, relations, special
from crm.segmentation.language.words import Attribute, Function, Group

ATTRIBUTES: Final[Mapping[str, Attribute]] = {
    attribute.name: attribute
    for attribute in (
        *profile.PROFILE,
        *profile.ACQUISITION,
        *relations.CONSENT,
        *relations.LOYALTY,
        *buying.BUYING,
        *behaviour.BEHAVIOUR,
        *relations.RFM,
    )
}
FUNCTIONS: Final[Mapping[str, Function]] = {
    function.name: function for function in (*orders.ORDERS, *behaviour.FUNCTIONS, *special.SPECIAL)
}
CALLED_HERE: Final = {"customer_account_status": "customer_status"}
"""The attributes that come nearest to those that Shopify has and we have under another name."""
EVENTS_HERE: Final = {
    "storefront.product_viewed": "product.viewed",
    "storefront_event.product_viewed": "product.viewed",
}
"""Shopify's functions that are types of events here."""
OWN: Final = "attributes."
"""Before the key of one of the shop's own attributes."""


class OwnAttribute(Struct, frozen=True):
    """What a shop defined (crm/customers/attributes.py says what types there are). `element` is that of a list's."""

    key: str
    name: str
    type: str
    element: str | None = None
    choices: tuple[str, ...] = ()
    currency: str | None = None
    retired: bool = False


class Segment(Struct, frozen=True):
    """One that queries may name. Without a query, its members are set by hand."""

    id: str
    name: str
    query: Query | None = None


class Catalogue(Struct, frozen=True):
    """`currency` is the shop's; `own` by key, `segments` by id."""

    currency: str
    own: Mapping[str, OwnAttribute] = field(default_factory=dict)
    segments: Mapping[str, Segment] = field(default_factory=dict)

    def attribute(self, name: str) -> Attribute | None:
        if name.startswith(OWN):
            definition = self.own.get(name.removeprefix(OWN))
            return _own(definition, self.currency) if definition else None
        return ATTRIBUTES.get(name)

    def attributes(self) -> Iterator[Attribute]:
        """Those that a new query may name."""
        yield from ATTRIBUTES.values()
        yield from (_own(each, self.currency) for each in self.own.values() if not each.retired)

    def segment(self, said: str) -> Segment | None:
        """By id, or else by name, whatever its case."""
        if said in self.segments:
            return self.segments[said]
        return next((each for each in self.segments.values() if folded(each.name) == folded(said)), None)


def own_value(definition: OwnAttribute, stored: Any) -> OwnValue | None:
    """A value of a shop's own attribute as facts hold it, from how it is stored (crm/customers/attributes.py)."""
    if stored is None:
        return None
    if definition.element is not None:
        element = OwnAttribute(definition.key, definition.name, definition.element)
        return tuple(value for each in stored if (value := own_value(element, each)) is not None)  # type: ignore[misc]
    match definition.type:
        case "number":
            return Decimal(stored)
        case "money":
            return Money(stored["minor"], stored["currency"])
        case "date":
            return date.fromisoformat(stored)
    return bool(stored) if definition.type == "boolean" else str(stored)


def _own(definition: OwnAttribute, currency: str) -> Attribute:
    type_ = _type(definition)

    def known(moment: Moment) -> Any:
        value = read(moment.facts.attributes, Fact.ATTRIBUTES).get(definition.key)
        if type_.kind is Kind.LIST:
            listed = value if isinstance(value, tuple) else ()
            return tuple(found for each in listed if (found := _compared(each, type_.of_values, currency)) is not None)
        return None if value is None else _compared(value, type_, currency)

    return Attribute(
        f"{OWN}{definition.key}",
        type_,
        Group.OWN,
        definition.name,
        f"{OWN}{definition.key} IS NOT NULL",
        Fact.ATTRIBUTES,
        known,
        unknown="" if type_.kind is Kind.LIST else "without a value",
        reads=Reads(frozenset({Fact.ATTRIBUTES}), attributes=frozenset({definition.key})),
        retired=definition.retired,
    )


def _type(definition: OwnAttribute) -> Type:
    simple = {"text": TEXT, "number": NUMBER, "date": DATE, "boolean": FLAG}
    kind = definition.element or definition.type
    if kind == "choice":
        found = choice(*definition.choices)
    elif kind == "money":
        found = Type(Kind.MONEY, currency=definition.currency)
    else:
        found = simple[kind]
    return Type(Kind.LIST, element=found) if definition.element is not None else found


def _compared(value: Any, type_: Type, currency: str) -> Any:
    """Amounts in another currency than the query's are not compared: they are unknown."""
    if isinstance(value, Money):
        return value.minor if value.currency == (type_.currency or currency) else None
    return Fraction(value) if isinstance(value, Decimal) else value
