# tests/faults/segments_people.py
"""Shops, their customers, and the events that are told of these, as sources send them. Pure, and the same each time.

Each event is heard at the instant it occurred. What no event says yet (tiers, predictions, scores of other surveys and
by RFM, members by hand) is beside them.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tests.faults.segments_calendar import first_instant

NOW: Final = datetime(2027, 2, 20, 12, tzinfo=UTC)
"""Nothing is told later. Clocks are moved within weeks, and 29 February comes within a year or so."""
Event = dict[str, Any]


@dataclass(frozen=True)
class Shop:
    name: str
    zone: str
    currency: str
    digits: int = 2


SHOPS: Final = (
    Shop("oracle-vienna", "Europe/Vienna", "EUR"),
    Shop("oracle-santiago", "America/Santiago", "CLP", 0),
    Shop("oracle-havana", "America/Havana", "USD"),
    Shop("oracle-lord-howe", "Australia/Lord_Howe", "AUD"),
)
"""Days of 23, 23½, 24½ and 25 hours, and some that begin at one."""
PER_SHOP: Final = 5
OWN: Final[dict[str, dict[str, Any]]] = {
    "size": {"name": "Size", "type": "choice", "choices": [("S", "Small"), ("M", "Medium"), ("L", "Large")]},
    "weight": {"name": "Weight", "type": "number"},
    "budget": {"name": "Budget", "type": "money"},
    "wedding": {"name": "Wedding day", "type": "date"},
    "glasses": {"name": "Wears glasses", "type": "boolean"},
    "motto": {"name": "Motto", "type": "text"},
    "hobbies": {"name": "Hobbies", "type": "list", "element_type": "text"},
    "holidays": {"name": "Holidays", "type": "list", "element_type": "date"},
}
"""The shops' own attributes, by key."""

FIRST_NAMES: Final = ("Ada", "Änne", "A\u0308nne", "José", "STRASSE", "straße", "O'Hara", "Bo\\b", "anna maria")
LAST_NAMES: Final = ("Byron", "Núñez", "de la Cruz", "Weiß", "O'Neil")
DOMAINS: Final = ("example.com", "Mail.Example.org", "gmail.com")
LOCALES: Final = ("de-AT", "de", "en-US", "es-CL", "pt-BR")
TAGS: Final = ("vip", "Wholesale", "Größe L", "press", "newsletter 2026")
PLACES: Final = (
    {"country": "AT", "region": "9", "city": "Wien", "latitude": 48.2082, "longitude": 16.3738},
    {"country": "US", "region": "NY", "city": "New York City", "latitude": 40.7128, "longitude": -74.006},
    {"country": "DE", "city": "Berlin", "latitude": 52.52, "longitude": 13.405},
    {"country": "FJ", "city": "Suva", "latitude": -18.1416, "longitude": 178.4419},
    {"country": "CL", "region": "RM", "city": "Santiago"},
    {"city": "Ulm"},
    {"line1": "Somewhere 1"},
)
CHANNELS: Final = ("web", "POS", "app", None)
COUPONS: Final = ("SPRING", "Zehn", None, None)
SKUS: Final = ("MUG", "CD-17", "Tee", "Buch")
CATEGORIES: Final = ("music", "Küche", None)
LINE_TAGS: Final = ("sale", "Christmas", "new")
CONSENT_CHANNELS: Final = ("email", "sms", "push", "in_app", "postal", "ads")
SOURCES: Final = ("newsletter", "Google", "partner")
OWN_EVENTS: Final = ("wishlist.shared", "call.made")
SURVEYS: Final = {"nps": range(11), "csat": range(1, 6), "ces": range(1, 8)}
GROUPS: Final = ("CHAMPIONS", "LOYAL", "ACTIVE", "NEW", "AT_RISK", "DORMANT", "PROSPECTS")
BY_HAND: Final = "Friends of the house"


@dataclass
class Told:
    """Everything that is known of one customer: the events, and what no event says."""

    shop: Shop
    name: str
    events: list[Event] = field(default_factory=list)
    beside: dict[str, Any] = field(default_factory=dict)


def everybody(seed: int, shops: Sequence[Shop] = SHOPS, *, per_shop: int = PER_SHOP, now: datetime = NOW) -> list[Told]:
    """In shops of one zone they are the same."""
    return [
        _Teller(random.Random(f"{seed}:{shop.zone}:{n}"), shop, n, now).told()
        for shop in shops
        for n in range(per_shop)
    ]


class _Teller:
    def __init__(self, chance: random.Random, shop: Shop, number: int, now: datetime) -> None:
        self._draw = chance
        self._moments: set[datetime] = set()
        self._now = now
        self._shop = shop
        self._number = number % PER_SHOP
        self._told = Told(shop, f"p{number}")
        self._knows_little = number == 0 and shop is SHOPS[0]
        """Of one of them nothing is told but who it is."""
        self._begins = self._now - timedelta(
            days=chance.choice([1, 20, 200, 700, 1100]), seconds=chance.randrange(80_000)
        )

    def told(self) -> Told:
        self._profile()
        if not self._knows_little:
            self._consents()
            self._orders()
            self._behaviour()
            self._carts()
            self._answers()
        self._own()
        self._told.beside = self._besides()
        self._told.events.sort(key=lambda event: (datetime.fromisoformat(event["occurredAt"]), event["id"]))
        return self._told

    def _say(self, kind: str, at: datetime, data: Any = None, **customer: Any) -> None:
        number = len(self._told.events)
        who = {"externalId": self._told.name} | customer
        event = {"id": f"{self._told.name}-{number}", "type": kind, "version": 1, "shop": self._shop.name}
        event |= {"source": "webshop", "occurredAt": at.isoformat(), "customer": who, "data": data or {}}
        self._told.events.append(event)

    def _moment(self, *, days: float | None = None) -> datetime:
        """Some time since the customer was first heard of: rather lately, and often next to midnight in the shop."""
        draw = self._draw
        ago = timedelta(days=days if days is not None else draw.choice([0.1, 1.5, 6, 29.5, 45, 91, 182, 370, 900]))
        at = max(self._begins, self._now - ago * draw.uniform(0.8, 1.2)) + timedelta(seconds=draw.randrange(1, 3000))
        if draw.random() < 0.3:
            day = at.date()
            at = first_instant(day, self._shop.zone) + timedelta(microseconds=draw.choice([-1, 0, 1, 999_999]))
        at = min(max(at, self._begins + timedelta(seconds=1)), self._now)
        while at in self._moments:
            at -= timedelta(microseconds=1)
        self._moments.add(at)
        return at

    def _some(self, among: Sequence[Any], most: int = 3) -> list[Any]:
        return self._draw.sample(among, self._draw.randint(0, min(most, len(among))))

    def _profile(self) -> None:
        draw = self._draw
        said: dict[str, Any] = {
            "firstName": draw.choice(FIRST_NAMES),
            "lastName": draw.choice(LAST_NAMES),
            "email": f"{self._told.name}@{draw.choice(DOMAINS)}",
            "locale": draw.choice(LOCALES),
            "gender": draw.choice(["female", "male", "other", "undisclosed"]),
            "birthDate": draw.choice([_birthday(draw), date(2000, 2, 29)]).isoformat(),
        }
        said = {name: value for name, value in said.items() if not self._knows_little and draw.random() < 0.85}
        addresses = self._some(PLACES)
        self._say("customer.updated", self._begins, **said, tags=self._some(TAGS), addresses=addresses)
        if self._number == 1:  # later words win, and null clears
            self._say("customer.updated", self._moment(), firstName="Later", gender=None, tags=["vip", "Late"])
        if self._number in {2, 3}:
            self._say("customer.updated", self._moment(), addresses=list(PLACES[: self._number]))

    def _consents(self) -> None:
        for channel in CONSENT_CHANNELS:
            for state in self._some(("granted", "denied", "pending"), 2):
                purpose = self._draw.choice(["marketing", "marketing", "profiling"])
                self._say(
                    "consent.updated",
                    self._moment(),
                    {"consents": [{"channel": channel, "purpose": purpose, "state": state}]},
                )

    def _own(self) -> None:
        draw = self._draw
        values = {
            "size": draw.choice(["S", "M", "L"]),
            "weight": draw.choice(["71.5", 60, "-3"]),
            "budget": {"amount": "150", "currency": draw.choice([self._shop.currency, "JPY"])},
            "wedding": (self._now - timedelta(days=draw.randrange(400, 4000))).date().isoformat(),
            "glasses": draw.random() < 0.5,
            "motto": draw.choice(["Carpe diem", "per aspera"]),
            "hobbies": self._some(["Go", "rowing", "Öl"]),
            "holidays": [(self._now + timedelta(days=draw.randrange(-60, 200))).date().isoformat() for _ in range(2)],
        }
        told = {key: value for key, value in values.items() if not self._knows_little and draw.random() < 0.85}
        if told:
            self._say("customer.updated", self._moment(), attributes=told)

    def _orders(self) -> None:
        for number in range((0, 1, 2, 3, 6)[self._number]):
            self._order(number)

    def _order(self, number: int) -> None:
        draw = self._draw
        foreign = number and draw.random() < 0.2
        currency, digits = ("JPY", 0) if foreign else (self._shop.currency, self._shop.digits)
        placed = self._moment()
        data: dict[str, Any] = {
            "orderId": f"{self._told.name}-o{number}",
            "version": 1,
            "status": "placed",
            "currency": currency,
            "placedAt": placed.isoformat(),
            "lines": [self._line(str(place), digits) for place in range(1, draw.randint(2, 4))],
            "shipping": "4",
            "cartId": f"{self._told.name}-k{number}",
        }
        more = {"channel": draw.choice(CHANNELS), "coupon": draw.choice(COUPONS)}
        data |= {name: value for name, value in more.items() if value is not None}
        self._say("order.placed", placed, data)
        later = min(self._now, placed + timedelta(minutes=draw.randrange(1, 4000)))
        if draw.random() < 0.3:
            data = data | {"version": 2, "lines": [*data["lines"], self._line("9", digits)]}
            self._say("order.updated", later, data)
        if draw.random() < 0.4:
            back = [{"lineId": data["lines"][0]["id"], "quantity": draw.randint(1, 2)}]
            given = {"refundId": "r", "orderId": data["orderId"], "currency": currency, "lines": back}
            self._say("refund.created", later, given)
        if number and draw.random() < 0.2:
            self._say("order.cancelled", later, data | {"version": 3, "status": "cancelled"})

    def _line(self, line_id: str, digits: int) -> dict[str, Any]:
        draw = self._draw
        line: dict[str, Any] = {
            "id": line_id,
            "sku": draw.choice(SKUS),
            "quantity": draw.randint(1, 4),
            "unitPrice": str(Decimal(draw.randrange(500, 9000)).scaleb(-digits)),
            "discount": "1",
            "tax": "2",
            "tags": self._some(LINE_TAGS, 2),
        }
        category = draw.choice(CATEGORIES)
        return line | ({"category": category} if category else {})

    def _behaviour(self) -> None:
        draw = self._draw
        for _ in range(draw.randint(1, 8)):
            kind = draw.choice(["visit.started", "product.viewed", "custom.recorded"])
            data: dict[str, Any] = {}
            if (channel := draw.choice(CHANNELS)) is not None:
                data["channel"] = channel
            if draw.random() < 0.5:
                parts = {"source": draw.choice(SOURCES), "medium": "Email", "campaign": "Frühling", "term": "shoes"}
                parts["content"] = draw.choice(["b2", "banner"])
                data["utm"] = {name: value for name, value in parts.items() if draw.random() < 0.7}
            elif draw.random() < 0.6:
                data["referrer"] = "https://www.Blog.example.net/post?who=me"
            if kind == "product.viewed":
                data["sku"] = draw.choice(SKUS)
            if kind == "custom.recorded":
                data["name"] = draw.choice(OWN_EVENTS)
                data["properties"] = self._properties()
                if data["name"] == "call.made":
                    data["direction"] = "outbound"
            self._say(kind, self._moment(), data)

    def _properties(self) -> dict[str, Any]:
        draw = self._draw
        inner = [{"sku": sku, "price": draw.choice(["12.90", 7, "n/a"])} for sku in self._some(SKUS)]
        said: dict[str, Any] = {"List": inner, "count": draw.randint(0, 4), "public": draw.random() < 0.5}
        return said | ({"to": draw.choice(["Ann", "bob"])} if draw.random() < 0.7 else {})

    def _carts(self) -> None:
        draw = self._draw
        for number in self._some(range(4)):  # some of these an order came of
            cart = f"{self._told.name}-k{number if draw.random() < 0.5 else number + 20}"
            lines = [{"sku": draw.choice(SKUS), "quantity": 1}]
            at = self._moment(days=draw.choice([0.01, 0.3, 3, 40]))
            self._say("cart.updated", at, {"cartId": cart, "lines": lines})
            if draw.random() < 0.85:
                self._say("checkout.started", min(self._now, at + timedelta(minutes=3)), {"cartId": cart})
            if draw.random() < 0.3:
                more = [] if draw.random() < 0.5 else lines * 2
                self._say("cart.updated", min(self._now, at + timedelta(minutes=9)), {"cartId": cart, "lines": more})

    def _answers(self) -> None:
        for _ in range(self._draw.choice([0, 1, 2])):
            self._say("feedback.received", self._moment(), {"score": self._draw.choice(SURVEYS["nps"])})

    def _besides(self) -> dict[str, Any]:
        draw = self._draw
        several: dict[str, Any] = {
            "tier": draw.choice(["Gold", "silver"]),
            "joined_on": (self._now - timedelta(days=draw.randrange(5, 900))).date(),
            "csat": draw.choice(SURVEYS["csat"]),
            "ces": draw.choice(SURVEYS["ces"]),
            "predicted_value": draw.randrange(1, 400) * 10**self._shop.digits,
            "predicted_orders": Decimal(draw.randrange(0, 60)) / 10,
            "churn_risk": Decimal(draw.randrange(0, 100)) / 100,
            "spend_tier": draw.choice(["HIGH", "MEDIUM", "LOW"]),
            "recency": draw.randint(1, 5),
            "frequency": draw.randint(1, 5),
            "monetary": draw.randint(1, 5),
            "group": draw.choice(GROUPS),
        }
        known = {name: value for name, value in several.items() if draw.random() < 0.7}
        return known | {"by_hand": draw.random() < 0.5, "blocked": self._number == 3}


def _birthday(draw: random.Random) -> date:
    return date(draw.randint(1940, 2010), 1, 1) + timedelta(days=draw.randrange(365))


def in_order(told: Sequence[Told]) -> Iterator[Event]:
    """All events as they are heard."""
    events = [event for each in told for event in each.events]
    return iter(sorted(events, key=lambda event: datetime.fromisoformat(event["occurredAt"])))
