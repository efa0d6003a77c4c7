# crm/loyalty/causes.py
"""Why points moved, as their holder is told: worked out of an entry's cause and movement. Pure."""

from enum import StrEnum
from typing import Final

from crm.loyalty.ledger.movements import Movement
from crm.loyalty.models import LedgerEntry

REDEMPTION: Final = "rdn"
"""What the ids of redemptions begin with, which are those of their holds."""


class Why(StrEnum):
    ORDER = "order"
    ORDER_CHANGED = "order_changed"
    MATURED = "matured"
    PAID = "paid"
    PAYMENT_RETURNED = "payment_returned"
    ENROLLED = "enrolled"
    BIRTHDAY = "birthday"
    EVENT = "event"
    HELD = "held"
    CAPTURED = "captured"
    RELEASED = "released"
    HOLD_ENDED = "hold_ended"
    REWARD = "reward"
    REWARD_GIVEN = "reward_given"
    REWARD_INTERRUPTED = "reward_interrupted"
    EXPIRED = "expired"
    GIVEN = "given"
    TAKEN = "taken"
    CANCELLED = "cancelled"
    CORRECTED = "corrected"
    MERGED = "merged"
    OTHER = "other"


WORDS = {
    Why.ORDER: "Earned with an order",
    Why.ORDER_CHANGED: "Taken back: the order was refunded, cancelled or changed",
    Why.MATURED: "Ready to be spent: the order can no longer be returned",
    Why.PAID: "Paid for an order",
    Why.PAYMENT_RETURNED: "Given back: the order they paid for was refunded, cancelled or changed",
    Why.ENROLLED: "Given for taking part",
    Why.BIRTHDAY: "Given for a birthday",
    Why.EVENT: "Given for something done",
    Why.HELD: "Set aside",
    Why.CAPTURED: "Spent what was set aside",
    Why.RELEASED: "No longer set aside",
    Why.HOLD_ENDED: "No longer set aside: the time for it was over",
    Why.REWARD: "Redeemed for a reward",
    Why.REWARD_GIVEN: "The reward they were redeemed for was given",
    Why.REWARD_INTERRUPTED: "Given back: the reward they were redeemed for was not given in time",
    Why.EXPIRED: "Expired",
    Why.GIVEN: "Given by the shop",
    Why.TAKEN: "Taken off by the shop",
    Why.CANCELLED: "Given back: what they were spent on was cancelled",
    Why.CORRECTED: "Put right by the shop",
    Why.MERGED: "Moved between two accounts that became one",
    Why.OTHER: "Moved",
}
"""In words that a customer may see: no names, no reasons."""

BY_CAUSE: dict[tuple[str, str, str], Why] = {
    ("order", "earn", Movement.EARN): Why.ORDER,
    ("order", "earn", Movement.REVERSE): Why.ORDER_CHANGED,
    ("order", "mature", Movement.MATURE): Why.MATURED,
    ("order", "spend", Movement.REDEEM): Why.PAID,
    ("order", "spend", Movement.REVERSE): Why.PAYMENT_RETURNED,
    ("account", "signup", Movement.EARN): Why.ENROLLED,
    ("birthday", "bonus", Movement.EARN): Why.BIRTHDAY,
    ("hold", "hold", Movement.HOLD): Why.HELD,
    ("hold", "capture", Movement.CAPTURE): Why.CAPTURED,
    ("hold", "reverse", Movement.REVERSE): Why.CORRECTED,
    ("hold", "spend", Movement.REVERSE): Why.PAYMENT_RETURNED,
    ("hold", "earn", Movement.REVERSE): Why.ORDER_CHANGED,
    ("redemption", "cancel", Movement.REVERSE): Why.CANCELLED,
    ("adjustment", "reverse", Movement.REVERSE): Why.CORRECTED,
    ("pool", "expire", Movement.EXPIRE): Why.EXPIRED,
}
"""By the noun and the effect of a cause, and the movement."""


OF_A_REWARD: dict[str, Why] = {Movement.HOLD: Why.REWARD, Movement.CAPTURE: Why.REWARD_GIVEN}
"""By the movement of the hold of a redemption."""


def is_of_redemption(hold_id: str) -> bool:
    return hold_id.startswith(f"{REDEMPTION}_")


def redemption_of(entry: LedgerEntry) -> str | None:
    """The id of the redemption of a reward that moved them; None where it was something else."""
    noun, identity, *_ = [*(entry.cause or "").split(":"), ""]
    return identity if noun in {"hold", "redemption"} and is_of_redemption(identity) else None


def hold_of(entry: LedgerEntry) -> str | None:
    """The id of the hold that set them aside, spent them or let them go, where it is no redemption's."""
    noun, _, identity = (entry.subject or "").partition(":")
    return identity if noun == "hold" and not redemption_of(entry) else None


def why(entry: LedgerEntry) -> Why:
    """OTHER for what this code does not know: causes are added, and entries stay."""
    if redemption_of(entry) and (of_reward := _of_reward(entry)):
        return of_reward
    match entry.movement:
        case Movement.TRANSFER:
            return Why.MERGED
        case Movement.RELEASE:
            return Why.RELEASED if entry.actor else Why.HOLD_ENDED
        case Movement.ADJUST:
            return Why.GIVEN if entry.points > 0 else Why.TAKEN
    return _of_cause(entry)


def _of_cause(entry: LedgerEntry) -> Why:
    noun, *rest = (entry.cause or "").split(":")
    if (noun, entry.movement) == ("event", Movement.EARN):
        return Why.EVENT  # its cause ends with a rule's id
    if entry.claims:  # what was forgiven is taken back after all
        return Why.ORDER_CHANGED if entry.order_id else Why.CORRECTED
    effect = rest[-2] if len(rest) > 1 and rest[-1].isdigit() else rest[-1] if rest else ""  # before what counts them
    return BY_CAUSE.get((noun, effect, entry.movement), Why.OTHER)


def _of_reward(entry: LedgerEntry) -> Why | None:
    if entry.movement == Movement.RELEASE:
        return Why.CANCELLED if entry.actor else Why.REWARD_INTERRUPTED
    return OF_A_REWARD.get(entry.movement)
