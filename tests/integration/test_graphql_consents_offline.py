# tests/integration/test_graphql_consents_offline.py
"""What customers said while their device had no network, or the wrong time."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.customers import service as customers
from crm.kernel import clock
from tests.asking import NOW, as_customer, ask
from tests.shop_events import deliver, event

UPDATE = """mutation ($input: ConsentUpdateInput!) { consentUpdate(input: $input) {
    replayed
    userErrors { code field }
} }"""
TEN, ELEVEN = (NOW - timedelta(hours=hours) for hours in (2, 1))
SECOND = timedelta(seconds=1)


@pytest.fixture
def ann(shop: object) -> str:
    return customers.create("demo", customers.Words(fields={"first_name": "Ann"}), now=NOW).customer_id


def said(state: str, at: datetime | None, topic: str | None = None) -> dict[str, Any]:
    one = {"channel": "EMAIL", "purpose": "MARKETING", "state": state, "topic": topic}
    return one | ({"occurredAt": clock.text(at)} if at else {})


def update(ann: str, *consents: dict[str, Any], key: str, now: datetime = NOW) -> Any:
    given = {"consents": list(consents), "idempotencyKey": key}
    return ask(UPDATE, {"input": given}, principal=as_customer(ann), now=now)["consentUpdate"]


def faults(ann: str, *consents: dict[str, Any], key: str = "refused") -> list[tuple[str, str]]:
    found = update(ann, *consents, key=key)["userErrors"]
    return [(error["code"], ".".join(error["field"][1:])) for error in found]


def say(ann: str, state: str, at: datetime | None, *, topic: str | None = None, now: datetime = NOW) -> None:
    key = f"{state} {at} {topic} {now}"
    assert update(ann, said(state, at, topic), key=key, now=now) == {"replayed": False, "userErrors": []}


def tell(ann: str, state: str, at: datetime) -> None:
    """By an event of the shop."""
    data = {"consents": [{"channel": "email", "purpose": "marketing", "state": state}]}
    assert deliver(event("consent.updated", data, customer={"id": ann}, occurredAt=clock.text(at))) == []


def allowed(ann: str, topic: str | None = None) -> bool:
    query = """query ($topic: String) { viewer {
        permission(channel: EMAIL, purpose: MARKETING, topic: $topic) { allowed } } }"""
    return bool(ask(query, {"topic": topic}, principal=as_customer(ann))["viewer"]["permission"]["allowed"])


def entries(ann: str) -> list[tuple[Any, ...]]:
    query = "{ viewer { consentEntries { nodes { state occurredAt statedAt recordedAt } } } }"
    nodes = ask(query, principal=as_customer(ann))["viewer"]["consentEntries"]["nodes"]
    return [(node["state"], node["occurredAt"], node["statedAt"], node["recordedAt"]) for node in nodes]


def test_a_yes_sent_late_does_not_outdo_a_no_said_elsewhere_meanwhile(ann: str) -> None:
    tell(ann, "denied", ELEVEN)
    say(ann, "GRANTED", TEN)
    assert not allowed(ann)


def test_a_yes_sent_late_holds_against_what_was_said_before_it(ann: str) -> None:
    tell(ann, "denied", TEN - SECOND)
    say(ann, "GRANTED", TEN)
    assert allowed(ann)
    assert entries(ann)[0] == ("GRANTED", clock.text(TEN), None, clock.text(NOW))


def test_a_yes_is_made_no_later_by_what_else_was_agreed_to_since(ann: str) -> None:
    say(ann, "GRANTED", ELEVEN, topic="news")
    say(ann, "GRANTED", TEN)
    tell(ann, "denied", TEN + SECOND)
    assert not allowed(ann)
    assert allowed(ann, "news")


def test_a_switch_that_was_moved_twice_stands_as_it_was_left_in_whatever_order_it_is_sent(ann: str) -> None:
    say(ann, "GRANTED", TEN - SECOND)
    say(ann, "DENIED", TEN)
    say(ann, "GRANTED", TEN + SECOND)
    assert allowed(ann)
    say(ann, "DENIED", ELEVEN + SECOND)
    say(ann, "GRANTED", ELEVEN)
    assert not allowed(ann)
    assert update(ann, said("DENIED", ELEVEN + 2 * SECOND), said("GRANTED", ELEVEN + 3 * SECOND), key="both")
    assert allowed(ann)


def test_a_no_takes_back_what_was_heard_before_it_whatever_the_device_gives_as_the_time(ann: str) -> None:
    tell(ann, "granted", ELEVEN)
    say(ann, "DENIED", TEN)
    assert not allowed(ann)
    after = ELEVEN + timedelta(microseconds=1)
    assert entries(ann)[0] == ("DENIED", clock.text(after), clock.text(TEN), clock.text(NOW))


@pytest.mark.parametrize("at", [datetime.fromisoformat("1970-01-01T00:00:00Z"), NOW + timedelta(days=900)])
@pytest.mark.parametrize("topic", [None, "news"])
def test_a_no_is_never_refused_for_its_time(ann: str, at: datetime, topic: str | None) -> None:
    say(ann, "GRANTED", None, topic="news")
    say(ann, "DENIED", at, topic=topic)
    assert not allowed(ann, "news")
    assert all(occurred <= clock.text(NOW + SECOND) for _, occurred, _, _ in entries(ann))
    say(ann, "GRANTED", None, topic="news", now=NOW + SECOND)
    assert allowed(ann, "news"), "who comes back is not shut out until their device's time has come"


def test_a_no_to_a_topic_counts_from_when_it_was_said_whatever_was_agreed_to_of_others(ann: str) -> None:
    say(ann, "GRANTED", ELEVEN)
    say(ann, "DENIED", TEN, topic="news")
    assert not allowed(ann, "news")
    assert allowed(ann)
    assert entries(ann)[1][:3] == ("DENIED", clock.text(TEN), None)


def test_a_yes_of_a_clock_that_runs_ahead_counts_from_now_and_of_one_far_ahead_not_at_all(ann: str) -> None:
    ahead = NOW + timedelta(minutes=10)
    say(ann, "GRANTED", ahead)
    assert entries(ann) == [("GRANTED", clock.text(NOW), clock.text(ahead), clock.text(NOW))]
    say(ann, "DENIED", None, now=NOW + SECOND)
    assert not allowed(ann)
    assert faults(ann, said("GRANTED", ahead + SECOND)) == [("FROM_THE_FUTURE", "consents.0.occurredAt")]


def test_a_yes_that_was_said_too_long_ago_is_asked_for_again_but_one_that_was_heard_stays_heard(ann: str) -> None:
    month = timedelta(days=30)
    assert faults(ann, said("DENIED", TEN), said("GRANTED", NOW - month - SECOND)) == [
        ("INVALID", "consents.1.occurredAt")
    ]
    assert entries(ann) == []
    assert update(ann, said("GRANTED", NOW - month), key="k")["userErrors"] == []
    assert update(ann, said("GRANTED", NOW - month), key="k", now=NOW + month) == {"replayed": True, "userErrors": []}
