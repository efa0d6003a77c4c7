# tests/faults/segments_queries.py
"""Random queries for the oracle of segments: every attribute, function, operator and form that docs/segments.md has,
mostly with something in them that time changes. Pure; shares no code with what is judged.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from tests.faults import segments_people as people
from tests.faults.segments_people import NOW
from tests.faults.segments_written import Call, Compare, Given, Holds, Join, Not, Query, Value

TEXT, CHOICE, NUMBER, WHOLE, DATE, FLAG = "text", "choice", "number", "whole number", "date", "flag"
TEXTS, CHOICES, DATES = "texts", "choices", "dates"
OPERATORS: Final = {
    TEXT: ("=", "!=", "CONTAINS", "STARTS WITH", "IN", "IS NULL"),
    CHOICE: ("=", "!=", "IN", "IS NULL"),
    NUMBER: ("=", "!=", ">", ">=", "<", "<=", "BETWEEN", "IN", "IS NULL"),
    WHOLE: ("=", "!=", ">", ">=", "<", "<=", "BETWEEN", "IN", "IS NULL"),
    DATE: ("=", "!=", ">", ">=", "<", "<=", "BETWEEN", "IN", "IS NULL"),
    FLAG: ("=", "!=", "IS NULL"),
    TEXTS: ("CONTAINS", "IS NULL"),
    CHOICES: ("CONTAINS", "IS NULL"),
    DATES: ("CONTAINS", "IS NULL"),
}
NEGATABLE: Final = {"CONTAINS", "STARTS WITH", "IN", "BETWEEN", "IS NULL"}
STATUSES: Final = ("SUBSCRIBED", "PENDING", "UNSUBSCRIBED", "NOT_SUBSCRIBED")

UTM: Final = {
    "source": (*people.SOURCES, "blog.example.net"),
    "medium": ("email", "Referral"),
    "campaign": ("Frühling", "fru\u0308hling", "none"),
    "term": ("shoes", "hats"),
    "content": ("b2", "banner"),
}
ATTRIBUTES: Final[dict[str, tuple[str, Sequence[Any]]]] = {
    "first_name": (TEXT, (*people.FIRST_NAMES, "Later")),
    "last_name": (TEXT, people.LAST_NAMES),
    "customer_email_domain": (TEXT, people.DOMAINS),
    "customer_language": (TEXT, ("de", "en", "es", "pt")),
    "customer_locale": (TEXT, people.LOCALES),
    "customer_countries": (CHOICES, ("AT", "US", "DE", "FJ", "CL")),
    "customer_regions": (TEXTS, ("9", "AT-9", "ny", "US-NY", "RM", "CL-RM")),
    "customer_cities": (TEXTS, ("Wien", "AT-Wien", "us-NY-New YorkCity", "NEW YORK CITY", "Berlin", "Ulm", "Suva")),
    "customer_tags": (TEXTS, (*people.TAGS, "late", "GRÖSSE l")),
    "customer_added_date": (DATE, ()),
    "birth_date": (DATE, ()),
    "age": (WHOLE, range(16, 88)),
    "gender": (CHOICE, ("female", "male", "other", "undisclosed")),
    "customer_status": (CHOICE, ("active", "blocked")),
    **{f"{last}utm_{part}": (TEXT, samples) for part, samples in UTM.items() for last in ("", "last_")},
    "acquisition_channel": (TEXT, ("web", "pos", "app")),
    **{f"{channel}_subscription_status": (CHOICE, STATUSES) for channel in people.CONSENT_CHANNELS},
    "loyalty_tier": (TEXT, ("gold", "Silver")),
    "loyalty_points": (WHOLE, (1, 50, 200, 500, 1000)),
    "loyalty_member_since": (DATE, ()),
    **{f"{survey}_score": (WHOLE, scores) for survey, scores in people.SURVEYS.items()},
    "last_feedback_date": (DATE, ()),
    "predicted_value": (NUMBER, (50, 150, 250)),
    "predicted_orders": (NUMBER, ("0.5", "1.5", "3", "5")),
    "churn_risk": (NUMBER, ("0.1", "0.33", "0.7")),
    "predicted_spend_tier": (CHOICE, ("HIGH", "MEDIUM", "LOW")),
    "number_of_orders": (WHOLE, range(7)),
    "amount_spent": (NUMBER, (0, 20, 120, 400, 1000)),
    "average_order_value": (NUMBER, (50, 100, 150, 200)),
    "first_order_date": (DATE, ()),
    "last_order_date": (DATE, ()),
    "days_between_orders": (NUMBER, ("0", "14.5", "45", "180")),
    "last_order_channel": (TEXT, ("web", "pos", "app")),
    "last_visit_date": (DATE, ()),
    "last_seen_channel": (TEXT, ("web", "pos", "app")),
    "abandoned_checkout_date": (DATE, ()),
    **{f"rfm_{part}": (WHOLE, range(1, 6)) for part in ("recency", "frequency", "monetary")},
    "rfm_group": (CHOICE, people.GROUPS),
    "attributes.size": (CHOICE, ("S", "M", "L")),
    "attributes.weight": (NUMBER, ("-3", "60", "71.5", "71.50")),
    "attributes.budget": (NUMBER, (100, 150, 200)),
    "attributes.wedding": (DATE, ()),
    "attributes.glasses": (FLAG, (True, False)),
    "attributes.motto": (TEXT, ("carpe DIEM", "per", "aspera")),
    "attributes.hobbies": (TEXTS, ("go", "Rowing", "öl")),
    "attributes.holidays": (DATES, ()),
}  # fmt: skip
NEVER_UNKNOWN: Final = {
    "customer_countries", "customer_regions", "customer_cities", "customer_tags", "customer_added_date",
    "customer_status", "number_of_orders", "amount_spent", "attributes.hobbies", "attributes.holidays", "orders_placed",
    "products_purchased", "checkout_abandoned", "event", "segment", "random_bucket",
    *(f"{channel}_subscription_status" for channel in people.CONSENT_CHANNELS),
}  # fmt: skip
FUNCTIONS: Final = (
    "orders_placed", "products_purchased", "checkout_abandoned", "event", "anniversary", "customer_within_distance",
    "segment", "random_bucket",
)  # fmt: skip
IN_TIME: Final = (
    *(name for name, (kind, _) in ATTRIBUTES.items() if kind in {DATE, DATES}), "age", "orders_placed",
    "products_purchased", "checkout_abandoned", "event", "anniversary", "segment",
    "customer_added_date", "customer_added_date", "anniversary", "age", "birth_date",
)  # fmt: skip
"""Some more often: more is known of them."""
ANNIVERSARIES: Final = ("birth_date", "attributes.wedding", "last_order_date", "customer_added_date")
UNITS: Final = {"d": 1, "w": 7, "m": 30.4, "y": 365.2}

LATELY: Final = Holds(Call("segment", (Given("", ":", ("Ordered lately",)),)))
SEGMENTS: Final[dict[str, Query | None]] = {
    "Ordered lately": Compare("last_order_date", ">=", ((-300, "d"),)),
    "Birthday month": Compare(Call("anniversary", attribute="birth_date"), "BETWEEN", ((-15, "d"), (1, "m"))),
    "Lately and loyal": Join("AND", (LATELY, Compare("loyalty_points", ">=", (Decimal(5),)))),
    people.BY_HAND: None,
}
"""Those that random queries may ask about."""


def subjects() -> list[str]:
    return [*ATTRIBUTES, *FUNCTIONS]


class Writer:
    """Draws queries."""

    def __init__(self, chance: random.Random) -> None:
        self._draw = chance
        self._calls: dict[str, Callable[[], Query]] = {
            "orders_placed": self._orders_placed,
            "products_purchased": self._products_purchased,
            "checkout_abandoned": self._checkout_abandoned,
            "event": self._event,
            "anniversary": self._anniversary,
            "customer_within_distance": self._within_distance,
            "segment": self._segment,
            "random_bucket": self._random_bucket,
        }

    def queries(self, subject: str) -> Iterator[Query]:
        """One after the other, of one to four conditions each, one of which is about the subject."""
        draw = self._draw
        while True:
            others = draw.choice([0, 1, 1, 2, 3] if subject in IN_TIME else [1, 1, 2, 3])
            names = [draw.choice(IN_TIME if draw.random() < 0.85 else subjects()) for _ in range(others)]
            leaves = [self._leaf(name) for name in (subject, *names)]
            draw.shuffle(leaves)
            yield self._joined(leaves)

    def _joined(self, parts: list[Query]) -> Query:
        draw = self._draw
        if len(parts) == 1:
            return Not(parts[0]) if draw.random() < 0.2 else parts[0]
        cut = draw.randint(1, len(parts) - 1)
        word = draw.choice(["AND", "OR", "OR"])
        whole = Join(word, (self._joined(parts[:cut]), self._joined(parts[cut:])))
        return Not(whole) if draw.random() < 0.2 else whole

    def _leaf(self, name: str) -> Query:
        return self._calls[name]() if name in self._calls else self._compare(name)

    def _compare(self, name: str) -> Query:
        draw = self._draw
        kind, samples = ATTRIBUTES[name]
        operators = OPERATORS[kind]
        operator = draw.choice(operators if draw.random() < 0.15 else operators[:-1])
        count = {"IS NULL": 0, "BETWEEN": 2, "IN": draw.randint(1, 3)}.get(operator, 1)
        values = tuple(self._value(name, kind, samples) for _ in range(count))
        if operator == "BETWEEN":
            values = _ascending(values)
        if operator == "CONTAINS" and kind == TEXT:
            values = (str(values[0])[1:4] or "a",)
        if operator == "STARTS WITH":
            values = (str(values[0])[:2],)
        return Compare(name, operator, values, operator in NEGATABLE and draw.random() < 0.3)

    def _value(self, name: str, kind: str, samples: Sequence[Any]) -> Value:
        draw = self._draw
        if kind in {DATE, DATES}:
            if name == "birth_date":
                born: list[Value] = [(-draw.randint(17, 86), "y"), (-draw.randint(300, 900), "m"), date(1990, 2, 28)]
                return draw.choice(born)
            return self._day(future=kind == DATES)
        value = draw.choice(samples)
        if kind in {NUMBER, WHOLE}:
            return Decimal(str(value))
        return draw.choice([value, value.upper(), value.lower()]) if isinstance(value, str) else value

    def _day(self, *, future: bool = False) -> Value:
        """Mostly a relative one that something told of these customers has yet to pass."""
        draw = self._draw
        if draw.random() < 0.07:
            return (NOW + timedelta(days=draw.randint(-400, 700))).date()
        unit = draw.choice("ddwmy")
        most = int(1_900 / UNITS[unit])
        count = -draw.randint(0, max(1, most // draw.choice([1, 1, 2, 20])))
        return (-count if future and draw.random() < 0.4 else count, unit)

    def _window(self) -> list[Given]:
        draw = self._draw
        form = draw.randrange(8)
        low, high = _ascending((self._day(), self._day()))
        match form:
            case 0 | 1 | 2:
                return [Given("since", ":", (low,))]
            case 3:
                return [Given("since", ":", (low,)), Given("until", ":", (high,))]
            case 4:
                return [Given("until", ":", (high,))]
            case 5:
                return [Given("date", draw.choice([">", ">=", "=", "<", "<="]), (low,))]
            case 6:
                return [Given("date", "BETWEEN", (low, high))]
        return [Given("date", ">", (low,)), Given("date", draw.choice(["<", "<="]), (high,))]

    def _count(self, name: str) -> list[Given]:
        draw = self._draw
        number = Decimal(draw.randint(1, 3))
        match draw.randrange(6):
            case 0:
                return [Given(f"{name}_min", ":", (number,))]
            case 1:
                return [Given(f"{name}_max", ":", (number,))]
            case 2:
                return [Given(f"{name}_min", ":", (number,)), Given(f"{name}_max", ":", (number + 1,))]
            case 3:
                return [Given(name, draw.choice([">", ">=", "=", "<="]), (number,))]
        return []

    def _texts(self, name: str, samples: Sequence[Any]) -> list[Given]:
        draw = self._draw
        if draw.random() < 0.6:
            return []
        known = [str(each) for each in samples if each is not None]
        values = tuple(draw.sample(known, draw.randint(1, min(2, len(known)))))
        return [Given(name, draw.choice([":", ":", "!="]), values)]

    def _holds(self, name: str, given: Iterable[Given]) -> Query:
        return Holds(Call(name, tuple(given)), self._draw.choice([None, None, None, True, False]))

    def _orders_placed(self) -> Query:
        draw = self._draw
        amount: list[Given] = []
        if draw.random() < 0.4:
            low, high = sorted((Decimal(draw.randrange(1000)), Decimal(draw.randrange(1000))))
            amount = draw.choice([
                [Given("sum_amount_min", ":", (low,))],
                [Given("sum_amount_max", ":", (high,))],
                [Given("sum_amount", draw.choice([">", ">=", "<", "<="]), (low,))],
                [Given("sum_amount", "BETWEEN", (low, high))],
            ])  # fmt: skip
        more = [*self._texts("channel", people.CHANNELS), *self._texts("coupon", people.COUPONS[:2])]
        return self._holds("orders_placed", [*self._count("count"), *amount, *self._window(), *more])

    def _products_purchased(self) -> Query:
        draw = self._draw
        more = [
            *self._texts("sku", people.SKUS),
            *self._texts("category", people.CATEGORIES),
            *self._texts("tag", people.LINE_TAGS),
        ]
        number = (Decimal(draw.randint(1, 6)),)
        least = draw.choice([
            [], [Given("quantity_min", ":", number)], [Given("quantity", draw.choice([">", ">="]), number)],
        ])  # fmt: skip
        return self._holds("products_purchased", [*more, *least, *self._window()])

    def _checkout_abandoned(self) -> Query:
        minutes = Decimal(self._draw.choice([30, 60, 1440, 10_000, 100_000, 500_000]))
        window = self._window() if self._draw.random() < 0.5 else []
        return self._holds("checkout_abandoned", [Given("", ":", (minutes,)), *window])

    def _event(self) -> Query:
        draw = self._draw
        own = draw.random() < 0.4
        kinds = people.OWN_EVENTS if own else ("visit.started", "product.viewed", "cart.updated", "checkout.started")
        filters: list[Given] = []
        if own and draw.random() < 0.7:
            filters = [draw.choice([
                Given("properties.List.sku", ":", (draw.choice(people.SKUS).lower(),)),
                Given("properties.List.price", draw.choice([">=", "<", "!="]), (Decimal("12.9"),)),
                Given("properties.count", draw.choice([":", ">", "<=", "!="]), (Decimal(draw.randint(0, 3)),)),
                Given("properties.public", draw.choice([":", "!="]), (draw.random() < 0.5,)),
                Given("properties.to", draw.choice([":", "!=", "CONTAINS", "STARTS WITH"]), ("B",)),
            ])]  # fmt: skip
        named = Given("", ":", (draw.choice(kinds),))
        return self._holds("event", [named, *self._count("count"), *self._window(), *filters])

    def _anniversary(self) -> Query:
        draw = self._draw
        call = Call("anniversary", attribute=draw.choice(ANNIVERSARIES))
        if draw.random() < 0.1:
            return Compare(call, "IS NULL", (), draw.random() < 0.5)

        def near() -> Value:
            unit = draw.choice("dwm")
            most = {"d": 40, "w": 6, "m": 5}[unit]
            return draw.randint(-most, most), unit

        if draw.random() < 0.3:
            return Compare(call, draw.choice(["=", "!="]), (near(),))
        values = _ascending((near(), near())) if draw.random() < 0.9 else (date(2024, 2, 1), date(2024, 4, 30))
        return Compare(call, "BETWEEN", values, draw.random() < 0.3)

    def _within_distance(self) -> Query:
        draw = self._draw
        place = draw.choice([each for each in people.PLACES if "latitude" in each])
        lat, lon = (round(Decimal(str(place[name])) + draw.choice([0, 1, -2]), 4) for name in ("latitude", "longitude"))
        km = Decimal(draw.choice([5, 300, 900, 7000, 12_000]))
        given = [Given("", ":", (value,)) for value in (lat, lon, km)]
        return self._holds("customer_within_distance", given)

    def _segment(self) -> Query:
        return self._holds("segment", [Given("", ":", (self._draw.choice([*SEGMENTS]),))])

    def _random_bucket(self) -> Query:
        draw = self._draw
        call = Call("random_bucket", (Given("", ":", (draw.choice(["autumn", "Größe"]),)),))
        return Compare(call, draw.choice(["<", ">=", "<="]), (Decimal(draw.randint(20, 80)),))


def _ascending(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """The earlier first: the language refuses what is empty for sure."""
    return tuple(sorted(values, key=_place))


def _place(value: Value) -> float:
    match value:
        case date():
            return (value - NOW.date()).days
        case (count, unit):
            return count * UNITS[str(unit)]
    return float(str(value))
