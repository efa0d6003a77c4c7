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
from crm.kernel.errors import InvalidInput
from crm.kernel.money import Money as Amount
from schema.access import signed_in

MOST_POINTS: Final = 2**53 - 1  # JavaScript keeps integers up to this
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,6})?")
COUNTRY = re.compile(r"[A-Z]{2}")
EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)+")
PHONE = re.compile(r"\+[1-9]\d{6,14}")
LONGEST_EMAIL = 254

Points = NewType("Points", int)
DecimalText = NewType("DecimalText", Decimal)
TimeZone = NewType("TimeZone", str)
CountryCode = NewType("CountryCode", str)
CurrencyCode = NewType("CurrencyCode", str)
EmailAddress = NewType("EmailAddress", str)
PhoneNumber = NewType("PhoneNumber", str)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise GraphQLError(f"{name} must be a string.")
    return value


def _matching(name: str, pattern: re.Pattern[str], expected: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        text = _text(name, value)
        if not pattern.fullmatch(text):
            raise GraphQLError(f"{name} must be {expected}.")
        return text

    return parse


def parse_points(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise GraphQLError("Points must be an integer.")
    if abs(value) > MOST_POINTS:
        raise GraphQLError("Points must lie between -(2^53 - 1) and 2^53 - 1.")
    return value


def parse_decimal(value: object) -> Decimal:
    text = _text("Decimal", value)
    if not DECIMAL.fullmatch(text):
        raise GraphQLError("Decimal must be a plain number such as 12.50, as a string.")
    return Decimal(text)


def parse_date_time(value: object) -> datetime:
    text = _text("DateTime", value)
    try:
        return clock.parse(text)
    except InvalidInput as error:
        raise GraphQLError("DateTime must be RFC 3339 with its zone, such as 2026-01-31T08:00:00Z.") from error


def parse_date(value: object) -> date:
    text = _text("Date", value)
    try:
        if DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise GraphQLError("Date must be a calendar day such as 2026-01-31.")


def parse_time_zone(value: object) -> str:
    text = _text("TimeZone", value)
    if text not in _zones():
        raise GraphQLError("TimeZone must be an IANA name such as Europe/Berlin.")
    return text


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # reads the whole time zone database


def parse_email(value: object) -> str:
    text = _text("EmailAddress", value)
    if len(text) > LONGEST_EMAIL or not EMAIL.fullmatch(text):
        raise GraphQLError("EmailAddress must be an address such as ann@example.com.")
    return text


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
        parse_value=_matching("CountryCode", COUNTRY, "two capital letters such as DE"),
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        description="ISO 4217, such as `EUR`.",
        serialize=str,
        parse_value=_matching("CurrencyCode", re.compile("[A-Z]{3}"), "three capital letters such as EUR"),
    ),
    EmailAddress: strawberry.scalar(
        name="EmailAddress", description="An e-mail address.", serialize=str, parse_value=parse_email
    ),
    PhoneNumber: strawberry.scalar(
        name="PhoneNumber",
        description="A phone number in E.164, such as `+491701234567`.",
        serialize=str,
        parse_value=_matching("PhoneNumber", PHONE, "E.164 such as +491701234567"),
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
