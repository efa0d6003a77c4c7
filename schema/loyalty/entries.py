# schema/loyalty/entries.py
"""Movements of points, as clients see them."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry

from crm.kernel.actor import Actor as Doer
from crm.loyalty import service
from crm.loyalty.service import Why
from schema.access import own, signed_in, staff
from schema.connections import about
from schema.context import Context, Info, Loader, stored
from schema.customer.history import Actor
from schema.customer.record import visible_record
from schema.loaders import Page, PageByCustomer
from schema.loyalty.holds import PointsHold, hold_by_key
from schema.loyalty.rewards import Redemption, redemption_by_key
from schema.node import Node, global_id
from schema.order import Order, order_of
from schema.scalars import Points


@strawberry.enum(description="How points moved.")
class PointsMovement(Enum):
    EARN = strawberry.enum_value("earn", description="They were earned.")
    MATURE = strawberry.enum_value("mature", description="They were pending, and can be spent now.")
    HOLD = strawberry.enum_value("hold", description="They are set aside.")
    CAPTURE = strawberry.enum_value("capture", description="What was set aside was spent; the rest of it came back.")
    RELEASE = strawberry.enum_value("release", description="What was set aside came back.")
    REDEEM = strawberry.enum_value("redeem", description="They paid for an order.")
    EXPIRE = strawberry.enum_value("expire", description="They were not spent in time.")
    ADJUST = strawberry.enum_value("adjust", description="Somebody of the shop gave or took them.")
    REVERSE = strawberry.enum_value(
        "reverse", description="An earlier entry was taken back, or part of it: by a refund, a cancellation or an edit."
    )
    TRANSFER = strawberry.enum_value(
        "transfer",
        description="They went from a customer who was merged to who that is now: `points` says which way.",
    )


def _why(value: Why) -> Any:
    return strawberry.enum_value(value.value, description=f"{service.WORDS[value]}.")


@strawberry.enum(description="Why points moved. New ones come: show `words` for those you do not know.")
class PointsCause(Enum):
    ORDER = _why(Why.ORDER)
    ORDER_CHANGED = _why(Why.ORDER_CHANGED)
    MATURED = _why(Why.MATURED)
    PAID = _why(Why.PAID)
    PAYMENT_RETURNED = _why(Why.PAYMENT_RETURNED)
    ENROLLED = _why(Why.ENROLLED)
    BIRTHDAY = _why(Why.BIRTHDAY)
    EVENT = _why(Why.EVENT)
    HELD = _why(Why.HELD)
    CAPTURED = _why(Why.CAPTURED)
    RELEASED = _why(Why.RELEASED)
    HOLD_ENDED = _why(Why.HOLD_ENDED)
    REWARD = _why(Why.REWARD)
    REWARD_GIVEN = _why(Why.REWARD_GIVEN)
    REWARD_INTERRUPTED = _why(Why.REWARD_INTERRUPTED)
    EXPIRED = _why(Why.EXPIRED)
    GIVEN = _why(Why.GIVEN)
    TAKEN = _why(Why.TAKEN)
    CANCELLED = _why(Why.CANCELLED)
    CORRECTED = _why(Why.CORRECTED)
    MERGED = _why(Why.MERGED)
    OTHER = _why(Why.OTHER)


@strawberry.enum(description="Between which accounts points are posted: a customer's, and the programme's.")
class PointsAccount(Enum):
    CUSTOMER_AVAILABLE = strawberry.enum_value("customer:available", description="What can be spent.")
    CUSTOMER_PENDING = strawberry.enum_value("customer:pending", description="What was earned and can be spent later.")
    CUSTOMER_HELD = strawberry.enum_value("customer:held", description="What is set aside.")
    CUSTOMER_OWED = strawberry.enum_value(
        "customer:owed", description="Below zero: what was taken back and had been spent."
    )
    PROGRAMME_ISSUED = strawberry.enum_value("programme:issued", description="Below zero: what was earned.")
    PROGRAMME_REDEEMED = strawberry.enum_value("programme:redeemed", description="What was spent.")
    PROGRAMME_EXPIRED = strawberry.enum_value("programme:expired", description="What was not spent in time.")
    PROGRAMME_ADJUSTED = strawberry.enum_value(
        "programme:adjusted", description="What somebody of the shop took, less what they gave."
    )
    PROGRAMME_TRANSFERRED = strawberry.enum_value(
        "programme:transferred", description="Nothing, over two customers who were merged."
    )


@strawberry.type(description="One side of a movement; the sides of an entry sum to zero.", directives=signed_in())
class PointsPosting:
    account: PointsAccount = strawberry.field(description="Which account.")
    points: Points = strawberry.field(description="By how much it changes.")


@strawberry.type(description="Points that an entry brought, and what is left of them.", directives=signed_in())
class PointsCredit:
    points: Points = strawberry.field(description="How many came.")
    remaining: Points = strawberry.field(
        description="How many of them can still be spent. Of points that expire at once, those that came first go "
        "first. It rises again where what was spent comes back."
    )
    expires_at: datetime | None = strawberry.field(
        description="From when they cannot be spent; null: at no set time: never, or for want of activity."
    )


@strawberry.type(description="Points that an entry took, or gave back.", directives=signed_in())
class PointsPart:
    points: Points = strawberry.field(description="How many.")
    expires_at: datetime | None = strawberry.field(description="When they expire, or would have; null: at no set time.")


@strawberry.type(description="An earlier entry that was taken back, or part of it.", directives=signed_in())
class PointsReversed:
    entry: strawberry.ID = strawberry.field(description="The `id` of that entry.")
    points: Points = strawberry.field(description="How many of its points.")


@strawberry.type(description="One movement of points; it is never changed.", directives=signed_in())
class LedgerEntry(Node):
    item: strawberry.Private[service.LedgerEntry]

    @strawberry.field(description="Opaque.")
    def id(self) -> strawberry.ID:
        return global_id("LedgerEntry", self.item.customer_id, self.item.cause or "")

    @strawberry.field(description="Its place in the customer's ledger, from 1 without gaps.")
    def number(self) -> int:
        return int(self.item.number)

    @strawberry.field(description="How points moved.")
    def movement(self) -> PointsMovement:
        return PointsMovement(self.item.movement)

    @strawberry.field(description="Why they moved.")
    def cause(self) -> PointsCause:
        return PointsCause(service.why(self.item))

    @strawberry.field(
        description="Why they moved, in English, fit to be shown to the customer. For other languages go by `cause`."
    )
    def words(self) -> str:
        return service.WORDS[service.why(self.item)]

    @strawberry.field(description="What the balance moved by: below zero where points went.")
    def points(self) -> Points:
        return Points(int(self.item.points))

    @strawberry.field(
        description="What pending points moved by: above zero where some were earned that can be spent later."
    )
    def pending_points(self) -> Points:
        moved = (one for one in self.item.postings if PointsAccount(one.account) is PointsAccount.CUSTOMER_PENDING)
        return Points(sum(int(one.points) for one in moved))

    @strawberry.field(description="Points available when this was posted.")
    def balance_after(self) -> Points:
        return Points(int(self.item.balance_after))

    @strawberry.field(description="Where its points came from and went to.", directives=[about(3)])
    def postings(self) -> list[PointsPosting]:
        return [
            PointsPosting(account=PointsAccount(one.account), points=Points(int(one.points)))
            for one in self.item.postings
        ]

    @strawberry.field(description="Points that can be spent since, by when they expire.", directives=[about(2)])
    async def credits(self, info: Info) -> list[PointsCredit]:
        loader = info.context.loader(PoolByName)
        names = [(self.item.customer_id, name) for name in service.credited(self.item)]
        pools = dict(zip((name for _, name in names), await gather(*map(loader.load, names)), strict=True))
        found = {name: pool for name, pool in pools.items() if pool is not None}
        return [
            PointsCredit(points=Points(one.points), remaining=Points(one.remaining), expires_at=one.expires_at)
            for one in service.credits_of(self.item, found, now=info.context.now)
        ]

    @strawberry.field(
        description="Points that cannot be spent since, the soonest expiring first: those go first.",
        directives=[about(2)],
    )
    def taken(self) -> list[PointsPart]:
        return _parts(service.taken(self.item))

    @strawberry.field(
        description="Points that came back and expire when they would have, the soonest first. Those that would have "
        "expired by then are `credits`.",
        directives=[about(2)],
    )
    def given_back(self) -> list[PointsPart]:
        return _parts(service.returned(self.item))

    @strawberry.field(description="What it takes back of earlier entries.", directives=[about(2)])
    def reverses(self) -> list[PointsReversed]:
        return [
            PointsReversed(
                entry=global_id("LedgerEntry", self.item.customer_id, one.cause), points=Points(int(one.points))
            )
            for one in self.item.reverses
        ]

    @strawberry.field(
        description="What undid it as a whole: `loyaltyEntryReverse`, or of a reward `loyaltyRedemptionCancel`. Null "
        "while nothing has. What orders take back of it, or part of it, is in the `reverses` of their entries.",
        directives=own("loyalty:read"),
    )
    async def reversed_by(self, info: Info) -> "LedgerEntry | None":
        return await _undone(info.context, self.item)

    @strawberry.field(
        description="Whether `loyaltyEntryReverse` undoes it: points that somebody of the shop gave or took, or that "
        "were spent of a hold that was for no order, and nobody has undone it yet.",
        directives=staff("loyalty:read"),
    )
    async def reversible(self, info: Info) -> bool:
        return service.irreversible(self.item) is None and await _undone(info.context, self.item) is None

    @strawberry.field(
        description="Points that were to be taken back, had been spent, and are not asked for: the shop bears them."
    )
    def forgiven(self) -> Points:
        return Points(int(self.item.forgiven))

    @strawberry.field(description="Of points that are earned and pending: from when they can be spent.")
    def available_at(self) -> datetime | None:
        return self.item.available_at

    @strawberry.field(description="The `orderId` of the order, where it was an order.")
    def order_id(self) -> str | None:
        return self.item.order_id

    @strawberry.field(
        description="The order; null where there is none, or it has not come yet.", directives=own("orders:read")
    )
    async def order(self, info: Info) -> Order | None:
        return await order_of(info.context, self.item.customer_id, self.item.order_id)

    @strawberry.field(
        description="What was redeemed or cancelled, where it was a reward.", directives=own("loyalty:read")
    )
    async def redemption(self, info: Info) -> Redemption | None:
        found = service.redemption_of(self.item)
        return await redemption_by_key(info.context, self.item.customer_id, found) if found else None

    @strawberry.field(
        description="What was set aside, spent or let go, where it was not for a reward; as it is now.",
        directives=own("loyalty:read"),
    )
    async def hold(self, info: Info) -> PointsHold | None:
        found = service.hold_of(self.item)
        return await hold_by_key(info.context, self.item.customer_id, found) if found else None

    @strawberry.field(description="When what moved them happened.")
    def occurred_at(self) -> datetime:
        return self.item.occurred_at

    @strawberry.field(description="When it was posted: later, where what moved them was told or noticed later.")
    def recorded_at(self) -> datetime:
        return self.item.recorded_at or self.item.occurred_at

    @strawberry.field(
        description="Who asked for it; null where an order or time did it.", directives=staff("loyalty:read")
    )
    def actor(self) -> Actor | None:
        return Actor.of(Doer.parse(self.item.actor)) if self.item.actor else None

    @strawberry.field(
        description="Why, in the words of whoever of the shop did it; null where nobody did, or they were erased.",
        directives=staff("loyalty:read"),
    )
    async def reason(self, info: Info) -> str | None:
        if not self.item.reason_digest:
            return None
        found = await info.context.loader(ReasonByEntry).load((self.item.customer_id, self.item.cause or ""))
        return found.reason if found else None


def _parts(parts: Sequence[service.Part]) -> list[PointsPart]:
    return [PointsPart(points=Points(one.points), expires_at=one.expires_at) for one in parts]


class EntriesByCustomer(PageByCustomer[service.LedgerEntry]):
    def read(self, page: Page) -> list[service.LedgerEntry]:
        return service.entries(self.context.shop, page.customer_id, before=page.before, limit=page.limit)


class EntryByKey(Loader[tuple[str, str], service.LedgerEntry | None]):
    """By customer and cause."""

    async def load_many(self, keys: list[tuple[str, str]]) -> Sequence[service.LedgerEntry | None]:
        found = await stored(service.entries_by_cause, self.context.shop, keys)
        return [found.get(key) for key in keys]


class PoolByName(Loader[tuple[str, str], service.Pool | None]):
    """By customer and pool; the pools of one month are one item."""

    async def load_many(self, keys: list[tuple[str, str]]) -> Sequence[service.Pool | None]:
        found = await stored(service.months_of, self.context.shop, keys)
        return [service.pools_in([found[key]]).get(key[1]) if key in found else None for key in keys]


class ReasonByEntry(Loader[tuple[str, str], service.EntryReason | None]):
    """By customer and cause."""

    async def load_many(self, keys: list[tuple[str, str]]) -> Sequence[service.EntryReason | None]:
        found = await stored(service.reasons, self.context.shop, keys)
        return [found.get(key) for key in keys]


async def _undone(context: Context, item: service.LedgerEntry) -> LedgerEntry | None:
    cause = service.undone_by(item)
    found = await context.loader(EntryByKey).load((item.customer_id, cause)) if cause else None
    return LedgerEntry(item=found) if found else None


async def entry_by_key(context: Context, customer_id: str, cause: str) -> LedgerEntry | None:
    """None for an entry that does not exist, is another shop's, or is not the caller's to see."""
    if await visible_record(context, customer_id) is None:
        return None
    item = await context.loader(EntryByKey).load((customer_id, cause))
    return LedgerEntry(item=item) if item else None
