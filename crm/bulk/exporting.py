# crm/bulk/exporting.py
"""An export, page by page."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import asdict, replace

from crm.bulk import files, lines, sheets
from crm.bulk.lines import Line
from crm.bulk.rows import CUSTOMERS
from crm.consent.service import ConsentHead
from crm.customers import service as customers
from crm.customers.service import Customer, CustomerAttributes, Snapshot
from crm.kernel import clock
from crm.kernel.operations import DONE, Operation
from crm.orders import service as orders

PAGE: Final = 250
"""How many customers one step exports at most."""
STEP_CHARACTERS: Final = 2_000_000
"""Beyond which a step ends, so that nobody has too many orders for one."""
CUSTOMERS_AT_ONCE: Final = 50
ORDERS_AT_ONCE: Final = 50
PLACE, ATTRIBUTES = "place", "attributes"
"""In an operation's state: where to go on; which attributes are told of, found out once, by the first step."""


class Place(Struct, frozen=True):
    """Where an export goes on in the list of customers, newest first: in which shard, before whom. `midst`: in the
    midst of the orders of the customer who comes next, before the order with the timeline key `order`.
    """

    shard: int
    before: str
    midst: str | None = None
    order: str | None = None

    @classmethod
    def of(cls, operation: Operation) -> Self:
        stored = operation.state.get(PLACE)
        return cls(**stored) if stored else cls(0, clock.text(operation.created_at))

    def behind(self, profile: Customer) -> "Place":
        return Place(self.shard, str(profile.list_sk))


def step(operation: Operation, what: str, *, now: datetime) -> None:
    """One page of one shard of the customers who were there when the export was asked for, as they are now."""
    place = Place.of(operation)
    if place.shard == customers.SHARDS:
        files.join(operation)
        operation.status = DONE
        return
    begun = ATTRIBUTES in operation.state
    keys: list[str] = (
        operation.state[ATTRIBUTES] if begun else sorted(customers.attribute_definitions_now(operation.shop, now=now))
    )
    sheet = sheets.Sheet(what, keys, files.form(operation))
    text = "" if begun else sheet.head()
    page = customers.list_shard(operation.shop, place.shard, before=place.before, limit=PAGE)
    for some, behind in _walk(operation.shop, page, place, what, keys):
        body, count = sheet.body(some)
        text, place, operation.row_count = text + body, behind, operation.row_count + count
        if len(text) >= STEP_CHARACTERS:
            break
    else:
        if len(page) < PAGE:
            place = Place(place.shard + 1, clock.text(operation.created_at))
    if text:
        files.put_part(operation, text)
    operation.state = operation.state | {PLACE: asdict(place), ATTRIBUTES: keys}


def _walk(
    shop: str, page: Sequence[Customer], place: Place, what: str, keys: Sequence[str]
) -> Iterator[tuple[list[Line], Place]]:
    """What there is to tell, bit by bit, each with the place behind it. Whoever was deleted or merged meanwhile is left
    out.
    """
    for start in range(0, len(page), CUSTOMERS_AT_ONCE):
        some = page[start : start + CUSTOMERS_AT_ONCE]
        ids = [profile.customer_id for profile in some]
        heads = customers.snapshots(shop, ids, [Customer, ConsentHead])
        values = customers.attributes_of(shop, ids) if what == CUSTOMERS and keys else {}
        for listed in some:
            told: list[Line] = []
            profile = heads[listed.customer_id].head(Customer)
            if profile is not None and not customers.is_hidden(profile) and not profile.merged_into:
                if what == CUSTOMERS:
                    told = _told(profile, heads[listed.customer_id], values.get(listed.customer_id), keys)
                else:
                    yield from _orders(shop, profile, place)
            place = place.behind(listed)
            yield told, place


def _told(profile: Customer, heads: Snapshot, attributes: CustomerAttributes | None, keys: Sequence[str]) -> list[Line]:
    states = attributes.states if attributes is not None else {}
    values = {key: states[key]["value"] for key in keys if key in states and states[key]["value"] is not None}
    return list(lines.customer_lines(profile, heads.head(ConsentHead), values))


def _orders(shop: str, profile: Customer, place: Place) -> Iterator[tuple[list[Line], Place]]:
    before = place.order if place.midst == profile.customer_id else None
    while page := orders.list_orders(shop, profile.customer_id, before=before, limit=ORDERS_AT_ONCE):
        before = page[-1].timeline_key
        told = [line for order in page for line in lines.order_lines(profile, order)]
        yield told, replace(place, midst=profile.customer_id, order=before)
