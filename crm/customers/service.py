# crm/customers/service.py
"""What can be done with customers: the only door into this area."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crm.customers import (
    attribute_definitions,
    attribute_setting,
    attribute_values,
    history,
    identifiers,
    identity,
    pending,
    profile,
    provenance,
    recording,
    repository,
    snapshot,
    standing,
)
from crm.customers.attribute_definitions import AttributeFields, Definitions
from crm.customers.attribute_values import AttributeValue
from crm.customers.attributes import (
    BOOLEAN,
    CHOICE,
    DATE,
    HIDDEN,
    LIST,
    MONEY,
    MOST_DEFINITIONS,
    NUMBER,
    Typed,
)
from crm.customers.history import FieldChange
from crm.customers.identity import Claims, Words
from crm.customers.models import (
    SHARDS,
    Address,
    AttributeDefinition,
    AttributesHead,
    Customer,
    HistoryEntry,
    IdentityClaim,
    SegmentsHead,
    SegmentState,
)
from crm.customers.provenance import Occasion, Origin, Provenance
from crm.customers.refusals import CustomerBlocked, IdentifierTaken, TooManyAttributes
from crm.customers.resolution import Holder
from crm.customers.snapshot import Snapshot
from crm.kernel import clock
from crm.kernel.actor import SYSTEM, Actor
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInput, InvalidInputs, NotFound, Stale, VersionMismatch
from crm.kernel.ids import new_id
from crm.shops import service as shops

__all__ = [
    "BOOLEAN",
    "CHOICE",
    "DATE",
    "HIDDEN",
    "LIST",
    "MONEY",
    "MOST_DEFINITIONS",
    "NUMBER",
    "SHARDS",
    "Address",
    "AttributeDefinition",
    "AttributeFields",
    "AttributeValue",
    "AttributesHead",
    "Customer",
    "CustomerBlocked",
    "Definitions",
    "FieldChange",
    "HistoryEntry",
    "Identified",
    "IdentifierTaken",
    "IdentityClaim",
    "Origin",
    "Provenance",
    "SegmentState",
    "SegmentsHead",
    "Snapshot",
    "TooManyAttributes",
    "Typed",
    "Words",
    "attribute_definitions_of",
    "attributes_of",
    "change_tags",
    "changes",
    "changes_in",
    "check_standing",
    "create",
    "define_attribute",
    "delete",
    "faults",
    "find",
    "get",
    "identify",
    "is_hidden",
    "list_shard",
    "origins",
    "pending_address",
    "refuse_barred",
    "restore",
    "retire_attribute",
    "set_attributes",
    "snapshots",
    "tags",
    "take_snapshot",
    "takes_part",
    "update",
]  # fmt: skip

ZONE_OF_TODAY = "Pacific/Kiritimati"  # the earliest zone: a birth date is not in the future where it is latest

NAMING = ("email", "phone", "first_name", "last_name")
STANDS_FOR_NOBODY = "stands for nobody"

tags = profile.tags
take_snapshot = snapshot.read
snapshots = snapshot.read_many
list_shard = repository.list_shard
changes = repository.list_changes
changes_in = history.changes_in
takes_part = standing.takes_part
is_hidden = standing.is_hidden
set_attributes = attribute_setting.set_attributes
define_attribute = attribute_definitions.define
retire_attribute = attribute_definitions.retire
attribute_definitions_of = attribute_definitions.current
attributes_of = attribute_values.values


@dataclass(frozen=True)
class Identified:
    """The customer an event is about, as the change will leave them, and their heads as they were read."""

    customer: Customer
    heads: Snapshot


def identify(
    change: Change,
    shop: str,
    words: Words,
    *,
    said: Mapping[str, Any] | None = None,
    source: str,
    cause: str,
    occurred_at: datetime,
    now: datetime,
    replayed: bool,
) -> Identified:
    """Find or found the customer whom the words of a source mean, and add to `change` what they change about them.

    `said` are values of the shop's own attributes, by key. Nobody is found by blocked identifiers: words without any
    other found a customer of their own. The commit raises Stale where an identifier was claimed, or a head written,
    meanwhile. Raises InvalidInputs, and NotFound where `words.id` names nobody.
    """
    wrong = faults(words.fields, now=now, path=lambda name: f"customer.{name}")
    given: Mapping[str, Any] = {}
    try:
        given = attribute_values.said_in_event(shop, said or {}, now=now)
    except InvalidInputs as refusal:
        wrong += refusal.faults
    if wrong:
        raise InvalidInputs(wrong)
    heads = snapshot.read(shop, words.id) if words.id else None
    known = heads.head(Customer) if heads is not None else None
    if heads is not None and known is None:
        raise NotFound("There is no such customer.", field="customer.id")
    claims = identity.read(shop, words, known=identity.holder(known) if known else None)
    if heads is None and claims.resolution.customer_id:
        heads = snapshot.read(shop, claims.resolution.customer_id)
    stored = heads.head(Customer) if heads else None
    customer = (heads and heads.head(Customer)) or Customer.of(shop, new_id("cus", now), now=now)
    occasion = Occasion(Origin.of_event(source), cause, occurred_at, now, replayed)
    settled = pending.vouched_for(words.fields, _addresses(customer), decided=False)
    moved = recording.take_on(customer, replace(words, fields=settled), occasion)
    identity.settle(change, customer, words, claims, occasion, moved=moved)
    heads = heads or Snapshot(shop, customer.customer_id, {})
    recording.add(change, customer, stored, occasion, heads=heads, attributes=given)
    return Identified(customer, heads)


def faults(fields: Mapping[str, Any], *, now: datetime, path: Callable[[str], str] = lambda name: name) -> list[Fault]:
    """Everything wrong with the fields of some words; `path` says how their sender calls them."""
    found = profile.faults(fields, today=clock.local_day(now, ZONE_OF_TODAY))
    return [replace(fault, path=path(fault.path)) for fault in found]


def create(shop: str, words: Words, *, now: datetime, by: Actor = SYSTEM) -> Customer:
    """Found a customer on somebody's word. Raises InvalidInputs, NotFound for an unknown shop, or IdentifierTaken where
    an identifier is another's; of any number of concurrent creators with one e-mail address, one wins.
    """
    wrong = [*faults(words.fields, now=now), *_unusable(words), *_nameless(words)]
    if wrong:
        raise InvalidInputs(wrong)
    shops.current(shop, now=now)

    customer_id = new_id("cus", now)

    def attempt() -> Customer:
        claims = identity.read(shop, words, known=Holder(customer_id))
        _refuse_taken(words, claims)
        customer = Customer.of(shop, customer_id, now=now)
        change = Change(now)
        occasion = Occasion(Origin.here(by), f"customer:{customer_id}:create", occurred_at=now, now=now)
        moved = recording.take_on(customer, words, occasion)
        identity.settle(change, customer, words, claims, occasion, moved=moved)
        recording.add(change, customer, None, occasion)
        change.commit()
        return customer

    return retrying(attempt)


def update(
    shop: str,
    customer_id: str,
    words: Words,
    *,
    now: datetime,
    by: Actor = SYSTEM,
    expected_version: int | None = None,
) -> Customer:
    """Change what is given, as of `now`. An e-mail address or phone number that is replaced is free again.

    Raises InvalidInputs, NotFound (also for one who is deleted: restore them first), IdentifierTaken, VersionMismatch
    where the stored version is another, and CustomerBlocked where customers speak of themselves and take no part.
    """
    wrong = [*faults(words.fields, now=now), *_unusable(words)]
    if wrong:
        raise InvalidInputs(wrong)

    def attempt() -> Customer:
        customer, stored = _read(shop, customer_id)
        if not words.vouched:
            refuse_barred(stored)
        if is_hidden(stored):
            raise NotFound("There is no such customer.", field="id")
        _expect(stored, expected_version)
        # Whoever speaks for the shop may give a customer a second id of a source; an event may not.
        claims = identity.read(shop, words, known=Holder(customer_id))
        _refuse_taken(words, claims)
        change = Change(now)
        cause = f"customer:{customer_id}:update:{int(stored.rev) + 1}"
        known = _addresses(customer)
        if words.vouched:
            said = replace(words, fields=pending.vouched_for(words.fields, known, decided=True))
        else:
            said = replace(words, fields=pending.said_by_customer(words.fields, known))
        occasion = Occasion(Origin.here(by), cause, occurred_at=recording.after(customer, said, now), now=now)
        moved = recording.take_on(customer, said, occasion)
        identity.settle(change, customer, words, claims, occasion, moved=moved)
        recording.add(change, customer, stored, occasion)
        change.commit()
        return customer

    return retrying(attempt)


def change_tags(
    shop: str,
    customer_id: str,
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    now: datetime,
    by: Actor = SYSTEM,
) -> Customer:
    """Add and remove tags. Raises InvalidInputs, NotFound."""
    asked = list(add)
    wrong = profile.tag_faults(asked)
    if wrong:
        raise InvalidInputs(wrong)
    added, removed = profile.tags(asked), profile.tags(remove)

    def attempt() -> Customer:
        read = get(shop, customer_id)
        after = (set(read.tags or ()) | added) - removed
        try:
            words = Words(fields={"tags": after or None})
            return update(shop, customer_id, words, now=now, by=by, expected_version=int(read.version))
        except VersionMismatch as error:
            raise Stale from error

    return retrying(attempt)


def delete(
    shop: str, customer_id: str, *, now: datetime, by: Actor = SYSTEM, expected_version: int | None = None
) -> Customer:
    """Hide a customer and bar them; all that is known of them stays, and their identifiers stay theirs: what is told of
    them later founds nobody and shows nobody. One who is deleted already is left so. Raises NotFound, VersionMismatch.
    """

    def hide(customer: Customer) -> None:
        if not is_hidden(customer):
            customer.deleted_from, customer.status = customer.status, standing.DELETED
            customer.unlist()

    return _turn(shop, customer_id, hide, effect="delete", now=now, by=by, expected_version=expected_version)


def restore(
    shop: str, customer_id: str, *, now: datetime, by: Actor = SYSTEM, expected_version: int | None = None
) -> Customer:
    """Undo a deletion: a customer who was blocked is blocked again. Raises NotFound, VersionMismatch."""

    def show(customer: Customer) -> None:
        if is_hidden(customer):
            customer.status, customer.deleted_from = customer.deleted_from or standing.ACTIVE, None
            customer.enlist()

    return _turn(shop, customer_id, show, effect="restore", now=now, by=by, expected_version=expected_version)


def get(shop: str, customer_id: str) -> Customer:
    """Raises NotFound, also for the customer of another shop and for one who is deleted."""
    customer = snapshot.read(shop, customer_id).head(Customer)
    if customer is None or is_hidden(customer):
        raise NotFound("There is no such customer.", field="id")
    return customer


def check_standing(shop: str, customer_id: str) -> None:
    """Raises CustomerBlocked for a customer who takes no part; one who does not exist is nobody to refuse here."""
    customer = repository.get_profile(shop, customer_id)
    if customer is not None:
        refuse_barred(customer)


def refuse_barred(customer: Customer) -> None:
    """Raises CustomerBlocked where what customers themselves want is not to be done, since they take no part.

    The change that follows must hold the profile to the revision that was read here: they may be barred meanwhile.
    """
    if not takes_part(customer):
        raise CustomerBlocked


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


def origins(customer: Customer) -> list[Provenance]:
    """Where each field of the profile comes from, by field; also of fields that were cleared."""
    return provenance.of_fields(customer.field_times, customer.field_origins)


def _read(shop: str, customer_id: str) -> tuple[Customer, Customer]:
    """A profile twice: to be changed, and as it was read. Raises NotFound."""
    heads = snapshot.read(shop, customer_id)
    customer, stored = heads.head(Customer), heads.head(Customer)
    if customer is None or stored is None:
        raise NotFound("There is no such customer.", field="id")
    return customer, stored


def _expect(customer: Customer, version: int | None) -> None:
    if version is not None and customer.version != version:
        raise VersionMismatch(expected=version, actual=int(customer.version))


def _turn(
    shop: str,
    customer_id: str,
    turn: Callable[[Customer], None],
    *,
    effect: str,
    now: datetime,
    by: Actor,
    expected_version: int | None,
) -> Customer:
    """Let `turn` change a profile's status; where it changes nothing, nothing is written."""

    def attempt() -> Customer:
        customer, stored = _read(shop, customer_id)
        _expect(stored, expected_version)
        turn(customer)
        cause = f"customer:{customer_id}:{effect}:{int(stored.rev) + 1}"
        occasion = Occasion(Origin.here(by), cause, occurred_at=now, now=now)
        if customer.status != stored.status:
            customer.field_times = {**customer.field_times, "status": clock.text(now)}
            customer.field_origins = {**customer.field_origins, "status": str(occasion.origin)}
        change = Change(now)
        recording.add(change, customer, stored, occasion)
        change.commit()
        return customer

    return retrying(attempt)


def pending_address(customer: Customer, kind: str) -> str | None:
    """The e-mail address or phone number that the customer says is theirs and nobody has vouched for."""
    return pending.shown(kind, _addresses(customer))


def _addresses(customer: Customer) -> dict[str, str | None]:
    return {name: getattr(customer, name) for name in (*pending.FIELD, *pending.FIELD.values())}


def _refuse_taken(words: Words, claims: Claims) -> None:
    """To a person an identifier that is another's is refused; an event records the conflict."""
    fields = {
        f"{identifiers.EXTERNAL}:{source}": f"external_ids.{index}" for index, source in enumerate(words.external_ids)
    }
    taken: list[IdentifierTaken] = []
    for claim in (*claims.resolution.conflicting, *claims.resolution.taken_over):
        kind, field = "external id" if claim.is_external else claim.kind, fields.get(claim.kind, claim.kind)
        taken.append(
            IdentifierTaken(kind=kind, customer_id=claims.held[claim].customer_id, field=field, others=taken[:])
        )
    if taken:
        raise taken[-1]


def _nameless(words: Words) -> list[Fault]:
    """A record founded by hand says who it is about; an event may be about somebody of whom nothing is known yet."""
    if words.external_ids or any(words.fields.get(name) is not None for name in NAMING):
        return []
    message = "must have an e-mail address, a phone number, an external id or a name"
    return [Fault("", "REQUIRED", message)]


def _unusable(words: Words) -> list[Fault]:
    """Identifiers given by hand that could identify nobody: a person should hear of it, an event should not."""
    email, phone = words.fields.get("email"), words.fields.get("phone")
    faults = []
    if email and identifiers.matching_email(email) and not identifiers.email(email, verified=False):
        faults.append(Fault("email", "BLOCKED", STANDS_FOR_NOBODY))
    if phone and not identifiers.matching_phone(phone):
        faults.append(Fault("phone", "INVALID", "must be a phone number with its country, such as +491701234567"))
    elif phone and not identifiers.phone(phone):
        faults.append(Fault("phone", "BLOCKED", STANDS_FOR_NOBODY))
    for index, (source, value) in enumerate(words.external_ids.items()):
        faults += [replace(fault, path=f"external_ids.{index}.{fault.path}") for fault in _of_external(source, value)]
    return faults


def _of_external(source: str, value: str) -> Iterable[Fault]:
    if not identifiers.SOURCE.fullmatch(source):
        yield Fault("source", "INVALID", "must be 1 to 40 lower-case letters, digits, dots, hyphens and underscores")
    elif not 1 <= len(value.strip()) <= profile.MOST_CHARACTERS:
        yield Fault("value", "INVALID", f"must have between 1 and {profile.MOST_CHARACTERS} characters")
    elif identifiers.external(source, value) is None:
        yield Fault("value", "BLOCKED", STANDS_FOR_NOBODY)
