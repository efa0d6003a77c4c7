# crm/customers/identity.py
"""How identifiers come to a customer and leave: resolved against who holds them, and written with conditions."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from msgspec import Struct, field

from crm.customers import history, identifiers, repository, snapshot
from crm.customers.identifiers import Claim
from crm.customers.models import Customer, Identity, IdentityClaim
from crm.customers.provenance import Occasion
from crm.customers.resolution import Holder, Resolution, resolve
from crm.kernel.change import Change
from crm.kernel.errors import Stale

MOST_CLAIMS = 20  # a faulty source must not pile everybody's ids onto one record
ADDRESSES: Mapping[str, Callable[[str], str | None]] = {
    identifiers.EMAIL: identifiers.matching_email,
    identifiers.PHONE: identifiers.matching_phone,
}


class Words(Struct, frozen=True):
    """What somebody says of a customer: identifiers and fields. Absent from `fields` is unchanged, None clears.

    `fields` are those of `profile.FIELDS`; addresses come as dictionaries with the attribute names of `Address`.
    """

    id: str | None = None
    external_ids: Mapping[str, str] = field(default_factory=dict)
    """Per source, as in {"shopify": "4711"}."""
    email_verified: bool = False
    vouched: bool = True
    """False for what customers say of themselves: an address that nobody vouches for stays pending."""
    fields: Mapping[str, Any] = field(default_factory=dict)

    def claims(self) -> list[Claim]:
        """The identifiers that may identify: blocked and unreadable ones are left out."""
        email, phone = self.fields.get("email"), self.fields.get("phone")
        claims = [identifiers.external(source, value) for source, value in self.external_ids.items()]
        if self.vouched:
            claims.append(identifiers.email(email, verified=self.email_verified) if email else None)
            claims.append(identifiers.phone(phone) if phone else None)
        return [claim for claim in claims if claim is not None]


class Claims(Struct, frozen=True):
    """The claims of some words, resolved, and the identity items as they were read."""

    resolution: Resolution
    held: Mapping[Claim, Identity]


def read(shop: str, words: Words, *, known: Holder | None) -> Claims:
    """Resolve the claims of some words: one batch read, and another where it matters what else holders are known by."""
    claims = words.claims()
    held = repository.get_identities(shop, claims)
    return Claims(resolve(claims, _holders(shop, claims, held), known=known), held)


def holder(customer: Customer, *, verified: bool = False) -> Holder:
    """A customer as one who holds an identifier (`verified` or not), or as one who is known already."""
    kinds = {each.kind for each in customer.identities if not each.conflicting and each.kind.startswith("external")}
    return Holder(customer.customer_id, frozenset(kinds), verified=verified)


def settle(
    change: Change, customer: Customer, words: Words, claims: Claims, occasion: Occasion, *, moved: Collection[str]
) -> None:
    """Add to `change` the identifiers the customer gains and loses, and note on the profile what they are known by.

    `moved`: the fields that these words have decided. An address that the record no longer has identifies nobody: it is
    released, and one told too late is not claimed.
    """
    known = {(claim.kind, claim.value): claim for claim in customer.identities}
    if words.vouched:
        for key in [key for key in known if key[0] in moved and key[1] != on_record(customer, key[0])]:
            if not known.pop(key).conflicting:
                item = Identity.of(customer.shop, *key, customer.customer_id)
                mine = Identity.customer_id == customer.customer_id
                change.delete(item, when=mine, otherwise=Stale("An identifier moved meanwhile."))
    resolution = claims.resolution
    mine_already = [claim for claim, item in claims.held.items() if item.customer_id == customer.customer_id]
    for claim in (*resolution.gained, *resolution.taken_over, *mine_already, *resolution.conflicting):
        if claim.kind in ADDRESSES and claim.value != on_record(customer, claim.kind):
            continue
        before = known.get((claim.kind, claim.value))
        conflicting = claim in resolution.conflicting
        if conflicting and before is None and len(known) >= MOST_CLAIMS:
            continue
        verified = not conflicting and (claim.verified or (before is not None and bool(before.verified)))
        known[claim.kind, claim.value] = IdentityClaim(
            kind=claim.kind, value=claim.value, verified=verified, conflicting=conflicting
        )
        if not conflicting:
            _hold(change, customer, claim, claims.held.get(claim), occasion, verified=verified)
    customer.identities = sorted(known.values(), key=lambda claim: (claim.kind, claim.value))


def _hold(
    change: Change, customer: Customer, claim: Claim, stored: Identity | None, occasion: Occasion, *, verified: bool
) -> None:
    item = Identity.of(customer.shop, claim.kind, claim.value, customer.customer_id, verified=verified)
    meanwhile = Stale("An identifier was claimed meanwhile.")
    if stored is None:
        change.create(item, otherwise=meanwhile)
    elif stored.customer_id != customer.customer_id:
        change.write(item, when=Identity.customer_id == stored.customer_id, otherwise=meanwhile)
        _lose(change, customer.shop, stored.customer_id, claim, occasion)
    elif verified and not stored.verified:
        change.write(item, when=Identity.customer_id == customer.customer_id, otherwise=meanwhile)


def _lose(change: Change, shop: str, customer_id: str, claim: Claim, occasion: Occasion) -> None:
    """The record of the customer who held the identifier without proof says so."""
    heads = snapshot.read(shop, customer_id)
    loser, before = heads.head(Customer), heads.head(Customer)
    if loser is None:
        return
    for each in loser.identities:
        if (each.kind, each.value) == (claim.kind, claim.value):
            each.conflicting, each.verified = True, False
    loser.version += 1
    loser.change(occasion.occurred_at, now=occasion.now)
    loser.cause, loser.replayed = occasion.cause, occasion.replayed
    change.revise(loser)
    told = history.of_profile(before, loser)
    history.record(change, shop, customer_id, told, occasion, revs=[int(loser.rev)])


def _holders(shop: str, claims: list[Claim], held: Mapping[Claim, Identity]) -> dict[Claim, Holder]:
    """The holders. What else they are known by matters only where a new external id might join one of them, or where
    an address that one has not verified is verified by somebody.
    """
    known: dict[str, Customer] = {}
    newcomers = any(claim.is_external and claim not in held for claim in claims)
    if newcomers or any(claim.verified and not item.verified for claim, item in held.items()):
        for customer_id, heads in snapshot.read_many(shop, {i.customer_id for i in held.values()}, [Customer]).items():
            profile = heads.head(Customer)
            if profile is not None:
                known[customer_id] = profile
    return {
        claim: holder(known[item.customer_id], verified=bool(item.verified))
        if item.customer_id in known
        else Holder(item.customer_id, verified=bool(item.verified))
        for claim, item in held.items()
    }


def on_record(customer: Customer, kind: str) -> str | None:
    """The customer's e-mail address or phone number, in the form in which such are compared."""
    value = getattr(customer, kind)
    return ADDRESSES[kind](value) if value else None
