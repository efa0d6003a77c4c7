# crm/loyalty/rewards/redeeming.py
"""A reward redeemed: its points are set aside, then spent for a voucher. And cancelled, before that is used.

The first Change holds the points, a piece of the stock and a use of the limit; the second captures, and makes the code.
Whoever dies in between leaves a redemption that goes on when its key comes again, or whose hold time lets go, with all
that it took (crm/loyalty/redemptions/ending.py).
"""

from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct

from crm.customers import service as customers
from crm.customers.service import Customer, CustomerDeleted, SegmentsHead, Snapshot
from crm.kernel import clock
from crm.kernel.actor import Actor
from crm.kernel.change import Change
from crm.kernel.errors import InvalidInputs, KeyReused, NotFound, Stale
from crm.kernel.operations import key_faults
from crm.loyalty import absorbing, claiming, expiry, holding, maturing, stored
from crm.loyalty import repository as ledgers
from crm.loyalty.admission import merged, of_customer
from crm.loyalty.causes import REDEMPTION
from crm.loyalty.ledger import chain, movements
from crm.loyalty.ledger.chain import Reversed
from crm.loyalty.ledger.pardons import Debit
from crm.loyalty.models import LoyaltyAccount, PointsHold
from crm.loyalty.moving import identity
from crm.loyalty.posting import Ledger, decided, is_due, occasion
from crm.loyalty.programme import Programme
from crm.loyalty.programmes import in_force
from crm.loyalty.redemptions import codes, ending
from crm.loyalty.redemptions import repository as redemptions
from crm.loyalty.redemptions.models import Redemption, RedemptionStatus, Voucher
from crm.loyalty.rewards import eligibility, offers, repository
from crm.loyalty.rewards.eligibility import Offered, Who
from crm.loyalty.rewards.refusals import RedemptionClosed, VoucherUsed, VoucherVoid
from crm.loyalty.rewards.repository import Found
from crm.loyalty.rewards.reward import Reward

HELD_FOR = timedelta(minutes=15)
"""How long an interrupted redemption waits for its key."""


class Redeemed(Struct, frozen=True):
    """A redemption as it now is, and whether an earlier call began it, or cancelled it."""

    redemption: Redemption
    replayed: bool


class Asked(Struct, frozen=True):
    shop: str
    customer_id: str
    redemption_id: str
    reward_id: str
    actor: str
    themselves: bool
    expected_points: int | None

    @property
    def request(self) -> str:
        return chain.request_digest({"reward_id": self.reward_id, "expected_points": self.expected_points})


def redeem(
    shop: str,
    customer_id: str,
    reward_id: str,
    *,
    actor: Actor,
    idempotency_key: str,
    now: datetime,
    themselves: bool = False,
    expected_points: int | None = None,
) -> Redeemed:
    """Spend a reward's price for it and have a voucher, once for each key. `themselves`: it is the customer who asks.
    `expected_points`: what they were told that it costs.

    Raises InvalidInputs, NotFound, CustomerBlocked, CustomerDeleted, KeyReused; NotEligible, PriceChanged,
    LimitReached, OutOfStock, InsufficientPoints; RedemptionClosed where an earlier call with this key was interrupted
    and its time is over; and Stale, also where too many of the customer's are under way at once.
    """
    if wrong := key_faults(idempotency_key):
        raise InvalidInputs(wrong)
    redemption_id = identity(REDEMPTION, customer_id, idempotency_key)
    asked = Asked(shop, customer_id, redemption_id, reward_id, str(actor), themselves, expected_points)
    begun = decided(partial(_begin, asked, now=now))
    return Redeemed(decided(partial(_fulfil, asked, now=now)), replayed=not begun)


def cancel(
    shop: str, customer_id: str, redemption_id: str, *, actor: Actor, now: datetime, themselves: bool = False
) -> Redeemed:
    """Take a redemption back whose voucher was not used: points return with their original expiry, the piece of the
    stock and the use are free again, and the code is void. Once, however often it is asked for.

    Raises NotFound, CustomerBlocked, VoucherUsed, VoucherVoid (its last day is over) and RedemptionClosed.
    """

    def attempt() -> Redeemed:
        snapshot = _settled(shop, customer_id, themselves=themselves, now=now)
        redemption = _get(shop, customer_id, redemption_id)
        if redemption.status == RedemptionStatus.CANCELLED:
            return Redeemed(redemption, replayed=True)
        _refuse_ended(redemption, now=now)
        change = Change(now)
        change.unchanged(_profile(snapshot))
        hold = _hold(shop, redemption)
        book = Ledger(shop, customer_id, _account(snapshot), now=now, besides=stored.pools_held(hold))
        _return_points(change, book, redemption, hold, actor=actor)
        cause = f"redemption:{redemption_id}:cancel"
        ending.give_back(change, shop, redemption, RedemptionStatus.CANCELLED, cause=cause, at=now)
        if not change.commit():
            raise Stale
        return Redeemed(redemption, replayed=False)

    cancelled = decided(attempt)
    absorbing.follow(shop, customer_id, now=now)
    return cancelled


def _begin(asked: Asked, *, now: datetime) -> bool:
    """Hold all that the redemption takes; False where an earlier call with its key has."""
    shop, customer_id, redemption_id = asked.shop, asked.customer_id, asked.redemption_id
    snapshot = _settled(shop, customer_id, themselves=asked.themselves, now=now)
    found = repository.get_for_redeeming(shop, customer_id, asked.reward_id, redemption_id)
    if found.redemption.rev:
        if found.redemption.request != asked.request:
            raise KeyReused("This key came with something else before.", field="idempotency_key")
        return False
    if _profile(snapshot).merged_into:
        raise merged()
    if not found.definition.rev:
        raise NotFound("There is no such reward.", field="reward_id")
    book = Ledger(shop, customer_id, _account(snapshot), now=now)
    programme = in_force.programme(shop, now=now)
    reward = _refuse(found, book, snapshot, expected=asked.expected_points, zone=programme.zone, now=now)
    redemption = _promised(asked, found, reward, programme, now=now)
    change = Change(now)
    # What it was decided by: who they are, and which segments they are in. Their tier is their account's.
    change.unchanged(_profile(snapshot))
    if reward.segments and (segments := snapshot.head(SegmentsHead)):
        change.unchanged(segments)
    ending.take(change, shop, redemption, found.uses, otherwise=eligibility.sold_out())
    change.write(redemption, when=None, otherwise=Stale())  # once, as the entry of its hold
    hold = PointsHold.of(shop, customer_id, redemption_id)
    hold.points, hold.ends_at, hold.of_redemption, hold.actor = reward.price, book.now + HELD_FOR, True, asked.actor
    when = occasion(redemption.cause or "", at=now, now=now, actor=asked.actor, request=asked.request)
    holding.set_aside(change, book, hold, when)
    if not change.commit():
        raise Stale  # another call with this key was faster; what it wrote is there now
    return True


def _fulfil(asked: Asked, *, now: datetime) -> Redemption:
    """Spend what a redemption holds, for a code; what it has come to where that is done. Raises NotFound,
    CustomerBlocked and CustomerDeleted for who has gone meanwhile: what is held for them is let go in its time.
    """
    shop, customer_id, redemption_id = asked.shop, asked.customer_id, asked.redemption_id
    head = maturing.opened(shop, customer_id, now=now)
    redemption = _get(shop, customer_id, redemption_id)
    if redemption.status == RedemptionStatus.RELEASED:
        raise RedemptionClosed("The redemption was interrupted, and its points went back.", field="idempotency_key")
    if redemption.status != RedemptionStatus.HELD:
        return redemption
    hold = _hold(shop, redemption)
    change = Change(now)
    of_customer(shop, customer_id, themselves=asked.themselves)(change)
    redemption.cause, redemption.status = f"hold:{redemption_id}:capture", RedemptionStatus.FULFILLED
    redemption.code = codes.new()
    voucher = Voucher.of(shop, redemption.code)
    voucher.customer_id, voucher.redemption_id = customer_id, redemption_id
    change.create(voucher, otherwise=Stale())  # of two alike the second is drawn anew
    ending.fulfil(change, redemption)
    when = occasion(redemption.cause, at=now, now=now, actor=asked.actor)
    holding.spend(change, Ledger(shop, customer_id, head, now=now), hold, int(hold.points), when)
    if not change.commit():
        raise Stale
    return redemption


def _settled(shop: str, customer_id: str, *, themselves: bool, now: datetime) -> Snapshot:
    """The customer, once everything that is due has had its effect. Raises NotFound, CustomerBlocked,
    CustomerDeleted.
    """
    snapshot = customers.take_snapshot(shop, customer_id)
    if is_due(_account(snapshot), now):
        maturing.settle(shop, customer_id, now=now)
        snapshot = customers.take_snapshot(shop, customer_id)
    profile = _profile(snapshot)
    if themselves:
        customers.refuse_barred(profile)
    if customers.is_hidden(profile):
        raise CustomerDeleted
    return snapshot


def _refuse(
    found: Found, book: Ledger, snapshot: Snapshot, *, expected: int | None, zone: str, now: datetime
) -> Reward:
    """The reward, where the customer may redeem it. Raises what stands against it."""
    definition = found.definition
    offered = Offered(reward=definition.reward, left=found.stock.left, archived=definition.archived_at is not None)
    segments = customers.segments_at(snapshot.head(SegmentsHead), now)
    tier = offers.tier_of(book.shop, book.customer_id, book.head, now=now)
    who = Who(available=book.read.balances.available, segments=segments, tier=tier)
    if refused := eligibility.refusal(
        offered, offers.with_uses(who, found.uses), expected=expected, zone=zone, now=now
    ):
        raise refused
    return offered.reward


def _promised(asked: Asked, found: Found, reward: Reward, programme: Programme, *, now: datetime) -> Redemption:
    """What is redeemed, whatever becomes of the reward."""
    redemption = Redemption.of(asked.shop, asked.customer_id, asked.redemption_id)
    redemption.rev, redemption.reward_id, redemption.reward_version = 1, asked.reward_id, found.definition.rev
    redemption.reward, redemption.points = reward.document(), reward.price
    redemption.request, redemption.actor = asked.request, asked.actor
    redemption.status, redemption.redeemed_at = RedemptionStatus.HELD, now
    redemption.counted_on = str(clock.local_day(now, programme.zone))
    redemption.took_stock = found.stock.total is not None
    if reward.voucher_days is not None:
        redemption.voucher_until = expiry.grace_until(now, reward.voucher_days, programme.zone)
    redemption.cause = f"hold:{redemption.redemption_id}:hold"
    redemption.happens("REDEMPTION", now, redemption.redemption_id)
    redemption.moment_key = None  # that points moved is the moment
    return redemption.listed()


def _return_points(change: Change, book: Ledger, redemption: Redemption, hold: PointsHold, *, actor: Actor) -> None:
    now = book.now
    if redemption.status == RedemptionStatus.HELD:
        when = occasion(f"hold:{hold.hold_id}:release", at=now, now=now, actor=str(actor))
        holding.give_back(change, book, hold, when)
        return
    when = occasion(f"redemption:{redemption.redemption_id}:cancel", at=now, now=now, actor=str(actor))
    held = stored.held_of(hold)
    moved = movements.give_back(
        book.read, held.portions, reverses=[Reversed(f"hold:{hold.hold_id}:capture", int(hold.captured))],
        grace=book.grace(when), occasion=when,
    )  # fmt: skip
    claimed = claiming.claim(change, book, moved, [Debit(held.number, held.points)], when)
    book.write(change, claimed.account, claimed.entries)


def _refuse_ended(redemption: Redemption, *, now: datetime) -> None:
    match redemption.status:
        case RedemptionStatus.RELEASED:
            raise RedemptionClosed("The redemption was interrupted, and its points went back.", field="id")
        case RedemptionStatus.USED:
            raise VoucherUsed("Its voucher was used.", field="id")
        case RedemptionStatus.FULFILLED if ending.is_over(redemption, now):
            raise VoucherVoid("The last day of its voucher is over.", field="id")


def _get(shop: str, customer_id: str, redemption_id: str) -> Redemption:
    redemption = redemptions.get_redemption(shop, customer_id, redemption_id)
    if redemption is None:
        raise NotFound("There is no such redemption.", field="id")
    return redemption


def _hold(shop: str, redemption: Redemption) -> PointsHold:
    hold = ledgers.get_hold(shop, redemption.customer_id, redemption.redemption_id)
    if hold is None:
        raise ValueError(f"{redemption.redemption_id} has no hold")
    return hold


def _profile(snapshot: Snapshot) -> Customer:
    profile = snapshot.head(Customer)
    if profile is None:
        raise NotFound("There is no such customer.", field="customer")
    return profile


def _account(snapshot: Snapshot) -> LoyaltyAccount:
    return snapshot.head(LoyaltyAccount) or LoyaltyAccount.of(snapshot.shop, snapshot.customer_id)
