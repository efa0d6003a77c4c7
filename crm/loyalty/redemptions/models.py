# crm/loyalty/redemptions/models.py
"""What customers redeemed, and what that has taken beside points.

Key design (docs/access-patterns.md, AP-213 to AP-217, AP-219):
    Redemption   pk=SHOP#<shop>#CUSTOMER#<customer>  sk=REDEMPTION#<redemption>
                 timeline_key=REDEMPTION#<redeemed_at>#<redemption>
    RewardUses   pk=SHOP#<shop>#CUSTOMER#<customer>  sk=USES#<reward>
    RewardStock  pk=SHOP#<shop>#LOYALTY              sk=REWARDSTOCK#<reward>   read with the definitions (AP-210)
    Voucher      pk=SHOP#<shop>#VOUCHER#<code>       sk=VOUCHER                its key is what makes a code unique

A redemption is the only place that says what became of its voucher: whoever uses, cancels or lets go writes it under
the condition of its `rev`, so that one of them does. Its hold has its id, and closes in the Change that moves it on.
Uses are of an account (crm/loyalty/models.py): read after the account, and written with it.
"""

from datetime import date
from enum import StrEnum
from typing import Self

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel.compact_json import CompactJSONAttribute
from crm.kernel.table import Item, Published, customer_key, shop_key


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

    @property
    def left(self) -> int | None:
        return None if self.total is None else max(0, int(self.total) - int(self.taken))


class Voucher(Item, discriminator="Voucher"):
    """Whose a code is. Written once, never changed."""

    customer_id = UnicodeAttribute()
    redemption_id = UnicodeAttribute()

    @classmethod
    def of(cls, shop: str, code: str) -> Self:
        return cls(f"{shop_key(shop)}#VOUCHER#{code}", "VOUCHER")


def rewards_key(shop: str) -> str:
    return f"{shop_key(shop)}#LOYALTY"
