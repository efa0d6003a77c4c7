# schema/loyalty/programme_preview.py
"""What a programme would give if it were changed, before anything is saved."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

import strawberry

from crm.kernel.errors import Fault, InvalidInputs
from crm.loyalty import service, trying
from crm.loyalty.rewards.service import archiving_tier
from crm.loyalty.trying import Decide, Segments
from schema import forms
from schema.access import staff
from schema.connections import priced
from schema.context import Context, Info, stored
from schema.loyalty.event_bonuses import (
    LoyaltyEventBonusArchiveInput,
    LoyaltyEventBonusCreateInput,
    LoyaltyEventBonusUpdateInput,
)
from schema.loyalty.names import segments_known
from schema.loyalty.preview import LoyaltyEarnPreview, LoyaltyEarnPreviewInput, ordering
from schema.loyalty.programme import LoyaltyProgrammeUpdateInput, LoyaltyProgrammeVersion
from schema.loyalty.rules import (
    LoyaltyRuleArchiveInput,
    LoyaltyRuleCreateInput,
    LoyaltyRuleUpdateInput,
    asked_for,
)
from schema.loyalty.tier_mutations import (
    LoyaltyTierArchiveInput,
    LoyaltyTierCreateInput,
    LoyaltyTiersUpdateInput,
    LoyaltyTierUpdateInput,
    tier_key,
)
from schema.loyalty.tiers import LoyaltyTier, TierAmount, loyalty_tier

ARGUMENT: Final = "changes"


@strawberry.input(
    description="A change of the programme: exactly one, as the mutation of its name takes it. It is tried as if it "
    "counted from now on, whatever its `effectiveAt` and `expectedVersion` say.",
    one_of=True,
)
class LoyaltyProgrammeChangeInput:
    programme_update: strawberry.Maybe[LoyaltyProgrammeUpdateInput] = strawberry.field(description="The programme.")
    rule_create: strawberry.Maybe[LoyaltyRuleCreateInput] = strawberry.field(description="A new rule.")
    rule_update: strawberry.Maybe[LoyaltyRuleUpdateInput] = strawberry.field(description="A rule that there is.")
    rule_archive: strawberry.Maybe[LoyaltyRuleArchiveInput] = strawberry.field(description="A rule less.")
    tiers_update: strawberry.Maybe[LoyaltyTiersUpdateInput] = strawberry.field(
        description="How tiers are attained and lost."
    )
    tier_create: strawberry.Maybe[LoyaltyTierCreateInput] = strawberry.field(description="A new tier.")
    tier_update: strawberry.Maybe[LoyaltyTierUpdateInput] = strawberry.field(description="A tier that there is.")
    tier_archive: strawberry.Maybe[LoyaltyTierArchiveInput] = strawberry.field(description="A tier less.")
    event_bonus_create: strawberry.Maybe[LoyaltyEventBonusCreateInput] = strawberry.field(
        description="A new bonus for an event."
    )
    event_bonus_update: strawberry.Maybe[LoyaltyEventBonusUpdateInput] = strawberry.field(
        description="A bonus for an event that there is."
    )
    event_bonus_archive: strawberry.Maybe[LoyaltyEventBonusArchiveInput] = strawberry.field(
        description="A bonus for an event less."
    )

    def chosen(self) -> tuple[str, Any]:
        """Which it is, and what is said of it."""
        return next((name, some.value) for name, some in vars(self).items() if isinstance(some, strawberry.Some))


class Chosen(NamedTuple):
    """A change, its place among them, and which it is."""

    place: str
    name: str
    said: Any


class Asked(NamedTuple):
    """What a decision is made of besides what is said."""

    shop: str
    place: str
    segments: Segments
    now: datetime


@strawberry.type(description="What a version of the programme gives.", directives=staff("loyalty:read"))
class LoyaltyProgrammeOutcome:
    item: strawberry.Private[trying.Outcome]
    now: strawberry.Private[datetime]

    @strawberry.field(description="The version; one that is only tried has the number it would have.")
    def programme(self) -> LoyaltyProgrammeVersion:
        return LoyaltyProgrammeVersion(item=self.item.version, now=self.now)

    @strawberry.field(
        description="What the cart would earn. A rule that is only tried has the place of its change as `ruleId`, such "
        "as `changes.0`."
    )
    def earned(self) -> LoyaltyEarnPreview:
        return LoyaltyEarnPreview(item=self.item.earned)

    @strawberry.field(
        description="The tier that the customer would have today; null: none. Nobody loses theirs at once where tiers "
        "are defined anew."
    )
    def tier(self) -> LoyaltyTier | None:
        return self._shown(self.item.tier.tier if self.item.tier else None)

    @strawberry.field(description="The tier that what they have reached attains by itself; null: none.")
    def attained_tier(self) -> LoyaltyTier | None:
        return self._shown(self.item.tier.attained if self.item.tier else None)

    @strawberry.field(description="What they have reached, in the days that count now; null of who takes no part.")
    def reached(self) -> TierAmount | None:
        trial, programme = self.item.tier, self.item.version.programme
        return TierAmount.of(trial.reached, programme.tiers.basis, programme.currency) if trial else None

    def _shown(self, tier: service.Tier | None) -> LoyaltyTier | None:
        return loyalty_tier(tier, self.item.version) if tier else None


@strawberry.type(description="What changes of the programme would change.", directives=staff("loyalty:read"))
class LoyaltyProgrammePreview:
    before: LoyaltyProgrammeOutcome = strawberry.field(
        description="As its newest version has it: what an edit changes."
    )
    after: LoyaltyProgrammeOutcome = strawberry.field(description="As it would be.")


@strawberry.type
class LoyaltyProgrammePreviewQuery:
    @strawberry.field(
        description="What an order would earn, and which tier its customer would have, if the programme were changed "
        "so from now on. Nothing is written. Changes that would be refused are, each with the path to what is wrong. "
        "Null where there is no such customer.",
        directives=[*staff("loyalty:read"), priced(10)],
    )
    async def loyalty_programme_preview(
        self,
        info: Info,
        changes: Annotated[
            list[LoyaltyProgrammeChangeInput],
            strawberry.argument(description=f"One after another; {trying.MOST_CHANGES} at most."),
        ],
        order: Annotated[LoyaltyEarnPreviewInput, strawberry.argument(description="The order, as a cart.")],
        customer: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Who would order it, by `id`; null: somebody new."),
        ] = None,
    ) -> LoyaltyProgrammePreview | None:
        context = info.context
        cart, chosen = order.cart(), _chosen(changes, context)
        asked, record = await ordering(context, customer)
        if asked and record is None:
            return None
        asking = [each.said.fields() for each in chosen if each.name in {"rule_create", "rule_update"}]
        segments = await segments_known(context, (key for fields in asking for key in asked_for(fields)))
        decides = await stored(_tried, context.shop, chosen, segments, now=context.now)
        before, after = await stored(
            trying.tried, context.shop, decides, cart, record.heads if record else None, now=context.now
        )
        return LoyaltyProgrammePreview(
            before=LoyaltyProgrammeOutcome(item=before, now=context.now),
            after=LoyaltyProgrammeOutcome(item=after, now=context.now),
        )


def _chosen(changes: Sequence[LoyaltyProgrammeChangeInput], context: Context) -> list[Chosen]:
    """Raises InvalidInputs with all that is wrong with their forms."""
    wrong: list[Fault] = []
    if len(changes) > trying.MOST_CHANGES:
        wrong.append(Fault(ARGUMENT, "TOO_MANY", f"must be {trying.MOST_CHANGES} at most"))
    chosen = [Chosen(f"{ARGUMENT}.{at}", *each.chosen()) for at, each in enumerate(changes[: trying.MOST_CHANGES])]
    for each in chosen:
        faults = forms.faults(each.said, context.principal, context.now)
        wrong += [Fault(f"{each.place}.{each.name}.{one.path}", one.code, one.message) for one in faults]
    if wrong:
        raise InvalidInputs(wrong)
    return chosen


def _tried(shop: str, chosen: Sequence[Chosen], segments: Segments, *, now: datetime) -> list[tuple[str, Decide]]:
    """What the mutation of each would make of the programme."""
    return [
        (f"{each.place}.{each.name}", DECISIONS[type(each.said)](each.said, Asked(shop, each.place, segments, now)))
        for each in chosen
    ]


DECISIONS: Final[Mapping[type, Callable[[Any, Asked], Decide]]] = {
    LoyaltyProgrammeUpdateInput: lambda said, _: trying.changing_programme(said.fields()),
    LoyaltyRuleCreateInput: lambda said, asked: trying.adding_rule(
        asked.place, said.rule_kind, said.fields(), segments=asked.segments
    ),
    LoyaltyRuleUpdateInput: lambda said, asked: trying.changing_rule(
        said.rule_id, said.fields(), segments=asked.segments
    ),
    LoyaltyRuleArchiveInput: lambda said, asked: trying.archiving_rule(said.rule_id, now=asked.now),
    LoyaltyTiersUpdateInput: lambda said, _: trying.ruling_tiers(said.rules()),
    LoyaltyTierCreateInput: lambda said, asked: trying.adding_tier(asked.place, said.fields()),
    LoyaltyTierUpdateInput: lambda said, _: trying.changing_tier(tier_key(said.id), said.fields()),
    LoyaltyTierArchiveInput: lambda said, asked: archiving_tier(asked.shop, tier_key(said.id), now=asked.now),
    LoyaltyEventBonusCreateInput: lambda said, asked: trying.adding_bonus(asked.place, said.fields()),
    LoyaltyEventBonusUpdateInput: lambda said, _: trying.changing_bonus(said.bonus_id, said.fields()),
    LoyaltyEventBonusArchiveInput: lambda said, asked: trying.archiving_bonus(said.bonus_id, now=asked.now),
}
"""What each change comes to. What is new has its place for an id."""
