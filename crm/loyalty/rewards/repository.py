# crm/loyalty/rewards/repository.py
"""Every read of rewards; writes go through a Change."""

from collections.abc import Iterable
from typing import Final, TypeAlias, TypeVar

from msgspec import Struct

from crm.kernel import batch_reads, timeline
from crm.kernel.change import Change
from crm.kernel.errors import CrmError, Stale
from crm.kernel.settings import settings
from crm.kernel.table import Item
from crm.loyalty.redemptions.models import Redemption, RewardStock, RewardUses, rewards_key
from crm.loyalty.rewards.models import (
    ARCHIVED,
    RewardCatalogue,
    RewardDefinition,
    RewardName,
    RewardVersion,
    versions_key,
)

I = TypeVar("I", bound=Item)  # noqa: E741  one of the kinds of Item

MOST_REWARDS: Final = 200
"""Of a shop, that are not archived: they are read at once."""


class Found(Struct, frozen=True):
    """What one redemption concerns; new where there is none."""

    definition: RewardDefinition
    stock: RewardStock
    redemption: Redemption
    uses: RewardUses


Stocked: TypeAlias = tuple[RewardDefinition, RewardStock]


def list_rewards(shop: str) -> list[Stocked]:
    """Those of a shop that are not archived with their stocks, in the order in which they were made (AP-210)."""
    both = Item.timeline_key.between("REWARD#", f"REWARDSTOCK#{timeline.LAST}")
    found = list(Item.query(rewards_key(shop), both, index_name="timeline", consistent_read=True))
    stocks = {item.reward_id: item for item in found if isinstance(item, RewardStock)}
    return [
        (item, stocks.get(item.reward_id) or RewardStock.of(shop, item.reward_id))
        for item in found
        if isinstance(item, RewardDefinition)
    ]


def list_archived(shop: str, *, before: str | None, limit: int) -> list[Stocked]:
    """Those of a shop that are archived with their stocks, the last first, from behind the timeline key `before`
    (AP-279, AP-281).
    """
    found = timeline.newest(RewardDefinition, rewards_key(shop), ARCHIVED, before=before, limit=limit)
    stocks = _Read(*(RewardStock.of(shop, item.reward_id) for item in found))
    return [(item, stocks(RewardStock.of(shop, item.reward_id))) for item in found]


def get_rewards(shop: str, reward_ids: Iterable[str]) -> dict[str, Stocked]:
    """Those that there are, with their stocks, in batch reads of exact keys (AP-281)."""
    asked = {each: (RewardDefinition.of(shop, each), RewardStock.of(shop, each)) for each in reward_ids}
    found = _Read(*(item for both in asked.values() for item in both))
    read = {each: (found(definition), found(stock)) for each, (definition, stock) in asked.items()}
    return {each: both for each, both in read.items() if both[0].rev}


def get_reward(shop: str, reward_id: str) -> Stocked | None:
    """One with its stock, in one batch read (AP-218)."""
    return get_rewards(shop, [reward_id]).get(reward_id)


def get_for_redeeming(shop: str, customer_id: str, reward_id: str, redemption_id: str) -> Found:
    """A reward, its stock, what the customer has had of it and the redemption itself, in one batch read (AP-211).

    Not read at one moment: the stock is held to a condition of its own, what is the customer's to their account.
    """
    items = (
        RewardDefinition.of(shop, reward_id), RewardStock.of(shop, reward_id),
        Redemption.of(shop, customer_id, redemption_id), RewardUses.of(shop, customer_id, reward_id),
    )  # fmt: skip
    found = _Read(*items)
    definition, stock, redemption, uses = items
    return Found(found(definition), found(stock), found(redemption), found(uses))


def list_versions(shop: str, reward_id: str, *, before: int | None, limit: int) -> list[RewardVersion]:
    """What a reward was, newest first, from behind the version `before` (AP-212)."""
    first = versions_key(reward_id)
    last = f"{first}{before - 1:09}" if before else f"{first}{timeline.LAST}"
    found = RewardVersion.query(
        rewards_key(shop), range_key_condition=RewardVersion.sk.between(first, last), consistent_read=True,
        scan_index_forward=False, limit=limit,
    )  # fmt: skip
    return list(found)


def name_reward(change: Change, shop: str, name: str, reward_id: str, *, otherwise: CrmError) -> None:
    """Add to `change`: a name is this reward's, unless it is another's."""
    free = RewardName.sk.does_not_exist() | (RewardName.reward_id == reward_id)
    change.write(RewardName.of(shop, name, reward_id), when=free, otherwise=otherwise)


def count_reward(change: Change, shop: str, *, otherwise: CrmError) -> None:
    """Add to `change`: the shop has one reward more, unless it has as many as it may."""
    count = RewardCatalogue.reward_count
    room = count.does_not_exist() | (count < MOST_REWARDS)
    change.update(RewardCatalogue.of(shop), [count.add(1)], when=room, otherwise=otherwise)


def discount_reward(change: Change, shop: str) -> None:
    """Add to `change`: the shop has one reward less."""
    change.update(RewardCatalogue.of(shop), [RewardCatalogue.reward_count.add(-1)], when=None, otherwise=Stale())


class _Read:
    """Items as they are stored, or as they were given where they are not. Their sort keys differ."""

    def __init__(self, *items: Item) -> None:
        keys = [(item.pk, item.sk) for item in items]
        self._raw = {raw["sk"]["S"]: raw for raw in batch_reads.read(settings().crm_table, keys)}

    def __call__(self, item: I) -> I:
        return type(item).from_raw_data(self._raw[item.sk]) if item.sk in self._raw else item
