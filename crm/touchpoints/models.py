# crm/touchpoints/models.py
"""What is stored about visits, views, carts and whatever else a shop calls an event.

Key design (docs/access-patterns.md, AP-32):
    Touchpoint  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=TOUCHPOINT#<touchpoint>
                timeline_key=TOUCHPOINT#<occurred_at>#<touchpoint>
"""

from datetime import datetime
from typing import Self

from pynamodb.attributes import JSONAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel import clock
from crm.kernel.table import Published, customer_key


class Touchpoint(Published, discriminator="Touchpoint"):
    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    touchpoint_id = UnicodeAttribute()
    type = UnicodeAttribute()
    channel = UnicodeAttribute(null=True)
    session_id = UnicodeAttribute(null=True)
    properties = JSONAttribute(default=dict)
    occurred_at = UTCDateTimeAttribute()
    recorded_at = UTCDateTimeAttribute()

    @classmethod
    def of(cls, shop: str, customer_id: str, touchpoint_id: str, *, occurred_at: datetime) -> Self:
        return cls(
            customer_key(shop, customer_id),
            f"TOUCHPOINT#{touchpoint_id}",
            shop=shop,
            customer_id=customer_id,
            touchpoint_id=touchpoint_id,
            occurred_at=occurred_at,
            timeline_key=f"TOUCHPOINT#{clock.text(occurred_at)}#{touchpoint_id}",
        )
