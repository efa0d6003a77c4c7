# crm/loyalty/claiming.py
"""Points that come back, with what of them was forgiven before and is claimed now; as it is stored."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from crm.kernel.change import MOST_WRITES, Change
from crm.loyalty import repository, stored
from crm.loyalty.earning import limits
from crm.loyalty.earning.limits import TakenUp
from crm.loyalty.ledger import claims, order_state, pardons
from crm.loyalty.ledger.chain import Entry
from crm.loyalty.ledger.claims import Claimed
from crm.loyalty.ledger.movements import Account, Moved, Occasion
from crm.loyalty.ledger.order_state import OrderState
from crm.loyalty.ledger.pardons import Debit
from crm.loyalty.posting import Ledger
from crm.loyalty.programmes import in_force

BESIDE: Final = 30
"""Writes beside those of months, entries, holds and other orders, at most."""


class Forgiven:
    """The orders of which an account has pardons, but for one that is settled anyway. Read after the account, and
    written with it.
    """

    def __init__(self, account: Account, *, besides: str | None = None) -> None:
        named = dict.fromkeys(one.order_id for one in account.pardons if one.order_id and one.order_id != besides)
        found = repository.get_earnings(account.shop, [(account.customer_id, order_id) for order_id in named])
        self._items = {order_id: item for (_, order_id), item in found.items()}
        self.states = {order_id: stored.state_of(item) for order_id, item in self._items.items()}

    def write(
        self, change: Change, book: Ledger, account: Account, entries: Sequence[Entry],
        after: Mapping[str, OrderState], *, cause: str,
    ) -> list[TakenUp]:  # fmt: skip
        """Return what they take up less of limits, to be written too: as far as the transaction has room for it beside
        what the account and `entries` are. The others give it back with their own next revision.
        """
        claimed = {name: state for name, state in after.items() if state != self.states[name]}
        room = MOST_WRITES - BESIDE - len(claimed) - 2 * len(entries) - len(book.months_changed(account.pools))
        lessened: list[TakenUp] = []
        places: set[str] = set()
        for order_id, state in claimed.items():
            kept, less = state, _lessened(book, state)
            if less is not None and len(places | less.places) <= room:
                places |= less.places
                lessened.append(less)
                kept = replace(state, limited=tuple(less.becomes), drawn=tuple(less.holds))
            item = self._items[order_id]
            stored.put_state(item, kept)
            item.cause = cause
            change.revise(item)
        return lessened


def claim(change: Change, book: Ledger, moved: Moved, debits: Sequence[Debit], when: Occasion) -> Claimed:
    """Add to `change`: what orders are left to have been forgiven, once `moved` has given `debits` back. The entries
    are for whoever writes the account.
    """
    if not pardons.claims(book.read.pardons, debits):
        return Claimed(moved.account, (moved.entry,))
    forgiven = Forgiven(book.read)
    claimed = claims.claim(moved, debits, order_state.credited(forgiven.states), occasion=when)
    entries = (moved.entry, *claimed.entries)
    after = order_state.claimed_of(forgiven.states, claimed)
    lessened = forgiven.write(change, book, claimed.account, entries, after, cause=when.cause)
    limits.write(change, book.shop, book.customer_id, lessened)
    return Claimed(claimed.account, entries)


def _lessened(book: Ledger, state: OrderState) -> TakenUp | None:
    """What an order takes up of limits, by the programme that it is judged by: none yet where it was not told of."""
    if state.context is None or state.programme_version is None:
        return None
    placed_at, number = state.context.placed_at, state.programme_version
    programme = in_force.version(book.shop, at=placed_at, now=book.now, number=number).programme
    return limits.lessened(
        programme, placed_at, was=state.limited, given=state.given, forgiven=state.forgiven,
        held=state.drawn,
    )  # fmt: skip
