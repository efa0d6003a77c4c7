# schema/customer/inputs.py
"""What clients say of customers, and the words of it that the service takes."""

from datetime import date, datetime
from typing import Any, Final

import strawberry
from msgspec.structs import replace

from crm.customers import service
from crm.kernel.errors import Fault
from schema.customer.attributes import AttributeInput, attribute_faults
from schema.customer.parts import CustomerStatus, Gender
from schema.customer.queries import ExternalIdInput
from schema.forms import Null
from schema.node import id_faults
from schema.principal import Kind, Principal
from schema.scalars import CountryCode, EmailAddress, PhoneNumber, TimeZone

STAFF_FIELDS: Final = ("email_verified", "status", "test")


@strawberry.input(description="Where a customer can be reached by post.")
class AddressInput:
    line1: str | None = strawberry.field(default=None, description="Street and number.")
    line2: str | None = strawberry.field(default=None, description="What else the post needs.")
    postal_code: str | None = strawberry.field(default=None, description="Postal code.")
    city: str | None = strawberry.field(default=None, description="Town.")
    region: str | None = strawberry.field(default=None, description="State or province.")
    country: CountryCode | None = strawberry.field(default=None, description="Country.")
    latitude: float | None = strawberry.field(default=None, description="Degrees north (WGS 84), from -90 to 90.")
    longitude: float | None = strawberry.field(default=None, description="Degrees east (WGS 84), from -180 to 180.")


@strawberry.input(description="A new customer, with an identifier or a name at least.")
class CustomerCreateInput:
    external_ids: list[ExternalIdInput] | None = strawberry.field(
        default=None, description="What other systems call them, one id a system."
    )
    email: EmailAddress | None = strawberry.field(default=None, description="Unique in the shop.")
    email_verified: bool = strawberry.field(default=False, description="Whether the address is known to be theirs.")
    phone: PhoneNumber | None = strawberry.field(default=None, description="Unique in the shop.")
    first_name: str | None = strawberry.field(default=None, description="Given name.")
    last_name: str | None = strawberry.field(default=None, description="Family name.")
    locale: str | None = strawberry.field(default=None, description="BCP 47, such as `de-AT`.")
    zone: TimeZone | None = strawberry.field(default=None, description="Where the customer's day begins.")
    birth_date: date | None = strawberry.field(default=None, description="Date of birth.")
    gender: Gender | None = strawberry.field(default=None, description="As the customer states it.")
    tags: list[str] | None = strawberry.field(
        default=None, description="The shop's own words about the customer, 100 at most; trimmed, each once."
    )
    addresses: list[AddressInput] | None = strawberry.field(default=None, description="Postal addresses, 20 at most.")
    test: bool = strawberry.field(default=False, description="A test customer counts in no KPI.")

    def words(self) -> service.Words:
        given = {name: _plain(value) for name, value in vars(self).items() if value is not None}
        external_ids = {external.source: external.value for external in self.external_ids or ()}
        fields = {name: value for name, value in given.items() if name not in {"external_ids", "email_verified"}}
        return service.Words(
            external_ids=external_ids, email_verified=self.email_verified, fields=service.tidied(fields)
        )

    def faults(self, _asker: Principal, now: datetime) -> list[Fault]:
        words = self.words()
        return [
            *service.faults_by_hand(replace(words, external_ids={}), now=now),
            *service.faults_of_external_ids((external.source, external.value) for external in self.external_ids or ()),
            *service.nameless(words),
        ]


@strawberry.input(
    description=(
        "What to change: what is left out stays, null clears. Null is refused for `emailVerified`, `status` and `test`."
    )
)
class CustomerUpdateInput:
    id: strawberry.ID = strawberry.field(description="Which customer.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse where the stored version is another."
    )
    email: strawberry.Maybe[EmailAddress | None] = strawberry.field(
        description=(
            "Unique in the shop where staff say it, which settles what was pending. What customers say becomes "
            "`pendingEmail`; their null takes back what is pending; the "
            "one on record only staff clear."
        )
    )
    email_verified: strawberry.Maybe[bool] = strawberry.field(
        description="Whether `email`, given with it, is known to be theirs. For staff only."
    )
    phone: strawberry.Maybe[PhoneNumber | None] = strawberry.field(description="As `email`.")
    first_name: strawberry.Maybe[str | None] = strawberry.field(description="Given name.")
    last_name: strawberry.Maybe[str | None] = strawberry.field(description="Family name.")
    locale: strawberry.Maybe[str | None] = strawberry.field(description="BCP 47, such as `de-AT`.")
    zone: strawberry.Maybe[TimeZone | None] = strawberry.field(description="Where the customer's day begins.")
    birth_date: strawberry.Maybe[date | None] = strawberry.field(description="Date of birth.")
    gender: strawberry.Maybe[Gender | None] = strawberry.field(description="As the customer states it.")
    addresses: strawberry.Maybe[list[AddressInput] | None] = strawberry.field(description="All of them, 20 at most.")
    status: strawberry.Maybe[CustomerStatus] = strawberry.field(
        description="For staff only: `ACTIVE` or `BLOCKED`; `customerDelete` deletes."
    )
    test: strawberry.Maybe[bool] = strawberry.field(description="For staff only.")

    def words(self) -> service.Words:
        fields = {name: _plain(value) for name, value in self._said().items() if value is not Null.NULL}
        verified = fields.pop("email_verified", False)
        return service.Words(email_verified=verified, fields=service.tidied(fields))

    def faults(self, asker: Principal, now: datetime) -> list[Fault]:
        said = self._said()
        forbidden = [name for name in STAFF_FIELDS if name in said and asker.kind is Kind.CUSTOMER]
        found = [Fault(name, "FORBIDDEN", "is for staff only") for name in forbidden]
        words = self.words()
        if words.email_verified and "email_verified" not in forbidden and not words.fields.get("email"):
            found.append(Fault("email", "REQUIRED", "is the address that is verified"))
        wrong = (one for one in service.faults_by_hand(words, now=now) if one.path not in forbidden)
        return [*id_faults(self.id), *found, *wrong]

    def _said(self) -> dict[str, Any]:
        """By field; the null of one that cannot be cleared is there, too."""
        given = {name: value for name, value in vars(self).items() if isinstance(value, strawberry.Some | Null)}
        return {name: value.value if isinstance(value, strawberry.Some) else value for name, value in given.items()}


@strawberry.input(description="Whom to delete.")
class CustomerDeleteInput:
    id: strawberry.ID = strawberry.field(description="Which customer.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse where the stored version is another."
    )

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return id_faults(self.id)


@strawberry.input(description="Whom to restore.")
class CustomerRestoreInput:
    id: strawberry.ID = strawberry.field(description="Which customer.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse where the stored version is another."
    )

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return id_faults(self.id)


@strawberry.input(description="Tags to give one customer.")
class CustomerTagsAddInput:
    id: strawberry.ID = strawberry.field(description="Which customer.")
    tags: list[str] = strawberry.field(
        description="The tags to add; a customer has 100 at most, of 200 characters each."
    )

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return [*id_faults(self.id), *service.tag_faults(self.tags)]


@strawberry.input(description="Tags to take from one customer.")
class CustomerTagsRemoveInput:
    id: strawberry.ID = strawberry.field(description="Which customer.")
    tags: list[str] = strawberry.field(description="The tags to remove.")


@strawberry.input(description="Values of the shop's own attributes.")
class CustomerAttributesSetInput:
    id: strawberry.ID = strawberry.field(description="Which customer.")
    attributes: list[AttributeInput] = strawberry.field(
        description="Those to set or clear, 90 at most; the others stay."
    )

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return [*id_faults(self.id), *attribute_faults(self.attributes)]


def _plain(value: Any) -> Any:
    """Input values as the service takes them."""
    match value:
        case Gender() | CustomerStatus():
            return value.value
        case date():
            return value.isoformat()
        case AddressInput():
            return {name: part for name, part in vars(value).items() if part is not None}
        case [AddressInput(), *_]:
            return [_plain(address) for address in value]
    return value
