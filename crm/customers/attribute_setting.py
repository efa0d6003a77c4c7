# crm/customers/attribute_setting.py
"""How people set the attributes that a shop has defined."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from crm.customers import attribute_definitions, attribute_values, recording, repository, standing
from crm.customers.attributes import accepted
from crm.customers.models import Customer
from crm.customers.provenance import Occasion, Origin
from crm.customers.refusals import CustomerDeleted
from crm.kernel.actor import SYSTEM, Actor, Role
from crm.kernel.change import Change, retrying


def set_attributes(
    shop: str,
    customer_id: str,
    said: Mapping[str, Any],
    *,
    now: datetime,
    by: Actor = SYSTEM,
    path: Callable[[str], str] = lambda key: key,
    key_path: Callable[[str], str] | None = None,
) -> Customer:
    """Set values of the shop's own attributes, as of `now`; None clears. `path` says how their sender calls a key's
    value, `key_path` the key where that stands elsewhere.

    All of them or, where one is refused, none; 90 at most. The definitions are those that hold when it is written. The
    profile's version stays. Raises InvalidInputs, NotFound, and CustomerBlocked where customers speak of themselves and
    take no part.
    """

    def attempt() -> Customer:
        definitions = attribute_definitions.fresh(shop, now=now)
        rules = attribute_definitions.rules_of(definitions)
        given = accepted(rules, said, path=path, key_path=key_path, by_customer=by.role is Role.CUSTOMER)
        customer, stored = recording.read(shop, customer_id)
        if by.role is Role.CUSTOMER:
            standing.refuse_barred(customer)
        if standing.is_hidden(customer):
            raise CustomerDeleted
        attributes = repository.get_attributes(shop, [customer_id])[customer_id]
        cause = f"customer:{customer_id}:attributes:{int(attributes.rev) + 1}"
        at = attribute_values.after(attributes, given, now)
        occasion = Occasion(Origin.here(by), cause, occurred_at=at, now=now)
        change = Change(now)
        change.unchanged(customer)
        for key in given:
            change.unchanged(definitions[key])
        recording.add(change, customer, stored, occasion, attributes=attributes, given=given)
        change.commit()
        return customer

    return retrying(attempt)
