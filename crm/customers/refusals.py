# crm/customers/refusals.py
"""Why customers say no."""

from typing import TYPE_CHECKING

from crm.kernel.errors import CrmError, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence


class CustomerBlocked(CrmError):
    """The customer whose token this is takes no part: blocked, deleted, or absorbed into another record."""

    code = "CUSTOMER_BLOCKED"

    def __init__(self) -> None:
        super().__init__("This customer takes no part.")


class CustomerDeleted(NotFound):
    """The customer is deleted: to whoever may not restore them, as unknown as nobody."""

    code = NotFound.code

    def __init__(self) -> None:
        super().__init__("There is no such customer.", field="id")


class IdentifierTaken(CrmError):
    """The identifier belongs to another customer, who keeps it; `others` are such refusals of the same words. `hidden`:
    that customer is deleted, and shown to those only who may restore them.
    """

    code = "IDENTIFIER_TAKEN"

    def __init__(
        self, *, kind: str, customer_id: str, hidden: bool, field: str, others: "Sequence[IdentifierTaken]" = ()
    ) -> None:
        super().__init__(f"This {kind} belongs to another customer.", field=field)
        self.kind = kind
        self.customer_id = customer_id
        self.hidden = hidden
        self.others = others


class TooManyAttributes(CrmError):
    """The shop has as many attributes as it may have, the retired ones included."""

    code = "TOO_MANY_ATTRIBUTES"

    def __init__(self, most: int) -> None:
        super().__init__(f"A shop has at most {most} attributes, the retired ones included.", field="key")
