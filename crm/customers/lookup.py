# crm/customers/lookup.py
"""How one customer is found, by id or identifier."""

from crm.customers import identifiers, repository, snapshot, standing
from crm.customers.models import Customer
from crm.customers.refusals import CustomerDeleted
from crm.kernel.errors import InvalidInput, NotFound


def get(shop: str, customer_id: str, *, themselves: bool = False) -> Customer:
    """Raises NotFound, also for the customer of another shop, and CustomerDeleted. `themselves`: it is the customer who
    wants something; raises CustomerBlocked where they take no part.
    """
    customer = snapshot.read(shop, customer_id).head(Customer)
    if customer is None:
        raise NotFound("There is no such customer.", field="id")
    if themselves:
        standing.refuse_barred(customer)
    if standing.is_hidden(customer):
        raise CustomerDeleted
    return customer


def find(shop: str, kind: str, value: str, *, source: str | None = None) -> str | None:
    """The id of the customer who holds an identifier (`email`, `phone`, or `external` with its source), or None.

    Raises InvalidInput for an identifier that nobody can hold.
    """
    match kind:
        case identifiers.EMAIL:
            claim = identifiers.email(value, verified=False)
        case identifiers.PHONE:
            claim = identifiers.phone(value)
        case identifiers.EXTERNAL if source:
            claim = identifiers.external(source, value)
        case _:
            raise InvalidInput("is required", field="external.source")
    if claim is None:
        raise InvalidInput("identifies nobody: it stands for nothing, or is not of its form", field=kind)
    held = repository.get_identities(shop, [claim]).get(claim)
    return held.customer_id if held else None


def check_standing(shop: str, customer_id: str) -> None:
    """Raises CustomerBlocked for a customer who takes no part; one who does not exist is nobody to refuse here."""
    customer = repository.get_profile(shop, customer_id)
    if customer is not None:
        standing.refuse_barred(customer)
