# crm/loyalty/rewards/models.py
"""Which rewards a shop has.

Key design (docs/access-patterns.md, AP-210 to AP-212, AP-218, AP-279, AP-281):
    RewardDefinition  pk=SHOP#<shop>#LOYALTY  sk=REWARD#<reward>                  never deleted
                      timeline_key=REWARD#<reward>, once archived ARCHIVEDREWARD#<archived_at>#<reward>
    RewardVersion     pk=SHOP#<shop>#LOYALTY  sk=REWARDVERSION#<reward>#<version> written once, never changed
    RewardName        pk=SHOP#<shop>#LOYALTY  sk=REWARDNAME#<digest of the name>  while a reward has it
    RewardCatalogue   pk=SHOP#<shop>#LOYALTY  sk=REWARDS                          how many are not archived
"""

import hashlib
from datetime import datetime
from typing import Self

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel import clock
from crm.kernel.compact_json import CompactJSONAttribute
from crm.kernel.table import Item, Published
from crm.kernel.texts import name_key
from crm.loyalty.redemptions.models import rewards_key
from crm.loyalty.rewards.reward import Reward

ARCHIVED = "ARCHIVEDREWARD#"


class RewardDefinition(Published, discriminator="RewardDefinition"):
    """A reward; `rev` is its public version."""

    reward_id = UnicodeAttribute()
    document = CompactJSONAttribute()
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()
    updated_by = UnicodeAttribute()
    archived_at = UTCDateTimeAttribute(null=True)

    @classmethod
    def of(cls, shop: str, reward_id: str) -> Self:
        return cls(rewards_key(shop), f"REWARD#{reward_id}", reward_id=reward_id)

    def listed(self) -> Self:
        """Put it among those that can be redeemed."""
        self.timeline_key = f"REWARD#{self.reward_id}"
        return self

    def archived(self, at: datetime) -> Self:
        """Put it among those that cannot be redeemed any more."""
        self.archived_at, self.timeline_key = at, f"{ARCHIVED}{clock.text(at)}#{self.reward_id}"
        return self

    @property
    def reward(self) -> Reward:
        return Reward.read(self.document)


class RewardVersion(Item, discriminator="RewardVersion"):
    """What a reward was in one of its versions, and who made it so."""

    reward_id = UnicodeAttribute()
    version = NumberAttribute()
    document = CompactJSONAttribute()
    archived_at = UTCDateTimeAttribute(null=True)
    written_at = UTCDateTimeAttribute()
    written_by = UnicodeAttribute()

    @classmethod
    def of(cls, definition: RewardDefinition) -> Self:
        """The version that a definition has, once it is revised."""
        version = int(definition.rev)
        return cls(
            definition.pk,
            f"{versions_key(definition.reward_id)}{version:09}",
            reward_id=definition.reward_id,
            version=version,
            document=definition.document,
            archived_at=definition.archived_at,
            written_at=definition.updated_at,
            written_by=definition.updated_by,
        )


class RewardName(Item, discriminator="RewardName"):
    """Which reward has a name, however it is written; its key is what makes names unique."""

    reward_id = UnicodeAttribute()

    @classmethod
    def of(cls, shop: str, name: str, reward_id: str) -> Self:
        digest = hashlib.sha256(name_key(name).encode()).hexdigest()
        return cls(rewards_key(shop), f"REWARDNAME#{digest}", reward_id=reward_id)


class RewardCatalogue(Item, discriminator="RewardCatalogue"):
    reward_count = NumberAttribute(default=0)

    @classmethod
    def of(cls, shop: str) -> Self:
        return cls(rewards_key(shop), "REWARDS")


def versions_key(reward_id: str) -> str:
    return f"REWARDVERSION#{reward_id}#"
