# crm/customers/reach.py
"""Where what is meant for a customer is sent: to the address on their record, unless it is somebody else's
(docs/decisions/0068).
"""

from msgspec import Struct

from crm.customers import identity, repository, snapshot
from crm.customers.identifiers import Claim
from crm.customers.models import Customer, Identity
from crm.customers.resolution import is_anothers
from crm.customers.snapshot import Snapshot
from crm.customers.standing import takes_part
from crm.kernel.change import Change
from crm.kernel.errors import Stale


class Reach(Struct, frozen=True):
    """The address, and whom it depends on beside the customer: a guest who holds it (`sharer`), or that nobody does
    (`unheld`).
    """

    address: str | None = None
    sharer: Snapshot | None = None
    unheld: Identity | None = None

    def rely(self, change: Change) -> None:
        """Add to `change` that whose the address is has not moved since it was read."""
        profile = self.sharer.head(Customer) if self.sharer else None
        if profile is not None:
            change.unchanged(profile)
        if self.unheld is not None:
            change.check(
                self.unheld, when=Identity.sk.does_not_exist(), otherwise=Stale("An identifier moved meanwhile.")
            )


def reach(customer: Customer, kind: str) -> Reach:
    """The e-mail address or phone number that what is meant for the customer goes to, as it was written.

    Where the claim on it is not conflicting, nothing is read. Where it is, whoever holds it is asked about: it is
    theirs if they verified it, are known by more than it, or take no part. A guest of whom nothing else is known
    has no better claim than the customer, whichever of the two came first.
    """
    address: str | None = getattr(customer, kind)
    value = identity.on_record(customer, kind)
    strange = any(each.conflicting and (each.kind, each.value) == (kind, value) for each in customer.identities)
    if not strange or value is None:
        return Reach(address)
    item = repository.get_identity(customer.shop, Claim(kind, value))
    if item is None:
        return Reach(address, unheld=Identity.of(customer.shop, kind, value, ""))
    heads = snapshot.read(customer.shop, item.customer_id)
    profile = heads.head(Customer)
    if profile is None or not takes_part(profile):
        return Reach()
    holder = identity.holder(profile, verified=bool(item.verified))
    return Reach() if is_anothers(holder) else Reach(address, sharer=heads)
