# crm/intake/domain_schemas.py
"""The domain events there are, and the JSON Schemas (2020-12) of their details, made from their classes."""

import inspect
import typing
from datetime import datetime
from typing import Any, Final

from msgspec.structs import fields

from crm.consent.events import ConsentRecorded
from crm.customers.events import AttributeDefined, AttributesRecorded, CustomerRecorded
from crm.feedback.events import FeedbackRecorded
from crm.intake.schemas import DIALECT
from crm.kernel.domain_events import DomainEvent, camel
from crm.kernel.timers import TimerDue
from crm.loyalty.events import LoyaltyEnrolled, PointsExpiring, PointsPosted
from crm.loyalty.redemptions.events import RedemptionCancelled, RewardRedeemed, VoucherRefused, VoucherUsed
from crm.loyalty.tiers.events import TierChanged, TierDowngradeUpcoming
from crm.notifications.events import MessagePlanned
from crm.orders.events import OrderRecorded
from crm.segmentation.events import SegmentEntered, SegmentLeft
from crm.shops.events import ShopChanged
from crm.touchpoints.events import AcquisitionRecorded, TouchpointRecorded, VisitorIdentified

DOMAIN_EVENTS: Final[tuple[type[DomainEvent], ...]] = (
    AcquisitionRecorded,
    AttributeDefined,
    AttributesRecorded,
    ConsentRecorded,
    CustomerRecorded,
    FeedbackRecorded,
    LoyaltyEnrolled,
    MessagePlanned,
    OrderRecorded,
    PointsExpiring,
    PointsPosted,
    RedemptionCancelled,
    RewardRedeemed,
    SegmentEntered,
    SegmentLeft,
    ShopChanged,
    TierChanged,
    TierDowngradeUpcoming,
    TimerDue,
    TouchpointRecorded,
    VisitorIdentified,
    VoucherRefused,
    VoucherUsed,
)
FORMS: Final[dict[Any, dict[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    tuple[str, ...]: {"type": "array", "items": {"type": "string"}},
    dict[str, int]: {"type": "object", "additionalProperties": {"type": "integer"}},
}


def domain_schemas() -> dict[str, dict[str, Any]]:
    """By detail type; each stands alone."""
    return {kind.detail_type: domain_schema_of(kind) for kind in DOMAIN_EVENTS}


def domain_schema_of(kind: type[DomainEvent]) -> dict[str, Any]:
    """Of its `detail`. What came with a later release may be missing: events from before are still on their way."""
    return {
        "$schema": DIALECT,
        "title": kind.detail_type,
        "description": " ".join(inspect.cleandoc(kind.__doc__ or "").split()),
        "type": "object",
        "properties": {camel(each.name): _form(each.name, each.type) for each in fields(kind)},
        "required": [camel(each.name) for each in fields(kind) if each.required],
    }


def bare(hint: Any) -> Any:
    """What there is where it is not null; a list or a map is itself."""
    parts = typing.get_args(hint)
    return next(part for part in parts if part is not type(None)) if type(None) in parts else hint


def _form(name: str, hint: Any) -> dict[str, Any]:
    form = FORMS[bare(hint)]
    if bare(hint) is hint or name == "correlation_id":  # absent rather than null
        return form
    return {"anyOf": [form, {"type": "null"}]}
