# crm/customers/lookup.py
"""How one customer is found, by id or identifier."""

from msgspec.structs import replace

from crm.customers import identifiers, repository, snapshot, standing, unusable
from crm.customers.models import Customer
from crm.customers.refusals import CustomerDeleted
from crm.kernel.errors import InvalidInputs, NotFound


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

    Raises InvalidInputs for an identifier that nobody can hold.
    """
    match kind:
        case identifiers.EMAIL:
            claim, wrong = identifiers.email(value, verified=False), unusable.faults_of_email(value)
        case identifiers.PHONE:
            claim, wrong = identifiers.phone(value), unusable.faults_of_phone(value)
        case _:
            named = source or ""
            claim = identifiers.external(named, value)
            found = unusable.faults_of_external(named, value)
            wrong = [replace(fault, path=f"{identifiers.EXTERNAL}.{fault.path}") for fault in found]
    if claim is None:
        raise InvalidInputs(wrong)
    held = repository.get_identities(shop, [claim]).get(claim)
    return held.customer_id if held else None


def check_standing(shop: str, customer_id: str) -> None:
    """Raises CustomerBlocked for a customer who takes no part; one who does not exist is nobody to refuse here."""
    customer = repository.get_profile(shop, customer_id)
    if customer is not None:
        standing.refuse_barred(customer)
