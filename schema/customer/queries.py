# schema/customer/queries.py
"""How customers are found."""

from typing import Annotated

import strawberry
from msgspec.structs import replace

from crm.customers import service
from crm.kernel.errors import InvalidInputs
from schema.access import own, staff
from schema.connections import After, Connection, First, paged, priced
from schema.context import Info, stored
from schema.customer.customer import Customer, customer_by_key, customers_of
from schema.node import key_of
from schema.scalars import EmailAddress, PhoneNumber


@strawberry.input(description="An id that another system gave.")
class ExternalIdInput:
    source: str = strawberry.field(
        description="The system, as its events name themselves: up to 40 of `a-z`, `0-9`, `.`, `_`, `-`."
    )
    value: str = strawberry.field(description="Its id for the customer.")


@strawberry.input(description="Exactly one identifier.", one_of=True)
class CustomerIdentifierInput:
    email: strawberry.Maybe[EmailAddress] = strawberry.field(description="Compared without case.")
    phone: strawberry.Maybe[PhoneNumber] = strawberry.field(description="A phone number.")
    external: strawberry.Maybe[ExternalIdInput] = strawberry.field(description="An id that another system gave.")


def find(shop: str, identifier: CustomerIdentifierInput) -> str | None:
    """The id of the customer who holds the identifier. Raises InvalidInputs for one that nobody can hold."""
    try:
        if identifier.email is not None:
            return service.find(shop, "email", identifier.email.value)
        if identifier.phone is not None:
            return service.find(shop, "phone", identifier.phone.value)
        assert identifier.external is not None
        external = identifier.external.value
        return service.find(shop, "external", external.value, source=external.source)
    except InvalidInputs as error:
        wrong = [replace(fault, path=f"identifier.{fault.path}") for fault in error.faults]
        raise InvalidInputs(wrong) from error


@strawberry.type
class CustomerQuery:
    @strawberry.field(description="The signed-in customer; null for everybody else.", directives=own(None))
    async def viewer(self, info: Info) -> Customer | None:
        customer_id = info.context.principal.customer_id
        return await customer_by_key(info.context, customer_id) if customer_id else None

    @strawberry.field(
        description="A customer by id; null where there is none to be seen.", directives=own("customers:read")
    )
    async def customer(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The customer's `id`, not their `customerId`.")],
    ) -> Customer | None:
        key = key_of("Customer", id)
        return await customer_by_key(info.context, key[0]) if key else None

    @strawberry.field(
        description="The customer who holds an identifier; null where nobody does. What identifies nobody is refused.",
        directives=[*staff("customers:read"), priced(1)],
    )
    async def customer_by_identifier(
        self,
        info: Info,
        identifier: Annotated[CustomerIdentifierInput, strawberry.argument(description="Exactly one of its fields.")],
    ) -> Customer | None:
        customer_id = await stored(find, info.context.shop, identifier)
        return await customer_by_key(info.context, customer_id) if customer_id else None

    @strawberry.field(description="The shop's customers, newest first.", directives=[*staff("customers:read"), paged()])
    async def customers(self, info: Info, first: First = 20, after: After = None) -> Connection[Customer] | None:
        return await customers_of(info.context, first, after)
