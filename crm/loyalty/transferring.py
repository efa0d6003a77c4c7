# crm/loyalty/transferring.py
"""The points of a customer who was merged into another."""

from datetime import datetime
from functools import partial
from itertools import count

from crm.kernel.change import Change
from crm.loyalty import maturing, repository
from crm.loyalty.ledger import movements
from crm.loyalty.posting import Ledger, decided, occasion

MOST_POOLS = 30
"""A step: one month of each account for each pool at most, and what is written beside them, fit in a transaction."""


def transfer(shop: str, absorbed_id: str, survivor_id: str, *, cause: str, now: datetime, done: int = 0) -> int:
    """Move all that can be spent, with its expiries, and what is owed; return the points moved. `cause` is that of the
    merge (`merge:m1`): a repeat moves nothing twice, and an interrupted one goes on. `done`: so many steps are known to
    have been taken.

    What is pending or held stays until it matures or comes back; a later repeat moves it.
    """
    moved = 0
    for step in count(done + 1):
        each = f"{cause}:transfer:{step}"
        if repository.get_entry(shop, absorbed_id, each) is not None:
            continue
        points = decided(partial(_step, shop, absorbed_id, survivor_id, each, step, now=now))
        if points is None:
            return moved
        moved += points
    return moved


def _step(shop: str, absorbed_id: str, survivor_id: str, cause: str, step: int, *, now: datetime) -> int | None:
    """One Change for both sides; None where nothing is left to move."""
    giving = Ledger(shop, absorbed_id, maturing.opened(shop, absorbed_id, now=now), now=now)
    there = [pool for pool, each in giving.read.pools.items() if each.remaining]  # which theirs may be past already
    taking = Ledger(shop, survivor_id, maturing.opened(shop, survivor_id, now=now), now=now, besides=there)
    if not giving.read.balances.available and not giving.read.balances.owed:
        return None
    gone = movements.transfer_out(
        giving.read, to=survivor_id, most_pools=MOST_POOLS, occasion=occasion(cause, at=now, now=now)
    )
    come = movements.transfer_in(taking.read, gone.entry, occasion=occasion(cause, at=now, now=now))
    if giving.head.merged is not None:
        giving.head.merged.steps = step
    change = Change(now)
    giving.write(change, gone.account, [gone.entry])
    taking.write(change, come.account, [come.entry])
    return come.entry.points if change.commit() else 0
