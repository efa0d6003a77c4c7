# crm/customers/profile.py
"""How a profile takes on what an event says: field by field, the later event time wins."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crm.customers.identifiers import matching_email
from crm.kernel import clock
from crm.kernel.errors import Fault

FIELDS = frozenset(
    [
        "first_name",
        "last_name",
        "email",
        "phone",
        "locale",
        "zone",
        "birth_date",
        "gender",
        "tags",
        "addresses",
        "test",
        "status",
    ]
)
GENDERS = frozenset({"female", "male", "other", "undisclosed"})
STATUSES = frozenset({"active", "blocked", "deleted"})
MOST_TAGS, MOST_ADDRESSES, MOST_CHARACTERS = 100, 20, 200
COUNTRY = re.compile("[A-Z]{2}")
EARLIEST_BIRTH = date(1900, 1, 1)


@dataclass(frozen=True)
class Won:
    """What an event does to a profile: new values (None clears), and time and origin of the fields it won."""

    values: Mapping[str, Any]
    times: Mapping[str, str]
    origins: Mapping[str, str]


def taken_on(
    stored: Mapping[str, Any],
    times: Mapping[str, str],
    origins: Mapping[str, str],
    given: Mapping[str, Any],
    *,
    occurred_at: datetime,
    origin: str,
) -> Won:
    """Which of the given fields win over what is stored.

    A later event time wins; at the same instant the greater JSON text does, and of one value the greater origin, so
    that any order of arrival ends alike. A field that was never set has no time and always loses.
    """
    at = clock.text(occurred_at)
    won = {
        name: value
        for name, value in given.items()
        if (at, _comparable(value), origin)
        > (times.get(name, ""), _comparable(stored.get(name)), origins.get(name, ""))
    }
    return Won(
        values={name: value for name, value in won.items() if _comparable(value) != _comparable(stored.get(name))},
        times=dict.fromkeys(won, at),
        origins=dict.fromkeys(won, origin),
    )


def faults(given: Mapping[str, Any], *, today: date) -> list[Fault]:
    """Everything wrong with the given fields. Absent is unchanged, None clears."""
    found: list[Fault] = []

    def wrong(name: str, message: str) -> None:
        found.append(Fault(name, "INVALID", message))

    for name, value in given.items():
        if isinstance(value, str) and (not value.strip() or len(value) > MOST_CHARACTERS):
            wrong(name, f"must have between 1 and {MOST_CHARACTERS} characters")
        elif value is not None and (problem := _problem(name, value, today)):
            wrong(name, problem)
    return found


def _problem(name: str, value: Any, today: date) -> str | None:  # noqa: PLR0911  one answer a field
    match name:
        case "email" if matching_email(value) is None:
            return "must be an e-mail address"
        case "zone" if not clock.is_zone(value):
            return f"{value!r} is no IANA time zone"
        case "birth_date" if not _is_birth_date(value, today):
            return "must be a date (YYYY-MM-DD) between 1900 and today"
        case "gender" if value not in GENDERS:
            return f"must be one of {', '.join(sorted(GENDERS))}"
        case "status" if value not in STATUSES:
            return f"must be one of {', '.join(sorted(STATUSES))}"
        case "tags" if len(value) > MOST_TAGS or any(not tag or len(tag) > MOST_CHARACTERS for tag in value):
            return f"at most {MOST_TAGS} tags of 1 to {MOST_CHARACTERS} characters"
        case "addresses" if len(value) > MOST_ADDRESSES:
            return f"at most {MOST_ADDRESSES} addresses"
        case "addresses" if any(not _is_address(address) for address in value):
            return f"texts of at most {MOST_CHARACTERS} characters, a country of two letters, degrees in their range"
    return None


def _is_address(address: Mapping[str, Any]) -> bool:
    country, latitude, longitude = (address.get(name) for name in ("country", "latitude", "longitude"))
    return (
        all(len(part) <= MOST_CHARACTERS for part in address.values() if isinstance(part, str))
        and (country is None or COUNTRY.fullmatch(country) is not None)
        and (latitude is None or abs(latitude) <= 90)  # noqa: PLR2004  degrees
        and (longitude is None or abs(longitude) <= 180)  # noqa: PLR2004
    )


def _comparable(value: Any) -> str:
    if value is None or value in (set(), []):
        return ""
    if isinstance(value, set | frozenset):
        value = sorted(value)
    return json.dumps(value, sort_keys=True, default=str)


def _is_birth_date(text: str, today: date) -> bool:
    try:
        return EARLIEST_BIRTH <= date.fromisoformat(text) <= today
    except ValueError:
        return False
