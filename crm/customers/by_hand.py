# crm/customers/by_hand.py
"""What a person says of a customer. They hear of what is wrong with it; an event that says so is taken, without what is
of no use in it.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from crm.customers import identifiers, identity, lookup, pending, profile, recording, snapshot, standing
from crm.customers.identity import Claims, Words
from crm.customers.models import Customer
from crm.customers.provenance import Occasion, Origin
from crm.customers.refusals import CustomerDeleted, IdentifierTaken
from crm.customers.resolution import Holder
from crm.kernel import clock, texts
from crm.kernel.actor import SYSTEM, Actor
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInputs, Stale, VersionMismatch
from crm.kernel.ids import new_id
from crm.shops import service as shops

NAMING = ("email", "phone", "first_name", "last_name")
STANDS_FOR_NOBODY = "stands for nobody"


def faults(words: Words, *, now: datetime) -> list[Fault]:
    """Everything wrong with what a person says of a customer, as far as that can be told without a read."""
    return [*profile.judged(words.fields, now=now), *unusable(words)]


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

    Raises InvalidInputs, NotFound (also for one who is deleted: restore them first), IdentifierTaken, VersionMismatch
    where the stored version is another, and CustomerBlocked where customers speak of themselves and take no part.
    """
    wrong = faults(words, now=now)
    if wrong:
        raise InvalidInputs(wrong)

    def attempt() -> Customer:
        customer, stored = recording.read(shop, customer_id)
        if not words.vouched:
            standing.refuse_barred(stored)
        if standing.is_hidden(stored):
            raise CustomerDeleted
        recording.expect(stored, expected_version)
        # Whoever speaks for the shop may give a customer a second id of a source; an event may not.
        claims = identity.read(shop, words, known=Holder(customer_id))
        refuse_taken(shop, words, claims)
        change = Change(now)
        cause = f"customer:{customer_id}:update:{int(stored.rev) + 1}"
        known = pending.of(customer)
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
        read = lookup.get(shop, customer_id)
        after = (set(read.tags or ()) | added) - removed
        try:
            words = Words(fields={"tags": after or None})
            return update(shop, customer_id, words, now=now, by=by, expected_version=int(read.version))
        except VersionMismatch as error:
            raise Stale from error

    return retrying(attempt)


def refuse_taken(shop: str, words: Words, claims: Claims) -> None:
    """To a person an identifier that is another's is refused; an event records the conflict. Raises IdentifierTaken."""
    another = [*claims.resolution.conflicting, *claims.resolution.taken_over]
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
    """Identifiers given by hand that could identify nobody: a person should hear of it, an event should not."""
    email, phone = words.fields.get("email"), words.fields.get("phone")
    faults = []
    if email and identifiers.matching_email(email) and not identifiers.email(email, verified=False):
        faults.append(Fault("email", "BLOCKED", STANDS_FOR_NOBODY))
    if phone and not identifiers.matching_phone(phone):
        faults.append(Fault("phone", "INVALID", "must be a phone number with its country, such as +491701234567"))
    elif phone and not identifiers.phone(phone):
        faults.append(Fault("phone", "BLOCKED", STANDS_FOR_NOBODY))
    return [*faults, *faults_of_external_ids(words.external_ids.items())]


def faults_of_external_ids(given: Iterable[tuple[str, str]]) -> list[Fault]:
    """Everything wrong with ids of other systems, by their place; a system has one id for a customer."""
    found, sources = [], set()
    for index, (source, value) in enumerate(given):
        if source in sources:
            found.append(Fault(f"external_ids.{index}.source", "DUPLICATE", "must be unlike those before it"))
        sources.add(source)
        found += [replace(fault, path=f"external_ids.{index}.{fault.path}") for fault in _of_external(source, value)]
    return found


def _of_external(source: str, value: str) -> Iterable[Fault]:
    if not identifiers.SOURCE.fullmatch(source):
        yield Fault("source", "INVALID", "must be 1 to 40 lower-case letters, digits, dots, hyphens and underscores")
    elif wrong := texts.faults("value", value, longest=profile.MOST_CHARACTERS):
        yield from wrong
    elif identifiers.external(source, value) is None:
        yield Fault("value", "BLOCKED", STANDS_FOR_NOBODY)
