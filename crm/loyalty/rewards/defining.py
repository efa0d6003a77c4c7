# crm/loyalty/rewards/defining.py
"""How a shop's rewards are made, changed and archived."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from crm.kernel import ids
from crm.kernel.actor import Actor
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInputs, NotFound, Stale, VersionMismatch
from crm.kernel.money import is_currency
from crm.kernel.said import UNSAID
from crm.kernel.texts import name_key
from crm.loyalty import naming
from crm.loyalty.ledger.refusals import Archived
from crm.loyalty.naming import Asking, Noun, Segments
from crm.loyalty.programmes import in_force
from crm.loyalty.programmes.defining import Decide
from crm.loyalty.redemptions.models import RewardStock
from crm.loyalty.rewards import repository
from crm.loyalty.rewards.models import RewardDefinition, RewardName, RewardVersion
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
    """Make a reward, which counts at once. Two that are not archived have no one name: who makes the same again has
    made it. Raises InvalidInputs with all that is wrong, and TooManyRewards.
    """
    reward = judged(shop, None, said, segments=segments, now=now)
    definition = RewardDefinition.of(shop, ids.new_id("rwd", now))
    definition.created_at = now
    stock = RewardStock.of(shop, definition.reward_id)
    stock.total, stock.taken = reward.stock, 0
    change = Change(now)
    repository.name_reward(change, shop, reward.name, definition.reward_id, otherwise=_taken())
    repository.count_reward(change, shop, otherwise=TooManyRewards(MOST_REWARDS))
    change.write(stock.listed(), when=None, otherwise=Stale())  # with its definition, which is new
    _revise(change, definition.listed(), reward, "create", actor=actor, now=now)
    change.commit()
    return Defined(definition, stock)


def faults(said: RewardFields, *, now: datetime, but: Collection[str] = ()) -> list[Fault]:
    """All that is wrong with a reward that is to be new, but what is known to be wrong already."""
    wrong = understood(None, said)[1]
    return [fault for fault in [*wrong, *_is_over(said, wrong, now)] if fault.path not in but]


def judged(
    shop: str,
    before: Reward | None,
    said: RewardFields,
    *,
    taken: int = 0,
    segments: Segments = None,
    now: datetime,
) -> Reward:
    """The reward as it is once that is said, of which so many were `taken`. Raises InvalidInputs with all that is wrong
    with it, also where it asks for tiers or segments that there are not; those it has asked for may stay, and so may
    an amount that it was worth.
    """
    reward, wrong = understood(before, said)
    kept = before or NOBODY
    tiers, amount = said.tiers if said.tiers is not UNSAID else None, said.amount if said.amount is not UNSAID else None
    if tiers or amount:
        programme = in_force.newest(shop, now=now).programme
        known = programme.tiers
        unknown = naming.unknown("tiers", tiers or (), known.names, Noun.TIER, archived=known.archived, kept=kept.tiers)
        wrong = [*wrong, *unknown]
        if amount and amount != kept.amount and is_currency(amount.currency) and amount.currency != programme.currency:
            wrong = [*wrong, Fault("amount.currency_code", "INVALID", f"must be the programme's, {programme.currency}")]
    wrong = [*wrong, *naming.unknown("segments", said.named_segments, segments, Noun.SEGMENT, kept=kept.segments)]
    if before is None:
        wrong = [*wrong, *_is_over(said, wrong, now)]
    if said.stock is not UNSAID and said.stock is not None and 0 <= said.stock < taken:
        wrong = [*wrong, Fault("stock", "INVALID", f"must be {taken:,} at least: so many were taken")]
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

    `stock` is how many there are in all, those that were taken too. Raises InvalidInputs with all that is wrong,
    NotFound, Archived and VersionMismatch.
    """

    def attempt() -> Defined:
        definition, stock = get(shop, reward_id, expected_version)
        if definition.archived_at is not None:
            raise Archived("The reward is archived.", field="id")
        before = definition.reward
        reward = judged(shop, before, said, taken=int(stock.taken), segments=segments, now=now)
        if reward == before:
            return Defined(definition, stock)
        change = Change(now)
        if name_key(reward.name) != name_key(before.name):
            change.delete(RewardName.of(shop, before.name, reward_id), when=None, otherwise=Stale())
            repository.name_reward(change, shop, reward.name, reward_id, otherwise=_taken())
        if reward.stock != before.stock:
            total, enough = RewardStock.total, None if reward.stock is None else RewardStock.taken <= reward.stock
            set_to = total.remove() if reward.stock is None else total.set(reward.stock)
            change.update(stock, [set_to], when=enough, otherwise=Stale())
            stock.total = reward.stock
        _revise(change, definition, reward, "update", actor=actor, now=now)
        change.commit()
        return Defined(definition, stock)

    return retrying(attempt)


def archive(shop: str, reward_id: str, *, actor: Actor, now: datetime, expected_version: int | None = None) -> Defined:
    """Nobody redeems it any more, for good; vouchers that there are can be used, and its name and its place among the
    shop's rewards are free. Said again, it changes nothing.

    Raises NotFound, VersionMismatch.
    """

    def attempt() -> Defined:
        definition, stock = get(shop, reward_id, expected_version)
        if definition.archived_at is None:
            change = Change(now)
            _revise(change, definition.archived(now), definition.reward, "archive", actor=actor, now=now)
            change.delete(RewardName.of(shop, definition.reward.name, reward_id), when=None, otherwise=Stale())
            change.update(stock, [RewardStock.timeline_key.remove()], when=None, otherwise=Stale())
            repository.discount_reward(change, shop)  # with its definition, which is archived once
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
    return [definition for definition, _ in repository.list_rewards(shop)]


def _is_over(said: RewardFields, wrong: Sequence[Fault], now: datetime) -> list[Fault]:
    """Of a reward that is to be new, unless something else is wrong with when it ends."""
    until = None if said.valid_until is UNSAID else said.valid_until
    told = any(fault.path == "valid_until" for fault in wrong)
    return [Fault("valid_until", "INVALID", "must lie ahead")] if until and until <= now and not told else []


def _taken() -> InvalidInputs:
    return InvalidInputs([Fault("name", "TAKEN", "must be another than every other reward's")])


def _revise(
    change: Change, definition: RewardDefinition, reward: Reward, effect: str, *, actor: Actor, now: datetime
) -> None:
    definition.document, definition.updated_at, definition.updated_by = reward.document(), now, str(actor)
    change.revise(definition)
    definition.cause = f"reward:{definition.reward_id}:{effect}:{int(definition.rev)}"
    change.write(RewardVersion.of(definition), when=None, otherwise=Stale())  # once, as its definition has it
