# crm/loyalty/ledger/pardons.py
"""Points that were forgiven because they were spent, until that spending is undone. Pure.

What an entry forgives are points that debits before it had taken. If such a debit is given back later, its points are
no longer spent: the claim comes first. Debits after it took other points.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

MOST: Final = 10
"""Of an account: they stand in its head. Of more the smallest is given up, to the customer's good."""
FEW: Final = 3
"""As many as are left where a transaction would not hold what claims of more would write."""


class Pardon(Struct, frozen=True):
    """Forgiven by the entry `number`, and not claimed again: of what an order had earned, or what `credit` gave."""

    number: int
    points: int
    order_id: str | None = None
    credit: str | None = None


class Debit(Struct, frozen=True):
    """Points that the entry `number` took, and that come back."""

    number: int
    points: int


class Claim(Struct, frozen=True):
    pardon: Pardon
    points: int


def granted(pardons: Sequence[Pardon], pardon: Pardon) -> tuple[Pardon, ...]:
    """With one more, the oldest first."""
    return largest((*pardons, pardon), MOST)


def largest(pardons: Sequence[Pardon], most: int) -> tuple[Pardon, ...]:
    """The oldest first, and of equals the newer."""
    kept = sorted(pardons, key=lambda one: (one.points, one.number))[-most:]
    return tuple(sorted(kept, key=lambda one: one.number))


def claims(pardons: Sequence[Pardon], debits: Iterable[Debit]) -> tuple[Claim, ...]:
    """What comes back of debits that were there before points were forgiven, the oldest pardon first. In whatever order
    the debits are: one that has the choice pays first what fewer could.
    """
    claimed = {pardon.number: 0 for pardon in pardons}
    for debit in debits:
        points = debit.points
        for pardon in pardons:
            if pardon.number > debit.number:
                part = min(points, pardon.points - claimed[pardon.number])
                claimed[pardon.number] += part
                points -= part
    return tuple(Claim(pardon, claimed[pardon.number]) for pardon in pardons if claimed[pardon.number])


def after(pardons: Sequence[Pardon], claim: Claim) -> tuple[Pardon, ...]:
    return _less(pardons, {claim.pardon.number: claim.points})


def withdrawn(pardons: Sequence[Pardon], order_id: str, points: int) -> tuple[Pardon, ...]:
    """Once an order earns again what was forgiven of it: nobody has a claim to that, the newest first."""
    gone = {}
    for pardon in reversed(pardons):
        if pardon.order_id == order_id:
            gone[pardon.number] = min(points, pardon.points)
            points -= gone[pardon.number]
    return _less(pardons, gone)


def _less(pardons: Sequence[Pardon], gone: dict[int, int]) -> tuple[Pardon, ...]:
    left = (replace(one, points=one.points - gone.get(one.number, 0)) for one in pardons)
    return tuple(one for one in left if one.points)
