# tests/integration/test_points_verify.py
"""Whatever is changed, removed, moved or copied in a stored ledger is found."""

import json
import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.kernel.errors import KeyReused, NotFound
from crm.kernel.settings import settings
from crm.kernel.table import client, customer_key
from crm.loyalty import repository, service, transferring
from crm.loyalty.events import PointsPosted
from infra.local.verify import read_published, run
from tests.integration.points import ANN, BEA, STAFF, adjust, balances, hold, order, programme, spend
from tests.tampering import BESIDE, edited, other

pytestmark = pytest.mark.usefixtures("shop", "programme")
__all__ = ["programme"]


def busy(now: datetime) -> None:
    adjust(200, now)
    service.post_for_order(order(now, points_spent=40), now=now)
    spend(30, now + timedelta(hours=1))
    hold(20, now + timedelta(hours=2))
    service.settle("demo", ANN, now=now + timedelta(days=5))
    service.post_for_order(order(now, rev=2, net=5_000, points_spent=40), now=now + timedelta(days=6))
    hold(10, now + timedelta(days=7), key="h2", hours=24 * 29, order_id="o9")
    service.post_for_order(order(now + timedelta(days=8), order_id="o2"), now=now + timedelta(days=8))


def stored() -> list[dict[str, Any]]:
    pages = client().get_paginator("query").paginate(
        TableName=settings().crm_table, KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": customer_key("demo", ANN)}},
    )  # fmt: skip
    return [item for page in pages for item in page["Items"]]


def put(item: dict[str, Any]) -> None:
    client().put_item(TableName=settings().crm_table, Item=item)


def remove(item: dict[str, Any]) -> None:
    client().delete_item(TableName=settings().crm_table, Key={"pk": item["pk"], "sk": item["sk"]})


def is_found() -> bool:
    return service.verify("demo", ANN).findings != []


def test_every_single_edit_of_a_stored_entry_is_found(now: datetime) -> None:
    busy(now)
    assert balances()
    draw = random.Random(3)  # noqa: S311
    entries = [item for item in stored() if item["kind"]["S"] == "LedgerEntry"]
    for _ in range(60):
        deed = edited(draw, entries)
        put(deed.put[0])
        assert is_found(), deed.what
        put(next(item for item in entries if item["sk"] == deed.put[0]["sk"]))
    assert not is_found()


def test_every_entry_that_is_removed_moved_or_copied_is_found(now: datetime) -> None:
    busy(now)
    entries = [item for item in stored() if item["kind"]["S"] == "LedgerEntry"]
    for item in entries:
        remove(item)
        assert is_found()
        put(item | {"sk": {"S": f"{item['sk']['S']}x"}})
        assert is_found()
        put(item)
        assert is_found()
        remove(item | {"sk": {"S": f"{item['sk']['S']}x"}})
        assert not is_found()


def test_what_is_kept_beside_the_entries_is_verified_too(now: datetime) -> None:
    busy(now)
    draw = random.Random(4)  # noqa: S311
    for item in stored():
        for name in BESIDE.get(item["kind"]["S"], ()):
            if name in item:
                put(item | {name: other(draw, item[name])})
                assert is_found(), (item["sk"], name)
        put(item)
    assert not is_found()


def test_whatever_would_mint_points_later_is_found_before_it_does(now: datetime) -> None:
    busy(now)
    in_2099 = {"S": "2099-03-10T12:00:00.000000+0000"}
    [month, *_] = [item for item in stored() if item["kind"]["S"] == "PointsMonth"]
    for forged, flaw in (
        (kept("EARNING#o2") | {"posted": {"N": "0"}}, "WRONG_ORDER"),
        (kept("EARNING#o2") | {"pool": {"S": "never"}}, "WRONG_ORDER"),
        (kept("EARNING#o2") | {"timeline_key": {"S": "PENDING#2026-03-11T00:00:00Z#o2"}}, "WRONG_ORDER"),
        (kept("HOLD#") | {"portions": {"L": [{"M": {"pool": {"S": "never"}, "points": {"N": "90"}}}]}}, "WRONG_HOLD"),
        (kept("HOLD#") | {"ends_at": in_2099}, "WRONG_HOLD"),
        (kept("HEAD#LOYALTY") | {"due_at": in_2099}, "WRONG_TIME"),
        (month | {"sk": {"S": "POINTS#2026-01"}}, "WRONG_REMAINING"),
    ):
        before = [item for item in stored() if item["sk"] == forged["sk"]]
        put(forged)
        assert flaw in {finding.flaw for finding in service.verify("demo", ANN).findings}, forged["sk"]
        remove(forged)
        for item in before:
            put(item)
    assert not is_found()


def kept(beginning: str) -> dict[str, Any]:
    return next(item for item in stored() if item["sk"]["S"].startswith(beginning))


def test_words_that_were_exchanged_or_are_of_no_entry_are_found(now: datetime) -> None:
    adjust(100, now)
    adjust(7, now, key="k2")
    one, two = (item for item in stored() if item["kind"]["S"] == "EntryReason")
    said = ("entry_cause", "reason", "salt")
    put(one | {name: two[name] for name in said})
    put(two | {name: one[name] for name in said})
    assert {finding.flaw for finding in service.verify("demo", ANN).findings} == {"WRONG_REASON"}
    put(one | {"reason": {"S": "For a friend"}, "entry_cause": {"S": "nothing"}})
    put(two)
    assert is_found()
    put(one)
    assert not is_found()
    put(one | {"sk": {"S": "REASON#nothing"}, "entry_cause": {"S": "nothing"}})
    assert is_found()


def test_the_salt_of_words_follows_from_nothing_and_a_repeat_is_known_by_them_until_they_are_erased(
    now: datetime,
) -> None:
    adjust(100, now, key="ticket-4711")
    adjust(100, now, key="ticket-4711", customer_id=BEA)
    [item] = [item for item in stored() if item["kind"]["S"] == "EntryReason"]
    remove(item)
    assert adjust(100, now, key="ticket-4711").replayed
    [mine], [hers] = (repository.list_all_entries("demo", each) for each in (ANN, BEA))
    assert mine.reason_digest != hers.reason_digest
    assert mine.request == hers.request  # of the points alone
    with pytest.raises(KeyReused):
        service.adjust("demo", BEA, 100, reason="For a friend", actor=STAFF, idempotency_key="ticket-4711", now=now)


def test_an_account_that_was_removed_leaves_entries_that_are_found_whoever_is_listed(
    now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    busy(now)
    head = kept("HEAD#LOYALTY")
    remove(head)
    assert run("demo") == run("demo", ANN) == 1
    assert "cus_1: TRUNCATED 0" in capsys.readouterr().err
    put(head)
    assert run("demo") == 0
    put(kept("LEDGER#order:o1:earn:1") | {"points": {"N": "999999"}})
    assert run("demo") == 1  # no customer is listed in this shop


def test_a_ledger_that_was_set_back_whole_is_told_by_what_was_published_of_it(now: datetime) -> None:
    adjust(200, now)
    before = stored()
    spend(150, now + timedelta(hours=1))
    told = [
        json.dumps({"detail": PointsPosted.of(entry).detail()}, default=str)
        for entry in repository.list_all_entries("demo", ANN)
    ]
    published = read_published(told, "demo")
    assert run("demo", published=published) == 0
    for item in stored():
        remove(item)
    for item in before:
        put(item)
    assert run("demo") == 0
    assert run("demo", published=published) == 1
    assert {finding.flaw for finding in service.verify("demo", ANN, published=published[ANN]).findings} == {"MISSING"}
    assert read_published(told, "other") == {}


def test_the_other_side_of_a_transfer_is_looked_at(now: datetime) -> None:
    adjust(100, now)
    transferring.transfer("demo", ANN, BEA, cause="merge:m1", now=now)
    assert not is_found()
    entry = repository.get_entry("demo", BEA, "merge:m1:transfer:1")
    assert entry is not None
    entry.delete()
    assert {finding.flaw for finding in service.verify("demo", ANN).findings} == {"WRONG_TRANSFER"}


def test_words_that_were_erased_leave_the_ledger_whole(now: datetime) -> None:
    adjust(100, now)
    [item] = [item for item in stored() if item["kind"]["S"] == "EntryReason"]
    assert item["reason"]["S"] == "A late parcel"
    remove(item)
    assert service.verify("demo", ANN).findings == []
    assert "parcel" not in str(stored())


def test_the_command_tells_what_is_wrong_and_where(now: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    busy(now)
    assert run("demo", ANN) == 0
    [item] = [item for item in stored() if item["sk"]["S"] == "LEDGER#order:o1:earn:1"]
    put(item | {"number": {"S": "one"}})
    assert run("demo", ANN) == 1
    told = capsys.readouterr()
    assert "1 accounts not as they were posted" in told.out
    assert "cus_1: UNREADABLE LEDGER#order:o1:earn:1" in told.err


def test_an_account_that_is_not_there_cannot_be_verified() -> None:
    with pytest.raises(NotFound):
        service.verify("demo", "cus_9")
