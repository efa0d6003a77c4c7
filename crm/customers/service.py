# crm/customers/service.py
"""What can be done with customers: the only door into this area."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm.customers import identifiers, profile, repository, snapshot
from crm.customers.identifiers import Claim
from crm.customers.models import SHARDS, Address, Customer, Identity, IdentityClaim, SegmentsHead, SegmentState
from crm.customers.refusals import IdentifierTaken
from crm.customers.resolution import Holder, Resolution, resolve
from crm.customers.snapshot import Snapshot
from crm.kernel import clock
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInput, InvalidInputs, NotFound, Stale, VersionMismatch
from crm.kernel.ids import new_id

__all__ = [
    "SHARDS",
    "Address",
    "Customer",
    "Identified",
    "IdentifierTaken",
    "IdentityClaim",
    "SegmentState",
    "SegmentsHead",
    "Snapshot",
    "Words",
    "change_tags",
    "create",
    "find",
    "get",
    "identify",
    "list_shard",
    "snapshots",
    "take_snapshot",
    "update",
]  # fmt: skip

MOST_IDENTITIES = 20
ZONE_OF_TODAY = "Pacific/Kiritimati"  # the earliest zone: a birth date is not in the future where it is latest

take_snapshot = snapshot.read
snapshots = snapshot.read_many
list_shard = repository.list_shard


@dataclass(frozen=True)
class Words:
    """What somebody says of a customer: identifiers and fields. Absent from `fields` is unchanged, None clears.

    `fields` are those of `profile.FIELDS`; addresses come as dictionaries with the attribute names of `Address`.
    """

    id: str | None = None
    external_ids: Mapping[str, str] = field(default_factory=dict)
    """Per source, as in {"shopify": "4711"}."""
    email_verified: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)

    def claims(self) -> list[Claim]:
        """The identifiers that may identify: blocked and unreadable ones are left out."""
        email, phone = self.fields.get("email"), self.fields.get("phone")
        claims = [identifiers.external(source, value) for source, value in self.external_ids.items()]
        claims.append(identifiers.email(email, verified=self.email_verified) if email else None)
        claims.append(identifiers.phone(phone) if phone else None)
        return [claim for claim in claims if claim is not None]


@dataclass(frozen=True)
class Identified:
    """The customer an event is about, as the change will leave them, and their heads as they were read."""

    customer: Customer
    heads: Snapshot
    is_new: bool


def identify(
    change: Change, shop: str, words: Words, *, cause: str, occurred_at: datetime, now: datetime, replayed: bool
) -> Identified:
    """Find or found the customer whom the words mean, and add to `change` what the words change about them.

    Nobody is found by blocked identifiers: words without any other found a customer of their own. The commit raises
    Stale where an identifier was claimed, or the profile written, meanwhile. Raises InvalidInputs, and NotFound where
    `words.id` names nobody.
    """
    faults = profile.faults(words.fields, today=clock.local_day(now, ZONE_OF_TODAY), prefix="customer.")
    if faults:
        raise InvalidInputs(faults)
    resolution, held = _resolve(shop, words)
    heads = snapshot.read(shop, resolution.customer_id) if resolution.customer_id else None
    stored = heads.head(Customer) if heads else None
    if heads is not None and stored is None:
        raise NotFound("There is no such customer.", field="customer.id")
    customer = (heads and heads.head(Customer)) or Customer.of(shop, new_id("cus", now), now=now)
    # A source's clock may run ahead of ours; what it said then must not outlive what is said after it.
    _take_on(customer, words, occurred_at=min(occurred_at, now))
    _claim(change, customer, resolution, held)
    if _differs(customer, stored):
        at = min(occurred_at, now)
        _revise(change, customer, stored, cause=cause, changed_at=at, now=now, replayed=replayed)
    return Identified(customer, heads or Snapshot(shop, customer.customer_id, {}), is_new=stored is None)


def create(shop: str, words: Words, *, now: datetime) -> Customer:
    """Found a customer on somebody's word. Raises InvalidInputs, or IdentifierTaken where an identifier is another's;
    of any number of concurrent creators with one e-mail address, one wins.
    """
    faults = profile.faults(words.fields, today=clock.local_day(now, ZONE_OF_TODAY))
    faults += _unusable(words)
    if faults:
        raise InvalidInputs(faults)

    def attempt() -> Customer:
        resolution, held = _resolve(shop, words)
        for claim, identity in held.items():
            raise _taken(claim, identity.customer_id)
        customer = Customer.of(shop, new_id("cus", now), now=now)
        _take_on(customer, words, occurred_at=now)
        change = Change()
        _claim(change, customer, resolution, held)
        _revise(
            change,
            customer,
            None,
            cause=f"customer:{customer.customer_id}:create",
            changed_at=now,
            now=now,
            replayed=False,
        )
        change.commit()
        return customer

    return retrying(attempt)


def update(
    shop: str, customer_id: str, words: Words, *, now: datetime, expected_version: int | None = None
) -> Customer:
    """Change what is given, as of `now`. An e-mail address or phone number that is replaced is free again.

    Raises InvalidInputs, NotFound, IdentifierTaken, and VersionMismatch where the stored version is another.
    """
    faults = profile.faults(words.fields, today=clock.local_day(now, ZONE_OF_TODAY))
    faults += _unusable(words)
    if faults:
        raise InvalidInputs(faults)

    def attempt() -> Customer:
        heads = snapshot.read(shop, customer_id)
        customer, stored = heads.head(Customer), heads.head(Customer)
        if customer is None or stored is None:
            raise NotFound("There is no such customer.", field="id")
        if expected_version is not None and customer.version != expected_version:
            raise VersionMismatch(expected=expected_version, actual=int(customer.version))
        resolution, held = _resolve(shop, words, known=customer_id)
        for claim in resolution.conflicting:
            raise _taken(claim, held[claim].customer_id)
        change = Change()
        _take_on(customer, words, occurred_at=now)
        _release_replaced(change, customer, stored, words)
        _claim(change, customer, resolution, held)
        if not _differs(customer, stored):
            return customer
        cause = f"customer:{customer_id}:update:{int(stored.rev) + 1}"
        _revise(change, customer, stored, cause=cause, changed_at=now, now=now, replayed=False)
        change.commit()
        return customer

    return retrying(attempt)


def change_tags(
    shop: str, customer_id: str, *, add: Iterable[str] = (), remove: Iterable[str] = (), now: datetime
) -> Customer:
    """Add and remove tags. Raises InvalidInputs, NotFound."""
    added, removed = set(add), set(remove)

    def attempt() -> Customer:
        read = get(shop, customer_id)
        tags = (set(read.tags or ()) | added) - removed
        try:
            words = Words(fields={"tags": tags or None})
            return update(shop, customer_id, words, now=now, expected_version=int(read.version))
        except VersionMismatch as error:
            raise Stale from error

    return retrying(attempt)


def get(shop: str, customer_id: str) -> Customer:
    """Raises NotFound, also for the customer of another shop."""
    customer = snapshot.read(shop, customer_id).head(Customer)
    if customer is None:
        raise NotFound("There is no such customer.", field="id")
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
            raise InvalidInput("an external id needs its source", field="source")
    if claim is None:
        raise InvalidInput(f"nobody can be identified by this {kind}", field=kind)
    identity = repository.get_identities(shop, [claim]).get(claim)
    return identity.customer_id if identity else None


def _resolve(shop: str, words: Words, *, known: str | None = None) -> tuple[Resolution, dict[Claim, Identity]]:
    claims = words.claims()
    held = repository.get_identities(shop, claims)
    holders = _holders(shop, claims, held)
    return resolve(claims, holders, known=known or words.id), held


def _holders(shop: str, claims: list[Claim], held: Mapping[Claim, Identity]) -> dict[Claim, Holder]:
    """The holders; what else they are known by matters only where a new external id might join one of them."""
    kinds: dict[str, frozenset[str]] = {}
    if any(claim.is_external and claim not in held for claim in claims):
        for customer_id, heads in snapshot.read_many(shop, {i.customer_id for i in held.values()}, [Customer]).items():
            customer = heads.head(Customer)
            known_by = customer.identities if customer else []
            kinds[customer_id] = frozenset(claim.kind for claim in known_by if not claim.conflicting)
    return {
        claim: Holder(identity.customer_id, kinds.get(identity.customer_id, frozenset()))
        for claim, identity in held.items()
    }


def _take_on(customer: Customer, words: Words, *, occurred_at: datetime) -> None:
    given = {name: value for name, value in words.fields.items() if name in profile.FIELDS}
    stored = {name: _plain(getattr(customer, name)) for name in given}
    won = profile.taken_on(stored, customer.field_times, given, occurred_at=occurred_at)
    for name, value in won.values.items():
        if name == "addresses":
            customer.addresses = [Address(**address) for address in value or []]
        elif name == "tags":
            customer.tags = set(value) if value else None
        elif name in {"test", "status"} and value is None:
            continue
        else:
            setattr(customer, name, value)
    if won.values:
        customer.version += 1
    customer.field_times = {**customer.field_times, **won.times}


def _claim(change: Change, customer: Customer, resolution: Resolution, held: Mapping[Claim, Identity]) -> None:
    """Add to `change` the identifiers the customer gains, and note on the profile what they are known by."""
    known = {(claim.kind, claim.value): claim for claim in customer.identities}
    mine = [claim for claim in held if claim not in resolution.conflicting]
    for claim in (*resolution.gained, *mine, *resolution.conflicting):
        conflicting = claim in resolution.conflicting
        before = known.get((claim.kind, claim.value))
        if before is None and len(known) >= MOST_IDENTITIES:
            continue  # a cap keeps a shared or faulty source from piling everybody's addresses onto one customer
        verified = not conflicting and (claim.verified or (before is not None and bool(before.verified)))
        after = IdentityClaim(kind=claim.kind, value=claim.value, verified=verified, conflicting=conflicting)
        known[claim.kind, claim.value] = after
        if claim in resolution.gained:
            identity = Identity.of(customer.shop, claim.kind, claim.value, customer.customer_id)
            change.create(identity, otherwise=Stale("An identifier was claimed meanwhile."))
    identities = sorted(known.values(), key=lambda claim: (claim.kind, claim.value))
    if _plain(identities) != _plain(customer.identities):
        customer.identities = identities
        customer.version += 1


def _release_replaced(change: Change, customer: Customer, stored: Customer, words: Words) -> None:
    """An address that the record no longer has identifies this customer no more: somebody else may come by it."""
    for kind, normal in (("email", identifiers.matching_email), ("phone", identifiers.matching_phone)):
        before, after = getattr(stored, kind), getattr(customer, kind)
        if kind not in words.fields or before is None or normal(before) == (normal(after) if after else None):
            continue
        for claim in stored.identities:
            if claim.kind == kind and claim.value == normal(before):
                if not claim.conflicting:
                    identity = Identity.of(customer.shop, kind, claim.value, customer.customer_id)
                    mine = Identity.customer_id == customer.customer_id
                    change.delete(identity, when=mine, otherwise=Stale("An identifier moved meanwhile."))
                customer.identities = [kept for kept in customer.identities if kept.value != claim.value]


def _revise(
    change: Change,
    customer: Customer,
    stored: Customer | None,
    *,
    cause: str,
    changed_at: datetime,
    now: datetime,
    replayed: bool,
) -> None:
    customer.cause, customer.replayed = cause, replayed
    if stored is None:
        customer.version, customer.changed_at = 1, changed_at
    elif customer.version > stored.version:
        customer.version = int(stored.version) + 1
        customer.changed_at, customer.updated_at = changed_at, now
    change.revise(customer)


def _differs(customer: Customer, stored: Customer | None) -> bool:
    return stored is None or customer.serialize() != stored.serialize()


def _unusable(words: Words) -> list[Fault]:
    """Identifiers given by hand that could identify nobody: a person should hear of it, an event should not."""
    given = {"email": words.fields.get("email"), "phone": words.fields.get("phone")}
    usable = {claim.kind for claim in words.claims()}
    faults = [
        Fault(kind, "BLOCKED", f"nobody can be identified by this {kind}")
        for kind, value in given.items()
        if value and kind not in usable
    ]
    faults += [
        Fault(f"externalIds.{source}", "BLOCKED", "nobody can be identified by this id")
        for source, value in words.external_ids.items()
        if identifiers.external(source, value) is None
    ]
    return faults


def _taken(claim: Claim, customer_id: str) -> IdentifierTaken:
    kind = "external id" if claim.is_external else claim.kind
    field_ = "externalIds" if claim.is_external else claim.kind
    return IdentifierTaken(kind=kind, customer_id=customer_id, field=field_)


def _plain(value: Any) -> Any:
    """Attribute maps as dictionaries: two equal PynamoDB items compare unequal."""
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if hasattr(value, "attribute_values"):
        return {name: _plain(inner) for name, inner in value.attribute_values.items() if inner is not None}
    return value
