# crm/loyalty/models.py
"""What loyalty stores. Points are whole numbers.

Key design (docs/access-patterns.md, AP-40 to AP-42, AP-125):
    LoyaltyAccount  pk=SHOP#<shop>#CUSTOMER#<customer>  sk=HEAD#LOYALTY       one of the heads of the snapshot
    LedgerEntry     pk=SHOP#<shop>#CUSTOMER#<customer>  sk=LEDGER#<cause>     the cause makes a repeat impossible
                    timeline_key=LEDGER#<occurred_at>#<cause>
    OrderEarning    pk=SHOP#<shop>#CUSTOMER#<customer>  sk=EARNING#<order>    what an order has posted so far
"""

from typing import ClassVar, Self

from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel.table import Part, Published, Synced, customer_key


class LoyaltyAccount(Synced, discriminator="LoyaltyAccount"):
    """A customer's running balance: the sum of their ledger, kept beside it. `rev` counts the ledger's entries."""

    SK: ClassVar[str] = "HEAD#LOYALTY"

    available = NumberAttribute(default=0)
    """Below zero after a refund of points that are spent."""
    lifetime_earned = NumberAttribute(default=0)
    """All that orders earned, less what their refunds took back; spending does not lower it."""

    @classmethod
    def of(cls, shop: str, customer_id: str) -> Self:
        return cls(customer_key(shop, customer_id), cls.SK)


class Posting(Part):
    """One side of a movement. The postings of an entry sum to zero."""

    account = UnicodeAttribute()
    points = NumberAttribute()


class LedgerEntry(Synced, discriminator="LedgerEntry"):
    """One movement of points. Never changed, never deleted; a mistake is corrected by a new entry."""

    shop = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    number = NumberAttribute()
    """Its place in the customer's ledger, from 1 without gaps."""
    movement = UnicodeAttribute()
    points = NumberAttribute()
    """What `available` moved by; below zero where points were taken back."""
    balance_after = NumberAttribute()
    """`available` when this was posted; entries are posted in the order of `number`, not of `occurred_at`."""
    postings: ListAttribute[Posting] = ListAttribute(of=Posting)
    order_id = UnicodeAttribute(null=True)
    occurred_at = UTCDateTimeAttribute()

    @classmethod
    def of(cls, shop: str, customer_id: str, cause: str) -> Self:
        pk = customer_key(shop, customer_id)
        return cls(pk, f"LEDGER#{cause}", shop=shop, customer_id=customer_id, rev=1, cause=cause)


class OrderEarning(Published, discriminator="OrderEarning"):
    """What an order has posted, as of the newest of its revisions seen."""

    order_id = UnicodeAttribute()
    order_rev = NumberAttribute(default=0)
    posted = NumberAttribute(default=0)
    programme_currency = UnicodeAttribute(null=True)
    """The programme's at the first posting: later revisions are judged by it, whatever the shop's is by then."""
    withheld = UnicodeAttribute(null=True)
    """Why the order earns nothing (`ledger.Withheld`)."""

    @classmethod
    def of(cls, shop: str, customer_id: str, order_id: str) -> Self:
        return cls(customer_key(shop, customer_id), f"EARNING#{order_id}", order_id=order_id)
