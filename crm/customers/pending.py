# crm/customers/pending.py
"""What customers say of their own e-mail address and phone number, until somebody vouches for it. Pure."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from crm.customers.identifiers import matching_email, matching_phone

MATCHING: Final = {"email": matching_email, "phone": matching_phone}
FIELD: Final = {"email": "pending_email", "phone": "pending_phone"}
"""Where the word of a customer is kept, by what it is about."""

Addresses = Mapping[str, str | None]
"""Of a profile: both addresses, and both that are pending."""


def of(profile: object) -> dict[str, str | None]:
    return {name: getattr(profile, name) for name in (*FIELD, *FIELD.values())}


def said_by_customer(fields: Mapping[str, Any], known: Addresses, *, since: Collection[str] = ()) -> dict[str, Any]:
    """A customer's own words as fields of the profile: an address is pending, also the one on record, which is not
    shown so. `since`: the kinds of address that are on record by words from after these; saying those adds nothing.
    Null takes back what was pending and leaves what is on record.
    """
    taken = {name: value for name, value in fields.items() if name not in FIELD}
    for kind in FIELD.keys() & fields.keys():
        said = None if kind in since and same(kind, fields[kind], known[kind]) else fields[kind]
        if said is not None or known[FIELD[kind]] is not None:
            taken[FIELD[kind]] = said
    return taken


def vouched_for(fields: Mapping[str, Any], known: Addresses, *, decided: bool) -> dict[str, Any]:
    """The words of whoever speaks for the shop. Saying the address that is pending settles it; to a person who has the
    record before them (`decided`), saying any does.
    """
    settled = {
        FIELD[kind]: None
        for kind in FIELD.keys() & fields.keys()
        if known[FIELD[kind]] is not None and (decided or same(kind, fields[kind], known[FIELD[kind]]))
    }
    return {**fields, **settled}


def shown(kind: str, known: Addresses) -> str | None:
    """What is pending: nothing where it has come on record by words that are older."""
    waits = known[FIELD[kind]]
    return None if same(kind, waits, known[kind]) else waits


def same(kind: str, one: str | None, other: str | None) -> bool:
    """Whether two addresses are compared as one; two that are not there are not."""
    matching = MATCHING[kind]
    return one is not None and other is not None and (matching(one) or one) == (matching(other) or other)
