# schema/consent_update.py
"""How customers and staff say what is agreed to."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from crm.consent import service
from crm.kernel.errors import Fault, InvalidInputs, NotFound
from schema.access import own, signed_in
from schema.connections import as_many_as
from schema.consent import ConsentChannel, ConsentPurpose, ConsentValue, LegalBasis, OptInLevel
from schema.context import GIVEN, Context, Info, stored
from schema.customer.customer import Customer, customer_by_key
from schema.customer.record import RecordByCustomer
from schema.errors import AnswersRefusals, UserError
from schema.node import id_faults, key_of
from schema.principal import Kind, Principal

OF_CUSTOMERS: Final = {"opt_in_level": OptInLevel.SINGLE, "legal_basis": LegalBasis.CONSENT}
"""What customers do not say of their own consent, and what holds of it: else they could forge the shop's evidence."""
APP: Final = "app"


@strawberry.input(description="A yes or no to one channel and purpose, or to one topic of them.")
class ConsentInput:
    channel: ConsentChannel = strawberry.field(description="Through what.")
    purpose: ConsentPurpose = strawberry.field(description="What for.")
    topic: str | None = strawberry.field(
        default=None,
        description="About what: 1 to 40 of a-z, 0-9, - and _; null: the channel and purpose as a whole.",
    )
    state: ConsentValue = strawberry.field(description="What the customer says.")
    source: str | None = strawberry.field(
        default=None, description="The form in which it was said, 200 characters at most; null: `app` or `staff`."
    )
    text_version: str | None = strawberry.field(
        default=None, description="The words that were agreed to, by their version; 100 characters at most."
    )
    opt_in_level: OptInLevel | None = strawberry.field(
        default=None, description="How a yes was made sure of. For staff; what customers say is `SINGLE`."
    )
    legal_basis: LegalBasis | None = strawberry.field(
        default=None, description="What the shop relies on. For staff; what customers say is `CONSENT`."
    )
    occurred_at: datetime | None = strawberry.field(
        default=None,
        description="When it was said, where that is not now. Of customers by their device's clock: a yes counts from "
        "then, 30 days back at most, and is refused where it lies more than 10 minutes ahead; a no is never refused "
        "for its time, and takes back every yes that was heard before it.",
    )

    def given(self, kind: Kind) -> service.ConsentGiven:
        values = vars(self)
        if kind is Kind.CUSTOMER:
            values = values | OF_CUSTOMERS
        level, basis = values["opt_in_level"] or OptInLevel.UNKNOWN, values["legal_basis"]
        return service.ConsentGiven(
            str(self.channel.value),
            str(self.purpose.value),
            str(self.state.value),
            source=(APP if kind is Kind.CUSTOMER else kind.value) if self.source is None else self.source,
            topic=self.topic,
            text_version=self.text_version,
            opt_in_level=level.value,
            legal_basis=basis.value if basis else None,
            occurred_at=self.occurred_at,
        )


@strawberry.input(description="What a customer agrees to, or does not.")
class ConsentUpdateInput:
    id: strawberry.ID | None = strawberry.field(
        default=None, description="Which customer; a signed-in customer speaks for themselves."
    )
    consents: list[ConsentInput] = strawberry.field(
        description="What is said, 50 at most, each thing once (or at different times). All of it holds or none."
    )
    idempotency_key: str = strawberry.field(description="Repeat it to retry safely; it is the customer's for good.")

    def withdraws(self) -> bool:
        """Whether all that is said is no."""
        return bool(self.consents) and all(one.state is ConsentValue.DENIED for one in self.consents)

    def faults(self, asker: Principal, now: datetime) -> list[Fault]:
        nobody = self.id is None and asker.customer_id is None
        return [
            *([Fault("id", "REQUIRED", "is required of staff")] if nobody else id_faults(self.id)),
            *(_evidence(self.consents) if asker.kind is Kind.CUSTOMER else []),
            *service.faults_of_call(
                [one.given(asker.kind) for one in self.consents],
                self.idempotency_key,
                now,
                themselves=asker.kind is Kind.CUSTOMER,
            ),
        ]


@strawberry.type(description="The customer as they are now, or why nothing was recorded.", directives=signed_in())
class ConsentUpdatePayload:
    customer: Customer | None = strawberry.field(
        default=None, description="Null when refused, and where they take no part: their no was heard all the same."
    )
    replayed: bool = strawberry.field(default=False, description="True when an earlier call with this key did it.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type
class ConsentMutation:
    @strawberry.mutation(
        description="Record what a customer agrees to or withdraws. The later time wins; a denial of a channel and "
        "purpose silences their topics until one, or all, are granted again. Customers who are blocked or deleted may "
        "say nothing but no.",
        extensions=[AnswersRefusals(barred_may=ConsentUpdateInput.withdraws)],
        directives=[*own("consents:write"), as_many_as("input.consents", most=service.MOST_GIVEN)],
    )
    async def consent_update(self, info: Info, input: Annotated[ConsentUpdateInput, GIVEN]) -> ConsentUpdatePayload:
        context = info.context
        kind, customer_id = context.principal.kind, _speaking(context, input.id)
        replayed = await stored(
            service.update,
            context.shop,
            customer_id,
            [one.given(kind) for one in input.consents],
            actor=context.principal.actor,
            idempotency_key=input.idempotency_key,
            now=context.now,
        )
        context.loader(RecordByCustomer).forget(customer_id)
        return ConsentUpdatePayload(customer=await customer_by_key(context, customer_id), replayed=replayed)


def _speaking(context: Context, id: str | None) -> str:
    """Whose consents they are. Raises NotFound for whoever is not there, or not the caller's to speak for."""
    if id is None:
        if context.principal.customer_id is None:
            raise InvalidInputs([Fault("id", "REQUIRED", "is required of staff")])
        return context.principal.customer_id
    key = key_of("Customer", id)
    if key is None or not context.principal.may_see_customer(key[0]):
        raise NotFound("There is no such customer.", field="id")
    return key[0]


def _evidence(consents: list[ConsentInput]) -> list[Fault]:
    return [
        Fault(f"consents.{number}.{name}", "FORBIDDEN", "is for staff only")
        for number, one in enumerate(consents)
        for name in OF_CUSTOMERS
        if getattr(one, name) is not None
    ]
