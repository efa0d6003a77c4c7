# crm/loyalty/rewards/offers.py
"""Which rewards a customer may redeem, and why not the others."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from crm.customers.service import Customer, SegmentsHead, Snapshot, segments_at, take_snapshot, takes_part
from crm.kernel.errors import NotFound
from crm.loyalty import standing
from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.naming import Segments
from crm.loyalty.programmes import in_force
from crm.loyalty.redemptions import repository as redemptions
from crm.loyalty.redemptions.models import RewardUses
from crm.loyalty.rewards import eligibility
from crm.loyalty.rewards.defining import get, judged
from crm.loyalty.rewards.eligibility import Offered, Reason, Who
from crm.loyalty.rewards.models import RewardDefinition
from crm.loyalty.rewards.repository import Stocked
from crm.loyalty.rewards.reward import Reward, RewardFields
from crm.loyalty.tiers import reading as tiers

UNTOLD = frozenset({Reason.ARCHIVED, Reason.NOT_YET, Reason.OVER})


class Offer(Struct, frozen=True, kw_only=True):
    """A reward to a customer: all `reasons` why they may not redeem it now. `left` of its stock; None: any number."""

    definition: RewardDefinition
    reward: Reward
    left: int | None
    reasons: tuple[Reason, ...]


def offers(snapshot: Snapshot, rewards: Sequence[Stocked], *, now: datetime) -> list[Offer]:
    """Of these `rewards` of the shop all that may be redeemed now by somebody, as they stand to a customer; of those
    that begin later or are over customers are not told. As many requests for many rewards as for one.
    """
    shop, customer_id = snapshot.shop, snapshot.customer_id
    who = of_customer(snapshot, now=now)
    uses = redemptions.list_uses(shop, customer_id)
    found = []
    for definition, stock in rewards:
        reward, of_it = definition.reward, with_uses(who, uses.get(definition.reward_id))
        offered = Offered(reward=reward, left=stock.left, archived=definition.archived_at is not None)
        reasons = _reasons(offered, of_it, shop=shop, now=now)
        if not UNTOLD.intersection(reasons):
            found.append(Offer(definition=definition, reward=reward, left=stock.left, reasons=reasons))
    return found


def preview(
    shop: str,
    customer_id: str,
    *,
    reward_id: str | None = None,
    said: RewardFields | None = None,
    segments: Segments = None,
    now: datetime,
) -> tuple[Reason, ...]:
    """Why a customer could not redeem a reward now: one that there is, as it would be if that were said of it, or a new
    one. Nothing is written. Raises NotFound, InvalidInputs.
    """
    known = get(shop, reward_id) if reward_id else None
    reward = known[0].reward if known else None
    if said is not None or reward is None:
        taken = int(known[1].taken) if known else 0
        reward = judged(shop, reward, said or RewardFields(), taken=taken, segments=segments, now=now)
    who = of_customer(_snapshot(shop, customer_id), now=now)
    if known is None:
        return _reasons(Offered(reward=reward, left=reward.stock), who, shop=shop, now=now)
    definition, stock = known
    stock.total = reward.stock
    offered = Offered(reward=reward, left=stock.left, archived=definition.archived_at is not None)
    uses = redemptions.get_uses(shop, customer_id, definition.reward_id)
    return _reasons(offered, with_uses(who, uses), shop=shop, now=now)


def of_customer(snapshot: Snapshot, *, now: datetime) -> Who:
    """As they stand at `now`, also where time has changed it and no timer has yet been handled."""
    head = snapshot.head(LoyaltyAccount) or LoyaltyAccount.of(snapshot.shop, snapshot.customer_id)
    available = standing.played(snapshot.shop, snapshot.customer_id, head, now=now).balances.net
    tier = tier_of(snapshot.shop, snapshot.customer_id, head, now=now)
    profile = snapshot.head(Customer)
    return Who(
        available=available,
        served=profile is not None and takes_part(profile),
        segments=segments_at(snapshot.head(SegmentsHead), now),
        tier=tier,
    )


def tier_of(shop: str, customer_id: str, head: LoyaltyAccount, *, now: datetime) -> str | None:
    """The id of the tier that they have, by time too."""
    tier = tiers.standing(shop, customer_id, head, now=now).tier
    return tier.id if tier else None


def with_uses(who: Who, uses: RewardUses | None) -> Who:
    return who if uses is None else replace(who, ever=int(uses.ever), by_day=uses.by_day())


def _reasons(offered: Offered, who: Who, *, shop: str, now: datetime) -> tuple[Reason, ...]:
    return eligibility.reasons(offered, who, zone=in_force.programme(shop, now=now).zone, now=now)


def _snapshot(shop: str, customer_id: str) -> Snapshot:
    snapshot = take_snapshot(shop, customer_id)
    if snapshot.head(Customer) is None:
        raise NotFound("There is no such customer.", field="customer")
    return snapshot
