# tests/integration/test_roll_up_failures.py
"""A bad record never blocks a good one, and what failed for now comes again."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from crm.kernel import dead_letters
from crm.kernel.aws import s3_client
from crm.kernel.settings import settings
from crm.kernel.table import client
from crm.kpis import repository
from tests.kpi_cells import ONE_ORDER, cells, days, deliver
from tests.letters import letters_in
from tests.stream_records import order, profile, record, sequence_number, store

pytestmark = pytest.mark.usefixtures("shop", "outlets")
EVENTS = Path(__file__).parents[1] / "events"


def letters() -> list[Any]:
    return letters_in(settings().dead_letters_url)


def reason(letter: dict[str, Any]) -> str:
    return str(letter["MessageAttributes"]["reason"]["StringValue"])


def spoilt(told: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    """The record with other raw attributes in its new image; None takes one out."""
    image = told["dynamodb"]["NewImage"]
    image.update(attributes)
    for name in [name for name, value in image.items() if value is None]:
        del image[name]
    return told


SPOILT: dict[str, tuple[dict[str, Any], str]] = {
    "a missing amount": ({"net": None}, "MISSING"),
    "a text where a number belongs": ({"net": {"S": "many"}}, "UNREADABLE"),
    "a day that is none": ({"placed_on": {"S": "yesterday"}}, "UNREADABLE"),
    "no kind": ({"kind": None}, "INVALID"),
    "an unknown kind": ({"kind": {"S": "Dragon"}}, "UNREADABLE"),
    "a kind that tells no facts": ({"kind": {"S": "OrderRef"}}, "INVALID"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_record_that_cannot_be_decided_is_dead_lettered_whole_and_its_neighbours_count(what: str) -> None:
    attributes, code = SPOILT[what]
    bad = spoilt(record(order("bad")), **attributes)
    good = [store(order("o1")), store(order("o2"))]
    assert deliver(good[0], bad, good[1]) == []
    assert cells()["orders all", "2026-03-01"] == 2
    (letter,) = letters()
    assert json.loads(letter["Body"]) == bad
    assert reason(letter) == code
    assert letter["MessageAttributes"]["source"]["StringValue"] == "kpis.roll_up"


def test_what_is_dead_lettered_is_archived_too() -> None:
    bad = spoilt(record(order("bad")), net=None)
    deliver(bad)
    (letter,) = letters()
    key = letter["MessageAttributes"]["archive"]["StringValue"]
    archived = s3_client().get_object(Bucket=settings().archive_bucket, Key=key)["Body"].read()
    assert json.loads(archived) == bad
    assert key.startswith("dead-letters/kpis.roll_up/")


def test_a_record_without_images_is_dead_lettered() -> None:
    hollow = record(order("bad"))
    del hollow["dynamodb"]
    assert deliver(hollow, store(order())) == []
    assert cells() == ONE_ORDER
    assert [json.loads(letter["Body"]) for letter in letters()] == [hollow]


def test_an_old_image_that_was_unreadable_does_not_spoil_the_one_that_mends_it() -> None:
    mended = record(order(), order())
    mended["dynamodb"]["OldImage"]["net"] = {"S": "many"}
    assert deliver(mended) == []
    assert cells() == ONE_ORDER


def test_what_expires_or_is_removed_corrects_nothing() -> None:
    deliver(store(order()))
    expiry = json.loads((EVENTS / "dynamodb_stream_expiry.json").read_text())["Records"]
    expired_order = record(None, order(), userIdentity=expiry[0]["userIdentity"])
    assert deliver(*expiry, expired_order, record(None, order())) == []
    assert (cells(), letters()) == (ONE_ORDER, [])


def test_an_expiry_is_ignored_whatever_it_is_called() -> None:
    deliver(store(order()))
    expiry = json.loads((EVENTS / "dynamodb_stream_expiry.json").read_text())["Records"][0]
    odd = record(order("o1", 2, net=1), order(), userIdentity=expiry["userIdentity"])
    assert deliver(odd) == []
    assert cells() == ONE_ORDER


@pytest.fixture
def store_calls() -> Iterator[Callable[[str, Callable[..., Any]], None]]:
    """Lets a test decide what becomes of a call to DynamoDB, in botocore, before it is sent."""
    hooked: list[tuple[str, Callable[..., Any]]] = []

    def hook(operation: str, called: Callable[..., Any]) -> None:
        name = f"before-call.dynamodb.{operation}"
        client().meta.events.register_first(name, called)
        hooked.append((name, called))

    yield hook
    for name, called in hooked:
        client().meta.events.unregister(name, called)


def unavailable(**_: Any) -> None:
    raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "try later"}}, "any")


def test_more_orders_than_a_transaction_holds_of_many_days_are_all_counted() -> None:
    orders = [order(f"o{number}", net=number, day=f"2026-03-{number % 31 + 1:02}") for number in range(1, 121)]
    assert deliver(*(record(item) for item in orders)) == []
    assert cells() == dict(days(orders))


def test_transactions_are_filled(store_calls: Callable[..., None]) -> None:
    written: list[int] = []
    store_calls("TransactWriteItems", lambda params, **_: written.append(len(items_of(params))))
    deliver(*(record(order(f"o{number}")) for number in range(100)))
    assert written == [100, 8]


def test_facts_that_another_writer_counted_meanwhile_are_dropped_and_the_rest_committed(
    store_calls: Callable[..., None],
) -> None:
    """Two deliveries of overlapping batches meet between reading and writing."""
    orders = [order(f"o{number}") for number in range(20)]
    told = [record(item) for item in orders]
    written: list[int] = []

    def overlap(params: dict[str, Any], **_: Any) -> None:
        written.append(len(items_of(params)))
        if len(written) == 1:
            assert deliver(*told[5:9]) == []

    store_calls("TransactWriteItems", overlap)
    assert deliver(*told) == []
    assert written == [24, 8, 20]  # all; the other delivery's four; the sixteen that are left
    assert cells() == dict(days(orders))


def test_a_fact_that_another_writer_advanced_meanwhile_is_decided_again(store_calls: Callable[..., None]) -> None:
    deliver(store(order("o1", 1, net=100)))
    second, third = store(order("o1", 2, net=200)), store(order("o1", 3, net=300))
    calls: list[int] = []

    def overlap(**_: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            deliver(second)

    store_calls("TransactWriteItems", overlap)
    assert deliver(third) == []
    assert cells()["net_revenue EUR", "2026-03-01"] == 300


def test_a_fact_that_is_overtaken_every_time_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.kernel.change.time.sleep", lambda _: None)
    told = store(order())
    deliver(told)
    monkeypatch.setattr(repository, "get_contributions", lambda _: {})
    assert deliver(told) == [sequence_number(told)]
    assert cells() == ONE_ORDER


def test_a_store_that_does_not_answer_replays_from_the_first_record_that_failed(
    store_calls: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.kernel.change.time.sleep", lambda _: None)
    first, second, third = (store(order(f"o{day}", day=f"2026-03-0{day}")) for day in (1, 2, 3))
    monkeypatch.setattr("crm.kpis.rollup.MOST_WRITES", 5)  # a transaction each

    def refuse_the_second_day(params: dict[str, Any], **_: Any) -> None:
        if b"2026-03-02" in params["body"]:
            unavailable()

    store_calls("TransactWriteItems", refuse_the_second_day)
    assert deliver(first, second, third) == [sequence_number(second)]
    assert {day for _, day in cells()} == {"2026-03-01", "2026-03-03"}


@pytest.mark.parametrize("operation", ["BatchGetItem", "Query"])
def test_a_store_that_cannot_be_read_replays(operation: str, store_calls: Callable[..., None]) -> None:
    store(order())
    flagged = store(profile(test=True))
    store_calls(operation, unavailable)
    assert deliver(flagged) == [sequence_number(flagged)]
    assert letters() == []


def test_a_bad_record_behind_a_failed_one_is_dead_lettered_once_when_it_comes_again(
    store_calls: Callable[..., None],
) -> None:
    early = spoilt(record(order("bad1")), net=None)
    failing = store(order())
    late = spoilt(record(order("bad2")), net=None)
    store_calls("BatchGetItem", unavailable)
    assert deliver(early, failing, late) == [sequence_number(failing)]
    assert [json.loads(letter["Body"]) for letter in letters()] == [early]


def test_a_dead_letter_that_cannot_be_sent_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = spoilt(record(order("bad")), net=None), store(order())
    monkeypatch.setattr(dead_letters, "put", lambda *_, **__: unavailable())
    assert deliver(bad, good) == [sequence_number(bad)]
    assert cells() == ONE_ORDER


def test_nothing_is_logged_that_tells_of_a_person(caplog: pytest.LogCaptureFixture, capsys: Any) -> None:
    bad = spoilt(store(profile(test=True)), email={"N": "1"}, first_name={"S": "Annabel"})
    deliver(bad, store(order()))
    logged = caplog.text + "".join(capsys.readouterr())
    assert "dead-lettered" in logged
    assert not [word for word in ("Annabel", "ann@example.com") if word in logged]


def items_of(params: dict[str, Any]) -> list[Any]:
    return list(json.loads(params["body"])["TransactItems"])
