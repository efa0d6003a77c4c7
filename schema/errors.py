# schema/errors.py
"""How a refusal reaches a client.

A mutation's refusal becomes its payload's `userErrors`; elsewhere it becomes a top-level error with its code. A refusal
with data has a type of its own, in `typed`, and a test finds one that has none.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField

from crm.customers.service import CustomerDeleted, IdentifierTaken
from crm.kernel.errors import CrmError, Fault, InvalidInput, InvalidInputs, VersionMismatch
from crm.loyalty.rewards.service import LimitReached, NotEligible, OutOfStock, PriceChanged
from crm.loyalty.service import InsufficientPoints, Noun, TierNamed, TooManyHolds, UnknownName
from crm.segmentation.service import QueryFault, SegmentNamed
from schema import forms
from schema.access import signed_in
from schema.context import Context
from schema.loyalty.reward_words import RewardPeriod, RewardReason
from schema.node import global_id
from schema.principal import Kind, Principal
from schema.scalars import Points
from schema.segment.query_text import SegmentQueryMistake
from schema.standing import refuse_barred

KINDS: Final = {Noun.SEGMENT: "Segment", Noun.TIER: "LoyaltyTier"}
PLACE = re.compile(r"\[(\d+)\]")
TAIL = re.compile(r"_([a-z0-9])")
PRESENT: Final = "Null when refused; with `VERSION_MISMATCH` what is stored."
"""Of the fields of payloads that `AnswersRefusals(present=...)` fills."""


@strawberry.interface(description="A refusal the client can act on.", directives=signed_in())
class UserError:
    code: str = strawberry.field(description="What to switch on; docs/errors.md lists every code.")
    message: str = strawberry.field(description="What is wrong, for developers; not to be shown or parsed.")
    field: list[str] = strawberry.field(
        description='Path to the input at fault, as in `["input", "tags", "3"]`; empty when no input is.'
    )


@strawberry.type(description="A refusal with nothing more to say.", directives=signed_in())
class PlainError(UserError):
    pass


@strawberry.type(description="Somebody else changed the record first: read it again.", directives=signed_in())
class VersionMismatchError(UserError):
    expected: int = strawberry.field(description="The version the client relied on.")
    actual: int = strawberry.field(description="The version that is stored.")


@strawberry.type(description="The identifier belongs to another customer, who keeps it.", directives=signed_in())
class IdentifierTakenError(UserError):
    kind: str = strawberry.field(description="Which kind of identifier it is.")
    holder: strawberry.ID | None = strawberry.field(
        description="The `id` of the customer who holds it; told to staff only, and of one who is deleted to those who "
        "may restore them."
    )


@strawberry.type(
    description="A mistake in the query of a segment; each has an error of its own, all in the order of the text.",
    directives=signed_in(),
)
class SegmentQueryError(UserError):
    mistake: SegmentQueryMistake = strawberry.field(description="What is wrong, and where in the query.")


@strawberry.type(
    description="Other segments, or rules or rewards of the programme, name the segment, and would break without it.",
    directives=signed_in(),
)
class SegmentNamedError(UserError):
    segments: list[strawberry.ID] = strawberry.field(description="The `id`s of those segments.")
    names: list[str] = strawberry.field(description="What they are called, in the same order.")
    rules: list[str] = strawberry.field(description="What the rules are called; told with `loyalty:read`.")
    rewards: list[strawberry.ID] = strawberry.field(description="The `id`s of the rewards; told with `loyalty:read`.")


@strawberry.type(description="Rules or rewards of the programme name the tier.", directives=signed_in())
class TierNamedError(UserError):
    rules: list[str] = strawberry.field(description="What the rules are called.")
    rewards: list[strawberry.ID] = strawberry.field(description="The `id`s of the rewards.")
    names: list[str] = strawberry.field(description="What the rewards are called, in the same order.")


@strawberry.type(
    description="There is no segment, or tier, of this `id`, or the tier is archived.", directives=signed_in()
)
class UnknownNameError(UserError):
    nearest: strawberry.ID | None = strawberry.field(
        description="The `id` of the one whose name was probably meant; null where none is near. Of segments it is "
        "told with `segments:read`."
    )
    nearest_name: str | None = strawberry.field(description="What that is called.")


@strawberry.type(description="More points are asked for than can be spent.", directives=signed_in())
class InsufficientPointsError(UserError):
    available: Points = strawberry.field(description="Points that can be spent.")
    required: Points = strawberry.field(description="Points that are needed.")


@strawberry.type(description="The reward is not for this customer, or not now.", directives=signed_in())
class NotEligibleError(UserError):
    reasons: list[RewardReason] = strawberry.field(description="All that stands against it.")


@strawberry.type(
    description="The customer has redeemed the reward as often as they may in a period.", directives=signed_in()
)
class LimitReachedError(UserError):
    limit: int = strawberry.field(description="How often they may.")
    period: RewardPeriod = strawberry.field(description="In which period of the programme's zone.")
    again_at: datetime | None = strawberry.field(description="When they may again; null where it is for ever.")


@strawberry.type(description="The customer has as many open holds as they may.", directives=signed_in())
class TooManyHoldsError(UserError):
    next_ends_at: datetime = strawberry.field(description="When the next of them ends by itself.")


@strawberry.type(description="None of the reward is left.", directives=signed_in())
class OutOfStockError(UserError):
    pass


@strawberry.type(description="The reward costs something else than was expected.", directives=signed_in())
class PriceChangedError(UserError):
    points: Points = strawberry.field(description="What it costs now.")


def path_of(field: str | None) -> list[str]:
    """The path to an argument from the dotted name a service gives it; `[0]` is the first of a list."""
    names = PLACE.sub(r".\1", field).split(".") if field else []
    return [TAIL.sub(lambda match: match.group(1).upper(), name) for name in names]


def input_path(field: str | None) -> list[str]:
    """The path to an input of a mutation; "" is the input as a whole."""
    return [] if field is None else ["input", *path_of(field)]


def _version_mismatch(error: VersionMismatch, _asker: Principal, **common: Any) -> UserError:
    return VersionMismatchError(expected=error.expected, actual=error.actual, **common)


def _identifier_taken(error: IdentifierTaken, asker: Principal, **common: Any) -> UserError:
    told = asker.may_see_deleted if error.hidden else asker.kind is Kind.STAFF
    holder = global_id("Customer", error.customer_id) if told else None
    return IdentifierTakenError(kind=error.kind, holder=holder, **common)


def _segment_named(error: SegmentNamed, asker: Principal, **common: Any) -> UserError:
    ids = [global_id("Segment", segment_id) for segment_id in error.segments]
    told = "loyalty:read" in asker.scopes
    rules = list(error.rules.values()) if told else []
    rewards = [global_id("RewardDefinition", each) for each in error.rewards] if told else []
    return SegmentNamedError(segments=ids, names=list(error.segments.values()), rules=rules, rewards=rewards, **common)


def _tier_named(error: TierNamed, _asker: Principal, **common: Any) -> UserError:
    asking = error.asking
    rewards = [global_id("RewardDefinition", each) for each in asking.rewards]
    rules, names = list(asking.rules.values()), list(asking.rewards.values())
    return TierNamedError(rules=rules, rewards=rewards, names=names, **common)


def _insufficient_points(error: InsufficientPoints, _asker: Principal, **common: Any) -> UserError:
    return InsufficientPointsError(available=Points(error.available), required=Points(error.required), **common)


def _not_eligible(error: NotEligible, _asker: Principal, **common: Any) -> UserError:
    return NotEligibleError(reasons=[RewardReason(reason) for reason in error.reasons], **common)


def _limit_reached(error: LimitReached, _asker: Principal, **common: Any) -> UserError:
    period = RewardPeriod(error.period)
    return LimitReachedError(limit=error.limit, period=period, again_at=error.again_at, **common)


def _too_many_holds(error: TooManyHolds, _asker: Principal, **common: Any) -> UserError:
    return TooManyHoldsError(next_ends_at=error.next_ends_at, **common)


def _out_of_stock(_error: OutOfStock, _asker: Principal, **common: Any) -> UserError:
    return OutOfStockError(**common)


def _price_changed(error: PriceChanged, _asker: Principal, **common: Any) -> UserError:
    return PriceChangedError(points=Points(error.points), **common)


typed: Final[dict[type[CrmError], Callable[..., UserError]]] = {
    VersionMismatch: _version_mismatch,
    IdentifierTaken: _identifier_taken,
    SegmentNamed: _segment_named,
    TierNamed: _tier_named,
    InsufficientPoints: _insufficient_points,
    NotEligible: _not_eligible,
    LimitReached: _limit_reached,
    TooManyHolds: _too_many_holds,
    OutOfStock: _out_of_stock,
    PriceChanged: _price_changed,
}
"""How each refusal that carries data is shown."""


def user_errors(error: CrmError, asker: Principal) -> list[UserError]:
    if isinstance(error, InvalidInput | InvalidInputs):
        return [_of_fault(fault, asker) for fault in error.faults]
    if isinstance(error, IdentifierTaken):
        return [_shown(each, asker) for each in (*error.others, error)]
    return [_shown(error, asker)]


def _shown(error: CrmError, asker: Principal) -> UserError:
    said = str(error)
    if isinstance(error, CustomerDeleted) and asker.may_see_deleted:
        said = "This customer is deleted: restore them first."
    common: dict[str, Any] = {"code": error.code, "message": said, "field": input_path(error.field)}
    show = typed.get(type(error))
    return show(error, asker, **common) if show else PlainError(**common)


def _of_fault(fault: Fault, asker: Principal) -> UserError:
    common: dict[str, Any] = {"code": fault.code, "message": fault.message, "field": input_path(fault.path)}
    if isinstance(fault, QueryFault):
        return SegmentQueryError(mistake=SegmentQueryMistake(item=fault.mistake), **common)
    if isinstance(fault, UnknownName):
        told = fault.noun is not Noun.SEGMENT or "segments:read" in asker.scopes
        meant = fault.meant if told else None
        nearest = global_id(KINDS[fault.noun], meant.id) if meant else None
        return UnknownNameError(nearest=nearest, nearest_name=meant.name if meant else None, **common)
    return PlainError(**common)


class AnswersRefusals(FieldExtension):
    """Turns a refusal raised by a mutation into its payload with `userErrors`, so that no resolver catches. The first
    is that of customers who take no part, unless their input is one that `barred_may` give.

    `excused` takes from the faults of a form what the store excuses; without faults it is not asked. `present` is what
    the payload shows beside a version that is not the stored one: what is stored, by the name of its field.
    """

    def __init__(
        self,
        *,
        barred_may: Callable[[Any], bool] = lambda _: False,
        excused: Callable[[Context, Any, list[Fault]], Awaitable[list[Fault]]] | None = None,
        present: Callable[[Context, Any], Awaitable[dict[str, Any]]] | None = None,
    ) -> None:
        self.barred_may = barred_may
        self.excused = excused
        self.present = present

    def apply(self, field: StrawberryField) -> None:
        self.payload: Any = field.type

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: strawberry.Info, **kwargs: Any
    ) -> Any:
        context, given = info.context, kwargs.get("input")
        try:
            if not self.barred_may(given):
                await refuse_barred(context.principal)
            wrong = forms.faults(given, context.principal, context.now)
            if wrong and self.excused:
                wrong = await self.excused(context, given, wrong)
            if wrong:
                raise InvalidInputs(wrong)
            return await next_(source, info, **kwargs)
        except CrmError as error:
            shown = isinstance(error, VersionMismatch) and self.present
            beside = await shown(context, given) if shown else {}
            return self.payload(user_errors=user_errors(error, context.principal), **beside)
