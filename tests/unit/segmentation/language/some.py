# tests/unit/segmentation/language/some.py
"""Facts, catalogues and random queries for the tests of the language."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from crm.segmentation.language import tree
from crm.segmentation.language.catalogue import Catalogue, OwnAttribute, Segment
from crm.segmentation.language.compiling import Compiled, understand
from crm.segmentation.language.facts import Facts, Order, Profile
from crm.segmentation.language.lexer import EARLIEST, FURTHEST, LATEST
from crm.segmentation.language.tree import Argument, Call, Holds, Name, Not, Offset, Operator, Predicate, Query, Unit
from crm.segmentation.language.verdicts import Verdict

ZONES = [
    "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Africa/Cairo", "Pacific/Kiritimati", "Pacific/Pago_Pago",
    "Australia/Lord_Howe", "Asia/Beirut", "America/Santiago", "America/Havana", "America/Sao_Paulo", "UTC",
]  # fmt: skip
"""Days of 23, 23½, 24½ and 25 hours, and days that begin at one."""

OWN = {
    each.key: each
    for each in (
        OwnAttribute("size", "Size", "choice", choices=("S", "M", "L")),
        OwnAttribute("weight", "Weight", "number"),
        OwnAttribute("budget", "Budget", "money"),
        OwnAttribute("wedding", "Wedding day", "date"),
        OwnAttribute("newsletter", "Newsletter", "boolean"),
        OwnAttribute("hobbies", "Hobbies", "list", element="text"),
        OwnAttribute("holidays", "Holidays", "list", element="date"),
        OwnAttribute("old", "Old", "text", retired=True),
    )
}
SHOP = Catalogue("EUR", OWN, {})


def local(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def facts(zone: str = "Europe/Berlin", *, profile: Profile | None = None, **known: Any) -> Facts:
    return Facts("cus_1", zone, profile or Profile(datetime(2024, 1, 1, tzinfo=UTC)), **known)


def order(placed_at: datetime, net: int = 5_000, **said: Any) -> Order:
    return Order(f"o-{placed_at.isoformat()}", placed_at, said.pop("currency", "EUR"), net, **said)


def compiled(text: str, catalogue: Catalogue = SHOP, *, itself: str | None = None) -> Compiled:
    understood = understand(text, catalogue, itself=itself)
    assert understood.compiled is not None, understood.mistakes
    return understood.compiled


def verdict(text: str, known: Facts, now: datetime, catalogue: Catalogue = SHOP) -> Verdict:
    return compiled(text, catalogue).evaluate(known, now)


def by_name(**queries: str | None) -> Catalogue:
    """A shop whose segments have these queries; their ids are their names."""
    known: dict[str, Segment] = {name: Segment(name, name.upper(), None) for name in queries}
    for name, text in queries.items():
        if text is not None:
            known[name] = Segment(name, name.upper(), compiled(text, Catalogue("EUR", OWN, dict(known))).query)
    return Catalogue("EUR", OWN, known)


TEXTS = st.text(max_size=12).map(tree.Text)
NUMBERS = st.decimals(-(10**9), 10**9, places=2, allow_nan=False).map(tree.Number)
DAYS = st.dates(EARLIEST, LATEST).map(tree.Day)
OFFSETS = st.one_of(
    *(st.builds(Offset, st.integers(-FURTHEST[unit], FURTHEST[unit]), st.just(unit)) for unit in Unit)
).map(lambda offset: offset if offset.count else Offset(0, Unit.DAY))
FLAGS = st.booleans().map(tree.Flag)
LITERALS = st.one_of(TEXTS, NUMBERS, DAYS, OFFSETS, FLAGS)
KEYWORDS = {"and", "or", "not", "between", "contains", "in", "starts", "with", "is", "null", "true", "false"}
WORDS = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True).filter(
    lambda word: word not in KEYWORDS | {"today", "yesterday"}
)
NAMES = st.one_of(WORDS, WORDS.map("attributes.{}".format)).map(Name)


@st.composite
def arguments(draw: st.DrawFn) -> tuple[Argument, ...]:
    """Those without a name first. A comparison with anything but `:` is of one value."""
    values = st.one_of(
        LITERALS, NAMES, st.lists(LITERALS, min_size=1, max_size=3).map(lambda of: tree.Several(tuple(of)))
    )
    placed = [Argument(None, Operator.EQUAL, value) for value in draw(st.lists(values, max_size=2))]
    named = [
        Argument(name, operator, value)
        for name, operator, value in draw(
            st.lists(
                st.tuples(
                    st.one_of(WORDS, st.just("properties.Some.path_9")),
                    st.sampled_from([Operator.EQUAL, Operator.UNEQUAL, Operator.AT_LEAST, Operator.STARTS_WITH]),
                    values,
                ),
                max_size=3,
            )
        )
    ]
    ranges = [Argument("date", Operator.BETWEEN, tree.Several((draw(LITERALS), draw(LITERALS)))) for _ in placed]
    return (*placed, *named, *ranges)


CALLS = st.builds(Call, WORDS, arguments())


@st.composite
def predicates(draw: st.DrawFn) -> Query:
    subject = draw(st.one_of(NAMES, CALLS))
    operator = draw(st.sampled_from(Operator))
    how_many = {Operator.IS_NULL: (0, 0), Operator.BETWEEN: (2, 2), Operator.IN: (1, 4)}.get(operator, (1, 1))
    values = tuple(draw(st.lists(LITERALS, min_size=how_many[0], max_size=how_many[1])))
    may_be_negated = operator.value[0].isalpha()
    negated = may_be_negated and draw(st.booleans())
    if (
        isinstance(subject, Call)
        and operator in {Operator.EQUAL, Operator.UNEQUAL}
        and isinstance(values[0], tree.Flag)
    ):
        return Holds(subject)
    return Predicate(subject, operator, values, negated)


QUERIES = st.recursive(
    st.one_of(predicates(), CALLS.map(Holds)),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(tree.all_of),
        st.lists(inner, min_size=2, max_size=3).map(tree.any_of),
    ),
    max_leaves=8,
)


def number(text: str) -> tree.Number:
    return tree.Number(Decimal(text))


def born(day: str) -> Profile:
    return Profile(datetime(2024, 1, 1, tzinfo=UTC), birth_date=date.fromisoformat(day))
