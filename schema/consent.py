# schema/consent.py
"""What customers have agreed to, as clients see it."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated, Final, NamedTuple, Self

import strawberry

from crm.consent import service
from crm.kernel.actor import Actor as Doer
from crm.kernel.errors import InvalidInput
from schema.access import own, signed_in, staff
from schema.connections import at_most
from schema.context import Loader, stored
from schema.customer.history import Actor
from schema.loaders import Page, PageByCustomer

PAST: Final = 250
"""Points, for what one moment of the past takes: the reading of 2,000 entries of 500 bytes, with all at once."""
CLOCKS_DIFFER: Final = timedelta(minutes=10)


@strawberry.enum(description="A way to reach a customer, or to use what is known of them.")
class ConsentChannel(Enum):
    EMAIL = strawberry.enum_value("email", description="E-mail.")
    SMS = strawberry.enum_value("sms", description="Text messages.")
    PUSH = strawberry.enum_value("push", description="Messages of an app on a device.")
    IN_APP = strawberry.enum_value("in_app", description="Messages inside an app.")
    POSTAL = strawberry.enum_value("postal", description="Letters.")
    ADS = strawberry.enum_value("ads", description="Audiences of advertising networks.")


@strawberry.enum(description="What a channel is used for.")
class ConsentPurpose(Enum):
    MARKETING = strawberry.enum_value("marketing", description="To sell. Needs a yes.")
    TRANSACTIONAL = strawberry.enum_value("transactional", description="What an order requires. Needs no no.")
    PROFILING = strawberry.enum_value("profiling", description="To decide by what the customer did. Needs a yes.")


@strawberry.enum(description="What a customer says.")
class ConsentValue(Enum):
    GRANTED = strawberry.enum_value("granted", description="Yes.")
    PENDING = strawberry.enum_value(
        "pending", description="Yes, to be confirmed (double opt-in); permits and forbids nothing."
    )
    DENIED = strawberry.enum_value("denied", description="No.")


@strawberry.enum(description="How a yes was made sure of.")
class OptInLevel(Enum):
    SINGLE = strawberry.enum_value("single", description="It was said once.")
    DOUBLE = strawberry.enum_value("double", description="It was confirmed through the channel itself.")
    UNKNOWN = strawberry.enum_value("unknown", description="Nobody has said.")


@strawberry.enum(description="What the law lets the shop rely on.")
class LegalBasis(Enum):
    CONSENT = strawberry.enum_value("consent", description="The customer agreed.")
    CONTRACT = strawberry.enum_value("contract", description="A contract requires it.")
    LEGAL_OBLIGATION = strawberry.enum_value("legal_obligation", description="A law requires it.")
    LEGITIMATE_INTEREST = strawberry.enum_value("legitimate_interest", description="The shop's interest outweighs.")


@strawberry.enum(description="Why a channel may not be used for a purpose.")
class WithheldReason(Enum):
    NOT_GIVEN = strawberry.enum_value(service.Refusal.NOT_GIVEN.value, description="A yes is needed; none was given.")
    NOT_CONFIRMED = strawberry.enum_value(
        service.Refusal.NOT_CONFIRMED.value, description="No yes holds; a request awaits its confirmation."
    )
    DENIED = strawberry.enum_value(service.Refusal.DENIED.value, description="The customer said no.")


@strawberry.type(description="What holds for one channel, purpose and topic.", directives=own("consents:read"))
class Consent:
    item: strawberry.Private[service.ConsentState | service.ConsentEntry]

    @strawberry.field(description="Through what.")
    def channel(self) -> ConsentChannel:
        return ConsentChannel(self.item.channel)

    @strawberry.field(description="What for.")
    def purpose(self) -> ConsentPurpose:
        return ConsentPurpose(self.item.purpose)

    @strawberry.field(description="About what; null: the channel and purpose as a whole.")
    def topic(self) -> str | None:
        return self.item.topic

    @strawberry.field(description="What the customer said of it.")
    def state(self) -> ConsentValue:
        return ConsentValue(self.item.state)

    @strawberry.field(description="The form or system in which it was said.")
    def source(self) -> str:
        return self.item.source

    @strawberry.field(description="The words that were agreed to, by their version.")
    def text_version(self) -> str | None:
        return self.item.text_version

    @strawberry.field(description="How a yes was made sure of.")
    def opt_in_level(self) -> OptInLevel:
        return OptInLevel(self.item.opt_in_level)

    @strawberry.field(description="What the shop relies on; null: nobody has said.")
    def legal_basis(self) -> LegalBasis | None:
        return LegalBasis(self.item.legal_basis) if self.item.legal_basis else None

    @strawberry.field(description="When it was said: the later time wins, however late it was heard.")
    def occurred_at(self) -> datetime:
        return self.item.occurred_at


@strawberry.type(description="Something said once about consent; never changed.", directives=own("consents:read"))
class ConsentEntry(Consent):
    item: strawberry.Private[service.ConsentEntry]

    @strawberry.field(
        description="The time that the customer's device gave, where it does not count from then (`occurredAt`)."
    )
    def stated_at(self) -> datetime | None:
        return self.item.stated_at

    @strawberry.field(description="When it was heard.")
    def recorded_at(self) -> datetime:
        return self.item.recorded_at

    @strawberry.field(
        description="Who told; null: it was not kept.",
        directives=staff("consents:read"),
    )
    def actor(self) -> Actor | None:
        return Actor.of(Doer.parse(self.item.actor)) if self.item.actor else None


@strawberry.type(description="Whether a channel may be used for a purpose.", directives=signed_in())
class Permission:
    allowed: bool = strawberry.field(description="Whether it may.")
    reason: WithheldReason | None = strawberry.field(description="Why it may not; null where it may.")

    @classmethod
    def of(
        cls,
        states: Sequence[service.ConsentState],
        channel: ConsentChannel,
        purpose: ConsentPurpose,
        topic: str | None,
    ) -> Self:
        """Raises InvalidInput for what is no topic."""
        if topic is not None and not service.is_topic(topic):
            raise InvalidInput(service.NO_TOPIC, field="topic")
        refusal = service.withheld(states, str(channel.value), str(purpose.value), topic)
        return cls(allowed=refusal is None, reason=WithheldReason(refusal.value) if refusal else None)


OfChannel = Annotated[ConsentChannel, strawberry.argument(description="Through what.")]
ForPurpose = Annotated[ConsentPurpose, strawberry.argument(description="What for.")]
AboutTopic = Annotated[
    str | None, strawberry.argument(description="About what; null: the channel and purpose as a whole.")
]


@strawberry.type(description="What a customer had agreed to at a moment.", directives=own("consents:read"))
class ConsentMoment:
    states: strawberry.Private[list[service.ConsentState]]

    as_of: datetime = strawberry.field(description="The moment.")

    @strawberry.field(
        description="What held, by channel, purpose and topic; silence is not listed.",
        directives=[at_most(service.MOST_HELD)],
    )
    def consents(self) -> list[Consent]:
        return [Consent(item=item) for item in service.held(self.states)]

    @strawberry.field(description="Whether a channel could be used for a purpose.")
    def permission(self, channel: OfChannel, purpose: ForPurpose, topic: AboutTopic = None) -> Permission:
        return Permission.of(self.states, channel, purpose, topic)


class ConsentEntriesByCustomer(PageByCustomer[service.ConsentEntry]):
    def read(self, page: Page) -> list[service.ConsentEntry]:
        return service.entries(self.context.shop, page.customer_id, before=page.before, limit=page.limit)


class Moment(NamedTuple):
    customer_id: str
    instant: datetime

    def check(self, now: datetime) -> Self:
        """Raises InvalidInput for the future, of which nobody knows what will hold."""
        if self.instant > now + CLOCKS_DIFFER:
            raise InvalidInput("lies more than 10 minutes in the future", field="asOf")
        return self


class ConsentsByMoment(Loader[Moment, list[service.ConsentState]]):
    """All the moments of a customer that are asked for at once are worked out from one reading of their entries."""

    async def load_many(self, keys: list[Moment]) -> Sequence[list[service.ConsentState] | BaseException]:
        instants: dict[str, list[datetime]] = {}
        for key in keys:
            instants.setdefault(key.customer_id, []).append(key.instant)
        asked = (stored(service.at_moments, self.context.shop, *each) for each in instants.items())
        answered = await gather(*asked, return_exceptions=True)
        told = dict(zip(instants, answered, strict=True))
        return [_at(told[key.customer_id], key.instant) for key in keys]


def _at(told: service.Past | BaseException, instant: datetime) -> list[service.ConsentState] | BaseException:
    return told if isinstance(told, BaseException) else told[instant]
