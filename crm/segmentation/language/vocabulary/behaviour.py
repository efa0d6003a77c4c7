# crm/segmentation/language/vocabulary/behaviour.py
"""What a customer does between orders: visits, carts, and whatever else a shop calls an event."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from crm.kernel.nearest import nearest
from crm.segmentation.language import comparing, days, stretches
from crm.segmentation.language.days import FOREVER
from crm.segmentation.language.facts import Checkout, Fact, Touchpoint, read
from crm.segmentation.language.kinds import DATE, EXACT, INTEGER, TEXT, Unfit, folded
from crm.segmentation.language.reading import Reads
from crm.segmentation.language.stretches import Weighed
from crm.segmentation.language.tree import Text
from crm.segmentation.language.truth import Judged, Moment
from crm.segmentation.language.vocabulary.orders import COUNT, SINCE, UNTIL, WINDOW
from crm.segmentation.language.words import (
    Arguments,
    Attribute,
    Condition,
    Evidence,
    Function,
    Group,
    Parameter,
    Property,
)
from crm.segmentation.language.writing import literal

LONGEST_WAIT = 60 * 24 * 365  # minutes
TYPES = ("visit.started", "product.viewed", "cart.updated", "checkout.started")
"""Of Rapport's own events those that are touchpoints."""
OURS = {
    "address": "", "cart": "", "checkout": "", "consent": "email_subscription_status", "custom": "",
    "customer": "customer_added_date", "feedback": "nps_score", "identity": "", "loyalty": "loyalty_tier",
    "message": "", "order": "orders_placed", "points": "loyalty_points", "product": "", "rapport": "",
    "refund": "amount_spent", "segment": "segment", "shop": "", "timer": "", "visit": "", "visitor": "",
}  # fmt: skip
"""What Rapport has its own events of (crm/intake/event_types.py), so that no touchpoint else begins with that; and what
queries ask of it instead, if anything.
"""


def _last_visit(moment: Moment) -> date | None:
    at = moment.facts.last_visit_at
    return days.of(at, moment.facts.zone) if at else None


def _open_checkouts(moment: Moment) -> list[Checkout]:
    return [each for each in read(moment.facts.checkouts, Fact.CARTS) if each.is_open]


def _abandoned_on(moment: Moment) -> date | None:
    started = [each.started_at for each in _open_checkouts(moment)]
    return days.of(max(started), moment.facts.zone) if started else None


def checkout_abandoned(given: Arguments) -> Condition:
    wait, since, until = timedelta(minutes=given.values["minutes"]), given.get("since"), given.get("until")

    def weighed(moment: Moment) -> Iterator[tuple[Checkout, Weighed[datetime]]]:
        zone = moment.facts.zone
        for each in _open_checkouts(moment):
            begins, ends = stretches.within(days.of(each.started_at, zone), since, until)
            if begins is not None:
                entered = each.told_at + wait
                if begins != stretches.ALWAYS:
                    entered = max(entered, days.starts(begins, zone))
                left = None if ends is None else days.starts(ends, zone)
                yield each, Weighed(entered, left)

    def judge(moment: Moment) -> Judged:
        found = [each for _, each in weighed(moment)]
        truth, until = stretches.turning(found, lambda count, _: count > 0, moment.now)
        return truth, until or FOREVER

    def evidence(moment: Moment) -> Evidence:
        carts = [
            checkout.cart_id
            for checkout, each in weighed(moment)
            if each.begins and each.begins <= moment.now and (each.ends is None or moment.now < each.ends)
        ]
        return Evidence.counted(len(carts), "cart", carts)

    return Condition(judge, Reads(frozenset({Fact.CARTS}), carts=frozenset({since})), evidence)


def is_touchpoint(name: str) -> None:
    """Raises Unfit for a type of event that no touchpoint has: nobody would ever be found by it."""
    noun = name.partition(".")[0]
    if noun not in OURS or name in TYPES:
        return
    instead, meant = OURS[noun], nearest(name, TYPES)
    told = f" Ask {instead}." if instead else ""
    raise Unfit(
        f"No touchpoint is of this type.{told}",
        (instead,) if instead else tuple(literal(Text(each)) for each in TYPES),
        literal(Text(meant)) if meant and not instead else None,
    )


def event(given: Arguments) -> Condition:
    type_, since, until = given.values["name"], given.get("since"), given.get("until")
    least, most = given.get("count_min", 0 if "count_max" in given.values else 1), given.get("count_max")

    def weighed(touchpoint: Touchpoint) -> tuple[int, int]:
        return all(_has(touchpoint.properties, each) for each in given.properties), 0

    def accepted(count: int, _: int) -> bool:
        return count >= least and (most is None or count <= most)

    def judge(moment: Moment) -> Judged:
        return window.tallied(moment.touchpoints(type_), weighed, accepted, moment)

    def evidence(moment: Moment) -> Evidence:
        ids = [
            touchpoint.touchpoint_id
            for touchpoint, day in moment.touchpoints(type_)
            if window.holds(day, moment.today) and weighed(touchpoint)[0]
        ]
        return Evidence.counted(len(ids), "event", ids)

    window = stretches.Window(since, until)
    reads = Reads(frozenset({Fact.TOUCHPOINTS}), touchpoints={type_: frozenset({since})})
    return Condition(judge, reads, evidence)


def _has(properties: Any, wanted: Property) -> bool:
    """Whether an event says so. Of a list any element may; what is not there says nothing."""
    return any(_is(value, wanted) for value in _at(properties, wanted.path))


def _at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for element in value:
            yield from _at(element, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(value[path[0]], path[1:])


def _is(known: Any, wanted: Property) -> bool:
    """Compared as what the query says it is: amounts in events are decimal texts, and numbers to whoever asks."""
    if isinstance(wanted.value, bool):
        return isinstance(known, bool) and comparing.holds(known, wanted.operator, wanted.value)
    if isinstance(wanted.value, Fraction):
        number = _number(known)
        return number is not None and comparing.holds(number, wanted.operator, wanted.value)
    return isinstance(known, str) and comparing.holds(folded(known), wanted.operator, wanted.value)


def _number(known: Any) -> Fraction | None:
    if isinstance(known, bool) or not isinstance(known, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(known))
    except InvalidOperation:
        return None
    return Fraction(number) if number.is_finite() and abs(number.adjusted()) < FURTHEST_DIGIT else None


FURTHEST_DIGIT = 30
"""Beyond it, what an event says is no amount: a fraction of it would be as long as its exponent is great."""

BEHAVIOUR = (
    Attribute(
        "last_visit_date", DATE, Group.BEHAVIOUR, "The day of the last visit (`visit.started`).",
        "last_visit_date < -30d", Fact.LAST_SEEN, _last_visit, unknown="who never was seen to visit",
    ),
    Attribute(
        "last_seen_channel", TEXT, Group.BEHAVIOUR, "The channel of the last touchpoint that came from the customer.",
        "last_seen_channel = 'app'", Fact.LAST_SEEN, lambda moment: moment.facts.last_seen_channel,
        unknown="who never was seen, or not in a channel with a name",
    ),
    Attribute(
        "abandoned_checkout_date", DATE, Group.BEHAVIOUR,
        "The day on which the checkout of a cart that still is open was last started.",
        "abandoned_checkout_date >= -7d", Fact.CARTS, _abandoned_on, unknown="without such a cart",
        reads=Reads(frozenset({Fact.CARTS}), carts=frozenset({None})),
    ),
)  # fmt: skip

FUNCTIONS = (
    Function(
        "checkout_abandoned",
        (
            Parameter(
                "minutes", INTEGER, "How long nothing was heard of the cart.", required=True, positional=True,
                least=1, most=LONGEST_WAIT,
            ),
            SINCE,
            UNTIL,
        ),
        Group.BEHAVIOUR,
        "A checkout was started within a window of days, its cart holds something, was not ordered, and nothing was "
        "heard of it for so many minutes. No longer true once that very cart is ordered.",
        "checkout_abandoned(60, since: -7d)",
        (Fact.CARTS,),
        checkout_abandoned,
        ranges=WINDOW,
    ),
    Function(
        "event",
        (
            Parameter(
                "name", EXACT, "The type of the event.", required=True, positional=True,
                form=(r"[a-z][a-z0-9_]*[.][a-z0-9_.]{1,100}", "product.viewed"), fits=is_touchpoint,
            ),
            Parameter("count_min", INTEGER, "How many at least: 1, or 0 where `count_max` is given.", least=0),
            Parameter("count_max", INTEGER, "How many at most.", least=0),
            SINCE,
            UNTIL,
        ),
        Group.BEHAVIOUR,
        "Touchpoints of one type within a window of days: `visit.started`, `product.viewed`, `cart.updated`, "
        "`checkout.started`, or one of the shop's own. `properties.<path>` filters by what the events say, with `:` or "
        "another operator.",
        "event('product.viewed', count_min: 3, since: -7d, properties.sku: 'MUG')",
        (Fact.TOUCHPOINTS,),
        event,
        with_properties=True,
        ranges={**WINDOW, **COUNT},
    ),
)  # fmt: skip
