# crm/loyalty/claiming.py
"""Points that come back, with what of them was forgiven before and is claimed now; as it is stored."""

from collections.abc import Mapping, Sequence

from crm.kernel.change import Change
from crm.loyalty import claims, order_state, pardons, repository, stored
from crm.loyalty.claims import Claimed
from crm.loyalty.ledger import Account, Moved, Occasion
from crm.loyalty.order_state import OrderState
from crm.loyalty.pardons import Debit
from crm.loyalty.posting import Ledger


class Forgiven:
    """The orders of which an account has pardons, but for one that is settled anyway. Read after the account, and
    written with it.
    """

    def __init__(self, account: Account, *, besides: str | None = None) -> None:
        named = dict.fromkeys(one.order_id for one in account.pardons if one.order_id and one.order_id != besides)
        found = repository.get_earnings(account.shop, [(account.customer_id, order_id) for order_id in named])
        self._items = {order_id: item for (_, order_id), item in found.items()}
        self.states = {order_id: stored.state_of(item) for order_id, item in self._items.items()}

    def write(self, change: Change, after: Mapping[str, OrderState], *, cause: str) -> None:
        for order_id, item in self._items.items():
            if after[order_id] != self.states[order_id]:
                stored.put_state(item, after[order_id])
                item.cause = cause
                change.revise(item)


def claim(change: Change, book: Ledger, moved: Moved, debits: Sequence[Debit], when: Occasion) -> Claimed:
    """Add to `change`: what orders are left to have been forgiven, once `moved` has given `debits` back. The entries
    are for whoever writes the account.
    """
    if not pardons.claims(book.read.pardons, debits):
        return Claimed(moved.account, (moved.entry,))
    forgiven = Forgiven(book.read)
    claimed = claims.claim(moved, debits, order_state.credited(forgiven.states), occasion=when)
    forgiven.write(change, order_state.claimed_of(forgiven.states, claimed), cause=when.cause)
    return Claimed(claimed.account, (moved.entry, *claimed.entries))
