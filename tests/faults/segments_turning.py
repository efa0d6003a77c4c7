# tests/faults/segments_turning.py
"""When time may change what a query says of somebody, for the oracle of segments to look there. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

from tests.faults.segments_calendar import away, day_of, first_instant, recurs
from tests.faults.segments_known import Known
from tests.faults.segments_written import Call, Compare, Given, Holds, Join, Not, Query


def turning_points(
    query: Query, who: Known, segments: Mapping[str, Query | None], begins: datetime, ends: datetime
) -> list[datetime]:
    """Instants at which time might change it, some of which it does: whenever a relative date comes near a day on which
    something happened, and whenever a cart has been left for as long as is asked.
    """
    days: set[date] = set()
    instants: set[datetime] = set()
    for part in _leaves(query, segments):
        if isinstance(part, Holds):
            for on in _happened(part.call, who):
                days.update(_near(on, part.call.given))
            if part.call.name == "checkout_abandoned":
                wait = timedelta(minutes=int(str(part.call.given[0].values[0])))
                instants.update(cart.told_at + wait for cart in who.carts)
        else:
            for on in _compared_days(part, who, begins, ends):
                days.update(_near(on, [Given("", ":", part.values)]))
    instants.update(first_instant(day, who.zone) for day in days if begins.date() <= day <= ends.date())
    return sorted(instant for instant in instants if begins < instant < ends)


def _leaves(query: Query, segments: Mapping[str, Query | None]) -> Iterator[Compare | Holds]:
    match query:
        case Not(part):
            yield from _leaves(part, segments)
        case Join(_, parts):
            for part in parts:
                yield from _leaves(part, segments)
        case Holds(Call(name="segment", given=given)):
            asked = segments[str(given[0].values[0])]
            if asked is not None:
                yield from _leaves(asked, segments)
        case _:
            yield query


def _happened(call: Call, who: Known) -> Iterator[date]:
    match call.name:
        case "orders_placed" | "products_purchased":
            yield from (day_of(order.placed_at, who.zone) for order in who.orders)
        case "event":
            yield from (day_of(seen.at, who.zone) for seen in who.seen if seen.kind == call.given[0].values[0])
        case "checkout_abandoned":
            yield from (day_of(cart.started_at, who.zone) for cart in who.carts)


def _compared_days(part: Compare, who: Known, begins: datetime, ends: datetime) -> Iterator[date]:
    years = range(begins.year - 3, ends.year + 4)
    match part.subject:
        case Call(name="anniversary", attribute=attribute):
            if who.values[attribute] is not None:
                yield from (recurs(who.values[attribute], year) for year in years)
        case "age":
            if who.values["birth_date"] is not None:
                yield from (recurs(who.values["birth_date"], year) for year in years)
        case str() as name:
            known = who.values[name]
            yield from (each for each in (known if isinstance(known, list) else [known]) if isinstance(each, date))


def _near(on: date, given: Iterable[Given]) -> Iterator[date]:
    """The days around that on which a relative date is this day."""
    yield on
    for value in (value for each in given for value in each.values):
        if isinstance(value, tuple):
            there = away(on, (-value[0], value[1]))
            close = 4 if value[1] in "my" else 1
            yield from (there + timedelta(days=step) for step in range(-close, close + 1))
