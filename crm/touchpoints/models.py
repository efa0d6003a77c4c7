# crm/touchpoints/models.py
"""What is stored about visits, views, carts and whatever else a shop calls an event.

Key design (docs/access-patterns.md, AP-32, AP-85, AP-86):
    Touchpoint   pk=SHOP#<shop>#CUSTOMER#<customer>  sk=TOUCHPOINT#<type>#<occurred_at>#<touchpoint>   those of one type
                 timeline_key=TOUCHPOINT#<occurred_at>#<touchpoint>                                    all of them
    Acquisition  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=HEAD#ACQUISITION                               what brought them
"""

from datetime import datetime
from typing import ClassVar, Self

from pynamodb.attributes import JSONAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel import clock
from crm.kernel.table import Part, Published, customer_key


class CampaignPart(Part):
    """The UTM parameters."""

    source = UnicodeAttribute(null=True)
    medium = UnicodeAttribute(null=True)
    campaign = UnicodeAttribute(null=True)
    term = UnicodeAttribute(null=True)
    content = UnicodeAttribute(null=True)


class Touchpoint(Published, discriminator="Touchpoint"):
    """Something that happened between a customer and the shop; it is never changed."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    touchpoint_id = UnicodeAttribute()
    type = UnicodeAttribute()
    channel = UnicodeAttribute(null=True)
    direction = UnicodeAttribute()
    session_id = UnicodeAttribute(null=True)
    campaign = CampaignPart(null=True)
    referrer = UnicodeAttribute(null=True)
    properties = JSONAttribute(default=dict)
    occurred_at = UTCDateTimeAttribute()
    recorded_at = UTCDateTimeAttribute()

    @classmethod
    def of(cls, shop: str, customer_id: str, type_: str, touchpoint_id: str, *, occurred_at: datetime) -> Self:
        place = f"{clock.text(occurred_at)}#{touchpoint_id}"
        return cls(
            customer_key(shop, customer_id),
            f"TOUCHPOINT#{type_}#{place}",
            shop=shop,
            customer_id=customer_id,
            touchpoint_id=touchpoint_id,
            type=type_,
            occurred_at=occurred_at,
            timeline_key=f"TOUCHPOINT#{place}",
        )


class SourcePart(CampaignPart):
    """What a touchpoint said it came from, and which touchpoint it was."""

    referrer = UnicodeAttribute(null=True)
    channel = UnicodeAttribute(null=True)
    touchpoint_id = UnicodeAttribute()
    occurred_at = UTCDateTimeAttribute()


class Acquisition(Published, discriminator="Acquisition"):
    """The first and the last source by when they happened, whatever order they were told in."""

    SK: ClassVar[str] = "HEAD#ACQUISITION"

    first = SourcePart(null=True)
    last = SourcePart(null=True)

    @classmethod
    def of(cls, shop: str, customer_id: str) -> Self:
        return cls(customer_key(shop, customer_id), cls.SK)
