# schema/feedback.py
"""What customers answer, as clients see it."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Final

import strawberry

from crm.feedback import service
from crm.kernel.errors import Fault, InvalidInputs, NotFound
from schema.access import own, signed_in
from schema.context import GIVEN, Context, Info, Loader, stored
from schema.customer.record import visible_record
from schema.errors import AnswersRefusals, UserError
from schema.loaders import Page, PageByCustomer
from schema.node import Node, global_id, id_faults, key_of
from schema.order import Order, order_of
from schema.principal import Kind, Principal


@strawberry.enum(description="What a score says (NPS).")
class NpsGroup(Enum):
    PROMOTER = strawberry.enum_value("promoter", description="9 or 10.")
    PASSIVE = strawberry.enum_value("passive", description="7 or 8.")
    DETRACTOR = strawberry.enum_value("detractor", description="0 to 6.")


@strawberry.type(description="One answer of a customer.", directives=own("feedback:read"))
class FeedbackResponse(Node):
    item: strawberry.Private[service.FeedbackResponse]

    @strawberry.field(description="Opaque.", directives=signed_in())
    def id(self) -> strawberry.ID:
        return global_id("FeedbackResponse", self.item.customer_id, self.item.response_id)

    @strawberry.field(description="Which survey was answered.")
    def survey(self) -> str:
        return self.item.survey

    @strawberry.field(description="How likely the customer is to recommend the shop, from 0 to 10.")
    def score(self) -> int:
        return int(self.item.score)

    @strawberry.field(description="What the score says.")
    def group(self) -> NpsGroup:
        return NpsGroup(self.item.group)

    @strawberry.field(description="In the customer's words.")
    def comment(self) -> str | None:
        return self.item.comment

    @strawberry.field(description="The `orderId` of the order it is about.")
    def order_id(self) -> str | None:
        return self.item.order_id

    @strawberry.field(
        description="The order; null where there is none, or it has not come yet.", directives=own("orders:read")
    )
    async def order(self, info: Info) -> Order | None:
        return await order_of(info.context, self.item.customer_id, self.item.order_id)

    @strawberry.field(description="When it was given.")
    def answered_at(self) -> datetime:
        return self.item.occurred_at


class FeedbackByCustomer(PageByCustomer[service.FeedbackResponse]):
    def read(self, page: Page) -> list[service.FeedbackResponse]:
        return service.responses(self.context.shop, page.customer_id, before=page.before, limit=page.limit)


class ResponseByKey(Loader[tuple[str, str], service.FeedbackResponse | None]):
    """Answers by customer and response id."""

    async def load_many(self, keys: list[tuple[str, str]]) -> Sequence[service.FeedbackResponse | None]:
        found = await stored(service.get_many, self.context.shop, keys)
        return [found.get(key) for key in keys]


async def response_by_key(context: Context, customer_id: str, response_id: str) -> FeedbackResponse | None:
    """None for an answer that does not exist, is another shop's, or is not the caller's to see."""
    if await visible_record(context, customer_id) is None:
        return None
    item = await context.loader(ResponseByKey).load((customer_id, response_id))
    return FeedbackResponse(item=item) if item else None


NOBODY: Final = Fault("customer", "REQUIRED", "is required: nobody is signed in as a customer")


@strawberry.input(description="An answer to the recommendation question.")
class FeedbackSubmitInput:
    customer: strawberry.ID | None = strawberry.field(
        default=None, description="Who answers, by `id`; a signed-in customer answers for themselves."
    )
    score: int = strawberry.field(description="How likely the customer is to recommend the shop, from 0 to 10.")
    comment: str | None = strawberry.field(
        default=None, description="In the customer's words, 2,000 characters at most."
    )
    order: strawberry.ID | None = strawberry.field(default=None, description="The order it is about, by `id`.")
    idempotency_key: str = strawberry.field(description="Repeat it to retry safely; it is the customer's for good.")

    def faults(self, asker: Principal, _now: datetime) -> list[Fault]:
        nobody = self.customer is None and asker.customer_id is None
        return [
            *([NOBODY] if nobody else id_faults(self.customer, "customer")),
            *id_faults(self.order, "order"),
            *service.faults_of_call(service.FeedbackGiven(self.score, self.comment), self.idempotency_key),
        ]


@strawberry.type(description="The answer as it is stored, or why it was not.", directives=signed_in())
class FeedbackSubmitPayload:
    response: FeedbackResponse | None = strawberry.field(default=None, description="Null when refused.")
    replayed: bool = strawberry.field(default=False, description="True when an earlier call with this key did it.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type
class FeedbackMutation:
    @strawberry.mutation(
        description="Record what a customer answers.",
        extensions=[AnswersRefusals()],
        directives=own("feedback:write"),
    )
    async def feedback_submit(self, info: Info, input: Annotated[FeedbackSubmitInput, GIVEN]) -> FeedbackSubmitPayload:
        given = service.FeedbackGiven(score=input.score, comment=input.comment, order_id=_order_id(input.order))
        customer_id = _answering(info.context, input.customer)
        response, replayed = await stored(_submit, info.context, customer_id, given, input.idempotency_key)
        return FeedbackSubmitPayload(response=FeedbackResponse(item=response), replayed=replayed)


def _submit(
    context: Context, customer_id: str, given: service.FeedbackGiven, key: str
) -> tuple[service.FeedbackResponse, bool]:
    try:
        own_answer = context.principal.kind is Kind.CUSTOMER
        return service.submit(context.shop, customer_id, given, idempotency_key=key, now=context.now, own=own_answer)
    except NotFound as error:
        error.field = {"id": "customer", "order_id": "order"}.get(error.field or "")  # as this input calls them
        raise


def _answering(context: Context, customer_id: str | None) -> str:
    """Whose answer it is. Raises NotFound for whoever is not there, or not the caller's to speak for."""
    if customer_id is None:
        if context.principal.customer_id is None:
            raise InvalidInputs([NOBODY])
        return context.principal.customer_id
    key = key_of("Customer", customer_id, field="customer")
    if key is None or not context.principal.may_see_customer(key[0]):
        raise NotFound("There is no such customer.", field="customer")
    return key[0]


def _order_id(id: str | None) -> str | None:
    if id is None:
        return None
    key = key_of("Order", id, field="order")
    if key is None:
        raise NotFound("This customer has no such order.", field="order")
    return key[0]
