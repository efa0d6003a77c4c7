# schema/customer/mutations.py
"""How customers are founded and changed."""

from collections.abc import Callable
from typing import Annotated, Any

import strawberry
from msgspec.structs import replace

from crm.customers import service
from crm.kernel.errors import Fault, NotFound
from schema.access import own, signed_in, staff
from schema.context import GIVEN, Context, Info, stored
from schema.customer.attributes import AttributesByCustomer, given
from schema.customer.customer import Customer, customer_by_key
from schema.customer.inputs import (
    CustomerAttributesSetInput,
    CustomerCreateInput,
    CustomerDeleteInput,
    CustomerRestoreInput,
    CustomerTagsAddInput,
    CustomerTagsRemoveInput,
    CustomerUpdateInput,
)
from schema.customer.record import Record, RecordByCustomer, heads_used, visible_record
from schema.errors import PRESENT, AnswersRefusals, UserError
from schema.node import GlobalId, key_of
from schema.principal import Kind


async def _unlike_stored(context: Context, given: CustomerUpdateInput, wrong: list[Fault]) -> list[Fault]:
    """What is wrong but for values that are said as they are stored: a form that is saved unchanged is no fault."""
    key = GlobalId.parse(given.id)
    record = await visible_record(context, key.parts[0]) if key and key.kind == "Customer" else None
    if record is None:
        return wrong
    words = given.words()
    judged = {fault.path for fault in service.faults_by_hand(words, now=context.now)}
    still = {fault.path for fault in service.faults_by_hand(words, now=context.now, stored=record.profile)}
    return [fault for fault in wrong if fault.path not in judged - still]


async def _present(context: Context, given: Any) -> dict[str, Any]:
    """The customer whom an input names, as they are stored now."""
    customer_id = _named(context, given.id)
    context.loader(RecordByCustomer).forget(customer_id)
    return {"customer": await customer_by_key(context, customer_id)}


@strawberry.type(description="The new customer, or why there is none.", directives=signed_in())
class CustomerCreatePayload:
    customer: Customer | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The customer as they are now, or why they are not changed.", directives=signed_in())
class CustomerUpdatePayload:
    customer: Customer | None = strawberry.field(default=None, description=PRESENT)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The customer as they are now, or why they are not deleted.", directives=signed_in())
class CustomerDeletePayload:
    customer: Customer | None = strawberry.field(default=None, description=PRESENT)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The customer as they are now, or why they are not restored.", directives=signed_in())
class CustomerRestorePayload:
    customer: Customer | None = strawberry.field(default=None, description=PRESENT)
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
        extensions=[AnswersRefusals(excused=_unlike_stored, present=_present)],
        directives=own("customers:write"),
    )
    async def customer_update(self, info: Info, input: Annotated[CustomerUpdateInput, GIVEN]) -> CustomerUpdatePayload:
        context = info.context
        words = input.words()
        if context.principal.kind is Kind.CUSTOMER:
            # Nobody has verified that the address is theirs: it must not bring them somebody else's orders.
            words = replace(words, vouched=False)
        expected = input.expected_version
        customer = await _changed(context, input.id, service.update, words=words, expected_version=expected)
        return CustomerUpdatePayload(customer=customer)

    @strawberry.mutation(
        description=(
            "Hide a customer and bar them (status `DELETED`). Nothing is erased: their orders count as before, and "
            "what shops tell of them later is recorded and shows nobody. Deleting again changes nothing."
        ),
        extensions=[AnswersRefusals(present=_present)],
        directives=staff("customers:delete"),
    )
    async def customer_delete(self, info: Info, input: Annotated[CustomerDeleteInput, GIVEN]) -> CustomerDeletePayload:
        customer = await _changed(info.context, input.id, service.delete, expected_version=input.expected_version)
        return CustomerDeletePayload(customer=customer)

    @strawberry.mutation(
        description="Undo a deletion; who was blocked before is blocked again. Restoring again changes nothing.",
        extensions=[AnswersRefusals(present=_present)],
        directives=staff("customers:delete"),
    )
    async def customer_restore(
        self, info: Info, input: Annotated[CustomerRestoreInput, GIVEN]
    ) -> CustomerRestorePayload:
        customer = await _changed(info.context, input.id, service.restore, expected_version=input.expected_version)
        return CustomerRestorePayload(customer=customer)

    @strawberry.mutation(
        description="Set or clear the shop's own attributes of a customer: all of them or, where one is refused, none. "
        "Customers set those that the shop lets them. The profile's `version` stays.",
        extensions=[AnswersRefusals()],
        directives=own("customers:write"),
    )
    async def customer_attributes_set(
        self, info: Info, input: Annotated[CustomerAttributesSetInput, GIVEN]
    ) -> CustomerAttributesSetPayload:
        values, paths, keys = given(input.attributes)
        path, key_path = paths.__getitem__, keys.__getitem__
        customer = await _changed(
            info.context, input.id, service.set_attributes, said=values, path=path, key_path=key_path
        )
        return CustomerAttributesSetPayload(customer=customer)

    @strawberry.mutation(
        description="Add tags to a customer; those that are there stay.",
        extensions=[AnswersRefusals()],
        directives=staff("customers:write"),
    )
    async def customer_tags_add(
        self, info: Info, input: Annotated[CustomerTagsAddInput, GIVEN]
    ) -> CustomerTagsAddPayload:
        customer = await _changed(info.context, input.id, service.change_tags, add=input.tags)
        return CustomerTagsAddPayload(customer=customer)

    @strawberry.mutation(
        description="Take tags from a customer; those that are not there are no error.",
        extensions=[AnswersRefusals()],
        directives=staff("customers:write"),
    )
    async def customer_tags_remove(
        self, info: Info, input: Annotated[CustomerTagsRemoveInput, GIVEN]
    ) -> CustomerTagsRemovePayload:
        customer = await _changed(info.context, input.id, service.change_tags, remove=input.tags)
        return CustomerTagsRemovePayload(customer=customer)


async def _changed(context: Context, id: str, change: Callable[..., service.Customer], **said: Any) -> Customer:
    """The customer whom an id names, after a change of the service that takes what is `said`. Raises NotFound."""
    customer_id = _named(context, id)
    profile = await stored(change, context.shop, customer_id, now=context.now, by=context.principal.actor, **said)
    return await _reread(context, profile)


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
    """With all heads, but only where the answer asks for any; attributes are read anew where it asks for them."""
    loader = context.loader(RecordByCustomer)
    loader.forget(profile.customer_id)
    context.loader(AttributesByCustomer).forget(profile.customer_id)
    if not heads_used(context):
        return _customer(context, profile)
    record = await loader.load(profile.customer_id)
    return Customer(record=record) if record else _customer(context, profile)
