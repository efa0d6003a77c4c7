# tests/unit/loyalty/test_writes.py
"""That what an order writes fits in a transaction, added up."""

from crm.kernel.change import MOST_WRITES
from crm.loyalty.earning.defining import MOST_BUDGETS
from crm.loyalty.expiry import LONGEST_MONTHS
from crm.loyalty.holding import MOST_FOR_ORDER
from crm.loyalty.ledger import pardons

MONTHS = LONGEST_MONTHS + 1
"""With the one that is running."""
OTHER_POOLS = 4
"""Points that never expire, and of INACTIVITY those that were earned in three years."""
CLOSED = 2 * MOST_FOR_ORDER
"""Each hold, and what became of it."""
GIVE_BACK = MOST_FOR_ORDER + 1
"""That often something comes back: of each hold, and of what was spent."""
CLAIMS = pardons.FEW + 1 + GIVE_BACK - 1
"""Each ends a pardon (also of what the order itself is forgiven now), or what came back."""
CLAIMED = pardons.FEW
"""Orders of which it was forgiven."""
TIER = 2 + 3
"""Two months, since the zone of days may be another now; the change, the notice, the timer."""
COUNTS, VOUCHER, TIMER, ADMITTED = 2, 1, 1, 1
WELCOME = 3
"""Of the first points that somebody earns, of which no order had been forgiven before: the bonus, that they take part,
and the profile that it is given by.
"""
ACCOUNT, ORDER, SPENT, EARNED = 1, 1, 1, 1


def test_what_an_order_writes_at_most_fits_in_a_transaction_however_much_comes_together() -> None:
    assert WELCOME <= CLAIMED
    assert sum((
        ACCOUNT, ORDER, SPENT, EARNED, TIMER, ADMITTED, MONTHS, OTHER_POOLS, CLOSED, CLAIMS, CLAIMED, TIER, COUNTS,
        MOST_BUDGETS, VOUCHER,
    )) <= MOST_WRITES  # fmt: skip
