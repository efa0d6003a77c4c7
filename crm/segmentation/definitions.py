# crm/segmentation/definitions.py
"""The segments there are, written as code until they are written in a language of their own. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from crm.kernel import clock
from crm.segmentation.language.verdicts import Verdict

WINDOW = timedelta(days=30)


class Facts(Struct, frozen=True):
    """What the snapshot says of a customer that segments ask for. A day is one in the shop's `zone`.

    `hidden`: the customer is deleted, and is in no segment whatever else is known of them.
    """

    zone: str
    order_count: int
    last_order_at: datetime | None
    hidden: bool = False

    @property
    def newest_at(self) -> datetime | None:
        """When the newest of these facts came about: for moments before that they say nothing."""
        return self.last_order_at


class Segment(Struct, frozen=True):
    id: str
    name: str
    evaluate: Callable[[Facts, datetime], Verdict]


def ordered_in_the_last_30_days(facts: Facts, now: datetime) -> Verdict:
    """The day of the last order lies after the day 30 days before today: today and the 29 days before it count."""
    if facts.last_order_at is None:
        return Verdict(member=False)
    last_day = clock.local_day(facts.last_order_at, facts.zone)
    if last_day <= clock.local_day(now, facts.zone) - WINDOW:
        return Verdict(member=False)
    return Verdict(member=True, flips_at=clock.start_of_day(last_day + WINDOW, facts.zone))


def repeat_buyer(facts: Facts, now: datetime) -> Verdict:  # noqa: ARG001  all definitions are asked alike
    """Two orders or more that are not cancelled."""
    return Verdict(member=facts.order_count >= 2)  # noqa: PLR2004


SEGMENTS = (
    Segment("seg_ordered_last_30_days", "Ordered in the last 30 days", ordered_in_the_last_30_days),
    Segment("seg_repeat_buyer", "Repeat buyer", repeat_buyer),
)
