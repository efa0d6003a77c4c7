# crm/intake/changes.py
"""Which domain events a stored change says: the one place that knows every area's."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from msgspec.structs import replace

from crm.consent.events import ConsentRecorded
from crm.consent.models import ConsentHead
from crm.customers.events import AttributeDefined, AttributesRecorded, CustomerRecorded
from crm.customers.models import AttributeDefinition, Customer, CustomerAttributes
from crm.feedback.events import FeedbackRecorded
from crm.feedback.models import FeedbackResponse
from crm.kernel.domain_events import DomainEvent
from crm.kernel.errors import InvalidInput
from crm.kernel.table import Item, Published
from crm.loyalty.events import LoyaltyEnrolled, PointsExpiring, PointsPosted
from crm.loyalty.models import Enrolled, ExpiryNotice, LedgerEntry
from crm.loyalty.redemptions.events import VoucherRefused
from crm.loyalty.redemptions.events import events_of as events_of_redemption
from crm.loyalty.redemptions.models import Redemption, RefusedVoucher
from crm.loyalty.tiers.events import TierChanged, TierDowngradeUpcoming
from crm.loyalty.tiers.models import TierChange, TierNotice
from crm.notifications.events import MessagePlanned
from crm.notifications.models import Message
from crm.orders.events import OrderRecorded
from crm.orders.models import Order
from crm.segmentation.events import changes_of
from crm.segmentation.stays import SegmentMembership
from crm.shops.events import ShopChanged
from crm.shops.models import Shop
from crm.touchpoints.events import AcquisitionRecorded, TouchpointRecorded, VisitorIdentified
from crm.touchpoints.models import Acquisition, Touchpoint, VisitorLink

Publisher: TypeAlias = Callable[[Any, Any], Sequence[DomainEvent | None]]
"""Given an item as it is, and as it was before; None where it was not there."""

PUBLISHERS: dict[type[Published], Publisher] = {
    Customer: lambda item, _: [CustomerRecorded.of(item)],
    CustomerAttributes: lambda item, before: [AttributesRecorded.of(item, before)],
    AttributeDefinition: lambda item, before: [AttributeDefined.of(item, before)],
    Order: lambda item, _: [OrderRecorded.of(item)],
    ConsentHead: lambda item, _: [ConsentRecorded.of(item)],
    Touchpoint: lambda item, _: [TouchpointRecorded.of(item)],
    Acquisition: lambda item, before: [AcquisitionRecorded.of(item, before)],
    VisitorLink: lambda item, _: [VisitorIdentified.of(item)],
    LedgerEntry: lambda item, _: [PointsPosted.of(item)],
    Enrolled: lambda item, _: [LoyaltyEnrolled.of(item)],
    ExpiryNotice: lambda item, _: [PointsExpiring.of(item)],
    TierChange: lambda item, _: [TierChanged.of(item)],
    TierNotice: lambda item, _: [TierDowngradeUpcoming.of(item)],
    Redemption: lambda item, _: events_of_redemption(item),
    RefusedVoucher: lambda item, _: [VoucherRefused.of(item)],
    FeedbackResponse: lambda item, _: [FeedbackRecorded.of(item)],
    SegmentMembership: lambda item, _: changes_of(item),
    Message: lambda item, _: [MessagePlanned.of(item)],
    Shop: lambda item, before: [ShopChanged.of(item, before)],
}


NOTICES = (PointsExpiring, TierDowngradeUpcoming)
"""What tells beforehand. Until somebody sends messages by it, the log says that it was published."""


def events_of(item: Item, before: Item | None) -> list[DomainEvent]:
    """What to publish of a record that has changed from `before`; nothing unless its `rev` has moved, and of a customer
    nothing unless its `version` has: who confirms a name says nothing new.

    Raises InvalidInput for a kind that is not published.
    """
    publisher = PUBLISHERS.get(type(item)) if isinstance(item, Published) else None
    if publisher is None or not isinstance(item, Published):
        raise InvalidInput(f"{type(item).__name__} is not published", field="kind")
    if isinstance(before, Published) and before.rev == item.rev:
        return []
    if isinstance(before, Customer) and isinstance(item, Customer) and before.version == item.version:
        return []
    return [
        replace(event, correlation_id=item.correlation_id) for event in publisher(item, before) if event is not None
    ]
