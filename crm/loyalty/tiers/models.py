# crm/loyalty/tiers/models.py
"""What is stored of tiers, beside what the LoyaltyAccount says of them (crm/loyalty/models.py).

Key design (docs/access-patterns.md, AP-200, AP-201, AP-285):
    QualifyingMonth  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=QUALIFYING#<yyyy-mm>        what counts, by day
    TierChange       pk=SHOP#<shop>#CUSTOMER#<customer>  sk=TIER#<number>               the history of a tier
                     timeline_key=TIER#<occurred_at>#<number>
    TierNotice       pk=SHOP#<shop>#CUSTOMER#<customer>  sk=TIERNOTICE#<ends_on>#<tier>  that a tier is about to end

All of it is written with the LoyaltyAccount, under the condition of its `rev`.
"""

from datetime import date
from enum import StrEnum
from typing import Self

from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel.table import Item, Part, Published, customer_key


class QualifyingDay(Part):
    """What the orders placed on a day of the month count."""

    day = UnicodeAttribute()
    points = NumberAttribute(default=0)
    spend = NumberAttribute(default=0)
    orders = NumberAttribute(default=0)


class QualifyingMonth(Item, discriminator="QualifyingMonth"):
    days: ListAttribute[QualifyingDay] = ListAttribute(of=QualifyingDay, default=list)

    @classmethod
    def of(cls, shop: str, customer_id: str, month: str) -> Self:
        return cls(customer_key(shop, customer_id), f"QUALIFYING#{month}")


class ChangeReason(StrEnum):
    """Why somebody has another tier than before."""

    ATTAINED = "ATTAINED"
    ENDED = "ENDED"
    """It was not reached again in time."""
    REFUNDED = "REFUNDED"
    """What had attained it counts no more: it was refunded, cancelled or edited."""
    CORRECTED = "CORRECTED"
    """An order was told of late: by it a tier would not have ended, or would have ended sooner."""
    REDEFINED = "REDEFINED"
    """The programme defines its tiers anew."""
    RENAMED = "RENAMED"
    """It is the same tier, and the programme calls it something else."""
    MERGED = "MERGED"
    """They and another customer became one."""
    OVERRIDDEN = "OVERRIDDEN"
    """Somebody of the shop gave it."""
    OVERRIDE_ENDED = "OVERRIDE_ENDED"


class TierChange(Published, discriminator="TierChange"):
    """Never changed. Names are those of that time. `corrects`: the number of the change that it puts right."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    number = NumberAttribute()
    before_id = UnicodeAttribute(null=True)
    before_name = UnicodeAttribute(null=True)
    after_id = UnicodeAttribute(null=True)
    after_name = UnicodeAttribute(null=True)
    direction = NumberAttribute(default=0)
    """Above zero where the tier is a higher one than before, below where it is a lower."""
    why = UnicodeAttribute()
    occurred_at = UTCDateTimeAttribute()
    recorded_at = UTCDateTimeAttribute()
    order_id = UnicodeAttribute(null=True)
    corrects = NumberAttribute(null=True)
    until = UTCDateTimeAttribute(null=True)
    actor = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)

    @classmethod
    def of(cls, shop: str, customer_id: str, number: int) -> Self:
        pk = customer_key(shop, customer_id)
        return cls(pk, f"TIER#{number:06}", shop=shop, customer_id=customer_id, number=number, rev=1)


class TierNotice(Published, discriminator="TierNotice"):
    """A tier ends in the morning of `ends_on`, unless `missing` more is reached before; None: in any case. Told of
    once.
    """

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    tier_id = UnicodeAttribute()
    tier_name = UnicodeAttribute()
    ends_on = UnicodeAttribute()
    after_id = UnicodeAttribute(null=True)
    after_name = UnicodeAttribute(null=True)
    basis = UnicodeAttribute()
    missing = NumberAttribute(null=True)
    occurred_at = UTCDateTimeAttribute()

    @classmethod
    def of(cls, shop: str, customer_id: str, tier_id: str, ends_on: date) -> Self:
        key = f"TIERNOTICE#{ends_on.isoformat()}#{tier_id}"
        item = cls(customer_key(shop, customer_id), key, shop=shop, customer_id=customer_id, tier_id=tier_id, rev=1)
        item.ends_on, item.cause = ends_on.isoformat(), f"tier:{tier_id}:notice:{ends_on.isoformat()}"
        return item
