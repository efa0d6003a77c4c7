# schema/loyalty/verifying.py
"""Ledgers that are verified as an operation."""

from typing import Annotated

import strawberry

from crm.kernel.errors import NotFound
from crm.loyalty import service
from schema.access import signed_in, staff
from schema.context import GIVEN, Info, stored
from schema.customer.record import visible_record
from schema.errors import AnswersRefusals, UserError
from schema.loyalty.owners import owner
from schema.operation import Operation


@strawberry.input(description="A ledger that is to be verified, however long it is.")
class LoyaltyLedgerVerifyInput:
    customer: strawberry.ID = strawberry.field(description="Whose, by `id`.")
    idempotency_key: str = strawberry.field(description="Repeat it to retry safely; it is the shop's for good.")


@strawberry.type(description="The operation, or why there is none.", directives=signed_in())
class LoyaltyLedgerVerifyPayload:
    operation: Operation | None = strawberry.field(default=None, description="Null when refused.")
    replayed: bool = strawberry.field(default=False, description="True when an earlier call with this key did it.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type
class LedgerVerificationMutation:
    @strawberry.mutation(
        description="Ask to verify a customer's ledger, as `LoyaltyAccount.verify` does of one that is not too long to "
        f"wait for; of {service.MOST_VERIFIED:,} entries at most. What came of it is `Operation.verification`.",
        extensions=[AnswersRefusals()],
        directives=staff("loyalty:read"),
    )
    async def loyalty_ledger_verify(
        self, info: Info, input: Annotated[LoyaltyLedgerVerifyInput, GIVEN]
    ) -> LoyaltyLedgerVerifyPayload:
        context, customer_id = info.context, owner(info.context, input.customer)
        if await visible_record(context, customer_id) is None:
            raise NotFound("There is no such customer.", field="customer")
        item, replayed = await stored(
            service.ask_to_verify,
            context.shop,
            customer_id,
            actor=context.principal.actor,
            idempotency_key=input.idempotency_key,
            now=context.now,
        )
        return LoyaltyLedgerVerifyPayload(operation=Operation(item=item), replayed=replayed)
