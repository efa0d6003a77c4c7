# crm/intake/changes.py
"""Which domain events a stored change says: the one place that knows every area's."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from crm.customers.events import CustomerRecorded
from crm.customers.models import Customer
from crm.feedback.events import FeedbackRecorded
from crm.feedback.models import FeedbackResponse
from crm.kernel.domain_events import DomainEvent
from crm.kernel.errors import InvalidInput
from crm.kernel.table import Item, Published
from crm.loyalty.events import PointsPosted
from crm.loyalty.models import LedgerEntry
from crm.notifications.events import MessagePlanned
from crm.notifications.models import Message
from crm.orders.events import OrderRecorded
from crm.orders.models import Order
from crm.segmentation.events import changes_of
from crm.segmentation.stays import SegmentMembership
from crm.touchpoints.events import VisitorIdentified
from crm.touchpoints.models import VisitorLink

PUBLISHERS: dict[type[Published], Callable[[Any], Sequence[DomainEvent | None]]] = {
    Customer: lambda item: [CustomerRecorded.of(item)],
    Order: lambda item: [OrderRecorded.of(item)],
    SegmentMembership: changes_of,
    Message: lambda item: [MessagePlanned.of(item)],
    LedgerEntry: lambda item: [PointsPosted.of(item)],
    FeedbackResponse: lambda item: [FeedbackRecorded.of(item)],
    VisitorLink: lambda item: [VisitorIdentified.of(item)],
}


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
    return [replace(event, correlation_id=item.correlation_id) for event in publisher(item) if event is not None]
