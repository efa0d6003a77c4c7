# crm/customers/history.py
"""What changed about a customer: an entry for each change, written with it and never changed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from crm.customers.models import Customer, HistoryEntry, plain
from crm.customers.profile import FIELDS
from crm.customers.provenance import Occasion
from crm.kernel.change import Change
from crm.kernel.errors import Stale

LARGEST = 200_000
"""Bytes of texts in one entry, as stored: half of what DynamoDB lets an item hold. Each field has an equal share."""
BLANK: Mapping[str, Any] = {"test": False}
"""A customer before there is one."""


class FieldChange(Struct, frozen=True):
    """A value that changed, as texts: None where there was or is none. Of a set, what was added and removed.

    `cut`: too long to be told whole; the texts end, and the sets are told in part.
    """

    field: str
    before: str | None = None
    after: str | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    cut: bool = False


def record(
    change: Change, shop: str, customer_id: str, changes: list[FieldChange], occasion: Occasion, *, revs: Sequence[int]
) -> None:
    """Add to `change` an entry of what changes about a customer, where anything does. `revs` are those of the items it
    is written to.
    """
    if not changes:
        return
    order = ".".join(f"{rev:08}" for rev in revs)
    entry = HistoryEntry.of(shop, customer_id, occasion.cause, recorded_at=occasion.now, order=order)
    entry.origin, entry.occurred_at, entry.replayed = str(occasion.origin), occasion.occurred_at, occasion.replayed
    entry.fields = [
        {name: value for name, value in asdict(each).items() if value not in (None, (), False)}
        for each in bounded(changes)
    ]
    # Not `once`: where only this entry is there already, the change as a whole has not been made.
    change.create(entry, otherwise=Stale())


def of_profile(before: Customer | None, customer: Customer) -> list[FieldChange]:
    """What is another in a profile than before; of a customer who is founded, all that is known."""
    return differences(state(before) if before else BLANK, state(customer))


def changes_in(entry: HistoryEntry) -> list[FieldChange]:
    return [
        FieldChange(**{**each, "added": tuple(each.get("added", ())), "removed": tuple(each.get("removed", ()))})
        for each in entry.fields
    ]


def state(customer: Customer) -> dict[str, Any]:
    """What the history tells of: the fields of a profile, and what the customer is known by."""
    known = {
        f"{claim.kind}={claim.value}{' conflicting' * bool(claim.conflicting)}{' verified' * bool(claim.verified)}"
        for claim in customer.identities
    }
    return {name: plain(getattr(customer, name)) for name in FIELDS} | {"identities": known}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    """By field; only where the value is another."""
    found = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if isinstance(old, set | frozenset) or isinstance(new, set | frozenset):
            had, has = set(old or ()), set(new or ())
            if had != has:
                found.append(FieldChange(name, added=tuple(sorted(has - had)), removed=tuple(sorted(had - has))))
        elif (old if old != [] else None) != (new if new != [] else None):
            found.append(FieldChange(name, before=_text(old), after=_text(new)))
    return found


def bounded(changes: list[FieldChange], *, largest: int = LARGEST) -> list[FieldChange]:
    """The changes with texts of at most `largest` bytes altogether."""
    room = largest // (2 * max(len(changes), 1))
    return [_cut(each, room) for each in changes]


def _cut(change: FieldChange, room: int) -> FieldChange:
    within = replace(
        change,
        before=_prefix(change.before, room),
        after=_prefix(change.after, room),
        added=tuple(_first(change.added, room)),
        removed=tuple(_first(change.removed, room)),
    )
    return within if within == change else replace(within, cut=True)


def _prefix(text: str | None, room: int) -> str | None:
    while text is not None and (size := _stored_size(text)) > room:
        text = text[: len(text) * room // size]
    return text


def _first(texts: Iterable[str], room: int) -> Iterable[str]:
    for text in texts:
        room -= _stored_size(text) + 1
        if room < 0:
            return
        yield text


def _stored_size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode())


def _text(value: Any) -> str | None:
    if value is None or value == []:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
