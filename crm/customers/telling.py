# crm/customers/telling.py
"""What an event tells of a customer: whom it means, and what it changes about them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from crm.customers import attribute_values, identifiers, identity, pending, profile, recording, repository, snapshot
from crm.customers.identity import Words
from crm.customers.models import Customer
from crm.customers.provenance import Occasion, Origin
from crm.customers.snapshot import Snapshot
from crm.kernel.change import Change
from crm.kernel.errors import Fault, InvalidInputs, NotFound
from crm.kernel.ids import new_id


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
    wrong = profile.judged(words.fields, now=now, path=lambda name: f"customer.{name}")
    if wrong:
        raise InvalidInputs(wrong)
    given, ignored = attribute_values.said_in_event(shop, said or {}, now=now)
    words, heads = _by_our_own_id(shop, words)
    if words.id and heads is None:
        heads = snapshot.read(shop, words.id)
    known = heads.head(Customer) if heads is not None else None
    if heads is not None and known is None:
        raise NotFound("There is no such customer.", field="customer.id")
    claims = identity.read(shop, words, known=identity.holder(known) if known else None)
    if heads is None and claims.resolution.customer_id:
        heads = snapshot.read(shop, claims.resolution.customer_id)
    stored = heads.head(Customer) if heads else None
    customer = (heads and heads.head(Customer)) or Customer.of(shop, new_id("cus", now), now=now)
    occasion = Occasion(Origin.of_event(source), cause, occurred_at, now, replayed)
    settled = pending.vouched_for(words.fields, pending.of(customer), decided=False)
    moved = recording.take_on(customer, replace(words, fields=settled), occasion)
    identity.settle(change, customer, words, claims, occasion, moved=moved)
    attributes = repository.get_attributes(shop, [customer.customer_id])[customer.customer_id] if given else None
    recording.add(change, customer, stored, occasion, attributes=attributes, given=given)
    return Identified(customer, heads or Snapshot(shop, customer.customer_id, {}), ignored)


def _by_our_own_id(shop: str, words: Words) -> tuple[Words, Snapshot | None]:
    """Exports tell of who has no id of a system's by ours, as if it were one: where it is this shop's, it says who is
    meant, and a file may come back. Another shop keeps it as what the source calls them.
    """
    ours = words.external_ids.get(identifiers.OURS)
    if words.id is not None or ours is None:
        return words, None
    heads = snapshot.read(shop, ours)
    if heads.head(Customer) is None:
        return words, None
    others = {source: value for source, value in words.external_ids.items() if source != identifiers.OURS}
    return replace(words, id=ours, external_ids=others), heads
