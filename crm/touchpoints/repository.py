# crm/touchpoints/repository.py
"""Every read of touchpoints; writes go through a Change."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pynamodb.exceptions import DoesNotExist

from crm.kernel import batch_reads, clock
from crm.kernel.settings import settings
from crm.kernel.table import customer_key
from crm.touchpoints.models import (
    Acquisition,
    OrderedCart,
    Touchpoint,
    Visitor,
    VisitorLink,
    VisitorTouchpoint,
    visitor_key,
)

PAGE, FEW = 100, 10  # items a request
NEVER = ":"  # sorts behind every digit a time begins with


def list_newest(
    shop: str,
    customer_id: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    before: str | None = None,
    limit: int,
) -> list[Touchpoint]:
    """AP-32. `since` is within, `until` without; `before` is a timeline key."""
    first, last = _reach("TOUCHPOINT#", since, until, before)
    found = Touchpoint.query(
        customer_key(shop, customer_id),
        Touchpoint.timeline_key.between(first, last),
        consistent_read=True,
        index_name="timeline",
        scan_index_forward=False,
        limit=limit + bool(before),  # `between` includes its end: one more is read, and the end left out
    )
    return [touchpoint for touchpoint in found if touchpoint.timeline_key != before][:limit]


def list_newest_of_type(
    shop: str,
    customer_id: str,
    type_: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    before: str | None = None,
    limit: int,
) -> list[Touchpoint]:
    """AP-85. As `list_newest`, but `before` is a sort key."""
    first, last = _reach(f"TOUCHPOINT#{type_}#", since, until, before)
    found = Touchpoint.query(
        customer_key(shop, customer_id),
        Touchpoint.sk.between(first, last),
        consistent_read=True,
        scan_index_forward=False,
        limit=limit + bool(before),
    )
    return [touchpoint for touchpoint in found if touchpoint.sk != before][:limit]


def get(shop: str, customer_id: str, type_: str, touchpoint_id: str, *, occurred_at: datetime) -> Touchpoint | None:
    """AP-209."""
    key = Touchpoint.of(shop, customer_id, type_, touchpoint_id, occurred_at=occurred_at)
    try:
        return Touchpoint.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None


def list_since(shop: str, customer_id: str, type_: str, *, since: datetime | None) -> list[Touchpoint]:
    """AP-167. All of a type that happened at `since` or later, or ever; oldest first."""
    first, last = _reach(f"TOUCHPOINT#{type_}#", since, None, None)
    return list(
        Touchpoint.query(customer_key(shop, customer_id), Touchpoint.sk.between(first, last), consistent_read=True)
    )


def newest_of_direction(shop: str, customer_id: str, direction: str) -> Touchpoint | None:
    """AP-168. At one instant the one of the greater id."""
    found = Touchpoint.query(
        customer_key(shop, customer_id),
        Touchpoint.timeline_key.startswith("TOUCHPOINT#"),
        Touchpoint.direction == direction,
        consistent_read=True,
        index_name="timeline",
        scan_index_forward=False,
        limit=1,
        page_size=FEW,
    )
    return next(iter(found), None)


def get_acquisition(shop: str, customer_id: str) -> Acquisition | None:
    """AP-86."""
    try:
        return Acquisition.get(customer_key(shop, customer_id), Acquisition.SK, consistent_read=True)
    except DoesNotExist:
        return None


def get_ordered_carts(shop: str, customer_id: str, cart_ids: Iterable[str]) -> dict[str, OrderedCart]:
    """AP-89. Which of these carts have been ordered."""
    by_sk = {OrderedCart.of(shop, customer_id, cart_id).sk: cart_id for cart_id in cart_ids}
    pk = customer_key(shop, customer_id)
    found = batch_reads.read(settings().crm_table, [(pk, sk) for sk in by_sk])
    return {by_sk[raw["sk"]["S"]]: OrderedCart.from_raw_data(raw) for raw in found}


def get_visitor(shop: str, visitor_id: str) -> tuple[Visitor | None, VisitorLink | None]:
    """AP-87. A visitor, and whom they turned out to be."""
    keys = [(key.pk, key.sk) for key in (Visitor.of(shop, visitor_id), VisitorLink.of(shop, visitor_id))]
    found = {raw["sk"]["S"]: raw for raw in batch_reads.read(settings().crm_table, keys)}
    visitor, link = (found.get(sk) for _, sk in keys)
    return Visitor.from_raw_data(visitor) if visitor else None, VisitorLink.from_raw_data(link) if link else None


def list_of_visitor(shop: str, visitor_id: str, *, now: datetime) -> Iterator[VisitorTouchpoint]:
    """AP-88. Oldest first, a page at a time as they are asked for; what has expired and is not yet deleted is left
    out.
    """
    return _of_visitor(shop, visitor_id, now, page_size=PAGE)


def oldest_of_visitor(shop: str, visitor_id: str, *, now: datetime) -> VisitorTouchpoint | None:
    """AP-130. As above. What has expired is older than all else, so a page is more than the one."""
    return next(_of_visitor(shop, visitor_id, now, page_size=FEW), None)


def _of_visitor(shop: str, visitor_id: str, now: datetime, *, page_size: int) -> Iterator[VisitorTouchpoint]:
    return VisitorTouchpoint.query(
        visitor_key(shop, visitor_id),
        VisitorTouchpoint.sk.startswith("TOUCHPOINT#"),
        VisitorTouchpoint.expires_at > int(now.timestamp()),
        consistent_read=True,
        page_size=page_size,
    )


def _reach(prefix: str, since: datetime | None, until: datetime | None, before: str | None) -> tuple[str, str]:
    # Behind its time a key goes on, so one at the very instant `until` sorts behind this end.
    first = prefix + (clock.text(since) if since else "")
    end = prefix + (clock.text(until) if until else NEVER)
    last = min(end, before) if before else end
    return first, max(first, last)
