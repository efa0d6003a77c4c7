# crm/segmentation/causes.py
"""What began or ended a stay. Pure."""

from datetime import datetime
from enum import StrEnum

from crm.kernel import clock


class CauseKind(StrEnum):
    """`TIME`: it passed, by a customer's own facts or by the scores that are drawn on schedule. `DEFINITION`: the
    segment came to mean something else. `MANUAL`: somebody put them in, or took them out.
    """

    EVENT = "event"
    TIME = "time"
    DEFINITION = "definition"
    MANUAL = "manual"


def by_time(instant: datetime) -> str:
    """The cause of what time changed."""
    return f"time:{clock.text(instant)}:flip"


def cause_kind(cause: str) -> CauseKind:
    """What kind of thing began or ended a stay, by its cause."""
    noun, *rest = cause.split(":")
    if noun in {"time", "rfm"}:
        return CauseKind.TIME
    if noun == "segment" and "hand" in rest[1:2]:
        return CauseKind.MANUAL
    return CauseKind.DEFINITION if noun in {"attribute", "segment", "shop"} else CauseKind.EVENT
