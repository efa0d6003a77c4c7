# tests/unit/schema/test_scalars.py
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError

from schema import scalars
from schema.scalars import CountryCode, EmailAddress, Money, PhoneNumber

Parse = Callable[[Any], Any]


def parser(scalar: object) -> Parse:
    parse = scalars.SCALARS[scalar].parse_value
    assert parse is not None
    return parse


@pytest.mark.parametrize(
    ("parse", "given", "meant"),
    [
        (scalars.parse_points, 2**53 - 1, 2**53 - 1),
        (scalars.parse_points, -5, -5),
        (scalars.parse_decimal, "12.50", Decimal("12.50")),
        (scalars.parse_decimal, "-3", Decimal(-3)),
        (scalars.parse_date_time, "2026-03-01T10:00:00+01:00", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        (scalars.parse_date_time, "2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (scalars.parse_date, "2026-02-28", date(2026, 2, 28)),
        (scalars.parse_time_zone, "Europe/Vienna", "Europe/Vienna"),
        (parser(CountryCode), "AT", "AT"),
        (parser(EmailAddress), "whatever was typed", "whatever was typed"),
        (parser(PhoneNumber), "0660", "0660"),
    ],
)
def test_what_is_right_is_taken(parse: Parse, given: Any, meant: Any) -> None:
    assert parse(given) == meant


@pytest.mark.parametrize(
    ("parse", "given"),
    [
        (scalars.parse_points, 2**53),
        (scalars.parse_points, 1.0),
        (scalars.parse_points, "5"),
        (scalars.parse_points, True),
        (scalars.parse_decimal, 12.5),
        (scalars.parse_decimal, 12),
        (scalars.parse_decimal, "1e3"),
        (scalars.parse_decimal, "1,000"),
        (scalars.parse_decimal, "NaN"),
        (scalars.parse_decimal, "Infinity"),
        (scalars.parse_decimal, ""),
        (scalars.parse_date_time, "2026-03-01T10:00:00"),
        (scalars.parse_date_time, "2026-03-01"),
        (scalars.parse_date_time, 1772355600),
        (scalars.parse_date_time, "yesterday"),
        (scalars.parse_date, "2026-02-30"),
        (scalars.parse_date, "20260228"),
        (scalars.parse_date, "2026-W09-1"),
        (scalars.parse_date, "2026-02-28T00:00:00Z"),
        (scalars.parse_time_zone, "CEST"),
        (scalars.parse_time_zone, "europe/vienna"),
        (scalars.parse_time_zone, "../etc/passwd"),
        (parser(EmailAddress), 1),
        (parser(CountryCode), "at"),
        (parser(CountryCode), "AUT"),
        (parser(CountryCode), "UK"),
        (parser(CountryCode), "XX"),
        (parser(PhoneNumber), 436601234567),
    ],
)
def test_what_is_nearly_right_is_refused(parse: Parse, given: Any) -> None:
    with pytest.raises(GraphQLError):
        parse(given)


def test_money_has_exactly_its_currencys_digits() -> None:
    write = scalars.SCALARS[scalars.DecimalText].serialize
    assert write is not None
    assert [write(Money.of(1250, currency).amount) for currency in ("EUR", "JPY", "KWD")] == ["12.50", "1250", "1.250"]


def test_instants_are_written_in_utc() -> None:
    assert scalars.serialize_date_time(datetime(2026, 3, 1, 10, tzinfo=UTC)).startswith("2026-03-01T10:00:00")


def test_a_number_that_is_too_long_is_told_so_and_not_that_it_is_none() -> None:
    for long in ("99999999999999999999", "0.1234567"):
        with pytest.raises(GraphQLError, match="at most 18 digits"):
            scalars.parse_decimal(long)
