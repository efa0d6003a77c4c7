# crm/loyalty/models.py
"""What loyalty stores. Points are whole numbers.

Key design (docs/access-patterns.md, AP-40 to AP-42, AP-125, AP-180 to AP-185, AP-207 to AP-209,
AP-225 to AP-229, AP-246, AP-247, AP-292):
    LoyaltyAccount  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=HEAD#LOYALTY       one of the heads of the snapshot
    LedgerEntry     pk=SHOP#<shop>#CUSTOMER#<customer>  sk=LEDGER#<cause>     the cause makes a repeat impossible
                    timeline_key=LEDGER#<occurred_at>#<number>
    PointsMonth     pk=SHOP#<shop>#CUSTOMER#<customer>  sk=POINTS#<yyyy-mm>   the pools that expire in it (UTC)
                                                        sk=POINTS#idle#<yyyy>   those of INACTIVITY, earned in it
                                                        sk=POINTS#never
    PointsHold      pk=SHOP#<shop>#CUSTOMER#<customer>  sk=HOLD#<hold>
    OrderEarning    pk=SHOP#<shop>#CUSTOMER#<customer>  sk=EARNING#<order>    what an order has posted so far
                    timeline_key=PENDING#<available_at>#<order>               while points of it are pending
    EntryReason     pk=SHOP#<shop>#CUSTOMER#<customer>  sk=REASON#<cause>     words beside an entry; they can be erased
    Enrolled        pk=SHOP#<shop>#CUSTOMER#<customer>  sk=ENROLLED           that they take part, and since when
    ExpiryNotice    pk=SHOP#<shop>#CUSTOMER#<customer>  sk=NOTICE#<cause>     that points are about to expire
    BonusTally      pk=SHOP#<shop>#CUSTOMER#<customer>  sk=BONUS#<bonus>      how often it was given for events
                                                        sk=BONUS#<bonus>#<yyyy-mm-dd>

Everything of an account is read after its LoyaltyAccount and written with it, under the condition of its `rev`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self

from pynamodb.attributes import BooleanAttribute, ListAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel.compact_json import CompactJSONAttribute
from crm.kernel.table import Correlated, Item, Part, Published, Synced, customer_key
from crm.loyalty.expiry import is_idle


class OpenHold(Part):
    """A hold that is open: what readers and time need to know of it."""

    hold_id = UnicodeAttribute()
    points = NumberAttribute()
    ends_at = UTCDateTimeAttribute()
    order_id = UnicodeAttribute(null=True)


class PardonPart(Part):
    """What an entry forgave, and may be claimed again (crm/loyalty/ledger/pardons.py)."""

    number = NumberAttribute()
    points = NumberAttribute()
    order_id = UnicodeAttribute(null=True)
    credit = UnicodeAttribute(null=True)


class BirthdayPart(Part):
    """The birthday that earns next (crm/loyalty/bonuses/birthdays.py). Personal: it goes where the profile's goes."""

    day = UnicodeAttribute(null=True)
    year = NumberAttribute()
    next_at = UTCDateTimeAttribute(null=True)


class OverridePart(Part):
    """A tier that somebody of the shop gave, instead of what was reached."""

    tier_id = UnicodeAttribute()
    until = UTCDateTimeAttribute()
    number = NumberAttribute(null=True)
    """Of the change that says who gave it and why; None: it came with a customer who was merged into this one."""


class FoldedPart(Part):
    """What the days until then have come to (crm/loyalty/tiers/fold.py)."""

    day = UnicodeAttribute()
    tier_id = UnicodeAttribute(null=True)
    since_on = UnicodeAttribute(null=True)
    carried = UnicodeAttribute(null=True)
    until_on = UnicodeAttribute(null=True)
    least = UnicodeAttribute(null=True)
    least_until_on = UnicodeAttribute(null=True)


class TierPart(Part):
    """The customer's tier, as it was last worked out (crm/loyalty/tiers/record.py)."""

    tier_id = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    since_on = UnicodeAttribute(null=True)
    ends_on = UnicodeAttribute(null=True)
    ends_after = UnicodeAttribute(null=True)
    rules = UnicodeAttribute()
    number = NumberAttribute()
    changed_at = UTCDateTimeAttribute(null=True)
    settled_on = UnicodeAttribute(null=True)
    joined_on = UnicodeAttribute(null=True)
    noticed_on = UnicodeAttribute(null=True)
    fell = NumberAttribute(null=True)
    fell_on = UnicodeAttribute(null=True)
    override = OverridePart(null=True)
    folded = FoldedPart(null=True)


class MergedPart(Part):
    """Whose all that was this customer's is now (crm/loyalty/absorbing.py). `joined`: also what is no sum. `steps`: so
    often points were transferred.
    """

    survivor_id = UnicodeAttribute()
    cause = UnicodeAttribute()
    joined = BooleanAttribute(default=False)
    steps = NumberAttribute(default=0)


class LoyaltyAccount(Synced, discriminator="LoyaltyAccount"):
    """A customer's balances: the sums of their ledger, kept beside it. `rev` counts its changes."""

    SK: ClassVar[str] = "HEAD#LOYALTY"

    available = NumberAttribute(default=0)
    """What the pools hold less what is owed: below zero after a refund of points that are spent."""
    pending = NumberAttribute(default=0)
    held = NumberAttribute(default=0)
    owed = NumberAttribute(default=0)
    lifetime_earned = NumberAttribute(default=0)
    """All that was earned, less what refunds took back; spending does not lower it."""
    number = NumberAttribute(default=0)
    """Of the last entry, as `fingerprint`."""
    fingerprint = UnicodeAttribute(null=True)
    posted_at = UTCDateTimeAttribute(null=True)
    """When the last entry was recorded."""
    newest_at = UTCDateTimeAttribute(null=True)
    """The latest instant at which `available` moved; never moves back."""
    pardons: ListAttribute[PardonPart] = ListAttribute(of=PardonPart, default=list)
    due_at = UTCDateTimeAttribute(null=True)
    """Before then time changes nothing here; its timer is set to it."""
    holds: ListAttribute[OpenHold] = ListAttribute(of=OpenHold, default=list)
    enrolled_at = UTCDateTimeAttribute(null=True)
    """Since when they take part; None: they do not yet."""
    active_at = UTCDateTimeAttribute(null=True)
    """The latest instant at which they earned or spent; never moves back."""
    taken_over_at = UTCDateTimeAttribute(null=True)
    """When somebody who was merged into them had last done so, where that was later than they had themselves."""
    idle_at = UTCDateTimeAttribute(null=True)
    """When points expire that wait for them to earn or spend."""
    birthday = BirthdayPart(null=True)
    tier = TierPart(null=True)
    tier_due_at = UTCDateTimeAttribute(null=True)
    """Before then time changes nothing of the tier; a timer of its own is set to it."""
    merged = MergedPart(null=True)

    @classmethod
    def of(cls, shop: str, customer_id: str) -> Self:
        return cls(customer_key(shop, customer_id), cls.SK)


class Posting(Part):
    """One side of a movement. The postings of an entry sum to zero."""

    account = UnicodeAttribute()
    points = NumberAttribute()


class PoolLine(Part):
    """Points of one pool (crm/loyalty/ledger/pools.py)."""

    effect = UnicodeAttribute()
    pool = UnicodeAttribute()
    points = NumberAttribute()
    start = NumberAttribute(null=True)


class ReversedPart(Part):
    """Points of an earlier entry, or what is left of it to be reversed."""

    cause = UnicodeAttribute()
    points = NumberAttribute()


class LedgerEntry(Synced, discriminator="LedgerEntry"):
    """One movement of points (crm/loyalty/ledger/chain.py). Never changed; a mistake is corrected by a new entry."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    number = NumberAttribute()
    """Its place in the customer's ledger, from 1 without gaps."""
    movement = UnicodeAttribute()
    points = NumberAttribute()
    """What `available` moved by; below zero where points were taken back."""
    balance_after = NumberAttribute()
    """`available` when this was posted; entries are posted in the order of `number`, not of `occurred_at`."""
    postings: ListAttribute[Posting] = ListAttribute(of=Posting)
    lines: ListAttribute[PoolLine] = ListAttribute(of=PoolLine, default=list)
    available_after = NumberAttribute(default=0)
    pending_after = NumberAttribute(default=0)
    held_after = NumberAttribute(default=0)
    owed_after = NumberAttribute(default=0)
    order_id = UnicodeAttribute(null=True)
    subject = UnicodeAttribute(null=True)
    available_at = UTCDateTimeAttribute(null=True)
    pool = UnicodeAttribute(null=True)
    ends_at = UTCDateTimeAttribute(null=True)
    counterpart = UnicodeAttribute(null=True)
    reverses: ListAttribute[ReversedPart] = ListAttribute(of=ReversedPart, default=list)
    forgiven = NumberAttribute(default=0)
    claims = NumberAttribute(default=0)
    actor = UnicodeAttribute(null=True)
    reason_digest = UnicodeAttribute(null=True)
    request = UnicodeAttribute(null=True)
    occurred_at = UTCDateTimeAttribute()
    recorded_at = UTCDateTimeAttribute(null=True)
    previous = UnicodeAttribute(null=True)
    fingerprint = UnicodeAttribute(null=True)

    @classmethod
    def of(cls, shop: str, customer_id: str, cause: str) -> Self:
        pk = customer_key(shop, customer_id)
        return cls(pk, f"LEDGER#{cause}", shop=shop, customer_id=customer_id, rev=1, cause=cause)


class EntryReason(Item, discriminator="EntryReason"):
    """The words of an adjustment or a reversal. The entry holds their digest, which without the salt says nothing: to
    erase this item is to forget them, and the ledger stays whole.
    """

    entry_cause = UnicodeAttribute()
    reason = UnicodeAttribute()
    salt = UnicodeAttribute()

    @classmethod
    def of(cls, shop: str, customer_id: str, cause: str) -> Self:
        return cls(customer_key(shop, customer_id), f"REASON#{cause}", entry_cause=cause)


class PoolPart(Part):
    """Sums of a pool (crm/loyalty/ledger/pools.py)."""

    pool = UnicodeAttribute()
    credited = NumberAttribute()
    taken = NumberAttribute(default=0)
    expired = NumberAttribute(default=0)
    noticed = UnicodeAttribute(null=True)


class PointsMonth(Item, discriminator="PointsMonth"):
    """The pools that expire in one month, or the one that never does: 33 at most and as many
    with grace, and more only where a programme changes its zone.
    """

    pools: ListAttribute[PoolPart] = ListAttribute(of=PoolPart, default=list)

    @classmethod
    def of(cls, shop: str, customer_id: str, month: str) -> Self:
        return cls(customer_key(shop, customer_id), f"POINTS#{month}")


class PortionPart(Part):
    """Points that were taken from a pool."""

    pool = UnicodeAttribute()
    points = NumberAttribute()


class HoldStatus(StrEnum):
    OPEN = "OPEN"
    CAPTURED = "CAPTURED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


class PointsHold(Correlated, discriminator="PointsHold"):
    """Points set aside until they are captured or released, or the hold runs out."""

    hold_id = UnicodeAttribute()
    status = UnicodeAttribute()
    points = NumberAttribute()
    captured = NumberAttribute(default=0)
    ends_at = UTCDateTimeAttribute()
    order_id = UnicodeAttribute(null=True)
    actor = UnicodeAttribute()
    """Who made it. Customers capture and release their own; staff and services any."""
    of_redemption = BooleanAttribute(default=False)
    """Whether it is a redemption's, of the same id (crm/loyalty/redemptions/): only that captures or releases it."""
    portions: ListAttribute[PortionPart] = ListAttribute(of=PortionPart, default=list)
    number = NumberAttribute()
    """Of the entry that set them aside."""

    @classmethod
    def of(cls, shop: str, customer_id: str, hold_id: str) -> Self:
        return cls(customer_key(shop, customer_id), f"HOLD#{hold_id}", hold_id=hold_id)


class SpendingPart(Part):
    """What an entry spent on an order and has not been given back, by pools."""

    cause = UnicodeAttribute()
    number = NumberAttribute()
    portions: ListAttribute[PortionPart] = ListAttribute(of=PortionPart, default=list)


class GivenPart(Part):
    """Points that a rule of the programme gave to an order."""

    rule = UnicodeAttribute()
    points = NumberAttribute()


class DrawnPart(Part):
    """Points that an order holds of a share of a rule's budget."""

    rule = UnicodeAttribute()
    share = NumberAttribute()
    points = NumberAttribute()


class OrderEarning(Published, discriminator="OrderEarning"):
    """What an order has posted, as of the newest of its revisions seen (crm/loyalty/ledger/order_state.py)."""

    order_id = UnicodeAttribute()
    order_rev = NumberAttribute(default=0)
    posted = NumberAttribute(default=0)
    """What it earns as it stands."""
    forgiven = NumberAttribute(default=0)
    programme_version = NumberAttribute(null=True)
    """The one that counted when the order was placed, as of its first posting: all its revisions are judged by it."""
    programme_currency = UnicodeAttribute(null=True)
    """That version's: version 0 has the shop's, and the shop may change it."""
    context = CompactJSONAttribute(null=True)
    """Who ordered, and when, as of the first posting (crm/loyalty/earning/granting.py): pinned as the version is."""
    given: ListAttribute[GivenPart] = ListAttribute(of=GivenPart, default=list)
    limited: ListAttribute[GivenPart] = ListAttribute(of=GivenPart, default=list)
    """What it takes up of caps and budgets: what rules gave, and what was forgiven of what they had given."""
    drawn: ListAttribute[DrawnPart] = ListAttribute(of=DrawnPart, default=list)
    withheld = UnicodeAttribute(null=True)
    """Why the order earns nothing (`programme.Withheld`)."""
    available_at = UTCDateTimeAttribute(null=True)
    pool = UnicodeAttribute(null=True)
    pending = NumberAttribute(default=0)
    pools: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, default=list)
    credits: ListAttribute[ReversedPart] = ListAttribute(of=ReversedPart, default=list)
    spent = NumberAttribute(default=0)
    short = NumberAttribute(default=0)
    captured = NumberAttribute(default=0)
    said = BooleanAttribute(default=False)
    spendings: ListAttribute[SpendingPart] = ListAttribute(of=SpendingPart, default=list)
    counted_on = UnicodeAttribute(null=True)
    """The day on which it counts for tiers, if it does, and what."""
    counted_points = NumberAttribute(default=0)
    counted_spend = NumberAttribute(default=0)
    counted_orders = NumberAttribute(default=0)

    @classmethod
    def of(cls, shop: str, customer_id: str, order_id: str) -> Self:
        return cls(customer_key(shop, customer_id), f"EARNING#{order_id}", order_id=order_id)


class Enrolled(Published, discriminator="Enrolled"):
    """A customer takes part since `enrolled_at`. Written once."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    enrolled_at = UTCDateTimeAttribute()
    actor = UnicodeAttribute(null=True)
    """Who asked for it; None: it came with the first points."""

    @classmethod
    def of(cls, shop: str, customer_id: str) -> Self:
        return cls(customer_key(shop, customer_id), "ENROLLED", shop=shop, customer_id=customer_id, rev=1)


class ExpiryNotice(Published, discriminator="ExpiryNotice"):
    """Points will expire at `ends_at`, unless they are spent before. Written once."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    points = NumberAttribute()
    ends_at = UTCDateTimeAttribute()
    noticed_at = UTCDateTimeAttribute()

    @classmethod
    def of(cls, shop: str, customer_id: str, cause: str) -> Self:
        pk = customer_key(shop, customer_id)
        return cls(pk, f"NOTICE#{cause}", shop=shop, customer_id=customer_id, rev=1, cause=cause)


class BonusTally(Item, discriminator="BonusTally"):
    """How often a bonus was given for events: ever, or on a `day` of the programme's zone."""

    bonus_id = UnicodeAttribute()
    day = UnicodeAttribute(null=True)
    times = NumberAttribute(default=0)
    """As the ledger says."""
    merged = NumberAttribute(default=0)
    """How often others were given it who were merged into this one, less what counts for a survivor by now."""

    @classmethod
    def of(cls, shop: str, customer_id: str, bonus_id: str, day: str | None = None) -> Self:
        sk = f"BONUS#{bonus_id}#{day}" if day else f"BONUS#{bonus_id}"
        return cls(customer_key(shop, customer_id), sk, bonus_id=bonus_id, day=day)

    @property
    def counted(self) -> int:
        """What the bonus's limits go by."""
        return int(self.times) + int(self.merged)


def month_of(pool: str) -> str:
    """The month under which a pool is kept; months sort, and behind them the years of INACTIVITY, and `never`."""
    return pool[: len("idle#2026")] if is_idle(pool) else pool[: len("2026-01")]


def month_at(instant: datetime) -> str:
    return instant.strftime("%Y-%m")
