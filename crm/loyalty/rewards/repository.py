# crm/loyalty/rewards/repository.py
"""Every read of rewards; writes go through a Change."""

from typing import Final, TypeVar

from msgspec import Struct

from crm.kernel import batch_reads, timeline
from crm.kernel.change import Change
from crm.kernel.errors import CrmError
from crm.kernel.settings import settings
from crm.kernel.table import Item
from crm.loyalty.redemptions.models import Redemption, RewardStock, RewardUses, rewards_key
from crm.loyalty.rewards.models import RewardCatalogue, RewardDefinition, RewardVersion, versions_key

I = TypeVar("I", bound=Item)  # noqa: E741  one of the kinds of Item

MOST_REWARDS: Final = 200
"""Of a shop, the archived included: they are read at once."""


class Found(Struct, frozen=True):
    """What one redemption concerns; new where there is none."""

    definition: RewardDefinition
    stock: RewardStock
    redemption: Redemption
    uses: RewardUses


def list_rewards(shop: str) -> list[tuple[RewardDefinition, RewardStock]]:
    """All of a shop with their stocks, also the archived, in the order in which they were made (AP-210)."""
    both = Item.sk.between("REWARD#", f"REWARDSTOCK#{timeline.LAST}")
    found = list(Item.query(rewards_key(shop), range_key_condition=both, consistent_read=True))
    stocks = {item.reward_id: item for item in found if isinstance(item, RewardStock)}
    return [
        (item, stocks.get(item.reward_id) or RewardStock.of(shop, item.reward_id))
        for item in found
        if isinstance(item, RewardDefinition)
    ]


def get_reward(shop: str, reward_id: str) -> tuple[RewardDefinition, RewardStock] | None:
    """One with its stock, in one batch read (AP-218)."""
    definition, stock = RewardDefinition.of(shop, reward_id), RewardStock.of(shop, reward_id)
    found = _Read(definition, stock)
    read = found(definition)
    return (read, found(stock)) if read.rev else None


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


def count_reward(change: Change, shop: str, *, otherwise: CrmError) -> None:
    """Add to `change`: the shop has one reward more, unless it has as many as it may."""
    count = RewardCatalogue.reward_count
    room = count.does_not_exist() | (count < MOST_REWARDS)
    change.update(RewardCatalogue.of(shop), [count.add(1)], when=room, otherwise=otherwise)


class _Read:
    """Items as they are stored, or as they were given where they are not. Their sort keys differ."""

    def __init__(self, *items: Item) -> None:
        keys = [(item.pk, item.sk) for item in items]
        self._raw = {raw["sk"]["S"]: raw for raw in batch_reads.read(settings().crm_table, keys)}

    def __call__(self, item: I) -> I:
        return type(item).from_raw_data(self._raw[item.sk]) if item.sk in self._raw else item
