# crm/touchpoints/service.py
"""What customers did before, between and after orders: the only door into this area."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm.kernel.change import Change
from crm.kernel.errors import Fault, InvalidInputs
from crm.touchpoints import repository
from crm.touchpoints.models import Touchpoint

__all__ = ["Touchpoint", "TouchpointSeen", "record", "touchpoints"]

TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
LONGEST_NAME = 200
LARGEST_PROPERTIES = 200_000  # bytes of JSON as stored: half of what DynamoDB lets an item hold


@dataclass(frozen=True)
class TouchpointSeen:
    """Something a customer did: `type` is `product.viewed`, `cart.updated`, ... or a shop's own `noun.past_tense`."""

    type: str
    channel: str | None = None
    session_id: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


def record(
    change: Change,
    shop: str,
    customer_id: str,
    seen: TouchpointSeen,
    *,
    touchpoint_id: str,
    cause: str,
    occurred_at: datetime,
    now: datetime,
    replayed: bool,
) -> Touchpoint:
    """Add the touchpoint to `change`. `touchpoint_id` follows from the cause (the event's id). Raises InvalidInputs."""
    faults = _faults(seen)
    if faults:
        raise InvalidInputs(faults)
    item = Touchpoint.of(shop, customer_id, touchpoint_id, occurred_at=occurred_at)
    item.type, item.channel, item.session_id = seen.type, seen.channel, seen.session_id
    item.properties = dict(seen.properties)
    item.recorded_at = now
    item.rev, item.cause, item.replayed = 1, cause, replayed
    change.once(item)
    return item


def touchpoints(
    shop: str, customer_id: str, *, of_type: str | None = None, before: str | None = None, limit: int
) -> list[Touchpoint]:
    """At most `limit`, newest first, from behind the timeline key `before`; of one type where it is given."""
    return repository.list_newest(shop, customer_id, of_type=of_type, before=before, limit=limit)


def _faults(seen: TouchpointSeen) -> list[Fault]:
    faults = []
    if not TYPE.fullmatch(seen.type) or len(seen.type) > LONGEST_NAME:
        faults.append(Fault("type", "INVALID", "must be like noun.past_tense, in lower case"))
    for name, value in (("channel", seen.channel), ("session_id", seen.session_id)):
        if value is not None and not 0 < len(value) <= LONGEST_NAME:
            faults.append(Fault(name, "INVALID", f"must have 1 to {LONGEST_NAME} characters"))
    if len(json.dumps(dict(seen.properties))) > LARGEST_PROPERTIES:
        faults.append(Fault("properties", "TOO_LARGE", f"must not exceed {LARGEST_PROPERTIES} bytes of JSON"))
    return faults
