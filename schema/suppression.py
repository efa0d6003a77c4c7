# schema/suppression.py
"""Addresses that nothing is sent to, as staff see and change them."""

from asyncio import gather
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Final, NamedTuple

import strawberry

from crm.consent import service
from crm.consent.service import SuppressionGiven
from crm.kernel.actor import Actor as Doer
from crm.kernel.errors import InvalidInput
from schema.access import signed_in, staff
from schema.connections import After, Connection, First, Place, about, newest_of_shards, paged
from schema.context import GIVEN, Context, Info, Loader, stored
from schema.customer.history import Actor
from schema.errors import AnswersRefusals, UserError

MOST_ENTRIES: Final = 100
BY_HAND: Final = "staff"


@strawberry.enum(description="A channel whose messages go to an address of its own.")
class AddressChannel(Enum):
    EMAIL = strawberry.enum_value("email", description="To an e-mail address.")
    SMS = strawberry.enum_value("sms", description="To a phone number.")
    PUSH = strawberry.enum_value("push", description="To a device, by its token.")


@strawberry.enum(description="Why nothing is sent to an address.")
class SuppressionReason(Enum):
    HARD_BOUNCE = strawberry.enum_value("hard_bounce", description="The provider says that it does not exist.")
    COMPLAINT = strawberry.enum_value("complaint", description="The recipient called a message spam.")
    MANUAL = strawberry.enum_value("manual", description="Somebody at the shop decided so.")


@strawberry.enum(description="What was said of an address.")
class SuppressionState(Enum):
    SUPPRESSED = strawberry.enum_value("suppressed", description="Send nothing, for this reason.")
    LIFTED = strawberry.enum_value("lifted", description="This reason no longer holds.")


OfAddress = Annotated[AddressChannel, strawberry.argument(description="Which channel it is of.")]


@strawberry.type(description="What was said once of an address; never changed.", directives=staff("suppressions:read"))
class SuppressionEntry:
    item: strawberry.Private[service.SuppressionEntry | service.SuppressionState]

    @strawberry.field(description="Which reason it is about.")
    def reason(self) -> SuppressionReason:
        return SuppressionReason(self.item.reason)

    @strawberry.field(description="Whether it was given or lifted.")
    def state(self) -> SuppressionState:
        return SuppressionState(self.item.state)

    @strawberry.field(description="The system or form that said so.")
    def source(self) -> str:
        return self.item.source

    @strawberry.field(description="Who said so.")
    def actor(self) -> Actor:
        return Actor.of(Doer.parse(self.item.actor))

    @strawberry.field(description="Why, in their words.")
    def note(self) -> str | None:
        return self.item.note

    @strawberry.field(description="When it happened.")
    def occurred_at(self) -> datetime:
        return self.item.occurred_at


@strawberry.type(
    description="What speaks against an address, whoever's it is or was; changed by name only.",
    directives=staff("suppressions:read"),
)
class Suppression:
    item: strawberry.Private[service.Suppression]

    @strawberry.field(description="Which channel it is about.")
    def channel(self) -> AddressChannel:
        return AddressChannel(self.item.channel)

    @strawberry.field(description="As much of the address as tells which it is; the whole is not kept.")
    def hint(self) -> str:
        return self.item.hint

    @strawberry.field(description="Whether nothing is sent to it: any one reason is enough.")
    def suppressed(self) -> bool:
        return bool(self.item.reasons)

    @strawberry.field(description="When the newest of its reasons came about; null where none holds.")
    def suppressed_at(self) -> datetime | None:
        return self.item.suppressed_at

    @strawberry.field(description="The reasons that hold.", directives=[about(3)])
    def reasons(self) -> list[SuppressionEntry]:
        return [SuppressionEntry(item=item) for item in self.item.reasons]

    @strawberry.field(
        description="All that was said of it, newest first; the last 100.", directives=[about(MOST_ENTRIES)]
    )
    async def entries(self, info: Info) -> list[SuppressionEntry]:
        items = await info.context.loader(SuppressionEntriesByDigest).load(self.item.digest)
        return [SuppressionEntry(item=item) for item in items]


class SuppressionEntriesByDigest(Loader[str, list[service.SuppressionEntry]]):
    async def load_many(self, keys: list[str]) -> Sequence[list[service.SuppressionEntry] | BaseException]:
        shop = self.context.shop
        asked = (stored(service.suppression_entries, shop, key, limit=MOST_ENTRIES) for key in keys)
        return await gather(*asked, return_exceptions=True)


class Addressed(NamedTuple):
    channel: str
    address: str


class SuppressionByAddress(Loader[Addressed, service.Suppression | None]):
    async def load_many(self, keys: list[Addressed]) -> Sequence[service.Suppression | None]:
        found = await stored(service.suppressions_of_addresses, self.context.shop, keys)
        return [found.get(key) for key in keys]


async def suppression_of(context: Context, channel: AddressChannel, address: str | None) -> Suppression | None:
    """None where nothing ever spoke against the address, or there is none."""
    if address is None:
        return None
    item = await context.loader(SuppressionByAddress).load(Addressed(str(channel.value), address))
    return Suppression(item=item) if item else None


@strawberry.input(description="An address that nothing is to be sent to.")
class SuppressionAddInput:
    channel: AddressChannel = strawberry.field(description="Which channel it is of.")
    address: str = strawberry.field(description="The address, phone number (with its country) or token.")
    reason: SuppressionReason = strawberry.field(
        default=SuppressionReason.MANUAL, description="What speaks against it."
    )
    note: str | None = strawberry.field(default=None, description="Why; 500 characters at most.")
    idempotency_key: str = strawberry.field(description="Repeat it to retry safely; it is the address's for good.")


@strawberry.input(description="An address that was suppressed by hand and need not be any more.")
class SuppressionLiftInput:
    channel: AddressChannel = strawberry.field(description="Which channel it is of.")
    address: str = strawberry.field(description="The address, phone number (with its country) or token.")
    note: str = strawberry.field(description="Why; 500 characters at most.")
    idempotency_key: str = strawberry.field(description="Repeat it to retry safely; it is the address's for good.")


@strawberry.input(description="An address to send to in spite of what the provider, or its owner, has said.")
class SuppressionOverrideInput:
    channel: AddressChannel = strawberry.field(description="Which channel it is of.")
    address: str = strawberry.field(description="The address, phone number (with its country) or token.")
    reason: SuppressionReason = strawberry.field(description="`HARD_BOUNCE` or `COMPLAINT`.")
    note: str = strawberry.field(description="Why; 500 characters at most.")
    idempotency_key: str = strawberry.field(description="Repeat it to retry safely; it is the address's for good.")


@strawberry.type(description="The suppression as it is now, or why it was not changed.", directives=signed_in())
class SuppressionAddPayload:
    suppression: Suppression | None = strawberry.field(default=None, description="Null when refused.")
    replayed: bool = strawberry.field(default=False, description="True when an earlier call with this key did it.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The suppression as it is now, or why it was not changed.", directives=signed_in())
class SuppressionLiftPayload:
    suppression: Suppression | None = strawberry.field(default=None, description="Null when refused.")
    replayed: bool = strawberry.field(default=False, description="True when an earlier call with this key did it.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The suppression as it is now, or why it was not changed.", directives=signed_in())
class SuppressionOverridePayload:
    suppression: Suppression | None = strawberry.field(default=None, description="Null when refused.")
    replayed: bool = strawberry.field(default=False, description="True when an earlier call with this key did it.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type
class SuppressionQuery:
    @strawberry.field(
        description="What speaks against an address; null where nothing ever did. What is no address of the channel is "
        "refused.",
        directives=staff("suppressions:read"),
    )
    async def suppression(
        self,
        info: Info,
        channel: OfAddress,
        address: Annotated[str, strawberry.argument(description="The address, phone number or token.")],
    ) -> Suppression | None:
        return await _suppression(info.context, str(channel.value), address)

    @strawberry.field(
        description="The addresses that nothing is sent to, the newest first. They are told by their hints: to ask "
        "about one, or lift it, say the whole address.",
        directives=[*staff("suppressions:read"), paged()],
    )
    async def suppressions(self, info: Info, first: First = 20, after: After = None) -> Connection[Suppression] | None:
        context = info.context
        return await newest_of_shards(
            Place("Query.suppressions", context.shop),
            lambda shard, before, limit: stored(service.suppressed, context.shop, shard, before=before, limit=limit),
            service.SUPPRESSION_SHARDS,
            first=first,
            after=after,
            position=_place_in_list,
            node=lambda item: Suppression(item=item),
        )


@strawberry.type
class SuppressionMutation:
    @strawberry.mutation(
        description="Send nothing to an address, whoever's it is. No consent, import or change of customer undoes it.",
        extensions=[AnswersRefusals()],
        directives=staff("suppressions:write"),
    )
    async def suppression_add(self, info: Info, input: Annotated[SuppressionAddInput, GIVEN]) -> SuppressionAddPayload:
        given = SuppressionGiven(str(input.channel.value), input.address, str(input.reason.value), BY_HAND, input.note)
        suppression, replayed = await _told(info.context, service.suppression_add, given, input.idempotency_key)
        return SuppressionAddPayload(suppression=suppression, replayed=replayed)

    @strawberry.mutation(
        description="Lift what was suppressed by hand (`MANUAL`); other reasons stay.",
        extensions=[AnswersRefusals()],
        directives=staff("suppressions:write"),
    )
    async def suppression_lift(
        self, info: Info, input: Annotated[SuppressionLiftInput, GIVEN]
    ) -> SuppressionLiftPayload:
        manual = str(SuppressionReason.MANUAL.value)
        given = SuppressionGiven(str(input.channel.value), input.address, manual, BY_HAND, input.note)
        suppression, replayed = await _told(info.context, service.suppression_lift, given, input.idempotency_key)
        return SuppressionLiftPayload(suppression=suppression, replayed=replayed)

    @strawberry.mutation(
        description="Lift a hard bounce or a complaint: a decision of its own, kept with who took it and why.",
        extensions=[AnswersRefusals()],
        directives=staff("suppressions:override"),
    )
    async def suppression_override(
        self, info: Info, input: Annotated[SuppressionOverrideInput, GIVEN]
    ) -> SuppressionOverridePayload:
        given = SuppressionGiven(str(input.channel.value), input.address, str(input.reason.value), BY_HAND, input.note)
        suppression, replayed = await _told(info.context, service.suppression_override, given, input.idempotency_key)
        return SuppressionOverridePayload(suppression=suppression, replayed=replayed)


async def _told(
    context: Context, tell: Callable[..., bool], given: SuppressionGiven, key: str
) -> tuple[Suppression | None, bool]:
    actor = context.principal.actor
    replayed = await stored(tell, context.shop, given, actor=actor, idempotency_key=key, now=context.now)
    return await _suppression(context, given.channel, given.address), replayed


def _place_in_list(item: service.Suppression) -> str:
    return item.list_sk or ""


async def _suppression(context: Context, channel: str, address: str) -> Suppression | None:
    item = await stored(service.suppression, context.shop, channel, address)
    if item is None:
        raise InvalidInput("is no address of the channel", field="address")
    return Suppression(item=item) if item.rev else None
