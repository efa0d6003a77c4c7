# crm/touchpoints/acquisition.py
"""What brought a customer. Pure: what was said of a touchpoint goes in, the source it names comes out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import asdict

from crm.touchpoints import urls

INBOUND, OUTBOUND = "inbound", "outbound"
REFERRAL = "referral"


class Campaign(Struct, frozen=True):
    """The five UTM parameters, as the link had them."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    term: str | None = None
    content: str | None = None

    def __bool__(self) -> bool:
        return any(asdict(self).values())


class Dated(Protocol):
    occurred_at: datetime
    touchpoint_id: str


D = TypeVar("D", bound=Dated)


def named(campaign: Campaign, referrer: str | None, *, direction: str) -> Campaign | None:
    """The source that a touchpoint names: its campaign, or else the site it came from. None where it names none, as a
    visit that was typed in does, and where it was the shop that turned to the customer.
    """
    if direction != INBOUND:
        return None
    site = urls.host(referrer) if referrer else None
    if campaign:
        return Campaign(campaign.source or site, *list(asdict(campaign).values())[1:])
    return Campaign(site, REFERRAL) if site else None


def ends(sources: Iterable[D | None]) -> tuple[D, D] | None:
    """The first and the last by when they happened, at one instant by their ids: the same in any order of arrival."""
    known = [each for each in sources if each is not None]
    known.sort(key=lambda each: (each.occurred_at, each.touchpoint_id))
    return (known[0], known[-1]) if known else None
