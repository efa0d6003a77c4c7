# tests/integration/test_post_points.py
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from crm.kernel.actor import SYSTEM
from crm.kernel.table import customer_key
from crm.loyalty import repository, service
from crm.loyalty.events import PointsPosted
from crm.loyalty.models import OrderEarning
from crm.orders.events import OrderRecorded
from crm.shops import service as shops
from functions.loyalty.post_points import handler
from tests.integration.deliveries import batch, failed, record

pytestmark = pytest.mark.usefixtures("shop")


@pytest.fixture
def order(now: datetime) -> OrderRecorded:
    """An order of 120.50 euros, as first recorded."""
    return OrderRecorded(
        id="1", shop="demo", customer_id="cus_1", order_id="o1", rev=1, version=1, status="placed", currency="EUR",
        gross=12050, refunded=0, net=12050, points_spent=0, first=True, placed_at=now, placed_on="2026-03-10",
        occurred_at=now, cause="event:e1:order", replayed=False,
    )  # fmt: skip


def revision(order: OrderRecorded, rev: int, net: int, **others: Any) -> OrderRecorded:
    at = order.occurred_at + timedelta(minutes=rev)
    return replace(order, rev=rev, net=net, occurred_at=at, cause=f"event:e{rev}:order", **others)


def deliver(*events: OrderRecorded | dict[str, Any]) -> list[str]:
    context: Any = None
    return failed(handler(batch(*events), context))


def available(customer_id: str = "cus_1") -> int:
    account = service.account("demo", customer_id)
    return int(account.available) if account else 0


def ledger(customer_id: str = "cus_1") -> list[service.LedgerEntry]:
    """In the order of posting, its sums checked."""
    entries = service.entries("demo", customer_id, before=None, limit=100)
    entries.sort(key=lambda entry: int(entry.number))
    balance = 0
    for number, entry in enumerate(entries, start=1):
        balance += int(entry.points)
        assert (entry.number, entry.balance_after) == (number, balance)
        assert sum(int(posting.points) for posting in entry.postings) == 0
    assert balance == available(customer_id)
    return entries


def posted(customer_id: str = "cus_1") -> list[tuple[str | None, int, str]]:
    return [(entry.cause, int(entry.points), entry.movement) for entry in ledger(customer_id)]


def earning() -> OrderEarning:
    return repository.get_for_order("demo", "cus_1", "o1")[1]


def test_an_order_earns_a_point_for_each_whole_unit_of_net(order: OrderRecorded) -> None:
    assert deliver(order) == []
    assert posted() == [("order:o1:earn:1", 120, "earn")]
    assert (ledger()[0].order_id, ledger()[0].occurred_at) == ("o1", order.occurred_at)


def test_an_order_is_rewarded_once_however_often_it_is_delivered(order: OrderRecorded) -> None:
    deliver(order, order)
    deliver(order)
    assert posted() == [("order:o1:earn:1", 120, "earn")]


def test_a_refund_takes_back_the_difference_and_a_cancellation_the_rest(order: OrderRecorded) -> None:
    deliver(order, revision(order, 2, 8001, refunded=4049), revision(order, 3, 0, status="cancelled"))
    assert posted() == [
        ("order:o1:earn:1", 120, "earn"),
        ("order:o1:earn:2", -40, "reverse"),
        ("order:o1:earn:3", -80, "reverse"),
    ]
    account = service.account("demo", "cus_1")
    assert account is not None
    assert (account.available, account.lifetime_earned, account.rev) == (0, 0, 3)


def test_an_order_that_first_comes_to_our_ears_cancelled_earns_nothing_and_its_past_neither(
    order: OrderRecorded,
) -> None:
    deliver(revision(order, 2, 0, status="cancelled"), order)
    assert posted() == []
    assert available() == 0


def test_an_edit_back_to_the_old_net_is_remembered_so_that_the_edit_between_posts_nothing(order: OrderRecorded) -> None:
    deliver(order, revision(order, 3, 12050), revision(order, 2, 20000))
    assert posted() == [("order:o1:earn:1", 120, "earn")]


def test_revisions_in_any_order_and_any_number_end_in_the_balance_of_the_newest(order: OrderRecorded) -> None:
    revisions = [order, revision(order, 2, 20000), revision(order, 3, 4099), revision(order, 4, 9900)]
    repeats = random.Random(5)  # noqa: S311
    for number, permutation in enumerate(permutations(revisions)):
        customer = f"cus_{number}"
        events = [replace(one, customer_id=customer) for one in permutation]
        deliver(*events, *repeats.choices(events, k=3))
        assert available(customer) == 99
        assert sum(points for _, points, _ in posted(customer)) == 99
        assert posted(customer)[-1][0] == "order:o1:earn:4"


def test_orders_add_up_and_each_is_corrected_by_itself(order: OrderRecorded) -> None:
    other = replace(order, order_id="o2", net=999)
    deliver(order, other, revision(order, 2, 0, status="cancelled"))
    assert available() == 9


def test_an_order_in_another_currency_earns_nothing_and_the_reason_is_kept(order: OrderRecorded) -> None:
    deliver(replace(order, currency="USD"))
    assert posted() == []
    assert (earning().posted, earning().withheld) == (0, "OTHER_CURRENCY")
    deliver(revision(order, 2, 12050))
    assert earning().posted == 120
    assert earning().withheld is None


def test_a_shop_that_changes_its_currency_takes_no_points_back(order: OrderRecorded) -> None:
    deliver(order)
    shops.update("demo", shops.ShopFields(currency="USD"))
    deliver(revision(order, 2, 12050), revision(order, 3, 8001), replace(order, order_id="o2", currency="USD", net=500))
    assert posted() == [
        ("order:o1:earn:1", 120, "earn"),
        ("order:o1:earn:3", -40, "reverse"),
        ("order:o2:earn:1", 5, "earn"),
    ]
    deliver(replace(order, order_id="o3"))
    assert available() == 85


def test_a_refund_after_the_points_are_spent_leaves_a_balance_below_zero(order: OrderRecorded) -> None:
    deliver(order)
    account = service.account("demo", "cus_1")
    assert account is not None
    service.adjust("demo", "cus_1", -100, reason="Spent", actor=SYSTEM, idempotency_key="k1", now=order.occurred_at)
    deliver(revision(order, 2, 0, status="cancelled"))
    assert available() == -100


@pytest.fixture
def overtaken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[OrderRecorded]]:
    """What is put in here is posted by somebody else between the next read and its write."""
    meanwhile: list[OrderRecorded] = []
    read = repository.get_for_order

    def read_and_be_overtaken(*key: str) -> tuple[service.LoyaltyAccount, OrderEarning]:
        answer = read(*key)
        if meanwhile:
            assert deliver(meanwhile.pop()) == []
        return answer

    monkeypatch.setattr(repository, "get_for_order", read_and_be_overtaken)
    yield meanwhile
    assert meanwhile == []


def test_two_orders_posted_at_once_both_count(order: OrderRecorded, overtaken: list[OrderRecorded]) -> None:
    deliver(replace(order, order_id="o0"))
    overtaken.append(replace(order, order_id="o2", net=500))
    assert deliver(order) == []
    assert available() == 245
    assert len(posted()) == 3


def test_the_same_order_posted_twice_at_once_counts_once(order: OrderRecorded, overtaken: list[OrderRecorded]) -> None:
    overtaken.append(order)
    assert deliver(order) == []
    assert posted() == [("order:o1:earn:1", 120, "earn")]


@pytest.mark.parametrize(("mine", "theirs"), [(2, 3), (3, 2)])
def test_of_two_revisions_posted_at_once_the_newer_wins(
    order: OrderRecorded, overtaken: list[OrderRecorded], mine: int, theirs: int
) -> None:
    nets = {2: 20000, 3: 5000}
    deliver(order)
    overtaken.append(revision(order, theirs, nets[theirs]))
    assert deliver(revision(order, mine, nets[mine])) == []
    assert sum(points for _, points, _ in posted()) == 50


def test_a_revision_without_effect_still_gives_way_to_a_newer_one_at_the_same_time(
    order: OrderRecorded, overtaken: list[OrderRecorded]
) -> None:
    deliver(order)
    overtaken.append(revision(order, 3, 5000))
    deliver(revision(order, 2, 12050))
    assert (earning().order_rev, earning().posted) == (3, 50)


def test_an_entry_that_is_there_is_never_posted_again_whatever_else_was_lost(order: OrderRecorded) -> None:
    deliver(order)
    earning().delete()
    assert deliver(order) == []
    assert posted() == [("order:o1:earn:1", 120, "earn")]


def test_the_ledger_is_read_newest_first_in_pages(order: OrderRecorded) -> None:
    deliver(*(revision(order, rev, rev * 100) for rev in range(1, 6)))
    pages: list[list[str | None]] = []
    before = None
    for _ in range(4):
        page = service.entries("demo", "cus_1", before=before, limit=2)
        pages.append([entry.cause for entry in page])
        before = page[-1].timeline_key if page else before
    assert pages == [
        ["order:o1:earn:5", "order:o1:earn:4"],
        ["order:o1:earn:3", "order:o1:earn:2"],
        ["order:o1:earn:1"],
        [],
    ]


def test_each_entry_is_published_with_an_id_of_its_own(order: OrderRecorded) -> None:
    deliver(order, replace(revision(order, 2, 8000), replayed=True))
    first, second = (PointsPosted.of(entry) for entry in ledger())
    assert (first.points, first.balance_after, first.replayed) == (120, 120, False)
    assert (second.points, second.balance_after, second.replayed) == (-40, 80, True)
    assert first.id == f"{customer_key('demo', 'cus_1')}|LEDGER#order:o1:earn:1@1" != second.id
    assert PointsPosted.parse(first.detail()) == first


def test_a_record_that_cannot_be_read_does_not_hold_up_its_neighbours(order: OrderRecorded) -> None:
    unknown = record("order.eaten", order.detail(), "")
    halved = record("order.recorded", {"shop": "demo"}, "")
    foreign = replace(order, shop="nobody")
    no_json = unknown | {"body": "{"}
    assert deliver(unknown, halved, foreign, no_json, order) == ["0", "1", "2", "3"]
    assert available() == 120


def test_a_batch_of_bad_records_only_is_answered_and_does_not_crash(order: OrderRecorded) -> None:
    assert deliver(record("order.eaten", order.detail(), "")) == ["0"]
