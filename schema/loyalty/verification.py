# schema/loyalty/verification.py
"""Whether a customer's ledger is what was posted, as staff see it."""

from asyncio import gather
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final

import strawberry

from crm.loyalty import service
from crm.loyalty.service import Flaw
from schema.access import signed_in
from schema.connections import at_most
from schema.context import Context, Loader, stored

MOST_ENTRIES: Final = 1_000
"""Of a ledger that is verified while somebody waits: 1.5 MB at most."""
MOST_TOLD: Final = 100


def _flaw(flaw: Flaw, description: str) -> Any:
    return strawberry.enum_value(flaw.value, description=description)


@strawberry.enum(description="What is wrong with a ledger.")
class LedgerFlaw(Enum):
    MISSING = _flaw(Flaw.MISSING, "There is no entry of a number.")
    OUT_OF_PLACE = _flaw(Flaw.OUT_OF_PLACE, "Two of one number or cause, another account's, other keys, or too early.")
    CHANGED = _flaw(Flaw.CHANGED, "An entry is not what it was.")
    CHAIN_BROKEN = _flaw(Flaw.CHAIN_BROKEN, "An entry is not after what it was after.")
    UNBALANCED = _flaw(Flaw.UNBALANCED, "Postings do not sum to zero, or not to what pools gave.")
    WRONG_BALANCE = _flaw(Flaw.WRONG_BALANCE, "A balance is not what the postings come to.")
    WRONG_MOVEMENT = _flaw(Flaw.WRONG_MOVEMENT, "Its cause, accounts and subject are not those of its movement.")
    WRONG_REMAINING = _flaw(Flaw.WRONG_REMAINING, "A pool does not hold what the entries left in it.")
    WRONG_PENDING = _flaw(Flaw.WRONG_PENDING, "What is pending is not what the entries left.")
    WRONG_ORDER = _flaw(Flaw.WRONG_ORDER, "What is kept of an order is not what the entries gave and took for it.")
    WRONG_HOLD = _flaw(Flaw.WRONG_HOLD, "A hold is not what the entries set aside.")
    WRONG_PARDON = _flaw(
        Flaw.WRONG_PARDON,
        "What may be claimed is not what was forgiven and not claimed: more, less, or of another order.",
    )
    WRONG_TIME = _flaw(Flaw.WRONG_TIME, "When the account moved is not when entries say, or something is due unseen.")
    WRONG_TALLY = _flaw(Flaw.WRONG_TALLY, "How often a bonus was given for events is not how many entries say so.")
    WRONG_REVERSAL = _flaw(Flaw.WRONG_REVERSAL, "A reversal names no earlier entry that fits, or more than it had.")
    WRONG_TRANSFER = _flaw(Flaw.WRONG_TRANSFER, "The other side of a transfer is not there, or is of other points.")
    WRONG_REASON = _flaw(Flaw.WRONG_REASON, "The words beside an entry are not those that were given, or of none.")
    TRUNCATED = _flaw(Flaw.TRUNCATED, "The account's last entry is not the ledger's.")
    UNREADABLE = _flaw(Flaw.UNREADABLE, "What is stored cannot be read.")


@strawberry.type(description="One thing that is wrong with a ledger.", directives=signed_in())
class LedgerFinding:
    flaw: LedgerFlaw = strawberry.field(description="What.")
    place: str = strawberry.field(description="Where: the cause of an entry, a number, a pool, an order or a hold.")


@strawberry.type(
    description="A ledger worked out anew from its entries: postings, balances, what remains, causes and reversals.",
    directives=signed_in(),
)
class LedgerVerification:
    found: strawberry.Private[service.Verified]

    @strawberry.field(description="How many entries were looked at: all there are.")
    def entry_count(self) -> int:
        return self.found.entry_count

    @strawberry.field(description="Whether it is what was posted: nothing changed, taken out, moved or cut off.")
    def intact(self) -> bool:
        return not self.found.findings

    @strawberry.field(description=f"What is wrong, {MOST_TOLD} at most.", directives=[at_most(MOST_TOLD)])
    def findings(self) -> list[LedgerFinding]:
        told = self.found.findings[:MOST_TOLD]
        return [LedgerFinding(flaw=LedgerFlaw(one.flaw.value), place=one.place) for one in told]


class VerificationByCustomer(Loader[str, service.Verified]):
    async def load_many(self, keys: list[str]) -> Sequence[service.Verified | BaseException]:
        asked = (stored(service.verify, self.context.shop, key, most=MOST_ENTRIES) for key in keys)
        return await gather(*asked, return_exceptions=True)


async def verification_of(context: Context, customer_id: str) -> LedgerVerification:
    return LedgerVerification(found=await context.loader(VerificationByCustomer).load(customer_id))
