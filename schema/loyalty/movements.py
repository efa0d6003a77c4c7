# schema/loyalty/movements.py
"""How points are set aside, spent, given and taken back by those who ask for it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import strawberry

from crm.kernel.errors import CrmError, Fault
from crm.loyalty import service
from crm.loyalty.admission import of_customer
from schema.access import acting, own, signed_in, staff
from schema.context import GIVEN, Context, Info, stored
from schema.customer.record import RecordByCustomer, visible_record
from schema.errors import AnswersRefusals, UserError
from schema.loyalty.account import LoyaltyAccount
from schema.loyalty.entries import LedgerEntry
from schema.loyalty.holds import PointsHold
from schema.loyalty.owners import KEY, WHOSE, named, owner, owner_faults
from schema.node import id_faults
from schema.principal import Kind, Principal
from schema.scalars import Points

ADJUST: Final = "loyalty:adjust"
USUAL_MINUTES: Final = 30


@strawberry.input(description="Points to be set aside.")
class LoyaltyPointsHoldInput:
    customer: strawberry.ID | None = strawberry.field(default=None, description=WHOSE)
    points: Points = strawberry.field(description="How many; at least 1.")
    minutes: int = strawberry.field(
        default=USUAL_MINUTES, description="After how many they come back by themselves: 1 to 43,200, which is 30 days."
    )
    order_id: str | None = strawberry.field(
        default=None,
        description="The shop's own id of the order they are for, which need not be known yet: it captures what it was "
        "paid with, and its refunds give back from there.",
    )
    idempotency_key: str = strawberry.field(description=KEY)

    @property
    def lasts(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    def faults(self, asker: Principal, _now: datetime) -> list[Fault]:
        return [
            *owner_faults(self.customer, asker),
            *service.hold_faults(
                self.points, lasts=self.lasts, order_id=self.order_id, idempotency_key=self.idempotency_key
            ),
        ]


@strawberry.input(description="Points that are set aside and are to be spent.")
class LoyaltyPointsCaptureInput:
    hold: strawberry.ID = strawberry.field(
        description="Which, by `id`. It can be captured once: asking again with as many points tells what was done."
    )
    points: Points | None = strawberry.field(
        default=None, description="How many of them; null: all. The others come back."
    )

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return [*id_faults(self.hold, "hold"), *(service.points_faults(self.points) if self.points is not None else [])]


@strawberry.input(description="Points that are set aside and are to come back.")
class LoyaltyPointsReleaseInput:
    hold: strawberry.ID = strawberry.field(description="Which, by `id`. Asking again tells what was done.")


@strawberry.input(description="Points that somebody of the shop gives or takes.")
class LoyaltyPointsAdjustInput:
    customer: strawberry.ID = strawberry.field(description="Whose, by `id`.")
    points: Points = strawberry.field(
        description="How many are given, or below zero how many are taken, within what can be spent."
    )
    reason: str = strawberry.field(description="Why, for other staff; 500 characters at most.")
    idempotency_key: str = strawberry.field(description=KEY)

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        wrong = service.adjustment_faults(self.points, reason=self.reason, idempotency_key=self.idempotency_key)
        return [*id_faults(self.customer, "customer"), *wrong]


@strawberry.input(description="An adjustment, or points spent from a hold, that are to be undone.")
class LoyaltyEntryReverseInput:
    entry: strawberry.ID = strawberry.field(
        description="Which entry, by `id`. It can be reversed once: asking again tells what was done."
    )
    reason: str = strawberry.field(description="Why, for other staff; 500 characters at most.")

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return [*id_faults(self.entry, "entry"), *service.reason_faults(self.reason)]


@strawberry.input(description="Somebody who is to take part in the shop's programme of points.")
class LoyaltyEnrollInput:
    customer: strawberry.ID | None = strawberry.field(
        default=None, description="Who, by `id`; a signed-in customer speaks for themselves."
    )

    def faults(self, asker: Principal, _now: datetime) -> list[Fault]:
        return owner_faults(self.customer, asker)


@strawberry.type(description="What points did, or why they did not move.", directives=signed_in())
class LoyaltyMovementPayload:
    customer_id: strawberry.Private[str | None] = None

    entry: LedgerEntry | None = strawberry.field(default=None, description="The entry that says so; null when refused.")
    replayed: bool = strawberry.field(default=False, description="True when an earlier call did it.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")

    @strawberry.field(
        description="The customer's points as they are now; null when refused.", directives=own("loyalty:read")
    )
    async def account(self, info: Info) -> LoyaltyAccount | None:
        if self.customer_id is None:
            return None
        record = await visible_record(info.context, self.customer_id)
        head = record.head(LoyaltyAccount.HEAD) if record else None
        return LoyaltyAccount(customer_id=self.customer_id, item=head) if record else None


@strawberry.type(description="What is set aside, or why it is not.", directives=signed_in())
class LoyaltyPointsHoldPayload(LoyaltyMovementPayload):
    hold: PointsHold | None = strawberry.field(default=None, description="As it is now; null when refused.")


@strawberry.type(description="What was spent, or why it was not.", directives=signed_in())
class LoyaltyPointsCapturePayload(LoyaltyPointsHoldPayload):
    pass


@strawberry.type(description="What came back, or why it did not.", directives=signed_in())
class LoyaltyPointsReleasePayload(LoyaltyPointsHoldPayload):
    pass


@strawberry.type(description="What was given or taken, or why it was not.", directives=signed_in())
class LoyaltyPointsAdjustPayload(LoyaltyMovementPayload):
    pass


@strawberry.type(description="What was undone, or why it was not.", directives=signed_in())
class LoyaltyEntryReversePayload(LoyaltyMovementPayload):
    pass


@strawberry.type(
    description="Who takes part, or why they do not. `entry` is what they were given for it, if anything.",
    directives=signed_in(),
)
class LoyaltyEnrollPayload(LoyaltyMovementPayload):
    pass


@strawberry.type
class LoyaltyMutation:
    @strawberry.mutation(
        description="Take part in the shop's programme of points from now on. A customer does so once, which is the "
        "key: asking again tells what was done.",
        extensions=[AnswersRefusals()],
        directives=acting(ADJUST),
    )
    async def loyalty_enroll(self, info: Info, input: Annotated[LoyaltyEnrollInput, GIVEN]) -> LoyaltyEnrollPayload:
        customer_id = owner(info.context, input.customer)
        done = await _done(info.context, service.enroll, customer_id)
        entry = LedgerEntry(item=done.entry) if done.entry else None
        return LoyaltyEnrollPayload(customer_id=customer_id, entry=entry, replayed=done.replayed)

    @strawberry.mutation(
        description="Set points aside, so that nobody else can spend them: for an order that is being paid, say.",
        extensions=[AnswersRefusals()],
        directives=acting(ADJUST),
    )
    async def loyalty_points_hold(
        self, info: Info, input: Annotated[LoyaltyPointsHoldInput, GIVEN]
    ) -> LoyaltyPointsHoldPayload:
        customer_id = owner(info.context, input.customer)
        done = await _asked(
            info.context, service.hold, customer_id, input.points,
            lasts=input.lasts, order_id=input.order_id, idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return LoyaltyPointsHoldPayload(**_held(customer_id, done))

    @strawberry.mutation(
        description="Spend points that are set aside: customers those that they set aside themselves. Safe to repeat: "
        "a hold is captured once, and asking again for as many points tells what was done.",
        extensions=[AnswersRefusals()],
        directives=acting(ADJUST),
    )
    async def loyalty_points_capture(
        self, info: Info, input: Annotated[LoyaltyPointsCaptureInput, GIVEN]
    ) -> LoyaltyPointsCapturePayload:
        customer_id, hold_id = named(info.context, "PointsHold", "hold", input.hold)
        done = await _asked(info.context, service.capture, customer_id, hold_id, points=input.points, of_hold=True)
        return LoyaltyPointsCapturePayload(**_held(customer_id, done))

    @strawberry.mutation(
        description="Let points that are set aside come back before their time: customers those that they set aside "
        "themselves. Safe to repeat: a hold is let go once, and asking again tells what was done.",
        extensions=[AnswersRefusals()],
        directives=acting(ADJUST),
    )
    async def loyalty_points_release(
        self, info: Info, input: Annotated[LoyaltyPointsReleaseInput, GIVEN]
    ) -> LoyaltyPointsReleasePayload:
        customer_id, hold_id = named(info.context, "PointsHold", "hold", input.hold)
        done = await _asked(info.context, service.release, customer_id, hold_id, of_hold=True)
        return LoyaltyPointsReleasePayload(**_held(customer_id, done))

    @strawberry.mutation(
        description="Give a customer points, or take some. What is given expires as what is earned then does.",
        extensions=[AnswersRefusals()],
        directives=staff(ADJUST),
    )
    async def loyalty_points_adjust(
        self, info: Info, input: Annotated[LoyaltyPointsAdjustInput, GIVEN]
    ) -> LoyaltyPointsAdjustPayload:
        customer_id = owner(info.context, input.customer)
        done = await _asked(
            info.context, service.adjust, customer_id, input.points,
            reason=input.reason, idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return LoyaltyPointsAdjustPayload(**_moved(customer_id, done))

    @strawberry.mutation(
        description="Undo an adjustment, or what was spent of a hold by a till or by staff, as a whole. A reward is "
        "taken back by `loyaltyRedemptionCancel`; what orders did to points is put right by telling of the orders. "
        "What was spent of points that are taken back is owed or forgiven, as the programme's `shortfall` says; points "
        "that come back expire when they would have, but not before its `graceDays` are over. Safe to repeat: an entry "
        "is reversed once, and asking again with the same `reason` tells what was done.",
        extensions=[AnswersRefusals()],
        directives=staff(ADJUST),
    )
    async def loyalty_entry_reverse(
        self, info: Info, input: Annotated[LoyaltyEntryReverseInput, GIVEN]
    ) -> LoyaltyEntryReversePayload:
        customer_id, cause = named(info.context, "LedgerEntry", "entry", input.entry)
        done = await _asked(info.context, service.reverse, customer_id, cause, reason=input.reason)
        return LoyaltyEntryReversePayload(**_moved(customer_id, done))


FIELDS: Final = {"id": "customer", "customer_id": "customer", "hold_id": "hold", "entry_id": "entry"}
"""What services call the inputs here."""


async def _asked(
    context: Context, move: Callable[..., Any], customer_id: str, *what: Any, of_hold: bool = False, **said: Any
) -> Any:
    """Let points of a customer move for the caller. What is read of the customer from here on is as it is then."""
    themselves = context.principal.kind is Kind.CUSTOMER
    admit = of_customer(context.shop, customer_id, themselves=themselves, of_hold=of_hold)
    return await _done(context, move, customer_id, *what, admit=admit, **said)


async def _done(context: Context, move: Callable[..., Any], customer_id: str, *what: Any, **said: Any) -> Any:
    said |= {"actor": context.principal.actor, "now": context.now}
    try:
        return await stored(move, context.shop, customer_id, *what, **said)
    except CrmError as error:
        error.field = FIELDS.get(error.field or "", error.field)
        raise
    finally:
        context.loader(RecordByCustomer).forget(customer_id)


def _held(customer_id: str, done: service.Hold) -> dict[str, Any]:
    return {"hold": PointsHold(customer_id=customer_id, item=done.hold), **_moved(customer_id, done.given)}


def _moved(customer_id: str, given: service.Given) -> dict[str, Any]:
    return {"customer_id": customer_id, "entry": LedgerEntry(item=given.entry), "replayed": given.replayed}
