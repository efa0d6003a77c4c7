# crm/loyalty/rewards/defining.py
"""How a shop's rewards are made, changed and archived."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct

from crm.kernel import ids
from crm.kernel.actor import Actor
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInputs, NotFound, Stale, VersionMismatch
from crm.loyalty.redemptions.models import RewardStock
from crm.loyalty.rewards import repository
from crm.loyalty.rewards.models import RewardDefinition, RewardVersion
from crm.loyalty.rewards.refusals import TooManyRewards
from crm.loyalty.rewards.repository import MOST_REWARDS
from crm.loyalty.rewards.reward import Reward, RewardFields, understood


class Defined(Struct, frozen=True):
    definition: RewardDefinition
    stock: RewardStock


def create(shop: str, said: RewardFields, *, actor: Actor, now: datetime) -> Defined:
    """Make a reward, which counts at once. Raises InvalidInputs with all that is wrong, and TooManyRewards."""
    reward, wrong = understood(None, said)
    if reward is None:
        raise InvalidInputs(wrong)
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


def update(
    shop: str, reward_id: str, said: RewardFields, *, actor: Actor, now: datetime, expected_version: int | None = None
) -> Defined:
    """Change what is said; where nothing is another, the version stays. What was redeemed before stays what it was.

    `stock` is how many there are in all: those that were taken stay taken, also below it. Raises InvalidInputs with all
    that is wrong, NotFound (also for one that is archived), and VersionMismatch.
    """

    def attempt() -> Defined:
        definition, stock = get(shop, reward_id, expected_version)
        if definition.archived_at is not None:
            raise NotFound("The reward is archived.", field="id")
        reward, wrong = understood(definition.reward, said)
        if reward is None:
            raise InvalidInputs(wrong)
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


def get(shop: str, reward_id: str, expected_version: int | None = None) -> tuple[RewardDefinition, RewardStock]:
    """Raises NotFound, also for the reward of another shop, and VersionMismatch."""
    found = repository.get_reward(shop, reward_id)
    if found is None:
        raise NotFound("There is no such reward.", field="id")
    if expected_version is not None and found[0].rev != expected_version:
        raise VersionMismatch(expected=expected_version, actual=int(found[0].rev))
    return found


def _revise(
    change: Change, definition: RewardDefinition, reward: Reward, effect: str, *, actor: Actor, now: datetime
) -> None:
    definition.document, definition.updated_at, definition.updated_by = reward.document(), now, str(actor)
    change.revise(definition)
    definition.cause = f"reward:{definition.reward_id}:{effect}:{int(definition.rev)}"
    change.write(RewardVersion.of(definition), when=None, otherwise=Stale())  # once, as its definition has it
