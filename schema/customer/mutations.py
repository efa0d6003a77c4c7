# schema/customer/mutations.py
"""How customers are founded and changed."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Final

import strawberry

from crm.customers import service
from crm.kernel.errors import Fault, InvalidInputs, NotFound
from schema.access import own, signed_in, staff
from schema.context import GIVEN, Context, Info, stored
from schema.customer.attributes import AttributeInput, given
from schema.customer.customer import Customer
from schema.customer.parts import CustomerStatus, Gender
from schema.customer.queries import ExternalIdInput
from schema.customer.record import Record, RecordByCustomer, heads_used
from schema.errors import AnswersRefusals, UserError
from schema.node import key_of
from schema.principal import Kind
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
        """Raises InvalidInputs where a system is said to have two ids for the one customer."""
        given = {name: _plain(value) for name, value in vars(self).items() if value is not None}
        sources = [external.source for external in self.external_ids or ()]
        repeated = [index for index, source in enumerate(sources) if source in sources[:index]]
        if repeated:
            message = "must be unlike those before it"
            raise InvalidInputs([Fault(f"external_ids.{index}.source", "DUPLICATE", message) for index in repeated])
        external_ids = {external.source: external.value for external in self.external_ids or ()}
        fields = {name: value for name, value in given.items() if name not in {"external_ids", "email_verified"}}
        return service.Words(external_ids=external_ids, email_verified=self.email_verified, fields=fields)


@strawberry.input(
    description="What to change: what is left out stays, null clears. Null is refused for `status` and `test`."
)
class CustomerUpdateInput:
    id: strawberry.ID = strawberry.field(description="Which customer.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse where the stored version is another."
    )
    email: strawberry.Maybe[EmailAddress | None] = strawberry.field(
        description=(
            "Unique in the shop where staff say it, which settles what was pending. What customers say becomes "
            "`pendingEmail`; their null takes back what is pending."
        )
    )
    email_verified: bool = strawberry.field(
        default=False, description="Whether `email`, given with it, is known to be theirs. For staff only."
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
        given = {name: value for name, value in vars(self).items() if isinstance(value, strawberry.Some)}
        fields = {name: _plain(some.value) for name, some in given.items()}
        if self.email_verified and not fields.get("email"):
            raise InvalidInputs([Fault("email", "REQUIRED", "is the address that is verified")])
        return service.Words(email_verified=self.email_verified, fields=fields)


@strawberry.input(description="Whom to delete.")
class CustomerDeleteInput:
    id: strawberry.ID = strawberry.field(description="Which customer.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse where the stored version is another."
    )


@strawberry.input(description="Whom to restore.")
class CustomerRestoreInput:
    id: strawberry.ID = strawberry.field(description="Which customer.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse where the stored version is another."
    )


@strawberry.input(description="Tags to give one customer.")
class CustomerTagsAddInput:
    id: strawberry.ID = strawberry.field(description="Which customer.")
    tags: list[str] = strawberry.field(
        description="The tags to add; a customer has 100 at most, of 200 characters each."
    )


@strawberry.input(description="Tags to take from one customer.")
class CustomerTagsRemoveInput:
    id: strawberry.ID = strawberry.field(description="Which customer.")
    tags: list[str] = strawberry.field(description="The tags to remove.")


@strawberry.input(description="Values of the shop's own attributes.")
class CustomerAttributesSetInput:
    id: strawberry.ID = strawberry.field(description="Which customer.")
    attributes: list[AttributeInput] = strawberry.field(description="Those to set or clear; the others stay.")


@strawberry.type(description="The new customer, or why there is none.", directives=signed_in())
class CustomerCreatePayload:
    customer: Customer | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The customer as they are now, or why they are not changed.", directives=signed_in())
class CustomerUpdatePayload:
    customer: Customer | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The customer as they are now, or why they are not deleted.", directives=signed_in())
class CustomerDeletePayload:
    customer: Customer | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The customer as they are now, or why they are not restored.", directives=signed_in())
class CustomerRestorePayload:
    customer: Customer | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The customer as they are now, or why they are not changed.", directives=signed_in())
class CustomerTagsAddPayload:
    customer: Customer | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The customer as they are now, or why they are not changed.", directives=signed_in())
class CustomerTagsRemovePayload:
    customer: Customer | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The customer as they are now, or why they are not changed.", directives=signed_in())
class CustomerAttributesSetPayload:
    customer: Customer | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type
class CustomerMutation:
    @strawberry.mutation(
        description="Found a customer. An e-mail address, phone number or external id that somebody holds is refused.",
        extensions=[AnswersRefusals()],
        directives=staff("customers:write"),
    )
    async def customer_create(self, info: Info, input: Annotated[CustomerCreateInput, GIVEN]) -> CustomerCreatePayload:
        profile = await stored(
            service.create, info.context.shop, input.words(), now=info.context.now, by=info.context.principal.actor
        )
        return CustomerCreatePayload(customer=_customer(info.context, profile))

    @strawberry.mutation(
        description="Change a customer's record field by field.",
        extensions=[AnswersRefusals()],
        directives=own("customers:write"),
    )
    async def customer_update(self, info: Info, input: Annotated[CustomerUpdateInput, GIVEN]) -> CustomerUpdatePayload:
        context = info.context
        customer_id, words = _named(context, input.id), input.words()
        if context.principal.kind is Kind.CUSTOMER:
            said = {*words.fields, *(["email_verified"] if words.email_verified else [])}
            forbidden = [Fault(name, "FORBIDDEN", "is for staff only") for name in STAFF_FIELDS if name in said]
            if forbidden:
                raise InvalidInputs(forbidden)
            # Nobody has verified that the address is theirs: it must not bring them somebody else's orders.
            words = replace(words, vouched=False)
        profile = await stored(
            service.update,
            context.shop,
            customer_id,
            words,
            now=context.now,
            by=context.principal.actor,
            expected_version=input.expected_version,
        )
        return CustomerUpdatePayload(customer=await _reread(context, profile))

    @strawberry.mutation(
        description=(
            "Hide a customer and bar them (status `DELETED`). Nothing is erased: their orders count as before, and "
            "what shops tell of them later is recorded and shows nobody. Deleting again changes nothing."
        ),
        extensions=[AnswersRefusals()],
        directives=staff("customers:delete"),
    )
    async def customer_delete(self, info: Info, input: Annotated[CustomerDeleteInput, GIVEN]) -> CustomerDeletePayload:
        context = info.context
        customer_id, expected = _named(context, input.id), input.expected_version
        profile = await stored(
            service.delete,
            context.shop,
            customer_id,
            now=context.now,
            by=context.principal.actor,
            expected_version=expected,
        )
        return CustomerDeletePayload(customer=await _reread(context, profile))

    @strawberry.mutation(
        description="Undo a deletion; who was blocked before is blocked again. Restoring again changes nothing.",
        extensions=[AnswersRefusals()],
        directives=staff("customers:delete"),
    )
    async def customer_restore(
        self, info: Info, input: Annotated[CustomerRestoreInput, GIVEN]
    ) -> CustomerRestorePayload:
        context = info.context
        customer_id, expected = _named(context, input.id), input.expected_version
        profile = await stored(
            service.restore,
            context.shop,
            customer_id,
            now=context.now,
            by=context.principal.actor,
            expected_version=expected,
        )
        return CustomerRestorePayload(customer=await _reread(context, profile))

    @strawberry.mutation(
        description="Set or clear the shop's own attributes of a customer: all of them or, where one is refused, none. "
        "Customers set those that the shop lets them. The profile's `version` stays.",
        extensions=[AnswersRefusals()],
        directives=own("customers:write"),
    )
    async def customer_attributes_set(
        self, info: Info, input: Annotated[CustomerAttributesSetInput, GIVEN]
    ) -> CustomerAttributesSetPayload:
        context = info.context
        customer_id = _named(context, input.id)
        values, paths = given(input.attributes)
        profile = await stored(
            service.set_attributes,
            context.shop,
            customer_id,
            values,
            now=context.now,
            by=context.principal.actor,
            path=paths.__getitem__,
        )
        return CustomerAttributesSetPayload(customer=await _reread(context, profile))

    @strawberry.mutation(
        description="Add tags to a customer; those that are there stay.",
        extensions=[AnswersRefusals()],
        directives=staff("customers:write"),
    )
    async def customer_tags_add(
        self, info: Info, input: Annotated[CustomerTagsAddInput, GIVEN]
    ) -> CustomerTagsAddPayload:
        context = info.context
        customer_id = _named(context, input.id)
        profile = await stored(
            service.change_tags,
            context.shop,
            customer_id,
            add=input.tags,
            now=context.now,
            by=context.principal.actor,
        )
        return CustomerTagsAddPayload(customer=await _reread(context, profile))

    @strawberry.mutation(
        description="Take tags from a customer; those that are not there are no error.",
        extensions=[AnswersRefusals()],
        directives=staff("customers:write"),
    )
    async def customer_tags_remove(
        self, info: Info, input: Annotated[CustomerTagsRemoveInput, GIVEN]
    ) -> CustomerTagsRemovePayload:
        context = info.context
        customer_id = _named(context, input.id)
        profile = await stored(
            service.change_tags,
            context.shop,
            customer_id,
            remove=input.tags,
            now=context.now,
            by=context.principal.actor,
        )
        return CustomerTagsRemovePayload(customer=await _reread(context, profile))


def _named(context: Context, id: str) -> str:
    """The customer an id names. Raises NotFound for whoever is not there, or not the caller's to change."""
    key = key_of("Customer", id)
    if key is None or not context.principal.may_see_customer(key[0]):
        raise NotFound("There is no such customer.", field="id")
    return key[0]


def _customer(context: Context, profile: service.Customer) -> Customer:
    """A customer just founded: there are no other heads yet."""
    return Customer(record=Record(profile, service.Snapshot(context.shop, profile.customer_id, {})))


async def _reread(context: Context, profile: service.Customer) -> Customer:
    """With all heads, but only where the answer asks for more than the profile."""
    loader = context.loader(RecordByCustomer)
    loader.forget(profile.customer_id)
    if not heads_used(context):
        return _customer(context, profile)
    record = await loader.load(profile.customer_id)
    return Customer(record=record) if record else _customer(context, profile)


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
