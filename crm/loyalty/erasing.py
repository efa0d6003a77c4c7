# crm/loyalty/erasing.py
"""What points know of a person is forgotten: their birthday, and the words in which somebody said why.

Entries, balances and tiers stay under the customer's id, and so does the evidence: it covers ids, numbers, causes and
instants, of words a digest that says nothing without its salt (crm/loyalty/ledger/chain.py), and of a birthday its
month. When its entry was written is beside that, for apps that ask what has changed, and is forgotten. What an order
was judged by stays with what it has earned, and so in which of the segments that rules ask about its customer was: it
is judged by the same when it changes.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final, TypeVar

from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.loyalty import maturing, repository, stored
from crm.loyalty.bonuses import birthdays, joining
from crm.loyalty.models import EntryReason, LedgerEntry
from crm.loyalty.posting import Ledger, decided
from crm.loyalty.tiers import repository as tiers
from crm.loyalty.tiers.models import TierChange

AT_ONCE: Final = 50

T = TypeVar("T")


def erase(shop: str, customer_id: str, *, now: datetime) -> None:
    """Forget it, once the profile says no date of birth any more: what is told of it later is heard again. A repeat
    goes on where it was interrupted, and finds nothing to forget after that. Raises NotFound for an unknown shop.
    """
    decided(lambda: _forget_birthday(shop, customer_id, now=now))
    _each(repository.list_reasons(shop, customer_id), _forget_reason, now=now)
    _each(list(_explained(shop, customer_id)), _forget_words, now=now)
    _each(list(_celebrated(shop, customer_id)), _forget_when, now=now)


def _each(items: Sequence[T], forget: Callable[[Change, T], None], *, now: datetime) -> None:
    for start in range(0, len(items), AT_ONCE):
        change = Change(now)
        for item in items[start : start + AT_ONCE]:
            forget(change, item)
        change.commit()


def _forget_reason(change: Change, reason: EntryReason) -> None:
    change.delete(reason, when=None, otherwise=Stale())


def _forget_words(change: Change, of: TierChange) -> None:
    """Without a new `rev`: nothing is published of it again."""
    change.update(of, [TierChange.reason.remove()], when=None, otherwise=Stale())


def _forget_when(change: Change, entry: LedgerEntry) -> None:
    """For apps it has changed now."""
    change.tell_again(entry)


def _celebrated(shop: str, customer_id: str) -> Iterator[LedgerEntry]:
    """What birthdays gave, and what was given with the first points if those were a birthday's."""
    signup = repository.get_entry(shop, customer_id, joining.SIGNUP)
    given = repository.list_all_entries(shop, customer_id, of=birthdays.CAUSE)
    yield from given
    if signup is not None and signup.number - 1 in {entry.number for entry in given}:
        yield signup


def _forget_birthday(shop: str, customer_id: str, *, now: datetime) -> None:
    head = repository.get_account(shop, customer_id)
    if head is None or head.birthday is None:
        return
    head = maturing.opened(shop, customer_id, now=now)
    stored.put_birthday(head, None)
    book = Ledger(shop, customer_id, head, now=now)
    pending = map(stored.pending_of, repository.list_pending(shop, customer_id, limit=1))
    change = Change(now)
    book.write(change, book.read, [], pending=pending, exactly=True)  # the timer, too, says when a birthday is
    change.commit()


def _explained(shop: str, customer_id: str) -> Iterator[TierChange]:
    before = None
    while page := tiers.list_changes(shop, customer_id, before=before, limit=AT_ONCE):
        yield from (each for each in page if each.reason is not None)
        before = page[-1].timeline_key
