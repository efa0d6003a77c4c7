# crm/loyalty/undoing.py
"""What undoes an entry as a whole, and whether somebody of the shop can by hand. Pure."""

from typing import Final

from crm.loyalty.causes import redemption_of
from crm.loyalty.ledger.movements import Movement
from crm.loyalty.models import LedgerEntry

REWARD: Final = "A reward is cancelled with its voucher: loyaltyRedemptionCancel."
BY_HAND: Final = frozenset({Movement.ADJUST, Movement.CAPTURE})


def refusal(entry: LedgerEntry) -> str | None:
    """Why it is not undone by hand, and what does it; None where it is, once."""
    if redemption_of(entry):
        return REWARD
    if entry.order_id:
        return "What an order did is put right by telling of the order: cancelled, refunded or edited."
    if entry.movement == Movement.HOLD:
        return "What is set aside is let go: loyaltyPointsRelease."
    return None if entry.movement in BY_HAND else "An entry of this kind cannot be reversed."


def undone_by(entry: LedgerEntry) -> str | None:
    """The cause of what undoes it as a whole: by hand, or with its voucher. None where nothing does."""
    if refusal(entry) is None:
        return by_hand(entry)
    redemption = redemption_of(entry)
    return f"redemption:{redemption}:cancel" if redemption and entry.movement == Movement.CAPTURE else None


def by_hand(entry: LedgerEntry) -> str:
    """The cause of undoing it so: there is one, however often it is asked for."""
    return f"{(entry.cause or '').rpartition(':')[0]}:reverse"
