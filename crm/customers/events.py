# crm/customers/events.py
"""What customers publish."""

from datetime import datetime
from typing import ClassVar, Self

from crm.customers.models import AttributeDefinition, Customer, CustomerAttributes
from crm.kernel import clock
from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id
from crm.kernel.table import whose


class CustomerRecorded(DomainEvent, frozen=True):
    """A profile is new or has changed. It says who, never what: the profile is personal."""

    detail_type: ClassVar[str] = "customer.recorded"

    id: str
    shop: str
    customer_id: str
    rev: int
    status: str
    test: bool
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, customer: Customer) -> Self:
        return cls(
            id=change_id(customer),
            shop=customer.shop,
            customer_id=customer.customer_id,
            rev=int(customer.rev),
            status=customer.status,
            test=bool(customer.test),
            occurred_at=customer.changed_at,
            cause=customer.cause or "",
            replayed=bool(customer.replayed),
        )


class AttributesRecorded(DomainEvent, frozen=True):
    """Values of the shop's own attributes have changed: those of `keys`, never what they are."""

    detail_type: ClassVar[str] = "attributes.recorded"

    id: str
    shop: str
    customer_id: str
    rev: int
    keys: tuple[str, ...]
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, attributes: CustomerAttributes, before: CustomerAttributes | None) -> Self | None:
        """Nothing where only times or origins have moved."""
        known = before.states if before is not None else {}
        keys = sorted(
            key
            for key, state in attributes.states.items()
            if state["value"] != (known[key]["value"] if key in known else None)
        )
        if not keys:
            return None
        shop, customer_id = whose(attributes.pk)
        return cls(
            id=change_id(attributes),
            shop=shop,
            customer_id=customer_id,
            rev=int(attributes.rev),
            keys=tuple(keys),
            occurred_at=max(clock.parse(attributes.states[key]["at"]) for key in keys),
            cause=attributes.cause or "",
            replayed=bool(attributes.replayed),
        )


class AttributeDefined(DomainEvent, frozen=True):
    """What may be asked about one of the shop's own attributes is another: it has other choices, or is in another
    currency.
    """

    detail_type: ClassVar[str] = "attribute.defined"

    id: str
    shop: str
    key: str
    rev: int
    cause: str
    replayed: bool

    @classmethod
    def of(cls, definition: AttributeDefinition, before: AttributeDefinition | None) -> Self | None:
        """Nothing of one that is new, which nobody asks about yet, and of one that is retired: it is asked about as
        before.
        """
        if before is None or _asked_of(before) == _asked_of(definition):
            return None
        return cls(
            id=change_id(definition),
            shop=str(definition.pk).split("#")[1],
            key=definition.key,
            rev=int(definition.rev),
            cause=definition.cause or "",
            replayed=bool(definition.replayed),
        )


def _asked_of(definition: AttributeDefinition) -> tuple[frozenset[str], str | None]:
    return frozenset(choice["key"] for choice in definition.choices), definition.currency
