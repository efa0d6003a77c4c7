# tests/integration/test_points_verify.py
"""Whatever is changed, removed, moved or copied in a stored ledger is found."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.kernel.errors import NotFound
from crm.kernel.settings import settings
from crm.kernel.table import client, customer_key
from crm.loyalty import service
from infra.local.verify import run
from tests.integration.points import ANN, adjust, balances, hold, order, programme, redeem
from tests.tampering import edited, other

pytestmark = pytest.mark.usefixtures("shop", "programme")
__all__ = ["programme"]


def busy(now: datetime) -> None:
    adjust(200, now)
    service.post_for_order(order(now, points_spent=40), now=now)
    redeem(30, now + timedelta(hours=1))
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


BESIDE = {
    "LoyaltyAccount": ("available", "pending", "held", "owed", "number", "fingerprint", "lifetime_earned", "holds"),
    "PointsMonth": ("pools",),
    "EntryReason": ("reason", "salt"),
}


def test_what_is_kept_beside_the_entries_is_verified_too(now: datetime) -> None:
    busy(now)
    draw = random.Random(4)  # noqa: S311
    for item in stored():
        for name in BESIDE.get(item["kind"]["S"], ()):
            put(item | {name: other(draw, item[name])})
            assert is_found(), (item["sk"], name)
        put(item)
    assert not is_found()


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
