# crm/loyalty/ledger/due.py
"""What time changes in an account: pending points mature, holds run out, birthdays come, pools expire, and are told of
before. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from crm.kernel import clock
from crm.loyalty import expiry
from crm.loyalty.bonuses.definitions import LONGEST_NOTICE_DAYS
from crm.loyalty.ledger.movements import Account
from crm.loyalty.ledger.pools import Pools, Portion


class PendingCredit(Struct, frozen=True):
    """Points of an order that mature into a pool."""

    order_id: str
    points: int
    available_at: datetime
    pool: str


class Held(Struct, frozen=True):
    """An open hold, and from which pools its points were taken."""

    hold_id: str
    portions: tuple[Portion, ...]
    ends_at: datetime
    order_id: str | None = None
    number: int = 0
    """Of the entry that set them aside."""

    @property
    def points(self) -> int:
        return sum(portion.points for portion in self.portions)


class BirthdayCome(Struct, frozen=True):
    """The one that the account waits for."""


class Expiring(Struct, frozen=True):
    pool: str


class Noticed(Struct, frozen=True):
    """What expires at `ends_at` is to be told of."""

    ends_at: datetime


Due = PendingCredit | Held | BirthdayCome | Expiring | Noticed


class Calendar(Struct, frozen=True, kw_only=True):
    """What an account's time depends on beside its points. `idle_at`: when the pools of INACTIVITY expire, if nothing
    happens. `notice_days`: how long before they expire that is published, in days of `zone`; None: never.
    """

    zone: str
    idle_at: datetime | None = None
    birthday_at: datetime | None = None
    notice_days: int | None = None

    def end_of(self, pool: str) -> datetime | None:
        return self.idle_at if expiry.is_idle(pool) else expiry.ends_at(pool)

    def before(self, end: datetime, days: int) -> datetime:
        return clock.start_of_day(clock.local_day(end, self.zone) - timedelta(days=days), self.zone)


def all_due(
    pools: Pools, pending: Iterable[PendingCredit], holds: Iterable[Held], calendar: Calendar
) -> Sequence[tuple[datetime, Due]]:
    """Everything that is to come, in due order; at one instant points mature and come back before they expire."""
    coming: list[tuple[datetime, int, str, Due]] = [
        *((one.available_at, 0, one.order_id, one) for one in pending),
        *((one.ends_at, 1, one.hold_id, one) for one in holds),
        *((end, 3, name, Expiring(name)) for end, name in _ending(pools, calendar)),
        *((at, 4, clock.text(one.ends_at), one) for at, one in _notices(pools, calendar)),
    ]
    if calendar.birthday_at is not None:
        coming.append((calendar.birthday_at, 2, "", BirthdayCome()))
    return [(at, one) for at, _, _, one in sorted(coming, key=lambda each: each[:3])]


def cause_of_expiry(name: str, number: int) -> str:
    """Points that come after their pool has expired, of old orders told late, expire anew, and one of INACTIVITY may do
    so at several times. `number`: that of the entry, which no other has; the pool's sums may be again what they were.
    """
    return f"pool:{name}:expire:{number}"


def cause_of_notice(ends_at: datetime) -> str:
    return f"pool:{clock.text(ends_at)}:notice"


def ending_at(pools: Pools, ends_at: datetime, calendar: Calendar) -> Pools:
    return {name: pools[name] for end, name in _ending(pools, calendar) if end == ends_at}


def told_of(account: Account, ending: Pools, ends_at: datetime) -> Account:
    """Once a customer was told that these pools end then."""
    told = {name: replace(pool, noticed=clock.text(ends_at)) for name, pool in ending.items()}
    return replace(account, pools={**account.pools, **told})


def looked_at(pools: Pools, calendar: Calendar, *, now: datetime) -> datetime | None:
    """When next to see whether the programme has begun to tell of what expires: as early as it may tell."""
    looks = (calendar.before(end, LONGEST_NOTICE_DAYS) for end, _ in _ending(pools, calendar))
    return min((at for at in looks if at > now), default=None)


def _ending(pools: Pools, calendar: Calendar) -> Iterator[tuple[datetime, str]]:
    for name, pool in pools.items():
        if pool.remaining and (end := calendar.end_of(name)):
            yield end, name


def _notices(pools: Pools, calendar: Calendar) -> Iterator[tuple[datetime, Noticed]]:
    if not calendar.notice_days:
        return
    told = {pool.noticed for pool in pools.values()}
    for end in {end for end, _ in _ending(pools, calendar)}:
        if clock.text(end) not in told:
            yield calendar.before(end, calendar.notice_days), Noticed(end)
