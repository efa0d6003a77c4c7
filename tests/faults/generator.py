# tests/faults/generator.py
"""Orders of a shop's customers as its systems send them: edited, cancelled, refunded, twice, out of order. Pure."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

Event = dict[str, Any]

SHOP, LATER_SHOP = "faults", "faults-later"
ZONE, CURRENCY = "Europe/Vienna", "EUR"
LATER_TYPE: Final = "order.imported"
SENDERS: Final = 4
UNKNOWN_SHOP, UNKNOWN_TYPE, FROM_THE_FUTURE = "NOT_FOUND", "UNKNOWN_TYPE", "FROM_THE_FUTURE"
CONSENTS: Final = [{"channel": "email", "purpose": "marketing", "state": "granted"}]


@dataclass(frozen=True)
class Load:
    """`deliveries`: a list for each sender, in its order. `poison`: the events that no handler can take yet, by why."""

    good: list[Event]
    poison: dict[str, list[Event]]
    deliveries: list[list[Event]]

    @property
    def poison_ids(self) -> set[str]:
        return {event["id"] for events in self.poison.values() for event in events}


class Shop:
    """Draws events from one seed; `now` is when the last of them has happened."""

    def __init__(self, seed: int, *, now: datetime, customers: int, orders: int, poison: int) -> None:
        self._random = random.Random(seed)
        self._now = now
        self._customers = customers
        self._orders = orders
        self._poison = poison
        self._numbers = count(1)

    def load(self, more: Iterable[Event] = ()) -> Load:
        """`more`: good events that are sent among the others."""
        good = [event for customer in range(self._customers) for event in self._profile(customer)]
        for number in range(self._orders):
            # Everybody orders once, most of them several times.
            customer = number if number < self._customers else self._random.randrange(self._customers)
            good += self._order(f"o{number}", customer)
        poison = self._poison_events()
        good += more
        good.sort(key=_instant)
        return Load(good, poison, self._deliveries(good, [event for kind in poison.values() for event in kind]))

    def _profile(self, customer: int) -> Iterator[Event]:
        """Consent first or later, a name that changes, and for one in twenty that it was only a test."""
        told = self._now - timedelta(days=80)
        consents = CONSENTS if self._random.random() < 0.7 else []
        yield self._event("customer.updated", {"consents": consents}, customer, told, firstName=f"Early{customer}")
        fields: dict[str, Any] = {"firstName": f"Late{customer}"} | ({"test": True} if customer % 20 == 7 else {})
        yield self._event("customer.updated", {}, customer, told + timedelta(days=30), **fields)
        if self._random.random() < 0.5:
            answered = self._now - timedelta(hours=self._random.randrange(1, 1200))
            yield self._event("feedback.received", {"score": self._random.randrange(11)}, customer, answered)
        if customer % 2 == 0:
            yield from self._anonymous(customer)

    def _anonymous(self, customer: int) -> Iterator[Event]:
        """What somebody looked at before anybody knew who they were, and the moment when somebody did."""
        visitor = {"anonymousId": f"v{customer}"}
        at = self._now - timedelta(hours=1 + customer * 37 % (24 * 60))  # spread, so that all along somebody is joined
        for number in range(2):
            seen = {"sku": f"S{customer}-{number}", "utm": {"source": f"u{number}"}}
            yield self._event("product.viewed", seen, customer, at) | {"customer": visitor}
            at += timedelta(minutes=1)
        yield self._event("customer.updated", {}, customer, at, **visitor)

    def _order(self, order_id: str, customer: int) -> Iterator[Event]:
        draw = self._random
        # Two in five have bought only lately: nobody is thanked for an order of last month.
        days = 2 if customer % 5 < 2 else 60
        placed = self._now - timedelta(minutes=draw.randrange(60, 60 * 24 * days))
        order = self._whole(order_id, placed)
        yield self._event("order.placed", order, customer, placed)
        at = placed
        if draw.random() < 0.4:
            at += timedelta(minutes=draw.randrange(1, 40))
            moved = placed - timedelta(days=1) if draw.random() < 0.1 else placed
            order = self._whole(order_id, moved, currency=order["currency"]) | {"version": order["version"] + 1}
            yield self._event("order.updated", order, customer, at)
        for status in ("paid", "fulfilled", "delivered"):
            if draw.random() < 0.25:
                at += timedelta(minutes=1)
                order = order | {"version": order["version"] + 1, "status": status}
                yield self._event(f"order.{status}", order, customer, at)
        for number in range(draw.choice([0, 0, 0, 1, 1, 2, 3])):
            at += timedelta(minutes=draw.randrange(1, 10))
            yield self._refund(f"{order_id}-r{number}", order, customer, at)
        if draw.random() < 0.1:
            order = order | {"version": order["version"] + 1, "status": "cancelled"}
            yield self._event("order.cancelled", order, customer, at + timedelta(minutes=1))

    def _whole(self, order_id: str, placed: datetime, *, currency: str | None = None) -> dict[str, Any]:
        draw = self._random
        lines = []
        for number in range(draw.randrange(1, 5)):
            quantity, price = draw.randrange(1, 6), draw.randrange(100, 20000)
            discount = draw.randrange(0, price) if draw.random() < 0.3 else 0
            line = {"id": f"l{number}", "sku": f"S{draw.randrange(50)}", "quantity": quantity}
            lines.append(
                line | {"unitPrice": _decimal(price), "discount": _decimal(discount), "tax": _decimal(price // 5)}
            )
            if draw.random() < 0.1:
                lines[-1]["giftCard"] = True
        return {
            "orderId": order_id,
            "version": 1,
            "status": "placed",
            "currency": currency or draw.choice([CURRENCY] * 9 + ["USD"]),
            "placedAt": placed.isoformat(),
            "lines": lines,
            "shipping": "4.90",
        }

    def _refund(self, refund_id: str, order: dict[str, Any], customer: int, at: datetime) -> Event:
        draw = self._random
        line = draw.choice(order["lines"])
        part: dict[str, Any] = {"lineId": line["id"], "quantity": draw.randrange(1, line["quantity"] + 1)}
        if draw.random() < 0.3:
            part["amount"] = _decimal(draw.randrange(1, 30000))  # also more than the line was worth
        data = {"refundId": refund_id, "orderId": order["orderId"], "currency": order["currency"], "lines": [part]}
        return self._event("refund.created", data, customer, at)

    def _poison_events(self) -> dict[str, list[Event]]:
        """Orders that can have no effect until their shop is founded, their type is known, their time has come."""
        kinds: dict[str, list[Event]] = {UNKNOWN_SHOP: [], UNKNOWN_TYPE: [], FROM_THE_FUTURE: []}
        for number in range(self._poison):
            kind = list(kinds)[number % 3]
            customer = self._random.randrange(self._customers)
            future = kind == FROM_THE_FUTURE
            placed = self._now + (timedelta(days=2) if future else -timedelta(hours=self._random.randrange(1, 900)))
            order = self._whole(f"p{number}", placed)
            event = self._event("order.placed", order, customer, placed)
            if kind == UNKNOWN_SHOP:
                event["shop"] = LATER_SHOP
            if kind == UNKNOWN_TYPE:
                event["type"] = LATER_TYPE
            kinds[kind].append(event)
        return kinds

    def _event(self, kind: str, data: dict[str, Any], customer: int, at: datetime, **fields: Any) -> Event:
        who = {"externalId": f"c{customer}", "email": f"C{customer}@faults.example.com", "emailVerified": True}
        return {
            "id": f"e{next(self._numbers)}",
            "type": kind,
            "version": 1,
            "shop": SHOP,
            "source": "webshop",
            "occurredAt": at.isoformat(),
            "customer": who | fields,
            "data": data,
        }

    def _deliveries(self, good: list[Event], poison: list[Event]) -> list[list[Event]]:
        """30 % of all come twice, 20 % of those late; poison only through the senders that check nothing."""
        draw = self._random
        line: list[tuple[float, int, Event]] = []
        places = [(float(place), event) for place, event in enumerate(good)]
        places += [(draw.uniform(0, len(good)), event) for event in poison]
        places += [(place + draw.uniform(0, len(good) / 3), event) for place, event in places if draw.random() < 0.3]
        for number, (place, event) in enumerate(places):
            late = draw.uniform(1, len(good) / 5) if draw.random() < 0.2 else 0
            line.append((place + late, number, event))
        line.sort(key=lambda entry: entry[:2])
        bad = {event["id"] for event in poison}
        senders: list[list[Event]] = [[] for _ in range(SENDERS)]
        for _, _, event in line:
            senders[draw.randrange(SENDERS // 2, SENDERS) if event["id"] in bad else draw.randrange(SENDERS)].append(
                event
            )
        return senders


def _instant(event: Event) -> datetime:
    return datetime.fromisoformat(event["occurredAt"])


def _decimal(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"
