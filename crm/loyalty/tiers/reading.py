# crm/loyalty/tiers/reading.py
"""Tiers as they are at an instant, also where time has changed them and no timer has yet been handled."""

from datetime import date, datetime, timedelta

from msgspec import Struct

from crm.kernel import clock
from crm.loyalty import repository
from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.programme import Programme
from crm.loyalty.programmes import in_force
from crm.loyalty.tiers import record
from crm.loyalty.tiers import repository as tiers
from crm.loyalty.tiers.book import TierBook
from crm.loyalty.tiers.definitions import Basis, Tier, Tiers, Window
from crm.loyalty.tiers.outlook import End
from crm.loyalty.tiers.record import Kept, Override
from crm.loyalty.tiers.settling import is_due


class Standing(Struct, frozen=True):
    """What tier somebody has, since when, and until which day at least, unless orders are refunded; no `until` where it
    has no end. `changed_at`: the latest instant at which it became another.
    """

    tier: Tier | None = None
    since: date | None = None
    until: date | None = None
    overridden: bool = False
    changed_at: datetime | None = None


class Progress(Struct, frozen=True):
    """What counts now, since when, and what it lacks: to the next tier, and of this one so that it does not end (None
    where it does not, or where nothing keeps it).

    Amounts are what `basis` says: points, minor units of `currency`, or orders.
    """

    basis: Basis
    window: Window
    currency: str
    since: date
    reached: int
    next_tier: Tier | None
    missing: int
    ends_on: date | None
    ends_after: Tier | None
    missing_to_stay: int | None


def standing(shop: str, customer_id: str, head: LoyaltyAccount | None, *, now: datetime) -> Standing:
    """As an account has it that was read. One Query where something is due. Raises NotFound for an unknown shop."""
    if head is None:
        return Standing()
    programme = in_force.programme(shop, now=now)
    return _standing(_now_kept(shop, customer_id, head, now=now), programme.tiers, zone=programme.zone)


def kept(head: LoyaltyAccount, programme: Programme) -> Standing:
    """As it was last written down: of an account of which nothing is due."""
    return _standing(record.kept_of(head), programme.tiers, zone=programme.zone)


def standing_at(shop: str, customer_id: str, *, now: datetime) -> Standing:
    """As `standing`, of the account as it is stored now."""
    return standing(shop, customer_id, repository.get_account(shop, customer_id), now=now)


def had_before(shop: str, customer_id: str, head: LoyaltyAccount, at: datetime, *, now: datetime) -> str | None:
    """The id of the tier that somebody had just before an instant, as far as is known. One Query where something is
    due, and one where they have had another since.
    """
    had = _now_kept(shop, customer_id, head, now=now)
    if had.changed_at is None or had.changed_at < at:
        return had.tier
    before = tiers.list_changes(shop, customer_id, before=f"TIER#{clock.text(at)}", limit=1)
    return before[0].after_id if before else None


def progress(shop: str, customer_id: str, *, now: datetime, head: LoyaltyAccount | None = None) -> Progress | None:
    """None of who takes no part, or where there are no tiers; `head`: the account, where it has been read. One Query.
    Raises NotFound for an unknown shop.
    """
    programme = in_force.programme(shop, now=now)
    if not programme.tiers.active:
        return None
    head = head or repository.get_account(shop, customer_id)
    if head is None:
        return None
    book = TierBook(shop, customer_id, head, now=now, zone=programme.zone)
    if not book.is_member:
        return None
    defined, seen = programme.tiers, book.outlook()
    had = book.now_kept()
    end = _given_ends(book, had.tier, had.override, zone=programme.zone) or seen.ends
    next_tier = defined.above(defined.higher(had.tier, book.state.tier))  # a lower one may be given
    return Progress(
        basis=defined.basis,
        window=defined.window,
        currency=programme.currency,
        since=seen.since,
        reached=seen.counted,
        next_tier=next_tier,
        missing=next_tier.threshold - seen.counted if next_tier else 0,
        ends_on=end.on if end else None,
        ends_after=defined.find(end.after) if end else None,
        missing_to_stay=end.missing if end else None,
    )


def _now_kept(shop: str, customer_id: str, head: LoyaltyAccount, *, now: datetime) -> Kept:
    if not is_due(shop, head, now=now):
        return record.kept_of(head)
    return TierBook(shop, customer_id, head, now=now, zone=in_force.programme(shop, now=now).zone).now_kept()


def _given_ends(book: TierBook, tier_id: str | None, given: Override | None, *, zone: str) -> End | None:
    """A tier that was given ends whatever comes, and what was reached is had then. None where that is no lower one."""
    if given is None:
        return None
    on = clock.local_day(given.until, zone)
    after = book.tier_on(on)
    return End(on, after, None) if book.tiers.is_lower(after, tier_id) else None


def _standing(had: Kept, defined: Tiers, *, zone: str) -> Standing:
    until = had.ends_on - timedelta(days=1) if had.ends_on else None
    if had.override:
        until = clock.local_day(had.override.until - timedelta(microseconds=1), zone)
    tier = defined.find(had.tier)
    return Standing(tier, had.since if tier else None, until, had.override is not None, had.changed_at)
