# crm/segmentation/sold.py
"""Words of what a shop sells, for whoever writes queries about orders: from the orders of some customers, found out
each day beside the bounds of RFM scores, and kept. Nobody who asks for them waits for orders to be read.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from crm.kernel.change import Change
from crm.orders import service as orders
from crm.segmentation import loading, repository, sampling
from crm.segmentation.language.facts import Order
from crm.segmentation.models import SoldWords
from crm.segmentation.sampling import SHARED_BY

LOOKED_AT: Final = 200
"""Customers, spread over all of them."""
ORDERS: Final = 20
"""Of each of them, the newest."""
MOST: Final = 300
"""Of one kind, those that most of them have bought."""
LONGEST: Final = 50
"""Characters; all that is kept is one item."""
COUPON: Final = "orders_placed.coupon"
WORDS: Final[Mapping[str, Callable[[Order], Iterable[str | None]]]] = {
    "products_purchased.sku": lambda order: (line.sku for line in order.lines),
    "products_purchased.category": lambda order: (line.category for line in order.lines),
    "products_purchased.tag": lambda order: (tag for line in order.lines for tag in line.tags),
    "orders_placed.channel": lambda order: (order.channel,),
    "last_order_channel": lambda order: (order.channel,),
    COUPON: lambda order: (order.coupon,),
}
"""Of an order, by attribute, or by function and argument."""


def find_out(shop: str, *, now: datetime) -> None:
    """Note what customers of a shop have bought lately, unless it was noted later than that."""
    ids = sampling.sample(shop, most=LOOKED_AT).customer_ids
    item = SoldWords.of(shop)
    item.words, item.found_at = words(_bought(shop, customer_id) for customer_id in ids), now
    change = Change(now)
    change.once_more(item, when=SoldWords.sk.does_not_exist() | (SoldWords.found_at <= now))
    change.commit()


def known(shop: str) -> Mapping[str, Sequence[str]]:
    """As it was found out last; nothing where it never was."""
    item = repository.get_sold(shop)
    found: Any = item.words if item is not None else {}
    return {name: texts for name, texts in found.items() if name in WORDS}


def words(bought: Iterable[Iterable[Order]]) -> dict[str, list[str]]:
    """What customers have bought, each by their orders: what most of them have comes first, of equals by name. A coupon
    may be made for one person: those only that several have used.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in WORDS}
    for orders_ in bought:
        placed = list(orders_)
        for name, said in WORDS.items():
            counts[name].update({text for order in placed for text in said(order) if text and len(text) <= LONGEST})
    found: dict[str, list[str]] = {}
    for name, counted in counts.items():
        least = SHARED_BY if name == COUPON else 1
        ranked = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
        found[name] = [text for text, count in ranked if count >= least][:MOST]
    return found


def _bought(shop: str, customer_id: str) -> list[Order]:
    newest = orders.list_orders(shop, customer_id, before=None, limit=ORDERS)
    return [loading.order_of(each) for each in newest if each.status != orders.CANCELLED]
