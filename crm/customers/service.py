# crm/customers/service.py
"""What can be done with customers: the only door into this area."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from crm.customers import (
    attribute_definitions,
    attribute_setting,
    attribute_values,
    attributes,
    by_hand,
    deletion,
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
from crm.customers.attributes import Rule as AttributeRule
from crm.customers.history import FieldChange
from crm.customers.identity import Words
from crm.customers.models import (
    SHARDS,
    Address,
    AttributeDefinition,
    Customer,
    CustomerAttributes,
    HistoryEntry,
    IdentityClaim,
    SegmentsHead,
    SegmentState,
)
from crm.customers.provenance import Occasion, Origin, Provenance
from crm.customers.reach import Reach, reach
from crm.customers.refusals import CustomerBlocked, CustomerDeleted, IdentifierTaken, TooManyAttributes
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
    "AttributeRule",
    "AttributeValue",
    "Customer",
    "CustomerAttributes",
    "CustomerBlocked",
    "CustomerDeleted",
    "Definitions",
    "FieldChange",
    "HistoryEntry",
    "Identified",
    "IdentifierTaken",
    "IdentityClaim",
    "Origin",
    "Provenance",
    "Reach",
    "SegmentState",
    "SegmentsHead",
    "Snapshot",
    "TooManyAttributes",
    "Typed",
    "Words",
    "attribute_definitions_now",
    "attribute_definitions_of",
    "attribute_rules",
    "attribute_values_of",
    "attributes_of",
    "change_tags",
    "changes",
    "changes_in",
    "check_standing",
    "create",
    "define_attribute",
    "delete",
    "faults",
    "faults_by_hand",
    "faults_of_definition",
    "faults_of_external_ids",
    "find",
    "get",
    "identify",
    "is_hidden",
    "judged_attributes",
    "list_shard",
    "nameless",
    "origins",
    "pending_address",
    "reach",
    "refuse_barred",
    "restore",
    "retire_attribute",
    "set_attributes",
    "snapshots",
    "tag_faults",
    "tags",
    "take_snapshot",
    "takes_part",
    "tidied",
    "update",
]  # fmt: skip

ZONE_OF_TODAY = "Pacific/Kiritimati"  # the earliest zone: a birth date is not in the future where it is latest


tags = profile.tags
tidied = profile.tidied
nameless = by_hand.nameless
tag_faults = profile.tag_faults
faults_of_external_ids = by_hand.faults_of_external_ids
take_snapshot = snapshot.read
snapshots = snapshot.read_many
list_shard = repository.list_shard
changes = repository.list_changes
changes_in = history.changes_in
takes_part = standing.takes_part
is_hidden = standing.is_hidden
delete = deletion.delete
restore = deletion.restore
set_attributes = attribute_setting.set_attributes
define_attribute = attribute_definitions.define
faults_of_definition = attribute_definitions.faults
retire_attribute = attribute_definitions.retire
attribute_definitions_of = attribute_definitions.current
attribute_definitions_now = attribute_definitions.fresh
attribute_rules = attribute_definitions.rules_of
judged_attributes = attributes.judged
attributes_of = repository.get_attributes
attribute_values_of = attribute_values.values


class Identified(Struct, frozen=True):
    """The customer an event is about, as the change will leave them, their heads as they were read, and what the event
    says that is ignored.
    """

    customer: Customer
    heads: Snapshot
    ignored: Sequence[Fault] = ()


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

    `said` are values of the shop's own attributes, by key; those that the shop's definitions do not allow are ignored,
    since what else an event says would be lost with them. Nobody is found by blocked identifiers: words without any
    other found a customer of their own. The commit raises Stale where an identifier was claimed, or a head written,
    meanwhile. Raises InvalidInputs, and NotFound where `words.id` names nobody.
    """
    wrong = faults(words.fields, now=now, path=lambda name: f"customer.{name}")
    if wrong:
        raise InvalidInputs(wrong)
    given, ignored = attribute_values.said_in_event(shop, said or {}, now=now)
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
    attributes = repository.get_attributes(shop, [customer.customer_id])[customer.customer_id] if given else None
    recording.add(change, customer, stored, occasion, attributes=attributes, given=given)
    return Identified(customer, heads or Snapshot(shop, customer.customer_id, {}), ignored)


def faults(fields: Mapping[str, Any], *, now: datetime, path: Callable[[str], str] = lambda name: name) -> list[Fault]:
    """Everything wrong with the fields of some words; `path` says how their sender calls them."""
    found = profile.faults(fields, today=clock.local_day(now, ZONE_OF_TODAY))
    return [replace(fault, path=path(fault.path)) for fault in found]


def faults_by_hand(words: Words, *, now: datetime) -> list[Fault]:
    """Everything wrong with what a person says of a customer, as far as that can be told without a read."""
    return [*faults(words.fields, now=now), *by_hand.unusable(words)]


def create(shop: str, words: Words, *, now: datetime, by: Actor = SYSTEM) -> Customer:
    """Found a customer on somebody's word. Raises InvalidInputs, NotFound for an unknown shop, or IdentifierTaken where
    an identifier is another's; of any number of concurrent creators with one e-mail address, one wins.
    """
    wrong = [*faults_by_hand(words, now=now), *by_hand.nameless(words)]
    if wrong:
        raise InvalidInputs(wrong)
    shops.current(shop, now=now)

    customer_id = new_id("cus", now)

    def attempt() -> Customer:
        claims = identity.read(shop, words, known=Holder(customer_id))
        by_hand.refuse_taken(shop, words, claims)
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
    wrong = faults_by_hand(words, now=now)
    if wrong:
        raise InvalidInputs(wrong)

    def attempt() -> Customer:
        customer, stored = recording.read(shop, customer_id)
        if not words.vouched:
            refuse_barred(stored)
        if is_hidden(stored):
            raise CustomerDeleted
        recording.expect(stored, expected_version)
        # Whoever speaks for the shop may give a customer a second id of a source; an event may not.
        claims = identity.read(shop, words, known=Holder(customer_id))
        by_hand.refuse_taken(shop, words, claims)
        change = Change(now)
        cause = f"customer:{customer_id}:update:{int(stored.rev) + 1}"
        known = _addresses(customer)
        if words.vouched:
            said = replace(words, fields=pending.vouched_for(words.fields, known, decided=True))
        else:
            since = {kind for kind in pending.FIELD if customer.field_times.get(kind, "") > clock.text(now)}
            said = replace(words, fields=pending.said_by_customer(words.fields, known, since=since))
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


def get(shop: str, customer_id: str) -> Customer:
    """Raises NotFound, also for the customer of another shop and for one who is deleted."""
    customer = snapshot.read(shop, customer_id).head(Customer)
    if customer is None:
        raise NotFound("There is no such customer.", field="id")
    if is_hidden(customer):
        raise CustomerDeleted
    return customer


def check_standing(shop: str, customer_id: str) -> None:
    """Raises CustomerBlocked for a customer who takes no part; one who does not exist is nobody to refuse here."""
    customer = repository.get_profile(shop, customer_id)
    if customer is not None:
        refuse_barred(customer)


def refuse_barred(customer: Customer, *, withdrawing: bool = False) -> None:
    """Raises CustomerBlocked where what customers themselves want is not to be done, since they take no part.
    `withdrawing`: they only take consents back, which is open to more.

    The change that follows must hold the profile to the revision that was read here: they may be barred meanwhile.
    """
    if not (standing.may_withdraw(customer) if withdrawing else takes_part(customer)):
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


def pending_address(customer: Customer, kind: str) -> str | None:
    """The e-mail address or phone number that the customer says is theirs and nobody has vouched for."""
    return pending.shown(kind, _addresses(customer))


def _addresses(customer: Customer) -> dict[str, str | None]:
    return {name: getattr(customer, name) for name in (*pending.FIELD, *pending.FIELD.values())}
