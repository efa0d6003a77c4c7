# crm/loyalty/due.py
"""What time changes in an account: pending points mature, holds run out, pools expire. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from crm.loyalty import expiry
from crm.loyalty.pools import Pools, Portion


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

    @property
    def points(self) -> int:
        return sum(portion.points for portion in self.portions)


class Expiring(Struct, frozen=True):
    pool: str


Due = PendingCredit | Held | Expiring


def all_due(pools: Pools, pending: Iterable[PendingCredit], holds: Iterable[Held]) -> Sequence[tuple[datetime, Due]]:
    """Everything that is to come, in due order; at one instant points mature and come back before they expire."""
    coming: list[tuple[datetime, int, str, Due]] = [
        *((one.available_at, 0, one.order_id, one) for one in pending),
        *((one.ends_at, 1, one.hold_id, one) for one in holds),
        *(
            (ends_at, 2, name, Expiring(name))
            for name, pool in pools.items()
            if pool.remaining and (ends_at := expiry.ends_at(name))
        ),
    ]
    return [(at, one) for at, _, _, one in sorted(coming, key=lambda each: each[:3])]
