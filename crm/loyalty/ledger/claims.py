# crm/loyalty/ledger/claims.py
"""What comes back of points that were spent pays first what was forgiven because they were. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from crm.loyalty.ledger import chain, movements, pardons, pools
from crm.loyalty.ledger.chain import Entry, Reversed
from crm.loyalty.ledger.movements import ADJUSTED, ISSUED, Account, Moved, Occasion
from crm.loyalty.ledger.pardons import Claim, Debit, Pardon
from crm.loyalty.ledger.pools import Effect


class Claimed(Struct, frozen=True):
    """The account, and an entry for each pardon that was claimed."""

    account: Account
    entries: tuple[Entry, ...] = ()


def claim(
    moved: Moved, debits: Iterable[Debit], credited: Mapping[str, Sequence[Reversed]], *, occasion: Occasion
) -> Claimed:
    """`moved` gave `debits` back. `credited`: what the orders that pardons are about have been given and not reversed,
    the newest first. First of what expired as it came back, then of what expires soonest; what has paid a debt
    meanwhile is owed again.
    """
    account, entries, left = moved.account, [], dict(credited)
    late = pools.portions(moved.entry.lines, Effect.EXPIRE)
    fresh = tuple(one for one in pools.portions(moved.entry.lines, Effect.RETURN, Effect.CREDIT) if one not in late)
    for each in pardons.claims(account.pardons, debits):
        reverses = _reversible(each.pardon, left)
        points = min(each.points, sum(one.points for one in reverses))  # never more than there is to reverse
        if not points:
            continue
        of_late, late = pools.split(late, points)
        of_fresh, fresh = pools.split(fresh, points - pools.total(of_late))
        taken = movements.claim(
            account, points, late=of_late, fresh=of_fresh, reverses=reverses,
            issuer=ISSUED if each.pardon.order_id else ADJUSTED, claims=each.pardon.number,
            occasion=replace(occasion, cause=cause_of(occasion.cause, each.pardon), order_id=each.pardon.order_id),
        )  # fmt: skip
        account = replace(taken.account, pardons=pardons.after(account.pardons, Claim(each.pardon, points)))
        entries.append(taken.entry)
        if each.pardon.order_id:
            left[each.pardon.order_id] = chain.less(reverses, taken.entry.reverses)
    return Claimed(account, tuple(entries))


def cause_of(given_back: str, pardon: Pardon) -> str:
    return f"{given_back}:claim:{pardon.number}"


def _reversible(pardon: Pardon, credited: Mapping[str, Sequence[Reversed]]) -> Sequence[Reversed]:
    if pardon.order_id is None:
        return [Reversed(pardon.credit or "", pardon.points)]
    return credited.get(pardon.order_id, ())
