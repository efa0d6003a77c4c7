# schema/loyalty/tier_mutations.py
"""How tiers are defined, and given by hand."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import strawberry

from crm.kernel.errors import Fault, NotFound
from crm.loyalty import service
from crm.loyalty.admission import of_customer
from crm.loyalty.rewards.service import archive_tier
from schema.access import own, signed_in, staff
from schema.context import GIVEN, Context, Info, stored
from schema.customer.record import visible_record
from schema.errors import PRESENT, AnswersRefusals, UserError
from schema.forms import said
from schema.loyalty.account import LoyaltyAccount
from schema.loyalty.edits import EFFECTIVE_AT, EXPECTED, WRITE
from schema.loyalty.newest import newest_tiers
from schema.loyalty.owners import named_as
from schema.loyalty.tiers import LoyaltyTier, LoyaltyTiers, TierBasis, TierDowngrade, TierWindow, loyalty_tier
from schema.node import id_faults, key_of
from schema.operation import Operation, operation_by_key
from schema.principal import Principal
from schema.scalars import DecimalText

ADJUST: Final = "loyalty:adjust"
THRESHOLD: Final = (
    "The least that attains it: points, orders, or an amount in the programme's currency, as the basis says."
)
BENEFITS: Final = "What it is good for, in the shop's words: 20 at most, of one line each."


@strawberry.input(description="A new tier.")
class LoyaltyTierCreateInput:
    name: str = strawberry.field(description="What people, and queries of segments, call it: another than every other.")
    threshold: DecimalText = strawberry.field(description=THRESHOLD)
    benefits: list[str] | None = strawberry.field(default=None, description=BENEFITS)
    effective_at: datetime | None = strawberry.field(default=None, description=EFFECTIVE_AT)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    def fields(self) -> service.TierFields:
        return service.TierFields(self.name, self.threshold, _lines(self.benefits))

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return service.tier_faults(self.fields())


@strawberry.input(description="What changes about a tier: what is left out stays.")
class LoyaltyTierUpdateInput:
    id: strawberry.ID = strawberry.field(description="Which tier.")
    name: strawberry.Maybe[str] = strawberry.field(description="What people call it.")
    threshold: strawberry.Maybe[DecimalText] = strawberry.field(description=THRESHOLD)
    benefits: strawberry.Maybe[list[str]] = strawberry.field(description=BENEFITS)
    effective_at: datetime | None = strawberry.field(default=None, description=EFFECTIVE_AT)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    def fields(self) -> service.TierFields:
        given = said(self)
        return service.TierFields(given.get("name"), given.get("threshold"), _lines(given.get("benefits")))

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return [*id_faults(self.id), *service.tier_faults(self.fields())]


@strawberry.input(description="A tier that nobody is to attain any more; those who have it keep it until it ends.")
class LoyaltyTierArchiveInput:
    id: strawberry.ID = strawberry.field(description="Which tier.")
    effective_at: datetime | None = strawberry.field(default=None, description=EFFECTIVE_AT)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return id_faults(self.id)


@strawberry.input(description="How tiers are attained and lost: what is left out stays.")
class LoyaltyTiersUpdateInput:
    basis: strawberry.Maybe[TierBasis] = strawberry.field(
        description="What counts; it stays what it is once there are tiers."
    )
    window: strawberry.Maybe[TierWindow] = strawberry.field(description="Over which days.")
    downgrade: strawberry.Maybe[TierDowngrade] = strawberry.field(
        description="What becomes of a tier that was not reached again in time."
    )
    grace_days: strawberry.Maybe[int] = strawberry.field(description="How many days it stays then; 180 at most.")
    notice_days: strawberry.Maybe[int] = strawberry.field(
        description="How many days before it ends `tier.downgrade_upcoming` is published; 90 at most, and 0: never."
    )
    effective_at: datetime | None = strawberry.field(default=None, description=EFFECTIVE_AT)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    def rules(self) -> service.TierRules:
        given = said(self)
        for name, kind in (("basis", service.Basis), ("window", service.Window), ("downgrade", service.Downgrade)):
            if name in given:
                given[name] = kind(str(given[name].value))
        return service.TierRules(**given)

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return service.tier_rules_faults(self.rules())


@strawberry.input(description="A tier that somebody of the shop gives a customer, whatever they have reached.")
class LoyaltyTierOverrideInput:
    customer: strawberry.ID = strawberry.field(description="To whom, by `id`.")
    tier: strawberry.ID | None = strawberry.field(
        default=None, description="Which, by `id`; null: what was given ends now, and what they have reached counts."
    )
    until: datetime | None = strawberry.field(
        default=None, description="When that ends: within five years. Without a tier there is none."
    )
    reason: str = strawberry.field(description="Why, for other staff; 500 characters at most.")

    def said(self, tier_id: str | None) -> service.TierOverride:
        return service.TierOverride(tier_id=tier_id, until=self.until, reason=self.reason)

    def faults(self, _asker: Principal, now: datetime) -> list[Fault]:
        found = [*id_faults(self.customer, "customer"), *id_faults(self.tier, "tier")]
        return [*found, *service.tier_override_faults(self.said(self.tier), now=now)]


@strawberry.type(description="The tiers as they will be, or why they are not so.", directives=signed_in())
class LoyaltyTiersUpdatePayload:
    tiers: LoyaltyTiers | None = strawberry.field(
        default=None, description=f"As they count from `effectiveAt`. {PRESENT}"
    )
    effective_at: datetime | None = strawberry.field(
        default=None, description="From when `tiers` count; null where they are, and where nothing was ever defined."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")
    walk: strawberry.Private[str | None] = None

    @strawberry.field(
        description=(
            "What gives customers the tiers that this means, from `effectiveAt` on. Null where it changes nothing of "
            "what they have, and for who may not see tiers."
        )
    )
    async def operation(self, info: Info) -> Operation | None:
        return await operation_by_key(info.context, self.walk) if self.walk else None


@strawberry.type(description="The tier as it will be, or why there is none.", directives=signed_in())
class LoyaltyTierCreatePayload(LoyaltyTiersUpdatePayload):
    tier: LoyaltyTier | None = strawberry.field(default=None, description="Null when refused.")


@strawberry.type(description="The tier as it will be, or why it is not so.", directives=signed_in())
class LoyaltyTierUpdatePayload(LoyaltyTierCreatePayload):
    pass


@strawberry.type(description="The tier as it will be, or why it is not so.", directives=signed_in())
class LoyaltyTierArchivePayload(LoyaltyTierCreatePayload):
    pass


@strawberry.type(description="What the customer has now, or why it was not given.", directives=signed_in())
class LoyaltyTierOverridePayload:
    customer_id: strawberry.Private[str | None] = None
    head: strawberry.Private[service.LoyaltyAccount | None] = None

    replayed: bool = strawberry.field(
        default=False, description="True where just that was so already, and nothing was written."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")

    @strawberry.field(description="Their account; null when refused.", directives=own("loyalty:read"))
    def account(self) -> LoyaltyAccount | None:
        return LoyaltyAccount(customer_id=self.customer_id, item=self.head) if self.customer_id else None


@strawberry.type
class TierMutation:
    @strawberry.mutation(
        description="Define a tier of the programme.",
        extensions=[AnswersRefusals(present=newest_tiers)],
        directives=staff(WRITE),
    )
    async def loyalty_tier_create(
        self, info: Info, input: Annotated[LoyaltyTierCreateInput, GIVEN]
    ) -> LoyaltyTierCreatePayload:
        defined = await stored(service.tier_create, info.context.shop, input.fields(), **_said(info.context, input))
        return LoyaltyTierCreatePayload(**_shown_with_tier(defined))

    @strawberry.mutation(
        description="Change a tier. Whoever has it keeps it to the end of the year then running, whatever it takes.",
        extensions=[AnswersRefusals(present=newest_tiers)],
        directives=staff(WRITE),
    )
    async def loyalty_tier_update(
        self, info: Info, input: Annotated[LoyaltyTierUpdateInput, GIVEN]
    ) -> LoyaltyTierUpdatePayload:
        said = _said(info.context, input)
        defined = await stored(service.tier_update, info.context.shop, tier_key(input.id), input.fields(), **said)
        return LoyaltyTierUpdatePayload(**_shown_with_tier(defined))

    @strawberry.mutation(
        description="Let nobody else attain a tier. One that rules or rewards ask for is refused, and told which they "
        "are. Its id is never another's.",
        extensions=[AnswersRefusals(present=newest_tiers)],
        directives=staff(WRITE),
    )
    async def loyalty_tier_archive(
        self, info: Info, input: Annotated[LoyaltyTierArchiveInput, GIVEN]
    ) -> LoyaltyTierArchivePayload:
        defined = await stored(archive_tier, info.context.shop, tier_key(input.id), **_said(info.context, input))
        return LoyaltyTierArchivePayload(**_shown_with_tier(defined))

    @strawberry.mutation(
        description="Say how tiers are attained and lost.",
        extensions=[AnswersRefusals(present=newest_tiers)],
        directives=staff(WRITE),
    )
    async def loyalty_tiers_update(
        self, info: Info, input: Annotated[LoyaltyTiersUpdateInput, GIVEN]
    ) -> LoyaltyTiersUpdatePayload:
        defined = await stored(service.tiers_rule, info.context.shop, input.rules(), **_said(info.context, input))
        return LoyaltyTiersUpdatePayload(**_shown(defined.version))

    @strawberry.mutation(
        description="Give a customer a tier for a time, whatever they reach, or end that. A repeat changes nothing; "
        "another reason, or somebody else who says so, is written to `tierHistory`.",
        extensions=[AnswersRefusals()],
        directives=staff(ADJUST),
    )
    async def loyalty_tier_override(
        self, info: Info, input: Annotated[LoyaltyTierOverrideInput, GIVEN]
    ) -> LoyaltyTierOverridePayload:
        context = info.context
        customer_id = await _customer(context, input.customer)
        tier_id = None if input.tier is None else tier_key(input.tier, field="tier")
        with named_as(id="customer"):
            done = await stored(
                service.override_tier, context.shop, customer_id, input.said(tier_id),
                actor=context.principal.actor, now=context.now,
                admit=of_customer(context.shop, customer_id, themselves=False),
            )  # fmt: skip
        return LoyaltyTierOverridePayload(customer_id=customer_id, head=done.account, replayed=done.replayed)


async def _customer(context: Context, id: str) -> str:
    """Raises NotFound."""
    key = key_of("Customer", id, field="customer")
    record = await visible_record(context, key[0]) if key else None
    if key is None or record is None:
        raise NotFound("There is no such customer.", field="customer")
    return key[0]


def tier_key(id: str, *, field: str = "id") -> str:
    key = key_of("LoyaltyTier", id, field=field)
    if key is None:
        raise NotFound("There is no such tier.", field=field)
    return key[0]


def _said(context: Context, given: Any) -> dict[str, Any]:
    return {
        "actor": context.principal.actor,
        "now": context.now,
        "effective_at": given.effective_at,
        "expected_version": given.expected_version,
    }


def _shown(version: service.ProgrammeVersion) -> dict[str, Any]:
    tiers = LoyaltyTiers(version=version)
    return {"tiers": tiers, "effective_at": version.effective_at, "walk": service.tiers_operation(version)}


def _shown_with_tier(defined: service.TierDefined) -> dict[str, Any]:
    tier = loyalty_tier(defined.tier, defined.version) if defined.tier else None
    return _shown(defined.version) | {"tier": tier}


def _lines(texts: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if texts is None else tuple(texts)
