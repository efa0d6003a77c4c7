# crm/customers/recording.py
"""How a customer's record is read, takes on what is said, and is written: profile, attributes and history together."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from crm.customers import attribute_values, history, profile, snapshot
from crm.customers.history import FieldChange
from crm.customers.identity import Words
from crm.customers.models import Address, Customer, CustomerAttributes, plain
from crm.customers.provenance import Occasion
from crm.kernel import clock
from crm.kernel.change import Change
from crm.kernel.errors import NotFound, VersionMismatch

SILENT = frozenset({"field_times", "field_origins"})
"""What of a profile moves without anybody seeing it."""


def read(shop: str, customer_id: str) -> tuple[Customer, Customer]:
    """A profile twice: to be changed, and as it was read. Raises NotFound."""
    heads = snapshot.read(shop, customer_id)
    customer, stored = heads.head(Customer), heads.head(Customer)
    if customer is None or stored is None:
        raise NotFound("There is no such customer.", field="id")
    return customer, stored


def expect(customer: Customer, version: int | None) -> None:
    if version is not None and customer.version != version:
        raise VersionMismatch(expected=version, actual=int(customer.version))


def take_on(customer: Customer, words: Words, occasion: Occasion) -> frozenset[str]:
    """Write the fields that win over what is stored; return which do, also where the value is the same."""
    given = {name: value for name, value in words.fields.items() if name in profile.FIELDS}
    stored = {name: plain(getattr(customer, name)) for name in given}
    won = profile.taken_on(
        stored,
        customer.field_times,
        customer.field_origins,
        given,
        occurred_at=occasion.occurred_at,
        origin=str(occasion.origin),
    )
    for name, value in won.values.items():
        if name == "addresses":
            customer.addresses = [Address(**address) for address in value or []]
        elif name == "tags":
            customer.tags = profile.tags(value or ()) or None
        elif name in {"test", "status"} and value is None:
            continue
        else:
            setattr(customer, name, value)
    customer.field_times = {**customer.field_times, **won.times}
    customer.field_origins = {**customer.field_origins, **won.origins}
    return frozenset(won.times)


def after(customer: Customer, words: Words, now: datetime) -> datetime:
    """Now, or just after what a source whose clock runs ahead has said: a person's change is never silently lost."""
    told = [clock.parse(at) for name, at in customer.field_times.items() if name in words.fields]
    return max([now, *(at + timedelta(microseconds=1) for at in told)])


def add(
    change: Change,
    customer: Customer,
    stored: Customer | None,
    occasion: Occasion,
    *,
    attributes: CustomerAttributes | None = None,
    given: Mapping[str, Any] | None = None,
) -> None:
    """Add to `change` what the occasion changes: the profile where it differs from what was `stored`, the stored
    `attributes` where those that are `given` win over them, and one entry of the history for both.
    """
    told = _profile(change, customer, stored, occasion)
    revs = [int(customer.rev)]
    if attributes is not None and given:
        changed = attribute_values.take_on(attributes, given, occasion)
        if changed is not None:
            attributes.cause, attributes.replayed = occasion.cause, occasion.replayed
            change.revise(attributes)
        told += changed or []
        revs.append(int(attributes.rev))
    history.record(change, customer.shop, customer.customer_id, told, occasion, revs=revs)


def _profile(change: Change, customer: Customer, stored: Customer | None, occasion: Occasion) -> list[FieldChange]:
    """What changes about the profile; its version moves where anybody could see it."""
    if stored is not None and _public(customer) == _public(stored):
        if all(getattr(customer, name) == getattr(stored, name) for name in SILENT):
            return []
    else:
        customer.version = int(stored.version) + 1 if stored else 1
        customer.change(occasion.occurred_at, now=occasion.now)
    customer.cause, customer.replayed = occasion.cause, occasion.replayed
    change.revise(customer)
    return history.of_profile(stored, customer)


def _public(customer: Customer) -> dict[str, Any]:
    return {name: value for name, value in customer.serialize().items() if name not in SILENT}
