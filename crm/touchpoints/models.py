# crm/touchpoints/models.py
"""What is stored about visits, views, carts and whatever else a shop calls an event.

Key design (docs/access-patterns.md, AP-32, AP-85 to AP-89, AP-130, AP-167, AP-168, AP-209):
    Touchpoint         pk=SHOP#<shop>#CUSTOMER#<customer>  sk=TOUCHPOINT#<type>#<occurred_at>#<touchpoint>   of a type
                       timeline_key=TOUCHPOINT#<occurred_at>#<touchpoint>                                    all of them
    Acquisition        pk=SHOP#<shop>#CUSTOMER#<customer>  sk=HEAD#ACQUISITION
    OrderedCart        pk=SHOP#<shop>#CUSTOMER#<customer>  sk=CART#<cart>
    Visitor            pk=SHOP#<shop>#VISITOR#<visitor>    sk=VISITOR
    VisitorLink        pk=SHOP#<shop>#VISITOR#<visitor>    sk=LINK                      whom they turned out to be
    VisitorTouchpoint  pk=SHOP#<shop>#VISITOR#<visitor>    sk=TOUCHPOINT#<occurred_at>#<touchpoint>
"""

from datetime import datetime
from typing import ClassVar, Self

from pynamodb.attributes import (
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)

from crm.kernel import clock
from crm.kernel.compact_json import CompactJSONAttribute
from crm.kernel.table import Part, Published, Synced, customer_key


class CampaignPart(Part):
    """The UTM parameters."""

    source = UnicodeAttribute(null=True)
    medium = UnicodeAttribute(null=True)
    campaign = UnicodeAttribute(null=True)
    term = UnicodeAttribute(null=True)
    content = UnicodeAttribute(null=True)


class Seen(Published):
    """Something that happened between a person and the shop; what was said of it never changes."""

    shop = UnicodeAttribute()
    touchpoint_id = UnicodeAttribute()
    type = UnicodeAttribute()
    channel = UnicodeAttribute(null=True)
    direction = UnicodeAttribute()
    session_id = UnicodeAttribute(null=True)
    campaign = CampaignPart(null=True)
    referrer = UnicodeAttribute(null=True)
    properties = CompactJSONAttribute(default=dict)
    occurred_at = UTCDateTimeAttribute()
    recorded_at = UTCDateTimeAttribute()


class Touchpoint(Seen, discriminator="Touchpoint"):
    """Of a customer. With a `visitor_id`, it is the copy of what they did before anybody knew who they were."""

    customer_id = UnicodeAttribute()
    visitor_id = UnicodeAttribute(null=True)

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
        ).happens("TOUCHPOINT", occurred_at, touchpoint_id)


class VisitorTouchpoint(Seen, discriminator="VisitorTouchpoint"):
    """Of a visitor, and the truth about it. `copied_to`: the customer in whose partition its copy is."""

    visitor_id = UnicodeAttribute()
    copied_to = UnicodeAttribute(null=True)

    @classmethod
    def of(cls, shop: str, visitor_id: str, type_: str, touchpoint_id: str, *, occurred_at: datetime) -> Self:
        return cls(
            visitor_key(shop, visitor_id),
            f"TOUCHPOINT#{clock.text(occurred_at)}#{touchpoint_id}",
            shop=shop,
            visitor_id=visitor_id,
            touchpoint_id=touchpoint_id,
            type=type_,
            occurred_at=occurred_at,
        )

    def copy(self, customer_id: str) -> Touchpoint:
        """What a customer's partition holds of it."""
        copy = Touchpoint.of(self.shop, customer_id, self.type, self.touchpoint_id, occurred_at=self.occurred_at)
        for name in ("channel", "direction", "session_id", "campaign", "referrer", "properties", "recorded_at"):
            setattr(copy, name, getattr(self, name))
        copy.visitor_id = self.visitor_id
        copy.rev, copy.cause, copy.replayed = 1, self.cause, self.replayed
        return copy


class SourcePart(CampaignPart):
    """What a touchpoint said it came from, and which touchpoint it was."""

    referrer = UnicodeAttribute(null=True)
    channel = UnicodeAttribute(null=True)
    touchpoint_id = UnicodeAttribute()
    occurred_at = UTCDateTimeAttribute()


class JoinedVisitor(Part):
    """A visitor whom a customer turned out to have been, and the first and the last source of theirs."""

    visitor_id = UnicodeAttribute()
    expires_at = NumberAttribute()
    first = SourcePart(null=True)
    last = SourcePart(null=True)


class Acquisition(Synced, discriminator="Acquisition"):
    """The first and the last source by when they happened, whatever order they were told in: of the customer's own,
    which are for good, and of the visitors they were, who may turn out to have been somebody else.
    """

    SK: ClassVar[str] = "HEAD#ACQUISITION"

    first = SourcePart(null=True)
    last = SourcePart(null=True)
    own_first = SourcePart(null=True)
    own_last = SourcePart(null=True)
    visitors: ListAttribute[JoinedVisitor] = ListAttribute(of=JoinedVisitor, default=list)
    gone_count = NumberAttribute(default=0)
    """Touchpoints that were the customer's and are no longer: nothing else of theirs shows that they are gone."""
    occurred_at = UTCDateTimeAttribute(null=True)
    """When what last changed any of it came about."""
    newest_at = UTCDateTimeAttribute(null=True)
    """The latest that `occurred_at` ever was."""

    @classmethod
    def of(cls, shop: str, customer_id: str) -> Self:
        return cls(customer_key(shop, customer_id), cls.SK)


class CartOrder(Part):
    order_id = UnicodeAttribute()
    placed_at = UTCDateTimeAttribute()


class OrderedCart(Published, discriminator="OrderedCart"):
    """The orders that came of a cart, by when they were placed: with one, it is closed, whether its orders or its
    touchpoints were told first; with none left, since each was cancelled or turned out to be of another, it is not.
    """

    orders: ListAttribute[CartOrder] = ListAttribute(of=CartOrder, default=list)

    @classmethod
    def of(cls, shop: str, customer_id: str, cart_id: str) -> Self:
        return cls(customer_key(shop, customer_id), f"CART#{cart_id}")


class Visitor(Published, discriminator="Visitor"):
    """Somebody nobody knows yet. All that is kept of them expires at once, `expires_at`, and is counted until then."""

    touchpoint_count = NumberAttribute(default=0)
    first = SourcePart(null=True)
    last = SourcePart(null=True)

    @classmethod
    def of(cls, shop: str, visitor_id: str) -> Self:
        return cls(visitor_key(shop, visitor_id), "VISITOR")


class VisitorLink(Published, discriminator="VisitorLink"):
    """Whom a visitor turned out to be: the customer of the earliest identification, at one instant of the lesser id."""

    shop = UnicodeAttribute()
    visitor_id = UnicodeAttribute()
    customer_id = UnicodeAttribute(null=True)
    identified_at = UTCDateTimeAttribute(null=True)
    identified_by = UnicodeAttribute(null=True)
    """The id of the event that identified them."""

    @classmethod
    def of(cls, shop: str, visitor_id: str) -> Self:
        return cls(visitor_key(shop, visitor_id), "LINK", shop=shop, visitor_id=visitor_id)


def visitor_key(shop: str, visitor_id: str) -> str:
    return f"SHOP#{shop}#VISITOR#{visitor_id}"
