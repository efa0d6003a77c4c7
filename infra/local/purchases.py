# infra/local/purchases.py
"""The CDNOW purchase log (data/README.md) as events of the demo shop, its last purchase being yesterday's. Pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_UP, Decimal
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from infra.local.people import Person

LOG = Path(__file__).parent / "data" / "cdnow_sample.txt"
LAST_DAY = date(1998, 6, 30)
ZONE = ZoneInfo("America/New_York")
SOURCE = "cdnow"

_CENT = Decimal("0.01")
_DELIVERY = timedelta(days=3)
_LONG_AGO = timedelta(days=90)
_GENRES = ("classical", "folk", "jazz", "pop", "rock", "soul")


@dataclass(frozen=True)
class Purchase:
    """`line` is its line in the log, which has no order ids; `compact_discs` were bought for `dollars` in all."""

    line: int
    customer: str
    day: date
    compact_discs: int
    dollars: Decimal


def read(path: Path = LOG) -> list[Purchase]:
    purchases = []
    for number, text in enumerate(path.read_text().splitlines(), start=1):
        customer, _, day, count, dollars = text.split()
        purchases.append(Purchase(number, customer, date.fromisoformat(day), int(count), Decimal(dollars)))
    return purchases


def by_customer(purchases: Sequence[Purchase]) -> list[list[Purchase]]:
    """Return each customer's purchases, customers in the order of the log."""
    return [list(group) for _, group in groupby(purchases, key=lambda purchase: purchase.customer)]


def days_since(today: date) -> int:
    """Return by how many days to shift the log so that its last purchase was yesterday."""
    return (today - timedelta(days=1) - LAST_DAY).days


def events(purchases: Sequence[Purchase], *, shop: str, shift: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield one customer's events, oldest first: who they are, then each order, placed and (once it was) delivered.

    Of orders long ago, a shop that imports its history knows the last state only. The same arguments give the same
    events.
    """
    person = Person.of(purchases[0].customer)
    first = _moment(purchases[0], shift)
    known = {"customer": person.customer(), "data": {"consents": person.consents()}}
    yield _envelope(f"cdnow-{person.number}-known", "customer.updated", first, shop) | known
    who = {"externalId": f"cdnow-{person.number}"}
    for purchase in purchases:
        placed_at = _moment(purchase, shift)
        steps = [("placed", placed_at), ("delivered", placed_at + _DELIVERY)]
        for version, (status, at) in enumerate(steps, start=1):
            if at <= now and (status == "delivered" or now - at < _LONG_AGO):
                envelope = _envelope(f"cdnow-{purchase.line}-{status}", f"order.{status}", at, shop)
                yield envelope | {"customer": who, "data": _order(purchase, version, status, placed_at)}


def _envelope(identifier: str, kind: str, at: datetime, shop: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "type": kind,
        "version": 1,
        "shop": shop,
        "source": SOURCE,
        "occurredAt": at.isoformat(),
    }


def _moment(purchase: Purchase, shift: int) -> datetime:
    """The log has days only: the time of day is made up, between eight in the morning and ten at night."""
    chance = random.Random(f"purchase {purchase.line}")
    at = time(chance.randint(8, 21), chance.randint(0, 59), chance.randint(0, 59))
    return datetime.combine(purchase.day + timedelta(days=shift), at, tzinfo=ZONE)


def _order(purchase: Purchase, version: int, status: str, placed_at: datetime) -> dict[str, Any]:
    chance = random.Random(f"disc {purchase.line}")
    genre = chance.choice(_GENRES)
    unit = (purchase.dollars / purchase.compact_discs).quantize(_CENT, rounding=ROUND_UP)
    line = {
        "id": "1",
        "sku": f"CD-{chance.randint(1, 900):03}",
        "title": f"{genre.capitalize()}, volume {chance.randint(1, 90)}",
        "category": genre,
        "quantity": purchase.compact_discs,
        "unitPrice": str(unit),
        # So that the line is worth exactly what was paid.
        "discount": str(unit * purchase.compact_discs - purchase.dollars),
    }
    return {
        "orderId": f"cdnow-{purchase.line}",
        "version": version,
        "status": status,
        "currency": "USD",
        "placedAt": placed_at.isoformat(),
        "lines": [line],
        "channel": "web",
    }
