# crm/kpis/balances.py
"""Points outstanding at the end of days, and what they are worth: read by whole years and the days since, so that a
shop of any age takes two queries.

Liability is outstanding x value of a point x (1 - breakage), the share of points that is never spent: the deferred
revenue of a programme as IFRS 15 (B39 to B47) has it, at the value that the programme itself gives a point.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP
from itertools import accumulate
from typing import TYPE_CHECKING

from crm.kernel.money import Money
from crm.kpis import repository
from crm.kpis.contributions import EVERY, first_of_year
from crm.kpis.definitions import Definition
from crm.kpis.periods import Period
from crm.loyalty import expiry

if TYPE_CHECKING:
    from crm.loyalty.programme import Programme


def at_ends(shop: str, definition: Definition, asked: Sequence[Period]) -> list[int]:
    """What is outstanding at the end of each period, in their order."""
    opening = first_of_year(asked[0].start)
    years = repository.list_cells(shop, definition.before or "", EVERY, first=date.min, last=opening)
    days = repository.list_cells(shop, definition.added, EVERY, first=opening, last=asked[-1].end)
    before = sum(points for year, points in years.items() if year < opening)
    return list(accumulate(_between(days, asked), initial=before))[1:]


def worth(points: int, programme: "Programme") -> Money:
    """Halves rounded up."""
    digits = Money(1, programme.currency).amount
    amount = points * programme.point_value * (1 - programme.breakage)
    return Money(int((amount / digits).to_integral_value(rounding=ROUND_HALF_UP)), programme.currency)


def programmes(shop: str, asked: Sequence[Period], *, zone: str, now: datetime) -> list["Programme"]:
    """The programme that counts at the end of each period, as far as that has come; not what begins then."""
    from crm.loyalty.programmes import in_force  # who rolls up asks for no worth, and loads no programmes (0075)

    found: list[Programme] = []
    known = None
    for period in reversed(asked):  # each version is looked for once
        end = min(expiry.end_of(period.end, zone) - datetime.resolution, now)
        if known is None or not known.counts_at(end):
            known = in_force.version(shop, at=end, now=now)
        found.append(known.programme)
    return found[::-1]


def _between(days: dict[date, int], asked: Iterable[Period]) -> Iterator[int]:
    """What the days add up to, from behind each period to the end of the next."""
    coming = deque(sorted(days.items()))
    for period in asked:
        some = 0
        while coming and coming[0][0] <= period.end:
            some += coming.popleft()[1]
        yield some
