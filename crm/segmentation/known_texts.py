# crm/segmentation/known_texts.py
"""Texts that a shop's customers have, for whoever writes queries about them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from crm.customers import service as customers
from crm.customers.service import Customer
from crm.kernel.remembered import Remembered
from crm.loyalty.reading import LoyaltyAccount
from crm.segmentation import in_force, loading, sampling, sold
from crm.segmentation.language.catalogue import ATTRIBUTES
from crm.segmentation.language.reading import NOTHING
from crm.segmentation.language.truth import Moment
from crm.segmentation.sampling import SHARED_BY
from crm.touchpoints.service import Acquisition

OFFERED: Final = (
    "customer_email_domain",
    "customer_language",
    "customer_locale",
    "customer_countries",
    "customer_regions",
    "customer_cities",
    "customer_tags",
    *(name for name in ATTRIBUTES if name.endswith(("utm_source", "utm_medium", "utm_campaign"))),
    "acquisition_channel",
    "loyalty_tier",
)
"""What heads say, and what says nothing of one person where several share it: no names, and none of the shop's own
texts.
"""
HEADS: Final = (Customer, Acquisition, LoyaltyAccount)
LOOKED_AT: Final = 200
MOST: Final = 100
"""Texts of one attribute."""
FRESH_FOR: Final = timedelta(minutes=10)

_cache = Remembered[tuple[datetime, Mapping[str, Sequence[str]]]]()


def known_texts(shop: str, *, now: datetime) -> Mapping[str, Sequence[str]]:
    """By attribute, what several of some customers have, the most frequent first, as they were at most ten minutes ago;
    and by attribute, or function and argument, what the shop has sold, as of its last day.

    Raises NotFound for an unknown shop.
    """
    cached = _cache.get(shop)
    if cached and abs(now - cached[0]) < FRESH_FOR:
        return cached[1]
    found = _read(shop, now=now)
    _cache.keep(shop, (now, found))
    return found


def forget_cached() -> None:
    """For tests, whose tables are new each time."""
    _cache.forget()


def _read(shop: str, *, now: datetime) -> dict[str, Sequence[str]]:
    known = in_force.current(shop, now=now)
    counts: dict[str, Counter[str]] = {name: Counter() for name in OFFERED}
    ids = sampling.sample(shop, most=LOOKED_AT).customer_ids
    for snapshot in customers.snapshots(shop, ids, HEADS).values():
        moment = Moment(loading.load(snapshot, NOTHING, earliest=now, in_force=known), now)
        for name in OFFERED:
            value = ATTRIBUTES[name].read(moment)
            texts = value if isinstance(value, tuple | frozenset) else (value,) if value else ()
            counts[name].update(list(dict.fromkeys(texts)))
    shared = {
        name: [text for text, count in found.most_common(MOST) if count >= SHARED_BY] for name, found in counts.items()
    }
    return {**sold.known(shop), **shared}
