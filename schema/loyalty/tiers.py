# schema/loyalty/tiers.py
"""Tiers, as clients see them: what a shop defines, and what a customer has."""

from asyncio import gather
from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum
from typing import Final, NamedTuple, Self

import strawberry

from crm.kernel.actor import Actor as Doer
from crm.kernel.errors import NotFound
from crm.loyalty import service
from schema.access import own, signed_in, staff
from schema.connections import After, Connection, First, about, at_most, paged
from schema.context import Context, Info, Loader, stored
from schema.customer.history import Actor
from schema.loaders import Page, PageByCustomer, timeline_page
from schema.node import Node, global_id
from schema.principal import Kind
from schema.scalars import Money, Points

MOST_TIERS: Final = 20
MOST_BENEFITS: Final = 20


@strawberry.enum(description="What counts for tiers, of the orders placed in the window, as they stand.")
class TierBasis(Enum):
    POINTS = strawberry.enum_value("POINTS", description="The points they earn, whatever has been spent since.")
    SPEND = strawberry.enum_value("SPEND", description="Their net; orders in another currency count nothing.")
    ORDERS = strawberry.enum_value("ORDERS", description="How many of them stand.")


@strawberry.enum(description="Over which days it is counted, in the programme's zone.")
class TierWindow(Enum):
    ROLLING = strawberry.enum_value("ROLLING", description="The 12 months that end with the day.")
    CALENDAR_YEAR = strawberry.enum_value("CALENDAR_YEAR", description="A tier is had through the year after, too.")
    MEMBERSHIP_YEAR = strawberry.enum_value("MEMBERSHIP_YEAR", description="Years that begin on the day of joining.")


@strawberry.enum(description="What becomes of a tier that was not reached again in time.")
class TierDowngrade(Enum):
    ONE_STEP = strawberry.enum_value("ONE_STEP", description="The next lower one, for a year, or what was reached.")
    REEVALUATE = strawberry.enum_value("REEVALUATE", description="What was reached.")


@strawberry.enum(description="Why somebody has another tier than before.")
class TierChangeReason(Enum):
    ATTAINED = strawberry.enum_value("ATTAINED", description="Enough was reached.")
    ENDED = strawberry.enum_value("ENDED", description="It was not reached again in time.")
    REFUNDED = strawberry.enum_value("REFUNDED", description="What had attained it was taken back.")
    CORRECTED = strawberry.enum_value(
        "CORRECTED",
        description="An order was told late by which a tier had not ended (`corrects`), or by which it had sooner.",
    )
    REDEFINED = strawberry.enum_value("REDEFINED", description="The shop defined its tiers anew.")
    RENAMED = strawberry.enum_value("RENAMED", description="It is the same tier; the shop calls it something else.")
    MERGED = strawberry.enum_value("MERGED", description="The customer and another one became one.")
    OVERRIDDEN = strawberry.enum_value("OVERRIDDEN", description="Somebody of the shop gave it.")
    OVERRIDE_ENDED = strawberry.enum_value("OVERRIDE_ENDED", description="What somebody of the shop gave has ended.")


@strawberry.type(
    description="How much of what counts: one of the three is there, as the basis says.", directives=signed_in()
)
class TierAmount:
    points: Points | None = strawberry.field(default=None, description="Points.")
    spend: Money | None = strawberry.field(default=None, description="An amount in the programme's currency.")
    order_count: int | None = strawberry.field(default=None, description="Orders.")

    @classmethod
    def of(cls, amount: int, basis: service.Basis, currency: str) -> Self:
        match basis:
            case service.Basis.POINTS:
                return cls(points=Points(amount))
            case service.Basis.SPEND:
                return cls(spend=Money.of(amount, currency))
            case service.Basis.ORDERS:
                return cls(order_count=amount)


@strawberry.type(description="A tier of the programme.", directives=signed_in())
class LoyaltyTier(Node):
    tier: strawberry.Private[service.Tier]
    basis: strawberry.Private[service.Basis]
    currency: strawberry.Private[str]

    @strawberry.field(description="Opaque: what mutations name it by.")
    def id(self) -> strawberry.ID:
        return global_id("LoyaltyTier", self.tier.id)

    @strawberry.field(description="What people call it.")
    def name(self) -> str:
        return self.tier.name

    @strawberry.field(description="What it is good for, in the shop's words.", directives=[at_most(MOST_BENEFITS)])
    def benefits(self) -> list[str]:
        return list(self.tier.benefits)

    @strawberry.field(description="The least that attains it.")
    def threshold(self) -> TierAmount:
        return TierAmount.of(self.tier.threshold, self.basis, self.currency)

    @strawberry.field(
        description="When it was archived; nobody attains it from `effectiveAt` of that version on. Null: it was not."
    )
    def archived_at(self) -> datetime | None:
        return self.tier.archived_at


@strawberry.type(description="The tiers of a programme, and how they are attained and lost.", directives=signed_in())
class LoyaltyTiers:
    version: strawberry.Private[service.ProgrammeVersion]

    @property
    def _tiers(self) -> service.Tiers:
        return self.version.programme.tiers

    @strawberry.field(description="What counts.")
    def basis(self) -> TierBasis:
        return TierBasis(self._tiers.basis.value)

    @strawberry.field(description="Over which days.")
    def window(self) -> TierWindow:
        return TierWindow(self._tiers.window.value)

    @strawberry.field(description="What becomes of a tier that was not reached again in time.")
    def downgrade(self) -> TierDowngrade:
        return TierDowngrade(self._tiers.downgrade.value)

    @strawberry.field(description="How many days it stays then; what is reached in them still keeps it.")
    def grace_days(self) -> int:
        return self._tiers.grace_days

    @strawberry.field(description="How many days before it ends `tier.downgrade_upcoming` is published; 0: never.")
    def notice_days(self) -> int:
        return self._tiers.notice_days

    @strawberry.field(description="Those that can be attained, the lowest first.", directives=[at_most(MOST_TIERS)])
    def tiers(self) -> list[LoyaltyTier]:
        return [loyalty_tier(tier, self.version) for tier in self._tiers.active]

    @strawberry.field(
        description="Those that nobody attains any more, in the order of their making.",
        directives=[*staff("loyalty:read"), about(5)],
    )
    def archived(self) -> list[LoyaltyTier]:
        return [loyalty_tier(tier, self.version) for tier in self._tiers.all if tier.archived_at]

    @strawberry.field(
        description="Of the programme that says so. An edit changes the newest, `loyaltyProgramme.newest.tiers`: that "
        "one's is the `expectedVersion`.",
        directives=staff("loyalty:read"),
    )
    def programme_version(self) -> int:
        return self.version.number

    @strawberry.field(description="From when they count; null: since ever.", directives=staff("loyalty:read"))
    def effective_at(self) -> datetime | None:
        return self.version.effective_at


def loyalty_tier(tier: service.Tier, version: service.ProgrammeVersion) -> LoyaltyTier:
    return LoyaltyTier(tier=tier, basis=version.programme.tiers.basis, currency=version.programme.currency)


@strawberry.type(description="The tier that a customer has.", directives=signed_in())
class CustomerTier:
    standing: strawberry.Private[service.Standing]
    had: strawberry.Private[service.Tier]
    version: strawberry.Private[service.ProgrammeVersion]

    @strawberry.field(description="The tier of the programme, as it counts now.")
    def definition(self) -> LoyaltyTier:
        return loyalty_tier(self.had, self.version)

    @strawberry.field(description="What people call it.")
    def name(self) -> str:
        return self.had.name

    @strawberry.field(description="What it is good for, in the shop's words.", directives=[at_most(MOST_BENEFITS)])
    def benefits(self) -> list[str]:
        return list(self.had.benefits)

    @strawberry.field(
        description="The day since which they have reached it, by all orders that are known now, or since which it was "
        "given."
    )
    def since(self) -> date | None:
        return self.standing.since

    @strawberry.field(
        description="The last day on which they have it at least, unless orders are refunded; null: it does not end."
    )
    def until(self) -> date | None:
        return self.standing.until

    @strawberry.field(description="Whether somebody of the shop gave it, instead of what they have reached.")
    def is_given(self) -> bool:
        return self.standing.overridden


@strawberry.type(
    description="How far a customer is from the next tier, and from losing this one.", directives=signed_in()
)
class TierProgress:
    progress: strawberry.Private[service.Progress]
    version: strawberry.Private[service.ProgrammeVersion]

    @strawberry.field(description="What counts.")
    def basis(self) -> TierBasis:
        return TierBasis(self.progress.basis.value)

    @strawberry.field(description="The first of the days that count now.")
    def since(self) -> date:
        return self.progress.since

    @strawberry.field(description="What was reached in them.")
    def reached(self) -> TierAmount:
        return self._amount(self.progress.reached)

    @strawberry.field(description="The next tier that they have not reached; null: there is none.")
    def next_tier(self) -> LoyaltyTier | None:
        return self._tier(self.progress.next_tier)

    @strawberry.field(description="What it takes to attain that, today; null without one.")
    def missing(self) -> TierAmount | None:
        return self._amount(self.progress.missing) if self.progress.next_tier else None

    @strawberry.field(description="The day on which they lose their tier without more; null: they do not.")
    def ends_on(self) -> date | None:
        return self.progress.ends_on

    @strawberry.field(description="The tier they have then; null: none.")
    def tier_after(self) -> LoyaltyTier | None:
        return self._tier(self.progress.ends_after)

    @strawberry.field(
        description="What it takes before that day to stay; null where the tier does not end, or where nothing keeps "
        "it: nobody attains it any more, nor a higher one, or it was given until that day."
    )
    def missing_to_stay(self) -> TierAmount | None:
        missing = self.progress.missing_to_stay
        return None if missing is None else self._amount(missing)

    def _amount(self, amount: int) -> TierAmount:
        return TierAmount.of(amount, self.progress.basis, self.progress.currency)

    def _tier(self, tier: service.Tier | None) -> LoyaltyTier | None:
        return loyalty_tier(tier, self.version) if tier else None


@strawberry.type(description="That a customer has had another tier since; it is never changed.", directives=signed_in())
class TierChange:
    item: strawberry.Private[service.TierChange]

    @strawberry.field(description="Its place in the history, from 1 without gaps.")
    def number(self) -> int:
        return int(self.item.number)

    @strawberry.field(description="The tier they have had since, as it counts now; null: none.")
    async def tier(self, info: Info) -> LoyaltyTier | None:
        return await _tier_now(info.context, self.item.after_id)

    @strawberry.field(description="What that was called then; null: none.")
    def tier_name(self) -> str | None:
        return self.item.after_name

    @strawberry.field(description="The tier they had before, as it counts now; null: none.")
    async def previous_tier(self, info: Info) -> LoyaltyTier | None:
        return await _tier_now(info.context, self.item.before_id)

    @strawberry.field(description="What that was called then; null: none.")
    def previous_tier_name(self) -> str | None:
        return self.item.before_name

    @strawberry.field(description="Why.")
    def reason(self) -> TierChangeReason:
        return TierChangeReason(self.item.why)

    @strawberry.field(
        description="When it changed, by what was known then, and never before the change before it: of orders told "
        "late `CustomerTier.since` may be another day."
    )
    def occurred_at(self) -> datetime:
        return self.item.occurred_at

    @strawberry.field(description="The `orderId` of the order, where it was an order.")
    def order_id(self) -> str | None:
        return self.item.order_id

    @strawberry.field(description="Of a correction: the number of the change that it puts right.")
    def corrects(self) -> int | None:
        return None if self.item.corrects is None else int(self.item.corrects)

    @strawberry.field(description="Of a tier that was given: when that ends.")
    def until(self) -> datetime | None:
        return self.item.until

    @strawberry.field(description="Who gave it, or took it back.", directives=staff("loyalty:read"))
    def actor(self) -> Actor | None:
        return Actor.of(Doer.parse(self.item.actor)) if self.item.actor else None

    @strawberry.field(description="Why they did, in their words.", directives=staff("loyalty:read"))
    def note(self) -> str | None:
        return self.item.reason


class TierChangesByCustomer(PageByCustomer[service.TierChange]):
    def read(self, page: Page) -> list[service.TierChange]:
        return service.tier_changes(self.context.shop, page.customer_id, before=page.before, limit=page.limit)


class VersionInForce(Loader[str, service.ProgrammeVersion]):
    """Of the shop's programme; a process looks once a minute."""

    async def load_many(self, keys: list[str]) -> Sequence[service.ProgrammeVersion | BaseException]:
        now = self.context.now
        asked = (stored(service.version_in_force, shop, at=now, now=now) for shop in keys)
        return await gather(*asked, return_exceptions=True)


class StandingByCustomer(Loader[str, service.Standing]):
    """As it is now, of accounts of which something is due."""

    async def load_many(self, keys: list[str]) -> Sequence[service.Standing | BaseException]:
        asked = (stored(service.tier_at, self.context.shop, key, now=self.context.now) for key in keys)
        return await gather(*asked, return_exceptions=True)


class OfAccount(NamedTuple):
    """Whose account it is, as it was read."""

    customer_id: str
    head: service.LoyaltyAccount

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OfAccount) and self.customer_id == other.customer_id

    def __hash__(self) -> int:
        return hash(self.customer_id)


class ProgressByAccount(Loader[OfAccount, service.Progress | None]):
    async def load_many(self, keys: list[OfAccount]) -> Sequence[service.Progress | BaseException | None]:
        shop, now = self.context.shop, self.context.now
        asked = (stored(service.tier_progress, shop, key.customer_id, head=key.head, now=now) for key in keys)
        return await gather(*asked, return_exceptions=True)


async def tier_by_key(context: Context, key: str) -> LoyaltyTier | None:
    """For customers as it counts now; staff see also one that is only to come."""
    if context.principal.kind is Kind.CUSTOMER:
        version = await tiers_in_force(context)
    else:
        version = await stored(service.newest_programme, context.shop, now=context.now)
    tier = version.programme.tiers.find(key) if version else None
    return loyalty_tier(tier, version) if tier and version else None


async def tiers_in_force(context: Context) -> service.ProgrammeVersion | None:
    """None of a shop that there is not."""
    try:
        return await context.loader(VersionInForce).load(context.shop)
    except NotFound:
        return None


async def _tier_now(context: Context, key: str | None) -> LoyaltyTier | None:
    version = await tiers_in_force(context) if key else None
    tier = version.programme.tiers.find(key) if version else None
    return loyalty_tier(tier, version) if tier and version else None


@strawberry.type
class TierFields:
    """What an account says of tiers."""

    customer_id: strawberry.Private[str]
    item: strawberry.Private[service.LoyaltyAccount | None]

    @strawberry.field(
        description="The tier they have now; null: none. Orders count for it as they are told, also late."
    )
    async def tier(self, info: Info) -> CustomerTier | None:
        context = info.context
        version = await tiers_in_force(context) if self.item else None
        if self.item is None or version is None:
            return None
        if await stored(service.tier_due, context.shop, self.item, now=context.now):
            standing = await context.loader(StandingByCustomer).load(self.customer_id)
        else:
            standing = service.tier_kept(self.item, version.programme)
        return CustomerTier(standing=standing, had=standing.tier, version=version) if standing.tier else None

    @strawberry.field(description="How far they are; null of who takes no part, or where there are no tiers.")
    async def progress(self, info: Info) -> TierProgress | None:
        context = info.context
        version = await tiers_in_force(context) if self.item else None
        if self.item is None or version is None or not version.programme.tiers.active:
            return None
        progress = await context.loader(ProgressByAccount).load(OfAccount(self.customer_id, self.item))
        return TierProgress(progress=progress, version=version) if progress else None

    @strawberry.field(description="Which tiers they have had, the newest first.", directives=[paged()])
    async def tier_history(self, info: Info, first: First = 20, after: After = None) -> Connection[TierChange] | None:
        return await timeline_page(
            info.context,
            TierChangesByCustomer,
            "LoyaltyAccount.tierHistory",
            self.customer_id,
            first=first,
            after=after,
            node=lambda item: TierChange(item=item),
        )


@strawberry.type
class TierQuery:
    @strawberry.field(
        description="The tiers of the shop's programme as they count now; null where there is no shop.",
        directives=own("loyalty:read"),
    )
    async def loyalty_tiers(self, info: Info) -> LoyaltyTiers | None:
        version = await tiers_in_force(info.context)
        return LoyaltyTiers(version=version) if version else None
