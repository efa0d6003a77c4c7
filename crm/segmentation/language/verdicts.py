# crm/segmentation/language/verdicts.py
"""What comes of asking a segment about a customer at a moment."""

from datetime import datetime

from msgspec import Struct


class Verdict(Struct, frozen=True):
    """Whether the customer is a member, and until when time alone does not change that (None: for good).

    It never changes before `flips_at`; it need not change then, but is to be asked again.
    """

    member: bool
    flips_at: datetime | None = None
