# crm/customers/refusals.py
"""Why customers say no."""

from crm.kernel.errors import CrmError


class IdentifierTaken(CrmError):
    """The identifier belongs to another customer, who keeps it."""

    code = "IDENTIFIER_TAKEN"

    def __init__(self, *, kind: str, customer_id: str | None, field: str) -> None:
        super().__init__(f"This {kind} belongs to another customer.", field=field)
        self.kind = kind
        self.customer_id = customer_id
