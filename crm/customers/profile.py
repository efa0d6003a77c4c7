# crm/customers/profile.py
"""How a profile takes on what an event says: field by field, the later event time wins."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import count, repeat
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from crm.customers.identifiers import matching_email
from crm.customers.standing import DELETED, SAYABLE
from crm.kernel import clock, locales, texts
from crm.kernel.countries import COUNTRIES
from crm.kernel.errors import Fault

ZONE_OF_TODAY = "Pacific/Kiritimati"  # the earliest zone: a birth date is not in the future where it is latest
FIELDS = frozenset(
    [
        "first_name",
        "last_name",
        "email",
        "phone",
        "pending_email",
        "pending_phone",
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
MOST_TAGS, MOST_ADDRESSES, MOST_CHARACTERS = 100, 20, 200
EMAIL_EXPECTED = "must be an e-mail address such as ann@example.com"
MOST = {"email": 254}
"""Where it is not MOST_CHARACTERS."""
DEGREES = {"latitude": 90, "longitude": 180}
NAMES = ("first_name", "last_name")
TRIMMED = ("email", "phone", *NAMES, "locale")
EARLIEST_BIRTH = date(1900, 1, 1)


class Won(Struct, frozen=True):
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


def tags(given: Iterable[str]) -> set[str]:
    """Without what surrounds them, each once."""
    return {tag.strip() for tag in given} - {""}


def tidied(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields without what surrounds their texts; a part of an address that is blank is not given."""
    fields = dict(given)
    for name in TRIMMED:
        if fields.get(name) is not None:
            fields[name] = fields[name].strip()
    if fields.get("addresses") is not None:
        fields["addresses"] = [_tidied_address(address) for address in fields["addresses"]]
    return fields


def judged(
    fields: Mapping[str, Any],
    *,
    now: datetime,
    path: Callable[[str], str] = lambda name: name,
    stored: Mapping[str, Any] | None = None,
) -> list[Fault]:
    """Everything wrong with the fields of some words, but with tags and addresses that are `stored`; `path` says how
    their sender calls them.
    """
    found = faults(fields, today=clock.local_day(now, ZONE_OF_TODAY), stored=stored or {})
    return [replace(fault, path=path(fault.path)) for fault in found]


def faults(given: Mapping[str, Any], *, today: date, stored: Mapping[str, Any] = MappingProxyType({})) -> list[Fault]:
    """Everything wrong with the given fields. Absent is unchanged, None clears."""
    found: list[Fault] = []
    for name, value in given.items():
        if value is None:
            continue
        if name == "tags":
            found += tag_faults(value, known=stored.get("tags") or ())
        elif name == "addresses":
            found += _address_faults(value, stored.get("addresses") or ())
        elif isinstance(value, str) and (wrong := _text_faults(name, value)):
            found += wrong
        elif problem := _problem(name, value, today):
            found.append(Fault(name, "INVALID", problem))
    return found


def tag_faults(given: Collection[str], *, known: Collection[str] = ()) -> list[Fault]:
    """In a list, as a person gives it, each faulty tag is named by its place. In a set there are no places, and whoever
    took the tags in has made them lines. Those that are `known` are no fault.
    """
    judge = texts.line_faults if isinstance(given, list) else texts.faults
    places = (f"tags.{index}" for index in count()) if isinstance(given, list) else repeat("tags")
    found = [
        fault
        for place, tag in zip(places, given, strict=False)
        if tag not in known
        for fault in judge(place, tag, longest=MOST_CHARACTERS)
    ]
    if len(tags(given)) > MOST_TAGS:
        found.append(Fault("tags", "TOO_MANY", f"must be {MOST_TAGS} at most"))
    return found


def _text_faults(name: str, text: str) -> list[Fault]:
    judge = texts.line_faults if name in NAMES else texts.faults
    return judge(name, text, longest=MOST.get(name, MOST_CHARACTERS))


def _address_faults(given: Sequence[Mapping[str, Any]], known: Collection[Mapping[str, Any]]) -> list[Fault]:
    found = [
        fault
        for index, address in enumerate(given)
        if address not in known
        for fault in _faults_of_one(f"addresses.{index}", address)
    ]
    if len(given) > MOST_ADDRESSES:
        found.append(Fault("addresses", "TOO_MANY", f"must be {MOST_ADDRESSES} at most"))
    return found


def _faults_of_one(path: str, address: Mapping[str, Any]) -> Iterator[Fault]:
    if not address:
        yield Fault(path, "INVALID", "must say something")
    for name in DEGREES:
        if name not in address and any(other in address for other in DEGREES):
            yield Fault(f"{path}.{name}", "REQUIRED", "belongs to the other coordinate")
    for name, part in address.items():
        yield from _faults_of_part(f"{path}.{name}", name, part)


def _faults_of_part(path: str, name: str, part: Any) -> list[Fault]:
    if name not in DEGREES:
        if name == "country" and part not in COUNTRIES:
            return [Fault(path, "INVALID", "must be an ISO 3166-1 alpha-2 code such as DE")]
        return texts.faults(path, part, longest=MOST_CHARACTERS)
    # Not `abs(part) > furthest`, which is false of what is no number.
    furthest = DEGREES[name]
    within = -furthest <= part <= furthest
    return [] if within else [Fault(path, "INVALID", f"must lie between -{furthest} and {furthest}")]


def _tidied_address(address: Mapping[str, Any]) -> dict[str, Any]:
    parts = {name: part.strip() if isinstance(part, str) else part for name, part in address.items()}
    return {name: part for name, part in parts.items() if part is not None and part != ""}


def _problem(name: str, value: Any, today: date) -> str | None:  # noqa: PLR0911  one answer a field
    match name:
        case "email" if matching_email(value) is None:
            return EMAIL_EXPECTED
        case "locale" if not locales.is_locale(value):
            return locales.EXPECTED
        case "zone" if not clock.is_zone(value):
            return "must be an IANA time zone such as Europe/Berlin"
        case "birth_date" if not _is_birth_date(value, today):
            return "must be a date (YYYY-MM-DD) between 1900 and today"
        case "gender" if value not in GENDERS:
            return f"must be one of {', '.join(sorted(GENDERS))}"
        case "status" if value == DELETED:
            return "is what customerDelete makes it"
        case "status" if value not in SAYABLE:
            return f"must be one of {', '.join(sorted(SAYABLE))}"
    return None


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
