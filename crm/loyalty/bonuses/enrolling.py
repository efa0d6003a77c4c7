# crm/loyalty/bonuses/enrolling.py
"""Customers who ask to take part."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from crm.customers import service as customers
from crm.kernel.actor import Actor, Role
from crm.kernel.change import Change
from crm.kernel.errors import NotFound
from crm.loyalty import maturing, repository, stored
from crm.loyalty.bonuses import joining
from crm.loyalty.models import LedgerEntry, LoyaltyAccount
from crm.loyalty.posting import Ledger, decided, occasion
from crm.loyalty.programmes import in_force

CAUSE: Final = "account:enroll"


class Enrolment(Struct, frozen=True):
    """The account of who takes part, what they were given for it, and whether they did before they asked."""

    account: LoyaltyAccount
    entry: LedgerEntry | None
    replayed: bool


def enroll(shop: str, customer_id: str, *, actor: Actor, now: datetime) -> Enrolment:
    """Let a customer take part from now on, and give what the programme gives for it, once. Whoever takes part already
    does so since then. Raises NotFound, also for one who was merged into another; CustomerDeleted; and CustomerBlocked,
    whoever asks.
    """
    return decided(lambda: _enroll(shop, customer_id, actor=actor, now=now))


def _enroll(shop: str, customer_id: str, *, actor: Actor, now: datetime) -> Enrolment:
    customer = customers.get(shop, customer_id, themselves=actor.role is Role.CUSTOMER)
    if customer.merged_into:
        raise NotFound("This customer was merged into another.", field="id")
    customers.refuse_barred(customer)
    head = maturing.opened(shop, customer_id, now=now)
    if head.enrolled_at is not None:
        return Enrolment(head, repository.get_entry(shop, customer_id, joining.SIGNUP), replayed=True)
    programme = in_force.programme(shop, now=now)
    book = Ledger(shop, customer_id, head, now=now)
    change = Change(now)
    book.enrol(change, now, cause=CAUSE, actor=str(actor), replayed=False, customer=customer)
    when = occasion(CAUSE, at=now, now=now, actor=str(actor))
    moved = joining.welcome(book.read, programme, customer, enrolled_at=None, occasion=when)
    book.write(change, moved.account if moved else book.read, [moved.entry] if moved else [])
    change.commit()
    return Enrolment(head, stored.item_of(moved.entry) if moved else None, replayed=False)
