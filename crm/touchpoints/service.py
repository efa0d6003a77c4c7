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
from crm.touchpoints import acquisition, repository, urls
from crm.touchpoints.acquisition import INBOUND, OUTBOUND, Campaign
from crm.touchpoints.models import Acquisition, CampaignPart, SourcePart, Touchpoint

__all__ = [
    "INBOUND",
    "NO_CAMPAIGN",
    "OUTBOUND",
    "Acquisition",
    "Campaign",
    "CampaignPart",
    "SourcePart",
    "Told",
    "Touchpoint",
    "TouchpointSeen",
    "record",
    "touchpoints",
    "type_fault",
]

TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
LONGEST_NAME = 200
NO_CAMPAIGN = Campaign()
LARGEST_PROPERTIES = 200_000  # bytes of JSON as stored: half of what DynamoDB lets an item hold


@dataclass(frozen=True)
class TouchpointSeen:
    """Something that happened: `type` is `product.viewed`, `cart.updated`, ... or a shop's own `noun.past_tense`.

    `direction` is `inbound` where the customer turned to the shop, `outbound` where the shop turned to them.
    """

    type: str
    channel: str | None = None
    session_id: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    direction: str = INBOUND
    campaign: Campaign = NO_CAMPAIGN
    referrer: str | None = None


@dataclass(frozen=True)
class Told:
    """How a touchpoint came to be known. `touchpoint_id` follows from the cause (the event's id)."""

    touchpoint_id: str
    cause: str
    occurred_at: datetime
    now: datetime
    replayed: bool


def record(change: Change, shop: str, customer_id: str, seen: TouchpointSeen, told: Told) -> Touchpoint:
    """Add to `change`: the touchpoint, and what brought the customer where it says something new of that.

    Raises InvalidInputs; the commit raises Stale where what brought them was told meanwhile.
    """
    faults = _faults(seen)
    if faults:
        raise InvalidInputs(faults)
    item = Touchpoint.of(shop, customer_id, seen.type, told.touchpoint_id, occurred_at=told.occurred_at)
    item.channel, item.direction, item.session_id = seen.channel, seen.direction, seen.session_id
    item.campaign = CampaignPart(**vars(seen.campaign)) if seen.campaign else None
    item.referrer = urls.plain(seen.referrer) if seen.referrer else None
    item.properties = dict(seen.properties)
    if isinstance(url := seen.properties.get("url"), str):
        item.properties["url"] = urls.plain(url)
    item.recorded_at = told.now
    item.rev, item.cause, item.replayed = 1, told.cause, told.replayed
    change.once(item)
    source = _source(seen, told)
    if source is not None:
        _acquire(change, shop, customer_id, source, told)
    return item


def touchpoints(
    shop: str,
    customer_id: str,
    *,
    of_type: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: str | None = None,
    limit: int,
) -> list[Touchpoint]:
    """At most `limit`, newest first, from `since` until just before `until`: one Query, which reads no others.

    `before` is the last one's place: its sort key where they are of one type, else its timeline key.
    """
    if of_type is None:
        return repository.list_newest(shop, customer_id, since=since, until=until, before=before, limit=limit)
    if type_fault(of_type):
        return []
    return repository.list_newest_of_type(
        shop, customer_id, of_type, since=since, until=until, before=before, limit=limit
    )


def type_fault(name: str) -> str | None:
    """What is wrong with the name of a type; None where nothing is."""
    if not TYPE.fullmatch(name) or len(name) > LONGEST_NAME:
        return "must be like noun.past_tense, in lower case"
    return None


def _source(seen: TouchpointSeen, told: Told) -> SourcePart | None:
    named = acquisition.named(seen.campaign, seen.referrer, direction=seen.direction)
    if named is None:
        return None
    return SourcePart(
        **vars(named),
        referrer=urls.plain(seen.referrer) if seen.referrer else None,
        channel=seen.channel,
        touchpoint_id=told.touchpoint_id,
        occurred_at=told.occurred_at,
    )


def _acquire(change: Change, shop: str, customer_id: str, source: SourcePart, told: Told) -> None:
    head = repository.get_acquisition(shop, customer_id) or Acquisition.of(shop, customer_id)
    ends = acquisition.ends([head.first, head.last, source])
    if ends is not None and source in ends:
        head.first, head.last = ends
        head.cause, head.replayed = told.cause, told.replayed
        change.revise(head)


def _faults(seen: TouchpointSeen) -> list[Fault]:
    faults = []
    if wrong := type_fault(seen.type):
        faults.append(Fault("type", "INVALID", wrong))
    if seen.direction not in {INBOUND, OUTBOUND}:
        faults.append(Fault("direction", "INVALID", f"must be {INBOUND} or {OUTBOUND}"))
    texts = {"channel": seen.channel, "session_id": seen.session_id}
    texts |= {f"campaign.{name}": value for name, value in vars(seen.campaign).items()}
    for name, value in texts.items():
        if value is not None and not 0 < len(value) <= LONGEST_NAME:
            faults.append(Fault(name, "INVALID", f"must have 1 to {LONGEST_NAME} characters"))
    if len(json.dumps(dict(seen.properties))) > LARGEST_PROPERTIES:
        faults.append(Fault("properties", "TOO_LARGE", f"must not exceed {LARGEST_PROPERTIES} bytes of JSON"))
    return faults
