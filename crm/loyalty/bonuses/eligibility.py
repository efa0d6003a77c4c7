# crm/loyalty/bonuses/eligibility.py
"""Who is given a bonus, and who not and why. Pure."""

from datetime import datetime
from enum import StrEnum

from crm.customers.standing import Standing, takes_part
from crm.loyalty.bonuses.definitions import Enrolment
from crm.loyalty.programme import Programme


class Unearned(StrEnum):
    """Why a bonus is not given."""

    NOT_SERVED = "NOT_SERVED"
    """There is no such customer, or they are blocked, deleted, or absorbed into another record."""
    NOT_ENROLLED = "NOT_ENROLLED"
    NOT_FULFILLED = "NOT_FULFILLED"
    """The event is not as the bonus asks for."""
    CAPPED = "CAPPED"
    """It was given as often as it may be."""


def refusal(
    programme: Programme, customer: Standing | None, *, enrolled_at: datetime | None, at: datetime
) -> Unearned | None:
    """Of whatever is given without an order."""
    if customer is None or not takes_part(customer):
        return Unearned.NOT_SERVED
    return None if is_member(programme, enrolled_at, at=at) else Unearned.NOT_ENROLLED


def is_member(programme: Programme, enrolled_at: datetime | None, *, at: datetime) -> bool:
    """Whether what happened then earns anything."""
    return programme.enrolment is Enrolment.AUTOMATIC or (enrolled_at is not None and enrolled_at <= at)
