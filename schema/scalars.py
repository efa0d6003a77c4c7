# schema/scalars.py
"""Scalars whose parsers refuse what is nearly right."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, NewType
from zoneinfo import available_timezones

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from crm.kernel import clock
from crm.kernel.countries import COUNTRIES
from crm.kernel.errors import InvalidInput
from crm.kernel.money import Money as Amount
from schema.access import signed_in

MOST_POINTS: Final = 2**53 - 1  # JavaScript keeps integers up to this
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,6})?")

Points = NewType("Points", int)
DecimalText = NewType("DecimalText", Decimal)
TimeZone = NewType("TimeZone", str)
CountryCode = NewType("CountryCode", str)
CurrencyCode = NewType("CurrencyCode", str)
EmailAddress = NewType("EmailAddress", str)
PhoneNumber = NewType("PhoneNumber", str)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise GraphQLError("must be a string")
    return value


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        text = _text(value)
        if not pattern.fullmatch(text):
            raise GraphQLError(f"must be {expected}")
        return text

    return parse


def parse_country(value: object) -> str:
    text = _text(value)
    if text not in COUNTRIES:
        raise GraphQLError("must be an ISO 3166-1 alpha-2 code such as DE")
    return text


def parse_points(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise GraphQLError("must be an integer")
    if abs(value) > MOST_POINTS:
        raise GraphQLError("must lie between -(2^53 - 1) and 2^53 - 1")
    return value


def parse_decimal(value: object) -> Decimal:
    text = _text(value)
    if not NUMBER.fullmatch(text):
        raise GraphQLError("must be a plain number such as 12.50, as a string")
    if not DECIMAL.fullmatch(text):
        raise GraphQLError("must have at most 18 digits before the point and 6 behind it")
    return Decimal(text)


def parse_date_time(value: object) -> datetime:
    text = _text(value)
    try:
        return clock.parse(text)
    except InvalidInput as error:
        raise GraphQLError(
            "must be RFC 3339 with its zone, such as 2026-01-31T08:00:00Z, in the years 2 to 9998"
        ) from error


def parse_date(value: object) -> date:
    text = _text(value)
    try:
        if DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise GraphQLError("must be a calendar day such as 2026-01-31")


def parse_time_zone(value: object) -> str:
    text = _text(value)
    if text not in _zones():
        raise GraphQLError("must be an IANA name such as Europe/Berlin")
    return text


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # reads the whole time zone database


def serialize_date_time(value: datetime) -> str:
    return clock.text(value)


def serialize_points(value: Any) -> int:
    points = int(value)
    if points != value or abs(points) > MOST_POINTS:
        raise GraphQLError("not a number of points")
    return points


SCALARS: Final[dict[object, ScalarDefinition]] = {
    Points: strawberry.scalar(
        name="Points",
        description="Whole points, at most 2^53 - 1 either way, so that JavaScript keeps them.",
        serialize=serialize_points,
        parse_value=parse_points,
    ),
    DecimalText: strawberry.scalar(
        name="Decimal",
        description="A decimal number as a string, such as `12.50`; never a float.",
        serialize=lambda value: format(value, "f"),
        parse_value=parse_decimal,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant, RFC 3339. Answers are in UTC; inputs need their zone.",
        serialize=serialize_date_time,
        parse_value=parse_date_time,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day, such as `2026-01-31`.",
        serialize=lambda value: value if isinstance(value, str) else value.isoformat(),
        parse_value=parse_date,
    ),
    TimeZone: strawberry.scalar(
        name="TimeZone",
        description="An IANA zone, such as `Europe/Berlin`.",
        serialize=str,
        parse_value=parse_time_zone,
    ),
    CountryCode: strawberry.scalar(
        name="CountryCode",
        description="ISO 3166-1 alpha-2, such as `DE`.",
        serialize=str,
        parse_value=parse_country,
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        description="ISO 4217, such as `EUR`.",
        serialize=str,
        parse_value=_matching(re.compile("[A-Z]{3}"), "three capital letters such as EUR"),
    ),
    # What people type is judged by the services, which tell of it with everything else that is wrong with the form.
    EmailAddress: strawberry.scalar(
        name="EmailAddress",
        description="An e-mail address, such as `ann@example.com`. One that is none is refused in `userErrors`.",
        serialize=str,
        parse_value=_text,
    ),
    PhoneNumber: strawberry.scalar(
        name="PhoneNumber",
        description=(
            "A phone number with its country, such as `+491701234567`; spaces and the like between digits, and `00` "
            "for `+`, are understood. One that is none is refused in `userErrors`."
        ),
        serialize=str,
        parse_value=_text,
    ),
}


@strawberry.type(
    description="An amount of one currency. Amounts of two currencies are never added.", directives=signed_in()
)
class Money:
    amount: DecimalText = strawberry.field(description="In whole units, with exactly the currency's digits.")
    currency_code: CurrencyCode = strawberry.field(description="The currency.")

    @classmethod
    def of(cls, minor: Any, currency: str) -> "Money":
        return cls(amount=DecimalText(Amount(int(minor), currency).amount), currency_code=CurrencyCode(currency))
