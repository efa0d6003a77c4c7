# crm/loyalty/rewards/defining.py
"""How a shop's rewards are made, changed and archived."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from crm.kernel import ids
from crm.kernel.actor import Actor
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInputs, NotFound, Stale, VersionMismatch
from crm.kernel.said import UNSAID
from crm.loyalty import naming
from crm.loyalty.naming import Asking, Noun, Segments
from crm.loyalty.programmes import in_force
from crm.loyalty.programmes.defining import Decide
from crm.loyalty.redemptions.models import RewardStock
from crm.loyalty.refusals import Archived
from crm.loyalty.rewards import repository
from crm.loyalty.rewards.models import RewardDefinition, RewardVersion
from crm.loyalty.rewards.refusals import TooManyRewards
from crm.loyalty.rewards.repository import MOST_REWARDS
from crm.loyalty.rewards.reward import Reward, RewardFields, RewardKind, understood
from crm.loyalty.tiers import defining as tiers_
from crm.loyalty.tiers.defining import TierDefined

NOBODY: Final = Reward(name="", kind=RewardKind.CUSTOM, price=0)


class Defined(Struct, frozen=True):
    definition: RewardDefinition
    stock: RewardStock


def create(shop: str, said: RewardFields, *, actor: Actor, now: datetime, segments: Segments = None) -> Defined:
    """Make a reward, which counts at once. Raises InvalidInputs with all that is wrong, and TooManyRewards."""
    reward = judged(shop, None, said, segments=segments, now=now)
    definition = RewardDefinition.of(shop, ids.new_id("rwd", now))
    definition.created_at = now
    stock = RewardStock.of(shop, definition.reward_id)
    stock.total, stock.taken = reward.stock, 0
    change = Change(now)
    repository.count_reward(change, shop, otherwise=TooManyRewards(MOST_REWARDS))
    change.write(stock, when=None, otherwise=Stale())  # with its definition, which is new
    _revise(change, definition, reward, "create", actor=actor, now=now)
    change.commit()
    return Defined(definition, stock)


def faults(said: RewardFields, *, but: Collection[str] = ()) -> list[Fault]:
    """All that is wrong with a reward that is to be new, but what is known to be wrong already."""
    return [fault for fault in understood(None, said)[1] if fault.path not in but]


def judged(shop: str, before: Reward | None, said: RewardFields, *, segments: Segments = None, now: datetime) -> Reward:
    """The reward as it is once that is said. Raises InvalidInputs with all that is wrong with it, also where it asks
    for tiers or segments that there are not; those it has asked for may stay.
    """
    reward, wrong = understood(before, said)
    kept = before or NOBODY
    if tiers := said.tiers if said.tiers is not UNSAID else None:
        known = in_force.newest(shop, now=now).programme.tiers
        unknown = naming.unknown("tiers", tiers, known.names, Noun.TIER, archived=known.archived, kept=kept.tiers)
        wrong = [*wrong, *unknown]
    wrong = [*wrong, *naming.unknown("segments", said.named_segments, segments, Noun.SEGMENT, kept=kept.segments)]
    if reward is None or wrong:
        raise InvalidInputs(wrong)
    return reward


def update(
    shop: str,
    reward_id: str,
    said: RewardFields,
    *,
    actor: Actor,
    now: datetime,
    segments: Segments = None,
    expected_version: int | None = None,
) -> Defined:
    """Change what is said; where nothing is another, the version stays. What was redeemed before stays what it was.

    `stock` is how many there are in all: those that were taken stay taken, also below it. Raises InvalidInputs with all
    that is wrong, NotFound, Archived and VersionMismatch.
    """

    def attempt() -> Defined:
        definition, stock = get(shop, reward_id, expected_version)
        if definition.archived_at is not None:
            raise Archived("The reward is archived.", field="id")
        reward = judged(shop, definition.reward, said, segments=segments, now=now)
        if reward == definition.reward:
            return Defined(definition, stock)
        change = Change(now)
        if reward.stock != definition.reward.stock:
            total = RewardStock.total
            set_to = total.remove() if reward.stock is None else total.set(reward.stock)
            change.update(stock, [set_to], when=None, otherwise=Stale())
            stock.total = reward.stock
        _revise(change, definition, reward, "update", actor=actor, now=now)
        change.commit()
        return Defined(definition, stock)

    return retrying(attempt)


def archive(shop: str, reward_id: str, *, actor: Actor, now: datetime, expected_version: int | None = None) -> Defined:
    """Nobody redeems it any more, for good; vouchers that there are can be used. Said again, it changes nothing.

    Raises NotFound, VersionMismatch.
    """

    def attempt() -> Defined:
        definition, stock = get(shop, reward_id, expected_version)
        if definition.archived_at is None:
            definition.archived_at = now
            change = Change(now)
            _revise(change, definition, definition.reward, "archive", actor=actor, now=now)
            change.commit()
        return Defined(definition, stock)

    return retrying(attempt)


def archive_tier(shop: str, tier_id: str, **said: Any) -> TierDefined:
    """`crm.loyalty.tiers.defining.archive`, with the rewards that ask for it. One that is made at the same time may
    come to ask for a tier that is archived: for those who have it.
    """
    return tiers_.archive(shop, tier_id, rewards=_asking_for_tier(shop, tier_id), **said)


def archiving_tier(shop: str, tier_id: str, *, now: datetime) -> Decide:
    """What `archive_tier` makes of a programme."""
    return tiers_.archiving(tier_id, rewards=_asking_for_tier(shop, tier_id), now=now)


def asking_for_segment(shop: str, segment_id: str, *, now: datetime) -> Asking:
    """Which rules and rewards ask for a segment."""
    rules = in_force.newest(shop, now=now).programme.earning.active
    return Asking(
        {rule.id: rule.name for rule in rules if segment_id in rule.conditions.segments},
        {one.reward_id: one.reward.name for one in _in_use(shop) if segment_id in one.reward.segments},
    )


def get(shop: str, reward_id: str, expected_version: int | None = None) -> tuple[RewardDefinition, RewardStock]:
    """Raises NotFound, also for the reward of another shop, and VersionMismatch."""
    found = repository.get_reward(shop, reward_id)
    if found is None:
        raise NotFound("There is no such reward.", field="id")
    if expected_version is not None and found[0].rev != expected_version:
        raise VersionMismatch(expected=expected_version, actual=int(found[0].rev))
    return found


def _asking_for_tier(shop: str, tier_id: str) -> dict[str, str]:
    return {one.reward_id: one.reward.name for one in _in_use(shop) if tier_id in one.reward.tiers}


def _in_use(shop: str) -> list[RewardDefinition]:
    return [definition for definition, _ in repository.list_rewards(shop) if definition.archived_at is None]


def _revise(
    change: Change, definition: RewardDefinition, reward: Reward, effect: str, *, actor: Actor, now: datetime
) -> None:
    definition.document, definition.updated_at, definition.updated_by = reward.document(), now, str(actor)
    change.revise(definition)
    definition.cause = f"reward:{definition.reward_id}:{effect}:{int(definition.rev)}"
    change.write(RewardVersion.of(definition), when=None, otherwise=Stale())  # once, as its definition has it
