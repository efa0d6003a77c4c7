# crm/customers/standing.py
"""What a customer's status allows. Pure, and the only place that compares it."""

from typing import Protocol

from crm.customers.refusals import CustomerBlocked

ACTIVE, BLOCKED, DELETED = "active", "blocked", "deleted"
SAYABLE = frozenset({ACTIVE, BLOCKED})
"""What may be said of a customer in words; deleting and restoring are deeds of their own."""


class Standing(Protocol):
    """What of a profile is asked here."""

    @property
    def status(self) -> str: ...

    @property
    def merged_into(self) -> str | None: ...


def takes_part(customer: Standing) -> bool:
    """Whether they are served and written to: neither blocked nor deleted nor absorbed into another record."""
    return customer.status == ACTIVE and not customer.merged_into


def may_withdraw(customer: Standing) -> bool:
    """Whether they are heard where they take a consent back: also who is blocked or deleted (docs/decisions/0066). One
    absorbed into another record has no record of their own to take it from.
    """
    return not customer.merged_into


def is_hidden(customer: Standing) -> bool:
    """Whether the record is as good as not there: in no list and no segment, found by those only who may restore it.

    What shops tell of the customer is recorded all the same, and counts: it happened.
    """
    return customer.status == DELETED


def refuse_barred(customer: Standing, *, withdrawing: bool = False) -> None:
    """Raises CustomerBlocked where what customers themselves want is not to be done, since they take no part.
    `withdrawing`: they only take consents back, which is open to more.

    The change that follows must hold the profile to the revision that was read here: they may be barred meanwhile.
    """
    if not (may_withdraw(customer) if withdrawing else takes_part(customer)):
        raise CustomerBlocked
