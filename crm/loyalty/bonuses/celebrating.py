# crm/loyalty/bonuses/celebrating.py
"""What a birthday gives. Pure."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from crm.customers.standing import Standing
from crm.kernel import clock
from crm.loyalty import expiry
from crm.loyalty.bonuses import birthdays, joining
from crm.loyalty.bonuses.birthdays import Birthday
from crm.loyalty.bonuses.eligibility import refusal
from crm.loyalty.ledger import movements
from crm.loyalty.ledger.chain import Entry
from crm.loyalty.ledger.movements import Account, Occasion
from crm.loyalty.programme import Programme


class Celebrating(Standing, Protocol):
    """What of a profile is asked here."""

    @property
    def zone(self) -> str | None: ...


class Celebrated(Struct, frozen=True):
    """The account then, what was given, from when that lives, and the next birthday."""

    account: Account
    entries: tuple[Entry, ...]
    birthday: Birthday | None
    lives_from: datetime | None = None


def celebrate(
    account: Account,
    birthday: Birthday | None,
    programme: Programme,
    customer: Celebrating | None,
    *,
    enrolled_at: datetime | None,
    occasion: Occasion,
) -> Celebrated:
    """Whether anything is given or not, the next year's is waited for. The entries say the month, as of which they were
    posted, too; `occasion` has the day. Nothing is given before that month has begun for the programme: who was born on
    the first of one, and lives where it begins sooner, waits so long.
    """
    if birthday is None or birthday.day is None:
        return Celebrated(account, (), birthday)
    zone = (customer.zone if customer else None) or programme.zone
    following = birthdays.after(birthday, zone=zone)
    points = programme.bonuses.birthday
    if not points or refusal(programme, customer, enrolled_at=enrolled_at, at=occasion.occurred_at):
        return Celebrated(account, (), following)
    day, recorded_at = birthdays.in_year(birthday.day, birthday.year), occasion.recorded_at or occasion.now
    told_at, lives_from = birthdays.told_at(day, programme.zone), birthdays.lives_from(day, programme.zone)
    if occasion.occurred_at < told_at:
        return Celebrated(account, (), replace(birthday, next_at=told_at))
    recorded_on = min(clock.local_day(recorded_at, each) for each in (zone, programme.zone))
    occasion = replace(
        occasion, cause=birthdays.cause_of(birthday.year), occurred_at=told_at,
        recorded_at=birthdays.told_at(recorded_on, programme.zone),
    )  # fmt: skip
    pool = expiry.pool_for(lives_from, programme.expiry, programme.zone)
    moved = movements.earn(account, points, pool=pool, occasion=occasion)
    welcomed = joining.welcome(
        moved.account, programme, customer, enrolled_at=enrolled_at, occasion=occasion, lives_from=lives_from
    )
    if welcomed is None:
        return Celebrated(moved.account, (moved.entry,), following, lives_from)
    return Celebrated(welcomed.account, (moved.entry, welcomed.entry), following, lives_from)
