# schema/loyalty/owners.py
"""Whose points are asked for, and what of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from msgspec.structs import replace

from crm.kernel.errors import CrmError, Fault, InvalidInput, InvalidInputs, NotFound
from schema.context import Context
from schema.node import id_faults, key_of
from schema.principal import Principal

KEY: Final = "Repeat it to retry safely; it is the customer's for good."
WHOSE: Final = "Whose points, by `id`; a signed-in customer's are their own."
NOBODY: Final = Fault("customer", "REQUIRED", "is required: nobody is signed in as a customer")


def owner_faults(customer: str | None, asker: Principal) -> list[Fault]:
    nobody = customer is None and asker.customer_id is None
    return [NOBODY] if nobody else id_faults(customer, "customer")


def owner(context: Context, customer: str | None) -> str:
    """Whose points they are. Raises NotFound for whoever is not there, or not the caller's to speak for."""
    if customer is None:
        if context.principal.customer_id is None:
            raise InvalidInputs([NOBODY])
        return context.principal.customer_id
    key = key_of("Customer", customer, field="customer")
    if key is None or not context.principal.may_see_customer(key[0]):
        raise NotFound("There is no such customer.", field="customer")
    return key[0]


def named(context: Context, kind: str, field: str, id: str) -> tuple[str, str]:
    """The customer, and what of theirs an id names. Raises NotFound as `owner`."""
    match key_of(kind, id, field=field):
        case (customer_id, key) if context.principal.may_see_customer(customer_id):
            return customer_id, key
    raise NotFound(f"There is no such {field}.", field=field)


@contextmanager
def named_as(**fields: str) -> Iterator[None]:
    """Refusals within are about this input's fields, by what services call them."""
    try:
        yield
    except CrmError as error:
        error.field = fields.get(error.field or "", error.field)
        raise


@contextmanager
def within(argument: str) -> Iterator[None]:
    """What is wrong within is so of this argument."""
    try:
        yield
    except (InvalidInput, InvalidInputs) as error:
        raise InvalidInputs([replace(one, path=f"{argument}.{one.path}") for one in error.faults]) from error
