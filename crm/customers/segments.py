# crm/customers/segments.py
"""Which segments a customer is in, for areas below segmentation: by what it has foretold."""

from datetime import datetime, timedelta

from crm.customers.models import SegmentsHead
from crm.kernel import clock


def segments_at(head: SegmentsHead | None, at: datetime) -> frozenset[str]:
    """The ids of those they are in at an instant, as far as is known: also where time has brought them in or out by
    then, and no timer has yet been handled. Of stays that are over a head knows nothing.
    """
    if head is None or head.hidden:
        return frozenset()
    open_ = {one.segment_id for one in head.open if one.entered_at <= at and (not one.flips_at or at < one.flips_at)}
    return frozenset(open_ | {each for each, flips_at in (head.flips or {}).items() if clock.parse(flips_at) <= at})


def segments_before(head: SegmentsHead | None, at: datetime) -> frozenset[str]:
    """As `segments_at`, an instant before: what happens at `at` is not yet counted."""
    return segments_at(head, at - timedelta(microseconds=1))
