# crm/segmentation/loading.py
"""What is known of one customer, as the facts that segments ask about: the heads as they were read, and of the rest
what is asked for and no more.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import MINYEAR, date, datetime
from typing import Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from crm.consent import service as consent
from crm.consent.service import ConsentHead
from crm.customers import service as customers
from crm.customers.service import Customer, Snapshot
from crm.feedback.service import FeedbackHead
from crm.kernel import clock
from crm.loyalty import reading as loyalty
from crm.loyalty.reading import LoyaltyAccount
from crm.orders import service as orders
from crm.segmentation import rfm
from crm.segmentation.in_force import InForce
from crm.segmentation.language import days, reading
from crm.segmentation.language.catalogue import own_value
from crm.segmentation.language.facts import (
    Address,
    Checkout,
    Fact,
    Facts,
    Feedback,
    Line,
    Loyalty,
    Order,
    Profile,
    Source,
    Statistics,
    Touchpoint,
)
from crm.segmentation.language.reading import Bound, Reads
from crm.segmentation.stays import SegmentsByHand
from crm.touchpoints import service as touchpoints
from crm.touchpoints.service import INBOUND, Acquisition

VISIT: Final = "visit.started"
OF_ORDERS: Final = frozenset({Fact.STATISTICS, Fact.ORDERS, Fact.LAST_ORDER, Fact.RFM})


class Asked(Struct, frozen=True):
    """Of whom what is asked, when it is the day `today` or later."""

    shop: str
    customer_id: str
    reads: Reads
    today: date
    in_force: InForce

    def begins(self, bounds: Iterable[Bound]) -> datetime | None:
        """The first instant of a history that is read; None where all of it is."""
        day = reading.earliest(bounds, self.today)
        return None if day is None or day.year == MINYEAR else days.starts(day, self.in_force.zone)


Found: TypeAlias = tuple[dict[str, Any], list[datetime]]
"""Fields of Facts, and when what they say came about."""


def load(
    snapshot: Snapshot, reads: Reads, *, earliest: datetime, in_force: InForce, now: datetime | None = None
) -> Facts:
    """The facts behind a snapshot, with the histories that `reads` names: no further back than its windows reach at
    `earliest`, the first moment that will be asked about. Windows only move on, so that is enough for later ones.
    What time has changed of points and tiers by `now` counts, posted or not; without it, by `earliest`.

    One Query for orders, for the last order and for each type of touchpoint; two for what was seen last; up to three,
    and a batch read, for carts; one batch read for the shop's own attributes; two for points of which something is due,
    and one for each hold of them that has ended; one for a tier of which something is. Without any of these, none.
    Somebody without a profile is hidden: nobody is there to be in a segment.
    """
    profile = snapshot.head(Customer)
    if profile is None:
        return Facts(snapshot.customer_id, in_force.zone, Profile(earliest), hidden=True)
    asked = Asked(snapshot.shop, snapshot.customer_id, reads, days.today(earliest, in_force.zone), in_force)
    heads = _of_heads(snapshot, profile, in_force)
    told = _told_of_heads(snapshot, profile)
    fields: dict[str, Any] = {}
    if Fact.LOYALTY in reads.facts:
        fields, times = _loyalty_due(snapshot, heads.loyalty, now=now or earliest)
        told |= _newest(Fact.LOYALTY, [*times, *_known(told.get(Fact.LOYALTY))])
    for fact, read in HISTORIES.items():
        if fact in reads.facts:
            found, times = read(asked)
            fields |= found
            told |= _newest(fact, [*times, *_known(told.get(fact))])
    if fields.get("checkouts"):  # an order closes its cart, and gives it back when it is cancelled
        told |= _newest(Fact.CARTS, _known(told.get(Fact.CARTS), told.get(Fact.ORDERS)))
    if Fact.RFM in reads.facts and in_force.rfm is not None:
        fields["rfm"] = rfm.score(in_force.rfm, heads.statistics, currency=in_force.currency)
    return replace(heads, told=told, **fields)


def _of_heads(snapshot: Snapshot, profile: Customer, in_force: InForce) -> Facts:
    """What the snapshot says by itself."""
    said, sources = snapshot.head(ConsentHead), snapshot.head(Acquisition)
    by_hand = snapshot.head(SegmentsByHand)
    return Facts(
        snapshot.customer_id,
        in_force.zone,
        _profile(profile),
        statistics=statistics_of(snapshot, in_force.currency),
        consents=_marketing(said),
        first_source=_source(sources.first) if sources else None,
        last_source=_source(sources.last) if sources else None,
        loyalty=_loyalty(snapshot.head(LoyaltyAccount), in_force.zone),
        feedback=_feedback(snapshot.head(FeedbackHead)),
        memberships=frozenset(by_hand.members if by_hand else ()),
        exclusions=frozenset(by_hand.exclusions if by_hand else ()),
        hidden=customers.is_hidden(profile),
    )


def _told_of_heads(snapshot: Snapshot, profile: Customer) -> dict[Fact, datetime]:
    """When what the heads say last became so, where they say it. Nobody is known before they are recorded.

    What was told last need not have come about last, and what stands need not be what changed last: an order that was
    cancelled, a source that was a visitor's before they were known. So each head keeps the newest instant there was.
    """
    told = _newest(Fact.PROFILE, _known(profile.created_at, profile.changed_at, profile.newest_at))
    if (sums := snapshot.head(orders.Statistics)) is not None:
        for fact in OF_ORDERS:
            told |= _newest(fact, _known(sums.last_order_at, sums.newest_at))
    if (said := snapshot.head(ConsentHead)) is not None:
        told |= _newest(Fact.CONSENT, [state.occurred_at for state in said.states])
    if (sources := snapshot.head(Acquisition)) is not None:
        last = sources.last.occurred_at if sources.last else None
        told |= _newest(Fact.ACQUISITION, _known(last, sources.occurred_at, sources.newest_at))
    if (account := snapshot.head(LoyaltyAccount)) is not None:
        changed_at = account.tier.changed_at if account.tier else None
        told |= _newest(Fact.LOYALTY, _known(account.newest_at, account.enrolled_at, changed_at))
    if (answers := snapshot.head(FeedbackHead)) is not None:
        told |= _newest(Fact.FEEDBACK, _known(answers.latest_at))
    return told


def _known(*times: datetime | None) -> list[datetime]:
    return [at for at in times if at is not None]


def _newest(fact: Fact, times: Iterable[datetime]) -> dict[Fact, datetime]:
    newest = max(times, default=None)
    return {} if newest is None else {fact: newest}


def _profile(item: Customer) -> Profile:
    return Profile(
        added_at=item.created_at,
        first_name=item.first_name,
        last_name=item.last_name,
        email=item.email,
        locale=item.locale,
        gender=item.gender,
        birth_date=date.fromisoformat(item.birth_date) if item.birth_date else None,
        status=item.status,
        tags=frozenset(item.tags or ()),
        addresses=tuple(
            Address(each.country, each.region, each.city, _degrees(each.latitude), _degrees(each.longitude))
            for each in item.addresses
        ),
    )


def _degrees(stored: float | None) -> float | None:
    return None if stored is None else float(stored)


def statistics_of(snapshot: Snapshot, currency: str) -> Statistics:
    """The sums over a customer's standing orders; amounts are those of the currency."""
    item = snapshot.head(orders.Statistics)
    if item is None:
        return Statistics()
    total = next((each for each in item.totals if each.currency == currency), None)
    return Statistics(
        int(item.order_count),
        int(total.net) if total else 0,
        orders.average(total) if total else None,
        item.first_order_at,
        item.last_order_at,
    )


def _marketing(head: ConsentHead | None) -> dict[str, str]:
    """By channel, what was said of marketing as a whole."""
    held = consent.held(head.states) if head else []
    return {each.channel: each.state for each in held if each.purpose == consent.MARKETING and each.topic is None}


def _source(part: touchpoints.SourcePart | None) -> Source | None:
    if part is None:
        return None
    return Source(part.source, part.medium, part.campaign, part.term, part.content, part.channel)


def _loyalty(account: LoyaltyAccount | None, zone: str) -> Loyalty | None:
    """As it was last written, with the tier's name of then."""
    if account is None:
        return None
    joined_on = clock.local_day(account.enrolled_at, zone) if account.enrolled_at else None
    return Loyalty(int(account.available), account.tier.name if account.tier else None, joined_on)


def _loyalty_due(snapshot: Snapshot, written: Loyalty | None, *, now: datetime) -> Found:
    """The points and the tier as their account shows them, where time has changed them and nothing was written yet."""
    account = snapshot.head(LoyaltyAccount)
    if account is None or written is None:
        return {}, []
    standing = loyalty.tier_of(snapshot.shop, snapshot.customer_id, account, now=now)
    current, times = replace(written, tier=standing.tier.name if standing.tier else None), [standing.changed_at]
    if loyalty.is_due(account, now):
        played = loyalty.played(snapshot.shop, snapshot.customer_id, account, now=now)
        current, times = replace(current, points=played.balances.net), [*times, played.moved_at]
    return {"loyalty": current}, _known(*times)


def _feedback(head: FeedbackHead | None) -> Feedback | None:
    """The only survey there is asks for recommendation (NPS)."""
    if head is None or head.latest_score is None:
        return None
    return Feedback(nps=int(head.latest_score), answered_at=head.latest_at)


def _last_order(asked: Asked) -> Found:
    order = orders.newest_standing(asked.shop, asked.customer_id)
    return ({"last_order_channel": order.channel}, [order.placed_at]) if order else ({}, [])


def _last_seen(asked: Asked) -> Found:
    visits = touchpoints.touchpoints(asked.shop, asked.customer_id, of_type=VISIT, limit=1)
    last = touchpoints.newest_of_direction(asked.shop, asked.customer_id, INBOUND)
    seen = [*visits, *([last] if last else [])]
    fields = {
        "last_visit_at": visits[0].occurred_at if visits else None,
        "last_seen_channel": last.channel if last else None,
    }
    return fields, [each.occurred_at for each in seen]


def _attributes(asked: Asked) -> Found:
    """Values of those that are asked for and known, by key."""
    stored = customers.attributes_of(asked.shop, [asked.customer_id])[asked.customer_id]
    told = {key: stored.states[key] for key in asked.reads.attributes if key in stored.states}
    values = {
        key: own_value(asked.in_force.own[key], state["value"])
        for key, state in told.items()
        if state["value"] is not None and key in asked.in_force.own
    }
    return {"attributes": values}, [clock.parse(state["at"]) for state in told.values()]


def _orders(asked: Asked) -> Found:
    placed = orders.standing(asked.shop, asked.customer_id, since=asked.begins(asked.reads.orders))
    return {"orders": tuple(map(order_of, placed))}, []


def order_of(item: orders.Order) -> Order:
    """What queries know of an order."""
    return Order(
        item.order_id,
        item.placed_at,
        item.currency,
        int(item.net),
        item.channel,
        item.coupon,
        tuple(Line(line.sku, units, line.category, frozenset(line.tags or ())) for line, units in orders.kept(item)),
    )


def _touchpoints(asked: Asked) -> Found:
    found = {
        type_: tuple(
            Touchpoint(each.touchpoint_id, each.type, each.occurred_at, each.properties)
            for each in touchpoints.of_type_since(asked.shop, asked.customer_id, type_, since=asked.begins(bounds))
        )
        for type_, bounds in asked.reads.touchpoints.items()
    }
    return {"touchpoints": found}, [each.occurred_at for of_type in found.values() for each in of_type]


def _checkouts(asked: Asked) -> Found:
    found = tuple(
        Checkout(cart.cart_id, cart.checkout_at, cart.updated_at, cart.is_open)
        for cart in touchpoints.checkouts(asked.shop, asked.customer_id, since=asked.begins(asked.reads.carts))
        if cart.checkout_at is not None
    )
    return {"checkouts": found}, [each.told_at for each in found]


HISTORIES: Final[Mapping[Fact, Callable[[Asked], Found]]] = {
    Fact.ATTRIBUTES: _attributes,
    Fact.CARTS: _checkouts,
    Fact.LAST_ORDER: _last_order,
    Fact.LAST_SEEN: _last_seen,
    Fact.ORDERS: _orders,
    Fact.TOUCHPOINTS: _touchpoints,
}
"""What the snapshot does not say."""
