# schema/principal.py
"""Who is asking."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from crm.kernel.actor import Actor, Role


class Kind(StrEnum):
    CUSTOMER = "customer"
    STAFF = "staff"
    SERVICE = "service"
    VISITOR = "visitor"
    """Nobody knows who it is. Only the gateway itself issues these (api/visitor_tokens.py)."""


VISITOR_ID: Final = "vis"
"""What the ids of visitors whom the gateway made begin with: nobody guesses one, so who has it was it."""
SCOPES: Final = frozenset({
    "consents:read",
    "consents:write",
    "customers:delete",
    "customers:history",
    "customers:read",
    "customers:write",
    "events:write",
    "exports:read",
    "feedback:read",
    "feedback:write",
    "imports:write",
    "kpis:read",
    "loyalty:adjust",
    "loyalty:read",
    "loyalty:write",
    "messages:read",
    "orders:read",
    "schema:read",
    "segments:read",
    "segments:write",
    "shop:read",
    "shop:write",
    "suppressions:override",
    "suppressions:read",
    "suppressions:write",
    "touchpoints:read",
})  # fmt: skip


class Principal(Struct, frozen=True):
    """A verified caller. The shop is the tenant: nothing of another shop can be named by it. `subject` is whom their
    issuer says they are.
    """

    kind: Kind
    shop: str
    customer_id: str | None = None
    scopes: frozenset[str] = frozenset()
    subject: str | None = None
    visitor_id: str | None = None

    @property
    def actor(self) -> Actor:
        """As whom their changes are written down."""
        return Actor(Role(self.kind), self.customer_id if self.kind is Kind.CUSTOMER else self.subject)

    def may_see_customer(self, customer_id: str) -> bool:
        """Whether records of this customer, which belong to the caller's shop, are visible to the caller at all."""
        return self.kind not in {Kind.CUSTOMER, Kind.VISITOR} or self.customer_id == customer_id

    @property
    def may_see_deleted(self) -> bool:
        return self.kind is Kind.STAFF and "customers:delete" in self.scopes
