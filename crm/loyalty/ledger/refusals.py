# crm/loyalty/ledger/refusals.py
"""What the ledger refuses, and what it would have taken."""

from collections.abc import Iterable
from datetime import datetime

from crm.kernel import clock
from crm.kernel.errors import CrmError


class InsufficientPoints(CrmError):
    """More points are asked for than can be spent."""

    code = "INSUFFICIENT_POINTS"

    def __init__(self, *, available: int, required: int, field: str = "points") -> None:
        super().__init__(f"{required} points are needed, {available} can be spent.", field=field)
        self.available = available
        self.required = required


class HoldClosed(CrmError):
    """The hold was captured or released, or has run out."""

    code = "HOLD_CLOSED"


class HoldExceeded(CrmError):
    """More is to be captured than is held."""

    code = "HOLD_EXCEEDED"


class HoldNotYours(CrmError):
    """A customer asks for a hold that the shop made: who is held by it cannot lift it."""

    code = "HOLD_NOT_YOURS"


class TooManyHolds(CrmError):
    """An account, or an order, has as many open holds as it may, until `next_ends_at` at the latest."""

    code = "TOO_MANY_HOLDS"

    def __init__(self, ends: Iterable[datetime], *, of: str = "", field: str | None = None) -> None:
        coming = sorted(ends)
        are = f"{len(coming)} holds {of} are" if of else f"{len(coming)} holds are"
        super().__init__(f"{are} open; the next of them ends at {clock.text(coming[0])}.", field=field)
        self.next_ends_at = coming[0]


class NotReversible(CrmError):
    """An entry of this kind is put right by other means than reversing it, or has been reversed."""

    code = "NOT_REVERSIBLE"


class Archived(CrmError):
    """What is to be changed was given up, for good."""

    code = "ARCHIVED"


class LedgerTooLong(CrmError):
    """The ledger has more entries than are verified while somebody waits for the answer."""

    code = "LEDGER_TOO_LONG"
