# crm/consent/reasons.py
"""Why an address is suppressed. Pure: values in, values out (docs/decisions/0055)."""

from datetime import datetime

from msgspec import Struct

HARD_BOUNCE, COMPLAINT, MANUAL = REASONS = ("hard_bounce", "complaint", "manual")
LIFTED, SUPPRESSED = STATES = ("lifted", "suppressed")
"""From the less strict to the stricter."""


class Verdict(Struct, frozen=True):
    """What was last said of one reason, and when."""

    state: str
    occurred_at: datetime
    cause: str = ""


def prevails(new: Verdict, old: Verdict | None) -> bool:
    """Whether `new` replaces `old`: the later event time wins; of two at one instant the suppression does."""
    return old is None or _place(new) > _place(old)


def _place(verdict: Verdict) -> tuple[datetime, int, str]:
    return verdict.occurred_at, STATES.index(verdict.state), verdict.cause
