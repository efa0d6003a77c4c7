# crm/loyalty/bonuses/celebrating.py
"""What a birthday gives. Pure."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from crm.customers.standing import Standing
from crm.loyalty import expiry, ledger
from crm.loyalty.bonuses import birthdays, joining
from crm.loyalty.bonuses.birthdays import Birthday
from crm.loyalty.bonuses.eligibility import refusal
from crm.loyalty.chain import Entry
from crm.loyalty.ledger import Account, Occasion
from crm.loyalty.programme import Programme


class Celebrating(Standing, Protocol):
    """What of a profile is asked here."""

    @property
    def zone(self) -> str | None: ...


class Celebrated(Struct, frozen=True):
    """The account then, what was given, and the next birthday."""

    account: Account
    entries: tuple[Entry, ...]
    birthday: Birthday | None


def celebrate(
    account: Account,
    birthday: Birthday | None,
    programme: Programme,
    customer: Celebrating | None,
    *,
    enrolled_at: datetime | None,
    occasion: Occasion,
) -> Celebrated:
    """Whether anything is given or not, the next year's is waited for."""
    if birthday is None:
        return Celebrated(account, (), None)
    zone = (customer.zone if customer else None) or programme.zone
    following = birthdays.after(birthday, zone=zone)
    points = programme.bonuses.birthday
    if not points or refusal(programme, customer, enrolled_at=enrolled_at, at=occasion.occurred_at):
        return Celebrated(account, (), following)
    occasion = replace(occasion, cause=birthdays.cause_of(birthday.year))
    pool = expiry.pool_for(occasion.occurred_at, programme.expiry, programme.zone)
    moved = ledger.earn(account, points, pool=pool, occasion=occasion)
    welcomed = joining.welcome(moved.account, programme, customer, enrolled_at=enrolled_at, occasion=occasion)
    if welcomed is None:
        return Celebrated(moved.account, (moved.entry,), following)
    return Celebrated(welcomed.account, (moved.entry, welcomed.entry), following)
