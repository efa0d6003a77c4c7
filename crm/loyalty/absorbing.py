# crm/loyalty/absorbing.py
"""Two customers become one: what loyalty keeps of the one who is absorbed is the survivor's, as if it had always been.

What moves is taken from one account and given to the other in one Change, under the `rev` of both: so it moves once,
however often this is repeated and wherever it is interrupted. No ledger is rewritten: points are transferred, and each
account keeps its own history. The absorbed one stays, since orders never move (docs/decisions/0005): whatever comes to
it later, such as points that mature, holds that are let go and refunds, follows.
"""

from datetime import datetime
from functools import partial
from typing import Final

from msgspec.structs import replace

from crm.customers import service as customers
from crm.customers.service import Customer
from crm.kernel import timers
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Stale
from crm.kernel.table import whose
from crm.kernel.timers import Timer, TimerDue
from crm.loyalty import maturing, repository, standing, stored
from crm.loyalty.bonuses import birthdays, happenings
from crm.loyalty.bonuses.birthdays import Birthday
from crm.loyalty.earning import limits
from crm.loyalty.earning import repository as earning
from crm.loyalty.earning.models import EarnedCounts
from crm.loyalty.ledger.chain import Entry
from crm.loyalty.models import BonusTally, LoyaltyAccount, MergedPart
from crm.loyalty.posting import Ledger, decided
from crm.loyalty.programme import Programme, Shortfall
from crm.loyalty.programmes import in_force
from crm.loyalty.redemptions import ending
from crm.loyalty.redemptions import repository as redemptions
from crm.loyalty.redemptions.models import RewardUses
from crm.loyalty.tiers import merging, record, settling
from crm.loyalty.tiers import repository as tiers
from crm.loyalty.tiers.book import OWNER, SUBJECT, Occasion, TierBook
from crm.loyalty.tiers.models import QualifyingMonth
from crm.loyalty.transferring import transfer

MOST_MONTHS: Final = 28
MOST_SUMS: Final = 14
"""A step: each is written for both accounts, and with what is written beside them fits in a transaction."""

Sum = RewardUses | EarnedCounts | BonusTally
"""What limits go by."""


def absorb(shop: str, absorbed_id: str, survivor_id: str, *, cause: str, now: datetime) -> int:
    """Let a customer's loyalty be the survivor's, once their profile says that they were merged into them; return the
    points that moved. `cause` is that of the merge (`merge:m1`). A repeat goes on where it was interrupted.

    Raises ValueError for one who was merged into somebody else, or into whom the survivor was; NotFound for an unknown
    shop.
    """
    if absorbed_id == survivor_id:
        raise ValueError(f"{absorbed_id} cannot be merged into themselves")
    retrying(partial(_mark, shop, absorbed_id, survivor_id, cause=cause, now=now))
    return follow(shop, absorbed_id, now=now)


def follow(shop: str, customer_id: str, *, now: datetime) -> int:
    """Give the survivor whatever has come to an account since it was absorbed; return the points that moved: none of an
    account that was not.
    """
    head = repository.get_account(shop, customer_id)
    merged: MergedPart | None = head.merged if head else None
    if merged is None:
        return 0
    while decided(partial(_carry, shop, customer_id, now=now)):
        pass
    points = transfer(shop, customer_id, merged.survivor_id, cause=merged.cause, now=now, done=int(merged.steps))
    follow(shop, merged.survivor_id, now=now)  # they may have been merged into somebody, too
    return points


def wake(timer: TimerDue, *, now: datetime) -> list[Entry]:
    """Handle a timer of points, of an account that was absorbed too."""
    posted = maturing.wake(timer, now=now)
    follow(timer.shop, timer.customer_id, now=now)  # also where an earlier delivery has died before
    return posted


def backed(shop: str, survivor: LoyaltyAccount, programme: Programme, *, now: datetime) -> Programme:
    """The programme for what is taken back from an account that was absorbed: what is missing is owed, as far as the
    survivor has it or may owe it, since it is theirs to pay. Whoever writes by it is held to what they have.
    """
    within, most = programme.shortfall is Shortfall.WITHIN_BALANCE, programme.most_owed
    if most is None and not within:
        return programme
    theirs = standing.played(shop, whose(survivor.pk)[1], survivor, now=now).balances
    may_owe = 0 if within or most is None else max(0, most - theirs.owed)
    return replace(programme, shortfall=Shortfall.NEGATIVE, most_owed=theirs.available + may_owe)


def _mark(shop: str, absorbed_id: str, survivor_id: str, *, cause: str, now: datetime) -> None:
    """From then on nothing is attained there; what time had done by then was written down."""
    settling.settle(shop, absorbed_id, now=now)
    head = maturing.opened(shop, absorbed_id, now=now)
    if head.merged is not None:
        if head.merged.survivor_id != survivor_id:
            raise ValueError(f"{absorbed_id} was merged into {head.merged.survivor_id}")
        return
    survivor = repository.get_account(shop, survivor_id) or LoyaltyAccount.of(shop, survivor_id)
    last = [survivor, *repository.list_survivors(shop, survivor)][-1]
    if last.pk == head.pk:
        raise ValueError(f"{survivor_id} was merged into {absorbed_id}")
    head.merged = MergedPart(survivor_id=survivor_id, cause=cause, joined=False)
    change = Change(now)
    change.revise(head)
    change.unchanged(last)
    change.commit()


def _carry(shop: str, absorbed_id: str, *, now: datetime) -> bool:
    """Move what fits in one Change, with the last of it all that is not a sum; False where nothing is left."""
    head = maturing.opened(shop, absorbed_id, now=now)
    merged: MergedPart = head.merged
    months = [each for each in tiers.list_qualifying(shop, absorbed_id) if each.days]
    sums = _sums(shop, absorbed_id)
    if merged.joined and not months and not sums:
        return False
    is_last = len(months) <= MOST_MONTHS and len(sums) <= MOST_SUMS
    settling.settle(shop, merged.survivor_id, now=now)
    giving = Ledger(shop, absorbed_id, head, now=now)
    taking = Ledger(shop, merged.survivor_id, maturing.opened(shop, merged.survivor_id, now=now), now=now)
    change = Change(now)
    joins = is_last and not merged.joined
    had = merging.Had.of(record.kept_of(head), zone=in_force.programme(shop, now=now).zone, now=now)
    if joins:
        _join(change, giving, taking, cause=merged.cause)
    _days(change, taking, months[:MOST_MONTHS], had if joins else None, cause=f"{merged.cause}:tier")
    for each in sums[:MOST_SUMS]:
        _hand_over(change, taking, each)
    pending = map(stored.pending_of, repository.list_pending(shop, absorbed_id, limit=1))
    giving.write(change, giving.read, [], pending=pending, exactly=True)
    taking.write(change, taking.read, [])
    return change.commit()


def _join(change: Change, giving: Ledger, taking: Ledger, *, cause: str) -> None:
    """Since when they take part, when they last did anything, and which birthday was celebrated."""
    gone, come = giving.head, taking.head
    gone.merged.joined = True
    if gone.tier_due_at is not None:
        timers.follow(change, Timer.of(giving.shop, giving.customer_id, OWNER, SUBJECT, gone.tier_due_at), None)
    gone.tier, gone.tier_due_at = None, None
    if gone.enrolled_at is not None:
        taking.enrol(change, gone.enrolled_at, cause=f"{cause}:enroll", replayed=False)
    if gone.active_at is not None and (come.active_at is None or come.active_at < gone.active_at):
        come.active_at, come.idle_at = gone.active_at, gone.idle_at
        come.taken_over_at = gone.active_at
    elif come.active_at is None:
        come.idle_at = max((each for each in (gone.idle_at, come.idle_at) if each), default=None)
    stored.put_birthday(come, _birthday(giving, taking))
    stored.put_birthday(gone, None)


def _birthday(giving: Ledger, taking: Ledger) -> Birthday | None:
    """Of the survivor, from the first year on in which neither was given anything for theirs."""
    known = stored.birthday_of(taking.head)
    first = known.year if known else taking.now.year
    year = first
    while repository.get_entry(giving.shop, giving.customer_id, birthdays.cause_of(year)) is not None:
        year += 1
    if year == first:
        return known
    customer = customers.take_snapshot(taking.shop, taking.customer_id).head(Customer)
    zone = (customer.zone if customer else None) or in_force.programme(taking.shop, now=taking.now).zone
    return birthdays.from_year(known, year, zone=zone)


def _days(
    change: Change, taking: Ledger, months: list[QualifyingMonth], had: merging.Had | None, *, cause: str
) -> None:
    amounts = record.days_of(months)
    for month in months:
        month.days = []
        change.write(month, when=None, otherwise=Stale())
    zone = in_force.programme(taking.shop, now=taking.now).zone
    book = TierBook(
        taking.shop, taking.customer_id, taking.head, now=taking.now, zone=zone, whole=True, besides=amounts
    )
    occasion = Occasion(cause=cause, occurred_at=taking.now)
    if had is not None:
        book.take_over(change, amounts, had, occasion)
    elif amounts:
        book.add(change, amounts, occasion)


def _sums(shop: str, customer_id: str) -> list[Sum]:
    """Those that say anything."""
    uses = (each for each in redemptions.list_uses(shop, customer_id).values() if each.ever or each.days)
    tallies = (each for each in repository.list_tallies(shop, customer_id) if each.counted)
    return [*uses, *earning.list_counts(shop, customer_id), *tallies]


def _hand_over(change: Change, taking: Ledger, one: Sum) -> None:
    shop, to = taking.shop, taking.customer_id
    match one:
        case RewardUses():
            ending.hand_over(change, one, redemptions.get_uses(shop, to, one.reward_id))
        case EarnedCounts():
            [theirs] = earning.get_counts(shop, to, [one.period]).values()
            limits.hand_over(change, one, theirs)
        case BonusTally():
            happenings.hand_over(change, one, repository.get_tally(shop, to, one.bonus_id, one.day))
