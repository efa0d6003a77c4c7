# crm/loyalty/admission.py
"""Whose points somebody may ask to move. A door of its own: who posts for orders loads nothing of customers (0075)."""

from crm.customers import service as customers
from crm.kernel.change import Change
from crm.kernel.errors import NotFound
from crm.loyalty.posting import Admit


def of_customer(shop: str, customer_id: str, *, themselves: bool, of_hold: bool = False) -> Admit:
    """Only while the customer is there, and unchanged as it is committed. `themselves`: it is they who ask. `of_hold`:
    for what was set aside before: of one who was merged meanwhile it is captured and released still.

    Raises NotFound, also for one who was merged into another, to whom the points move; CustomerDeleted; and
    CustomerBlocked where they ask themselves and take no part.
    """

    def admit(change: Change) -> None:
        customer = customers.get(shop, customer_id, themselves=themselves)
        if customer.merged_into and not of_hold:
            raise merged()
        change.unchanged(customer)

    return admit


def merged() -> NotFound:
    return NotFound("This customer was merged into another.", field="id")
