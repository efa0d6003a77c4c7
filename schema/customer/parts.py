# schema/customer/parts.py
"""What a customer's record is made of."""

from enum import Enum

import strawberry

from crm.customers import service
from schema.access import signed_in
from schema.scalars import CountryCode


@strawberry.enum(description="Whether a customer takes part.")
class CustomerStatus(Enum):
    ACTIVE = strawberry.enum_value("active", description="Takes part in everything.")
    BLOCKED = strawberry.enum_value(
        "blocked",
        description=(
            "Takes no part: their own token sees nothing of them and changes nothing (`CUSTOMER_BLOCKED`) but takes "
            "consents back, their app's events are refused, and nothing is sent to them. Staff see and change "
            "everything; what shops tell of them is recorded and counts."
        ),
    )
    DELETED = strawberry.enum_value(
        "deleted",
        description=(
            "As `BLOCKED`, and hidden: in no list and no segment, found and restored only by staff with the scope "
            "`customers:delete`. Their orders stay the shop's and count; their identifiers stay theirs. Set by "
            "`customerDelete`, undone by `customerRestore`."
        ),
    )


@strawberry.enum(description="As the customer states it.")
class Gender(Enum):
    FEMALE = strawberry.enum_value("female", description="Female.")
    MALE = strawberry.enum_value("male", description="Male.")
    OTHER = strawberry.enum_value("other", description="Neither.")
    UNDISCLOSED = strawberry.enum_value("undisclosed", description="Would rather not say.")


@strawberry.type(description="Where a customer can be reached by post.", directives=signed_in())
class Address:
    item: strawberry.Private[service.Address]

    @strawberry.field(description="Street and number.")
    def line1(self) -> str | None:
        return self.item.line1

    @strawberry.field(description="What else the post needs.")
    def line2(self) -> str | None:
        return self.item.line2

    @strawberry.field(description="Postal code.")
    def postal_code(self) -> str | None:
        return self.item.postal_code

    @strawberry.field(description="Town.")
    def city(self) -> str | None:
        return self.item.city

    @strawberry.field(description="State or province.")
    def region(self) -> str | None:
        return self.item.region

    @strawberry.field(description="Country.")
    def country(self) -> CountryCode | None:
        return CountryCode(self.item.country) if self.item.country else None

    @strawberry.field(description="Degrees north (WGS 84), where the source gave them.")
    def latitude(self) -> float | None:
        return self.item.latitude

    @strawberry.field(description="Degrees east (WGS 84), where the source gave them.")
    def longitude(self) -> float | None:
        return self.item.longitude


@strawberry.type(description="An identifier that came with a customer's events.", directives=signed_in())
class Identity:
    item: strawberry.Private[service.IdentityClaim]

    @strawberry.field(description="`email`, `phone`, or `external:` and the source.")
    def kind(self) -> str:
        return self.item.kind

    @strawberry.field(description="In the form in which identifiers are compared.")
    def value(self) -> str:
        return self.item.value

    @strawberry.field(description="Whether the source vouches for it.")
    def verified(self) -> bool:
        return bool(self.item.verified)

    @strawberry.field(description="It belongs to another customer, who keeps it.")
    def conflicting(self) -> bool:
        return bool(self.item.conflicting)
