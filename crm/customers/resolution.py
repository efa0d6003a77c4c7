# crm/customers/resolution.py
"""Whom an event is about. Pure: who holds which identifier goes in, one customer and the losing identifiers come out.

Precedence: our own id, external id, verified e-mail, phone; an unverified e-mail identifies only where the event
carries nothing stronger. Two identified customers are never joined here: that is a merge, which somebody decides.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from crm.customers.identifiers import EMAIL, PHONE, Claim


class Holder(Struct, frozen=True):
    """Who holds an identifier, whether it is verified as theirs, and which sources (`external:<source>`) know them."""

    customer_id: str
    external_kinds: frozenset[str] = frozenset()
    verified: bool = False


class Resolution(Struct, frozen=True):
    """`customer_id` is None for somebody new. `gained` are claims that become the customer's, `taken_over` those of
    them that another held without proof; `conflicting` are not theirs, for good.
    """

    customer_id: str | None
    gained: tuple[Claim, ...] = ()
    taken_over: tuple[Claim, ...] = ()
    conflicting: tuple[Claim, ...] = ()


def resolve(claims: Sequence[Claim], holders: Mapping[Claim, Holder], *, known: Holder | None = None) -> Resolution:
    """Decide whom the claims of one event mean. `known` is the customer whom our own id, or a known order, names."""
    standing = {claim: holder for claim, holder in holders.items() if not _overruled(claim, holder)}
    chosen = known or _found(claims, standing)
    customer_id = chosen.customer_id if chosen else None
    # A source that knows the customer by another id means somebody else.
    strange = [
        claim
        for claim in claims
        if claim.is_external and claim not in holders and chosen is not None and claim.kind in chosen.external_kinds
    ]
    others = [claim for claim in claims if claim in holders and holders[claim].customer_id != customer_id]
    return Resolution(
        customer_id,
        gained=tuple(claim for claim in claims if claim not in holders and claim not in strange),
        taken_over=tuple(claim for claim in others if claim not in standing),
        conflicting=(*(claim for claim in others if claim in standing), *strange),
    )


def _found(claims: Sequence[Claim], holders: Mapping[Claim, Holder]) -> Holder | None:
    found = next((claim for claim in sorted(claims, key=_rank) if claim in holders), None)
    return holders[found] if found is not None and _may_join(found, claims, holders) else None


def _may_join(found: Claim, claims: Sequence[Claim], holders: Mapping[Claim, Holder]) -> bool:
    """A new external id may be added to a customer found by a weaker identifier, unless that customer is known to the
    same source by another id (two identified customers). One found by an address that nobody has verified is given
    nothing: whoever types it might next come by what they typed beside it.
    """
    if found.kind == EMAIL and not found.verified:
        return all(claim == found for claim in claims)
    newcomers = [claim for claim in claims if claim.is_external and claim not in holders]
    if found.is_external or not newcomers:
        return True
    return not any(claim.kind in holders[found].external_kinds for claim in newcomers)


def is_anothers(holder: Holder) -> bool:
    """Whether an address that two records name is the holder's: who has verified it, or whom somebody knows by an id of
    theirs. Of a guest nothing is known but the address; whoever wrote it down first proves nothing.
    """
    return holder.verified or bool(holder.external_kinds)


def _overruled(claim: Claim, holder: Holder) -> bool:
    """Whoever has verified an address has it, whoever claimed it before. A guest, whom nothing but the address
    identifies, is joined by it instead.
    """
    return claim.kind == EMAIL and claim.verified and not holder.verified and bool(holder.external_kinds)


def _rank(claim: Claim) -> int:
    if claim.is_external:
        return 0
    if claim.kind == EMAIL:
        return 1 if claim.verified else 3
    assert claim.kind == PHONE
    return 2
