# crm/loyalty/redemptions/models.py
"""What customers redeemed, and what that has taken beside points.

Key design (docs/access-patterns.md, AP-213 to AP-217, AP-219, AP-275 to AP-278, AP-280):
    Redemption      pk=SHOP#<shop>#CUSTOMER#<customer>  sk=REDEMPTION#<redemption>
                    timeline_key=REDEMPTION#<redeemed_at>#<redemption>
                    list_pk=SHOP#<shop>#REWARD#<reward>#REDEMPTIONS#<shard>  list_sk=<redeemed_at>#<redemption>
    UsableVoucher   pk=SHOP#<shop>#CUSTOMER#<customer>  sk=USABLE#<end>#<redemption>      while it can be used
    VoucherUse      pk=SHOP#<shop>#CUSTOMER#<customer>  sk=VOUCHERUSE#<redemption>        a moment of its customer
    RefusedVoucher  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=REFUSEDVOUCHER#<order>         of the order's customer
                    list_pk=SHOP#<shop>#REFUSEDVOUCHERS#<shard>  list_sk=<at>#<order>
    RewardUses      pk=SHOP#<shop>#CUSTOMER#<customer>  sk=USES#<reward>
    RewardStock     pk=SHOP#<shop>#LOYALTY              sk=REWARDSTOCK#<reward>
                    timeline_key=REWARDSTOCK#<reward>   while the reward is not archived: read with it (AP-210)
    RewardCount     pk=SHOP#<shop>#REWARD#<reward>#<shard>  sk=COUNT
    Voucher         pk=SHOP#<shop>#VOUCHER#<code>       sk=VOUCHER                  its key is what makes a code unique

A redemption is the only place that says what became of its voucher: whoever uses, cancels or lets go writes it under
the condition of its `rev`, so that one of them does, and what is kept beside it with it. Its hold has its id, and
closes in the Change that moves it on. Uses are of an account (crm/loyalty/models.py): read after the account, and
written with it. Stocks are held to a condition, and so are one item; counts are not, and are spread.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Final, Self

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel import clock
from crm.kernel.compact_json import CompactJSONAttribute
from crm.kernel.ids import shard_of
from crm.kernel.table import Item, Published, customer_key, shop_key, whose

SHARDS: Final = 4
"""Of lists that span customers."""
COUNT_SHARDS: Final = 16
"""Of how often a reward was redeemed: as few customers as may be wait for each other."""
ENDLESS: Final = "9999"
"""Sorts behind every end of a voucher that there is."""


class RedemptionStatus(StrEnum):
    HELD = "HELD"
    """Its points are set aside, and it goes on as soon as its key comes again."""
    FULFILLED = "FULFILLED"
    """Its points are spent, and its voucher can be used."""
    USED = "USED"
    CANCELLED = "CANCELLED"
    RELEASED = "RELEASED"
    """It was never fulfilled: time let its hold go."""
    EXPIRED = "EXPIRED"
    """Fulfilled, and its voucher was not used in time. Worked out, not stored."""


class Redemption(Published, discriminator="Redemption"):
    """A reward that a customer has redeemed. `reward` is what it was in its version `reward_version`: whatever becomes
    of the definition, this was promised, for `points`.
    """

    redemption_id = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    reward_id = UnicodeAttribute()
    reward_version = NumberAttribute()
    reward = CompactJSONAttribute()
    points = NumberAttribute()
    status = UnicodeAttribute()
    request = UnicodeAttribute()
    actor = UnicodeAttribute()
    redeemed_at = UTCDateTimeAttribute()
    counted_on = UnicodeAttribute()
    """The day of the programme's zone that it counts as a use of."""
    took_stock = BooleanAttribute(default=False)
    code = UnicodeAttribute(null=True)
    voucher_until = UTCDateTimeAttribute(null=True)
    ended_at = UTCDateTimeAttribute(null=True)
    """When it was used, cancelled or let go."""
    order_id = UnicodeAttribute(null=True)
    """The order it was used for, once that is known."""
    used_by = UnicodeAttribute(null=True)
    """What used it: a call, by its key, or an order."""
    used_by_actor = UnicodeAttribute(null=True)
    use_request = UnicodeAttribute(null=True)

    @classmethod
    def of(cls, shop: str, customer_id: str, redemption_id: str) -> Self:
        pk = customer_key(shop, customer_id)
        return cls(pk, f"REDEMPTION#{redemption_id}", redemption_id=redemption_id, customer_id=customer_id)

    @property
    def shop(self) -> str:
        return whose(self.pk)[0]

    def listed(self) -> Self:
        """Put it on the list of its reward's, where it is counted too."""
        self.list_pk = redemptions_list_key(self.shop, self.reward_id, shard_of(self.customer_id, SHARDS))
        self.list_sk = f"{clock.text(self.redeemed_at)}#{self.redemption_id}"
        return self


class UsableVoucher(Item, discriminator="UsableVoucher"):
    """A voucher that nobody has used and that is not cancelled, by when it ends; one that has ended stays a while."""

    redemption_id = UnicodeAttribute()

    @classmethod
    def of(cls, redemption: Redemption) -> Self:
        until, redemption_id = redemption.voucher_until, redemption.redemption_id
        item = cls(redemption.pk, usable_key(until, redemption_id), redemption_id=redemption_id)
        item.expires_at = int(until.timestamp()) if until else None
        return item


class VoucherUse(Item, discriminator="VoucherUse"):
    """That a voucher was used: a moment of the customer whose it was."""

    redemption_id = UnicodeAttribute()
    customer_id = UnicodeAttribute()

    @classmethod
    def of(cls, redemption: Redemption) -> Self:
        key, redemption_id = f"VOUCHERUSE#{redemption.redemption_id}", redemption.redemption_id
        item = cls(redemption.pk, key, redemption_id=redemption_id, customer_id=redemption.customer_id)
        return item.happens("VOUCHER", redemption.ended_at, redemption_id)


class RefusedVoucher(Published, discriminator="RefusedVoucher"):
    """An order names a voucher that it could not use: the shop may have given for nothing what it was good for."""

    order_id = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    """Whose the order is; the voucher may be another's."""
    redemption_id = UnicodeAttribute()
    given_to = UnicodeAttribute()
    """Whose the voucher is."""
    reason = UnicodeAttribute()
    occurred_at = UTCDateTimeAttribute()

    @classmethod
    def of(cls, shop: str, customer_id: str, order_id: str) -> Self:
        pk = customer_key(shop, customer_id)
        return cls(pk, f"REFUSEDVOUCHER#{order_id}", order_id=order_id, customer_id=customer_id)

    @property
    def shop(self) -> str:
        return whose(self.pk)[0]

    def listed(self) -> Self:
        """Put it on the list of its shop's, and among its customer's moments."""
        self.list_pk = refused_list_key(self.shop, shard_of(self.customer_id, SHARDS))
        self.list_sk = f"{clock.text(self.occurred_at)}#{self.order_id}"
        return self.happens("REFUSEDVOUCHER", self.occurred_at, self.order_id)


class RewardUses(Item, discriminator="RewardUses"):
    """How often a customer has redeemed a reward and not given it back: ever, and by day (`yyyy-mm-dd`) for a year."""

    reward_id = UnicodeAttribute()
    ever = NumberAttribute(default=0)
    days = CompactJSONAttribute(default=dict)
    moved = BooleanAttribute(default=False)
    """Whether those of before are another customer's, into whom this one was merged: then what is given back is below
    zero until it has followed.
    """

    @classmethod
    def of(cls, shop: str, customer_id: str, reward_id: str) -> Self:
        return cls(customer_key(shop, customer_id), f"USES#{reward_id}", reward_id=reward_id)

    def by_day(self) -> dict[date, int]:
        return {date.fromisoformat(day): count for day, count in self.days.items()}


class RewardStock(Item, discriminator="RewardStock"):
    """How many of a reward there are in all (None: any number), and how many redemptions have taken one. Those made
    while there is any number take none.
    """

    reward_id = UnicodeAttribute()
    total = NumberAttribute(null=True)
    taken = NumberAttribute(default=0)

    @classmethod
    def of(cls, shop: str, reward_id: str) -> Self:
        return cls(rewards_key(shop), f"REWARDSTOCK#{reward_id}", reward_id=reward_id)

    def listed(self) -> Self:
        self.timeline_key = f"REWARDSTOCK#{self.reward_id}"
        return self

    @property
    def left(self) -> int | None:
        return None if self.total is None else max(0, int(self.total) - int(self.taken))


class RewardCount(Item, discriminator="RewardCount"):
    """How many redemptions of a reward there are that were not given back, of the customers of a shard."""

    reward_id = UnicodeAttribute()
    redeemed = NumberAttribute(default=0)

    @classmethod
    def of(cls, shop: str, reward_id: str, shard: int) -> Self:
        return cls(f"{shop_key(shop)}#REWARD#{reward_id}#{shard}", "COUNT", reward_id=reward_id)


class Voucher(Item, discriminator="Voucher"):
    """Whose a code is. Written once, never changed."""

    customer_id = UnicodeAttribute()
    redemption_id = UnicodeAttribute()

    @classmethod
    def of(cls, shop: str, code: str) -> Self:
        return cls(f"{shop_key(shop)}#VOUCHER#{code}", "VOUCHER")


def rewards_key(shop: str) -> str:
    return f"{shop_key(shop)}#LOYALTY"


def redemptions_list_key(shop: str, reward_id: str, shard: int) -> str:
    return f"{shop_key(shop)}#REWARD#{reward_id}#REDEMPTIONS#{shard}"


def refused_list_key(shop: str, shard: int) -> str:
    return f"{shop_key(shop)}#REFUSEDVOUCHERS#{shard}"


def usable_key(until: datetime | None, redemption_id: str = "") -> str:
    return f"USABLE#{clock.text(until) if until else ENDLESS}#{redemption_id}"
