# tests/faults/loyalty_bonuses.py
"""What a shop gives without an order, drawn and worked out by hand: for its own events, for taking part, on birthdays.

It shares no code with what it judges.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.faults.generator import SHOP, ZONE, Event

Due = tuple[str, str, str]
"""To whom and for what; and the event, or the day, that it is for, or nothing."""
SIGNUP, BIRTHDAY = 25, 20
REVIEWED, INVITED, VISITED, OTHER = "review.written", "friend.invited", "store.visited", "wishlist.shared"
POINTS: Final = {REVIEWED: 15, INVITED: 40, VISITED: 5}
LEAST_STARS, MOST_INVITED, MOST_VISITS_A_DAY = 4, 2, 1
DAYS: Final = 10
"""Over which a customer's events are spread: several fall on one day."""
SOON, LATER = timedelta(days=8), timedelta(days=200)
"""Birthdays: before all has matured, and when the run is over."""


def drawn(seed: int, *, now: datetime, customers: int) -> list[Event]:
    """For each a review that earns, so that all take part; then more, of which some earn and some do not."""
    events = []
    for customer in range(customers):
        draw = Random(f"{seed}:bonuses:{customer}")
        more = draw.choices([REVIEWED, INVITED, VISITED, VISITED, OTHER], k=draw.randrange(4, 12))
        for number, name in enumerate([REVIEWED, *more]):
            at = now - timedelta(minutes=draw.randrange(60, 60 * 24 * DAYS))
            stars = draw.randrange(1, 6) if number else LEAST_STARS
            events.append(_event(f"b{customer}-{number}", name, stars, customer, at))
    return events


def tell_birthday(event: Event, *, now: datetime) -> None:
    """Put into what is told of a profile when its customer was born."""
    if (apart := _until_birthday(event["customer"]["externalId"])) is not None:
        day = (now + apart).date()
        event["customer"]["birthDate"] = day.replace(year=1990, day=min(day.day, 28)).isoformat()


def due(events: Iterable[Event], customers: Iterable[str], *, celebrated: bool) -> dict[Due, int]:
    """All that is to be given, in points; `celebrated`: birthdays that came soon have been."""
    times = Counter(
        _due(event, event["customer"]["externalId"])
        for event in events
        if event["data"]["name"] != REVIEWED or event["data"]["properties"]["review"]["stars"] >= LEAST_STARS
    )
    most = {INVITED: MOST_INVITED, VISITED: MOST_VISITS_A_DAY}
    found = {
        (who, name, of): POINTS[name] * min(count, most.get(name, count))
        for (who, name, of), count in times.items()
        if name in POINTS
    }
    for who in customers:
        found[who, "signup", ""] = SIGNUP
        if celebrated and _until_birthday(who) == SOON:
            found[who, "birthday", ""] = BIRTHDAY
    return found


def given(items: Iterable[Mapping[str, Any]], ids: Mapping[str, str], events: Iterable[Event]) -> dict[Due, int]:
    """The same as the stored entries say; `ids`: external ids by customer."""
    known, found = {event["id"]: event for event in events}, Counter[Due]()
    for item in items:
        noun, what, *_ = item["sk"].removeprefix("LEDGER#").split(":")
        who = ids[item["pk"].rpartition("#")[2]]
        match noun:
            case "event":
                key = _due(known[what], who)
            case "account":
                key = (who, "signup", "")
            case "birthday":
                key = (who, "birthday", "")
            case _:
                continue
        found[key] -= sum(int(each["points"]) for each in item["postings"] if each["account"] == "programme:issued")
    return dict(found)


def _due(event: Event, who: str) -> Due:
    name: str = event["data"]["name"]
    if name == VISITED:
        at = datetime.fromisoformat(event["occurredAt"])
        return who, name, at.astimezone(ZoneInfo(ZONE)).date().isoformat()
    return who, name, "" if name == INVITED else event["id"]


def _until_birthday(external_id: str) -> timedelta | None:
    return (SOON, LATER, None)[int(external_id.removeprefix("c")) % 3]


def _event(event_id: str, name: str, stars: int, customer: int, at: datetime) -> Event:
    return {
        "id": event_id, "type": "custom.recorded", "version": 1, "shop": SHOP, "source": "webshop",
        "occurredAt": at.isoformat(), "customer": {"externalId": f"c{customer}"},
        "data": {"name": name, "properties": {"review": {"stars": stars}}},
    }  # fmt: skip
