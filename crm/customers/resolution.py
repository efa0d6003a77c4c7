# crm/customers/resolution.py
"""Whom an event is about. Pure: who holds which identifier goes in, one customer and the losing identifiers come out.

Precedence: our own id, external id, verified e-mail, phone; an unverified e-mail identifies only where the event
carries nothing stronger. Two identified customers are never joined here: that is a merge, which somebody decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crm.customers.identifiers import EMAIL, PHONE, Claim


@dataclass(frozen=True)
class Holder:
    """Who holds an identifier, and the external kinds (`external:<source>`) this customer is known by."""

    customer_id: str
    external_kinds: frozenset[str]


@dataclass(frozen=True)
class Resolution:
    """`customer_id` is None for somebody new. `gained` are claims nobody held; `conflicting` are others' for good."""

    customer_id: str | None
    gained: tuple[Claim, ...]
    conflicting: tuple[Claim, ...]


def in_precedence(claims: Sequence[Claim]) -> list[Claim]:
    """The claims, strongest first."""
    return sorted(claims, key=_rank)


def resolve(claims: Sequence[Claim], holders: Mapping[Claim, Holder], *, known: str | None = None) -> Resolution:
    """Decide whom the claims of one event mean. `known` is the customer whom our own id names."""
    chosen = known
    if chosen is None:
        found = next((claim for claim in in_precedence(claims) if claim in holders), None)
        if found is not None and _may_join(found, claims, holders):
            chosen = holders[found].customer_id
    return Resolution(
        customer_id=chosen,
        gained=tuple(claim for claim in claims if claim not in holders),
        conflicting=tuple(claim for claim in claims if claim in holders and holders[claim].customer_id != chosen),
    )


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


def _rank(claim: Claim) -> int:
    if claim.is_external:
        return 0
    if claim.kind == EMAIL:
        return 1 if claim.verified else 3
    assert claim.kind == PHONE
    return 2
