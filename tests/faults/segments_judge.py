# tests/faults/segments_judge.py
"""What queries say of somebody at a moment, for the oracle of segments: straight from docs/segments.md, day by day and
record by record. Pure; shares no code with what it judges.
"""

import hashlib
import math
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

from tests.faults.segments_calendar import away, day_of, recurs, today, years_old
from tests.faults.segments_known import Known
from tests.faults.segments_written import Call, Compare, Given, Holds, Join, Not, Query, Value

Truth = bool | None


@dataclass(frozen=True)
class Judge:
    """`segments`: the queries of those that may be asked about, by name; None where members are set by hand. `heard`
    counts what each attribute and function came to.
    """

    segments: Mapping[str, Query | None]
    heard: Counter[tuple[str, Truth]]

    def is_member(self, query: Query, who: Known, now: datetime) -> bool:
        return self.truth(query, who, now) is True

    def truth(self, query: Query, who: Known, now: datetime) -> Truth:
        match query:
            case Not(part):
                found = self.truth(part, who, now)
                return None if found is None else not found
            case Join(word, parts):
                truths = [self.truth(part, who, now) for part in parts]
                decides = word == "OR"
                return decides if decides in truths else None if None in truths else not decides
            case Holds(call, wanted):
                found = self._called(call, who, now)
                self.heard[call.name, found] += 1
                return found if wanted is None or found is None else found is wanted
            case Compare():
                found = self._compared(query, who, now)
                self.heard[query.name, found] += 1
                return None if found is None else found is not query.negated
        raise AssertionError(query)

    def _compared(self, query: Compare, who: Known, now: datetime) -> Truth:
        day = today(now, who.zone)
        match query.subject:
            case Call(name="anniversary", attribute=attribute):
                return _anniversary(query, who.values[attribute], day)
            case Call(name="random_bucket", given=given):
                digest = hashlib.sha256(f"{given[0].values[0]}\n{who.customer_id}".encode()).digest()
                return _related(int.from_bytes(digest[:8], "big") % 100, query.operator, query.values)
            case "age":
                born = who.values["birth_date"]
                return _related(None if born is None else years_old(born, day), query.operator, query.values)
        known = who.values[str(query.subject)]
        if isinstance(known, list):
            return _listed(known, query, day)
        if str(query.subject) in MONEY:
            values: tuple[Any, ...] = tuple(Decimal(str(value)).scaleb(who.shop.digits) for value in query.values)
        else:
            values = tuple(_at(value, day) for value in query.values)
        return _related(known, query.operator, values)

    def _called(self, call: Call, who: Known, now: datetime) -> Truth:
        match call.name:
            case "orders_placed":
                return _orders_placed(call, who, today(now, who.zone))
            case "products_purchased":
                return _products_purchased(call, who, today(now, who.zone))
            case "event":
                return _event(call, who, today(now, who.zone))
            case "checkout_abandoned":
                return _checkout_abandoned(call, who, now)
            case "customer_within_distance":
                return _within_distance(call, who)
            case "segment":
                query = self.segments[str(call.given[0].values[0])]
                return who.by_hand if query is None else self.truth(query, who, now) is True
        raise AssertionError(call)


MONEY: Final = {"amount_spent", "average_order_value", "predicted_value", "attributes.budget"}
PLACES: Final = {"customer_regions", "customer_cities"}


def _at(value: Value, day: date) -> Any:
    return away(day, value) if isinstance(value, tuple) else value


def folded(said: str) -> str:
    return unicodedata.normalize("NFC", said.casefold())


def _related(known: Any, operator: str, values: tuple[Any, ...]) -> Truth:
    """Of one value; without it, unknown."""
    if operator == "IS NULL":
        return known is None
    if known is None:
        return None
    if isinstance(known, str):
        known, values = folded(known), tuple(folded(value) for value in values)
    if isinstance(known, Fraction):
        values = tuple(map(Fraction, values))
    return RELATIONS[operator](known, *values)


RELATIONS: Final[dict[str, Callable[..., bool]]] = {
    "=": lambda known, value: known == value,
    "!=": lambda known, value: known != value,
    "<": lambda known, value: known < value,
    "<=": lambda known, value: known <= value,
    ">": lambda known, value: known > value,
    ">=": lambda known, value: known >= value,
    "BETWEEN": lambda known, low, high: low <= known <= high,
    "IN": lambda known, *values: known in values,
    "CONTAINS": lambda known, value: value in known,
    "STARTS WITH": lambda known, value: known.startswith(value),
}


def _listed(known: list[Any], query: Compare, day: date) -> Truth:
    """A list is never unknown."""
    if query.operator == "IS NULL":
        return not known
    value = _at(query.values[0], day)
    if isinstance(value, str):
        plain = (lambda said: folded(said).replace(" ", "")) if query.subject in PLACES else folded
        return plain(value) in map(plain, known)
    return value in known


def _anniversary(query: Compare, known: date | None, day: date) -> Truth:
    """One of the anniversaries, of whatever year, lies there."""
    if query.operator == "IS NULL":
        return known is None
    if known is None:
        return None
    begins, ends = _at(query.values[0], day), _at(query.values[-1], day)
    lies = any(begins <= recurs(known, year) <= ends for year in range(begins.year, ends.year + 1))
    return lies is not (query.operator == "!=")


def _in_window(call: Call, on: date, day: date) -> bool:
    """Whether a day lies in the window of a function when today is `day`."""
    for given in call.given:
        values = [_at(value, day) for value in given.values]
        operator = {"since": ">=", "until": "<="}.get(given.name, given.operator)
        if given.name in {"since", "until", "date"} and not RELATIONS[operator](on, *values):
            return False
    return True


def _enough(call: Call, name: str, number: int, *, scale: int = 0) -> bool:
    """Whether a number lies within what is asked: `<name>_min`, `<name>_max`, or `<name>` with an operator."""
    asked = False
    for given in call.given:
        operator = {f"{name}_min": ">=", f"{name}_max": "<="}.get(given.name, given.operator)
        if given.name in {f"{name}_min", f"{name}_max", name}:
            asked = True
            if not RELATIONS[operator](number, *(Decimal(str(value)).scaleb(scale) for value in given.values)):
                return False
    return asked or name == "sum_amount" or number >= 1


def _among(call: Call, name: str, known: str | None) -> bool:
    """What is not known is neither one of them nor none."""
    given = call.of(name)
    if given is None:
        return True
    return known is not None and (folded(known) in [folded(str(each)) for each in given.values]) is (
        given.operator != "!="
    )


def _orders_placed(call: Call, who: Known, day: date) -> bool:
    orders = [
        order
        for order in who.orders
        if _in_window(call, day_of(order.placed_at, who.zone), day)
        and _among(call, "channel", order.channel)
        and _among(call, "coupon", order.coupon)
    ]
    amount = sum(order.net for order in orders if order.currency == who.shop.currency)
    # Where only the most is said, none is enough; so it is where only an upper bound is.
    return _enough(call, "count", len(orders)) and _enough(call, "sum_amount", amount, scale=who.shop.digits)


def _products_purchased(call: Call, who: Known, day: date) -> bool:
    units = 0
    for order in who.orders:
        if _in_window(call, day_of(order.placed_at, who.zone), day):
            for line in order.lines:
                tags, tag = list(map(folded, line.tags)), call.of("tag")
                tagged = tag is None or any(folded(str(each)) in tags for each in tag.values) is (tag.operator != "!=")
                if tagged and _among(call, "sku", line.sku) and _among(call, "category", line.category):
                    units += line.units
    return _enough(call, "quantity", units)


def _event(call: Call, who: Known, day: date) -> bool:
    kind = call.given[0].values[0]
    wanted = [given for given in call.given if given.name.startswith("properties.")]
    found = [
        seen
        for seen in who.seen
        if seen.kind == kind
        and _in_window(call, day_of(seen.at, who.zone), day)
        and all(_says(seen.properties, given) for given in wanted)
    ]
    return _enough(call, "count", len(found))


def _says(properties: dict[str, Any], given: Given) -> bool:
    """Of a list any element may."""
    values: list[Any] = [properties]
    for step in given.name.split(".")[1:]:
        values = [each[step] for value in values for each in _each(value) if isinstance(each, dict) and step in each]
    operator = "=" if given.operator == ":" else given.operator
    wanted = given.values[0]
    for known in (each for value in values for each in _each(value)):
        match wanted:
            case bool():
                fits = isinstance(known, bool) and RELATIONS[operator](known, wanted)
            case Decimal():
                number = _number(known)
                fits = number is not None and RELATIONS[operator](number, wanted)
            case _:
                fits = isinstance(known, str) and RELATIONS[operator](folded(known), folded(str(wanted)))
        if fits:
            return True
    return False


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _number(known: Any) -> Decimal | None:
    """Amounts in events are decimal texts, and numbers to whoever asks."""
    if isinstance(known, bool) or not isinstance(known, str | int | float):
        return None
    try:
        return Decimal(str(known))
    except InvalidOperation:
        return None


def _checkout_abandoned(call: Call, who: Known, now: datetime) -> bool:
    wait = timedelta(minutes=int(str(call.given[0].values[0])))
    day = today(now, who.zone)
    return any(
        _in_window(call, day_of(cart.started_at, who.zone), day) and now - cart.told_at >= wait for cart in who.carts
    )


def _within_distance(call: Call, who: Known) -> Truth:
    nearest = kilometres_to_nearest(call, who)
    return None if nearest is None else nearest <= float(str(call.given[2].values[0]))


def kilometres_to_nearest(call: Call, who: Known) -> float | None:
    """By the law of cosines. Queries are drawn so that no place lies within a hundredth of the distance."""
    lat, lon = (math.radians(float(str(given.values[0]))) for given in call.given[:2])
    return min(
        (
            6371.0
            * math.acos(
                min(
                    1.0,
                    math.sin(lat) * math.sin(math.radians(there[0]))
                    + math.cos(lat) * math.cos(math.radians(there[0])) * math.cos(lon - math.radians(there[1])),
                )
            )
            for there in who.places
        ),
        default=None,
    )
