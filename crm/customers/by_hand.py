# crm/customers/by_hand.py
"""What a person says of a customer. They hear of what is wrong with it; an event that says so is taken, without what is
of no use in it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from crm.customers import identifiers, identity, lookup, pending, profile, recording, snapshot, standing
from crm.customers.identity import Claims, Words, on_record
from crm.customers.models import Customer, plain
from crm.customers.provenance import Occasion, Origin
from crm.customers.refusals import CustomerDeleted, IdentifierTaken
from crm.customers.resolution import Holder
from crm.customers.unusable import faults_of_email, faults_of_external_ids, faults_of_phone
from crm.kernel import clock
from crm.kernel.actor import SYSTEM, Actor
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInputs, Stale, VersionMismatch
from crm.kernel.ids import new_id
from crm.shops import service as shops

NAMING = ("email", "phone", "first_name", "last_name")


def faults(words: Words, *, now: datetime, stored: Customer | None = None) -> list[Fault]:
    """Everything wrong with what a person says of a customer, as far as that can be told without a read. What is said
    as it is `stored` is never at fault, whatever rule has come since or an event did not have to keep.
    """
    known = as_stored(stored) if stored else {}
    said = replace(words, fields={name: value for name, value in words.fields.items() if value != known.get(name)})
    return [*profile.judged(said.fields, now=now, stored=known), *unusable(said)]


def create(shop: str, words: Words, *, now: datetime, by: Actor = SYSTEM) -> Customer:
    """Found a customer on somebody's word. Raises InvalidInputs, NotFound for an unknown shop, or IdentifierTaken where
    an identifier is another's; of any number of concurrent creators with one e-mail address, one wins.
    """
    wrong = [*faults(words, now=now), *nameless(words)]
    if wrong:
        raise InvalidInputs(wrong)
    shops.current(shop, now=now)

    customer_id = new_id("cus", now)

    def attempt() -> Customer:
        claims = identity.read(shop, words, known=Holder(customer_id))
        refuse_taken(shop, words, claims)
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

    Raises InvalidInputs (also where customers would clear an address on record), NotFound (also for one who is deleted:
    restore them first), IdentifierTaken, VersionMismatch where the stored version is another, and CustomerBlocked where
    customers speak of themselves and take no part.
    """

    def attempt() -> Customer:
        customer, stored = recording.read(shop, customer_id)
        if not words.vouched:
            standing.refuse_barred(stored)
        if standing.is_hidden(stored):
            raise CustomerDeleted
        recording.expect(stored, expected_version)
        known = pending.of(customer)
        wrong = [*faults(words, now=now, stored=stored), *not_theirs(words, known)]
        if wrong:
            raise InvalidInputs(wrong)
        # Whoever speaks for the shop may give a customer a second id of a source; an event may not.
        claims = identity.read(shop, words, known=Holder(customer_id))
        refuse_taken(shop, words, claims, stored=stored)
        change = Change(now)
        cause = f"customer:{customer_id}:update:{int(stored.rev) + 1}"
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
    added, removed = profile.tags(asked), profile.tags(remove)

    def attempt() -> Customer:
        read = lookup.get(shop, customer_id)
        wrong = profile.tag_faults(asked, known=read.tags or ())
        if wrong:
            raise InvalidInputs(wrong)
        after = (set(read.tags or ()) | added) - removed
        try:
            words = Words(fields={"tags": after or None})
            return update(shop, customer_id, words, now=now, by=by, expected_version=int(read.version))
        except VersionMismatch as error:
            raise Stale from error

    return retrying(attempt)


def refuse_taken(shop: str, words: Words, claims: Claims, *, stored: Customer | None = None) -> None:
    """To a person an identifier that is another's is refused; an event records the conflict, and saying again what is
    on record so adds nothing to it. Raises IdentifierTaken.
    """
    another = [
        claim
        for claim in (*claims.resolution.conflicting, *claims.resolution.taken_over)
        if claim.is_external or claim.verified or stored is None or claim.value != on_record(stored, claim.kind)
    ]
    if not another:
        return
    fields = {
        f"{identifiers.EXTERNAL}:{source}": f"external_ids.{index}" for index, source in enumerate(words.external_ids)
    }
    holders = snapshot.read_many(shop, {claims.held[claim].customer_id for claim in another}, [Customer])
    taken: list[IdentifierTaken] = []
    for claim in another:
        kind, field = "external id" if claim.is_external else claim.kind, fields.get(claim.kind, claim.kind)
        holder = claims.held[claim].customer_id
        profile = holders[holder].head(Customer)
        hidden = profile is not None and standing.is_hidden(profile)
        taken.append(IdentifierTaken(kind=kind, customer_id=holder, hidden=hidden, field=field, others=taken[:]))
    raise taken[-1]


def nameless(words: Words) -> list[Fault]:
    """A record founded by hand says who it is about; an event may be about somebody of whom nothing is known yet."""
    if words.external_ids or any(words.fields.get(name) is not None for name in NAMING):
        return []
    message = "must have an e-mail address, a phone number, an external id or a name"
    return [Fault("", "REQUIRED", message)]


def unusable(words: Words) -> list[Fault]:
    """Identifiers given by hand that could identify nobody; of what is no e-mail address the profile tells."""
    email, phone = words.fields.get("email"), words.fields.get("phone")
    return [
        *(faults_of_email(email) if email and identifiers.matching_email(email) else []),
        *(faults_of_phone(phone) if phone else []),
        *faults_of_external_ids(words.external_ids.items()),
    ]


def not_theirs(words: Words, known: pending.Addresses) -> list[Fault]:
    """What customers would clear and may not. Their null takes back what is shown as pending; where nothing is, they
    mean the address on record, which the shop goes by.
    """
    if words.vouched:
        return []
    return [
        Fault(kind, "FORBIDDEN", "is on record: only staff may clear it")
        for kind in pending.FIELD
        if kind in words.fields and words.fields[kind] is None and known[kind] and not pending.shown(kind, known)
    ]


def as_stored(customer: Customer) -> dict[str, Any]:
    """The fields of a profile as a form shows them and says them again."""
    return profile.tidied({name: plain(getattr(customer, name)) for name in profile.FIELDS})
