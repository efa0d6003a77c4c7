# tests/integration/test_points_ledger.py
"""Points held and spent, adjusted, reversed and transferred, and what time does to them: as they are stored."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm.kernel import timers
from crm.kernel.errors import InvalidInputs, KeyReused, NotFound
from crm.kernel.settings import settings
from crm.kernel.table import client
from crm.kernel.timers import TimerDue
from crm.loyalty import repository, service, transferring
from tests.integration.points import ANN, BEA, STAFF, adjust, balances, hold, order, programme, spend

pytestmark = pytest.mark.usefixtures("shop", "programme")
__all__ = ["programme"]


def timer(customer_id: str = ANN) -> datetime | None:
    found = timers.get("demo", customer_id, "loyalty", "ledger")
    return found.due_at if found else None


def wake(now: datetime, customer_id: str = ANN) -> list[str]:
    """Handle the timer as it stands, as the function does."""
    due_at = timer(customer_id)
    assert due_at is not None
    woken = service.wake(TimerDue("demo", customer_id, "loyalty", "ledger", due_at), now=now)
    return [entry.cause for entry in woken]


# --- keys


def test_a_key_has_one_effect_and_each_repeat_the_same_answer(now: datetime) -> None:
    first, again = adjust(100, now), adjust(100, now + timedelta(days=9))
    assert (first.replayed, again.replayed) == (False, True)
    assert first.entry.cause == again.entry.cause
    assert balances() == (100, 0, 0)


def test_a_key_that_comes_with_something_else_is_refused(now: datetime) -> None:
    adjust(100, now)
    spend(10, now)
    hold(10, now)
    for other in (
        lambda: adjust(101, now), lambda: spend(11, now), lambda: hold(11, now), lambda: hold(10, now, hours=2),
        lambda: service.adjust("demo", ANN, 100, reason="x", actor=STAFF, idempotency_key="k1", now=now),
    ):  # fmt: skip
        with pytest.raises(KeyReused):
            other()
    assert balances() == (80, 0, 10)


def test_a_key_is_one_customers(now: datetime) -> None:
    adjust(100, now)
    assert not adjust(100, now, customer_id=BEA).replayed


def test_what_makes_no_sense_is_told_at_once(now: datetime) -> None:
    with pytest.raises(InvalidInputs) as told:
        service.adjust("demo", ANN, 0, reason=" ", actor=STAFF, idempotency_key="", now=now)
    assert [fault.path for fault in told.value.faults] == ["points", "reason", "idempotencyKey"]
    with pytest.raises(InvalidInputs):
        hold(5, now, hours=24 * 31)


def test_a_refusal_leaves_nothing_behind_and_its_key_free(now: datetime) -> None:
    with pytest.raises(service.InsufficientPoints):
        spend(10, now)
    adjust(10, now)
    assert not spend(10, now).replayed


# --- time


def test_points_mature_when_their_timer_falls_due_and_expire_when_the_next_does(now: datetime) -> None:
    service.post_for_order(order(now), now=now)
    assert balances() == (0, 100, 0)
    assert timer() == datetime.fromisoformat("2026-03-13T23:00:00Z")
    assert wake(now + timedelta(days=4)) == ["order:o1:mature"]
    assert balances() == (100, 0, 0)
    assert timer() == datetime.fromisoformat("2026-04-10T22:00:00Z")
    [cause] = wake(now + timedelta(days=40))
    assert cause == "pool:2026-04-10T22:00:00.000000Z:expire:3"
    assert balances() == (0, 0, 0)
    assert timer() is None


def test_the_timer_by_which_points_of_one_order_mature_is_set_to_when_those_of_the_next_do(now: datetime) -> None:
    for number in range(3):
        at = now + timedelta(days=number)
        service.post_for_order(order(at, order_id=f"o{number}"), now=at)
    for number in range(3):
        due_at = timer()
        assert due_at == datetime.fromisoformat("2026-03-13T23:00:00Z") + timedelta(days=number)
        assert wake(due_at) == [f"order:o{number}:mature"]


def test_a_timer_that_comes_early_or_again_changes_nothing(now: datetime) -> None:
    service.post_for_order(order(now), now=now)
    due_at = timer()
    assert due_at is not None
    told = TimerDue("demo", ANN, "loyalty", "ledger", due_at)
    assert service.wake(told, now=now) == []
    assert timer() == due_at
    later = now + timedelta(days=4)
    assert len(service.wake(told, now=later)) == 1
    assert service.wake(told, now=later) == []


def test_a_timer_of_nobody_is_taken_away(now: datetime) -> None:
    timers.Timer.of("demo", "cus_9", "loyalty", "ledger", now).save()
    service.wake(TimerDue("demo", "cus_9", "loyalty", "ledger", now), now=now)
    assert timer("cus_9") is None


def test_a_timer_that_is_left_of_somebody_does_not_keep_others_from_earning(now: datetime) -> None:
    timers.Timer.of("demo", ANN, "loyalty", "ledger", now - timedelta(days=9)).save()
    adjust(100, now)
    assert timer() == datetime.fromisoformat("2026-04-10T22:00:00Z")


def test_a_timer_is_not_taken_away_from_an_account_that_has_just_come(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers.Timer.of("demo", ANN, "loyalty", "ledger", now).save()
    read, meanwhile = timers.get, [lambda: adjust(100, now)]

    def read_late(*key: str) -> Any:
        while meanwhile:
            meanwhile.pop()()
        return read(*key)

    monkeypatch.setattr(timers, "get", read_late)
    service.wake(TimerDue("demo", ANN, "loyalty", "ledger", now), now=now)
    assert read("demo", ANN, "loyalty", "ledger") is not None


def test_whatever_is_due_has_its_effect_before_points_are_spent(now: datetime) -> None:
    service.post_for_order(order(now), now=now)
    spend(70, now + timedelta(days=4))
    assert balances() == (30, 0, 0)
    with pytest.raises(service.InsufficientPoints):
        spend(30, now + timedelta(days=40), key="s2")
    assert balances() == (0, 0, 0)


def test_what_was_due_long_ago_has_its_effect_in_due_order_as_of_then(now: datetime) -> None:
    adjust(50, now)
    hold(20, now, hours=24)
    service.post_for_order(order(now), now=now)
    service.post_for_order(order(now, order_id="o2", net=5_000), now=now + timedelta(minutes=1))
    later = now + timedelta(days=90)
    entries = service.settle("demo", ANN, now=later)
    assert [entry.movement for entry in entries] == ["release", "mature", "mature", "expire"]
    assert [entry.occurred_at for entry in entries] == sorted(entry.occurred_at for entry in entries)
    assert {entry.recorded_at for entry in entries} == {later}
    assert balances() == (0, 0, 0)


def test_an_order_that_is_imported_late_is_not_told_as_if_it_were_today(now: datetime) -> None:
    late = now + timedelta(days=90)
    service.post_for_order(order(now, replayed=True), now=late)
    entries = service.settle("demo", ANN, now=late)
    assert [(entry.movement, entry.replayed) for entry in entries] == [("expire", True)]
    adjust(10, late)
    assert [entry.replayed for entry in service.settle("demo", ANN, now=late + timedelta(days=90))] == [False]


def test_what_is_due_and_has_had_its_effect_is_a_fault_and_is_not_tried_again(now: datetime) -> None:
    service.post_for_order(order(now), now=now)
    [earned] = service.entries("demo", ANN, before=None, limit=5)
    earned.sk = f"{earned.sk.partition('#')[0]}#order:o1:mature"  # whatever wrote it
    earned.save()
    with pytest.raises(ValueError, match="has had its effect before"):
        service.settle("demo", ANN, now=now + timedelta(days=5))


def test_what_becomes_of_imported_points_after_the_import_is_told(now: datetime) -> None:
    service.post_for_order(order(now - timedelta(days=10), replayed=True), now=now)
    assert balances() == (100, 0, 0)
    entries = service.settle("demo", ANN, now=now + timedelta(days=90))
    assert [(entry.movement, entry.replayed) for entry in entries] == [("expire", False)]


def test_a_refund_after_its_points_expired_takes_nothing_a_second_time(now: datetime) -> None:
    service.post_for_order(order(now), now=now)
    later = now + timedelta(days=90)
    adjust(500, later)
    service.post_for_order(order(now, rev=2, net=0), now=later)
    assert balances() == (500, 0, 0)


# --- reversals


def test_what_a_hold_spent_is_reversed_once_with_its_original_expiry(now: datetime) -> None:
    adjust(100, now)
    cause = spend(60, now).entry.cause or ""
    for replayed in (False, True):
        given = service.reverse("demo", ANN, cause, reason="Sold out", actor=STAFF, now=now + timedelta(days=2))
        assert given.replayed is replayed
    with pytest.raises(KeyReused) as refused:
        service.reverse("demo", ANN, cause, reason="A slip", actor=STAFF, now=now + timedelta(days=2))
    assert refused.value.field == "reason"
    assert [(one.cause, int(one.points)) for one in given.entry.reverses] == [(cause, 60)]
    assert balances() == (100, 0, 0)
    assert timer() == datetime.fromisoformat("2026-04-10T22:00:00Z")


@pytest.mark.parametrize("points", [80, -80])
def test_an_adjustment_is_reversed(points: int, now: datetime) -> None:
    adjust(100, now)
    cause = adjust(points, now, key="k2").entry.cause or ""
    service.reverse("demo", ANN, cause, reason="Wrong customer", actor=STAFF, now=now)
    assert balances() == (100, 0, 0)


def test_a_captured_hold_is_reversed_once_with_its_original_expiry(now: datetime) -> None:
    adjust(100, now)
    held = hold(60, now).hold
    capture = f"hold:{held.hold_id}:capture"
    service.capture("demo", ANN, held.hold_id, points=45, actor=STAFF, now=now)
    for replayed in (False, True):
        given = service.reverse("demo", ANN, capture, reason="Sold out", actor=STAFF, now=now + timedelta(days=2))
        assert given.replayed is replayed
    assert [(one.cause, int(one.points)) for one in given.entry.reverses] == [(capture, 45)]
    assert balances() == (100, 0, 0)
    assert timer() == datetime.fromisoformat("2026-04-10T22:00:00Z")


def test_what_a_hold_paid_for_an_order_is_not_reversed_by_hand(now: datetime) -> None:
    adjust(100, now)
    held = hold(60, now, order_id="o1").hold
    service.capture("demo", ANN, held.hold_id, actor=STAFF, now=now)
    with pytest.raises(service.NotReversible, match="telling of the order"):
        service.reverse("demo", ANN, f"hold:{held.hold_id}:capture", reason="x", actor=STAFF, now=now)
    assert balances() == (40, 0, 0)


def test_what_was_captured_is_not_given_back_as_nothing_where_its_hold_is_lost(now: datetime) -> None:
    adjust(100, now)
    held = hold(60, now).hold
    service.capture("demo", ANN, held.hold_id, actor=STAFF, now=now)
    client().delete_item(TableName=settings().crm_table, Key={"pk": {"S": held.pk}, "sk": {"S": held.sk}})
    with pytest.raises(ValueError, match="is not there"):
        service.reverse("demo", ANN, f"hold:{held.hold_id}:capture", reason="Sold out", actor=STAFF, now=now)


def test_an_order_that_is_called_like_a_claim_is_posted_once(now: datetime) -> None:
    told = order(now, order_id="a:claim:1")
    assert service.post_for_order(told, now=now).points == 0  # pending
    item = repository.get_for_order("demo", ANN, "a:claim:1")[1]
    item.delete()  # so that nothing but its entry says that it was posted
    service.post_for_order(told, now=now)
    account = service.account("demo", ANN)
    assert account is not None
    assert (account.number, account.pending) == (1, 100)


def test_what_orders_did_is_not_reversed_by_hand(now: datetime) -> None:
    service.post_for_order(order(now), now=now)
    with pytest.raises(service.NotReversible):
        service.reverse("demo", ANN, "order:o1:earn:1", reason="x", actor=STAFF, now=now)
    with pytest.raises(NotFound):
        service.reverse("demo", ANN, "order:o9:earn:1", reason="x", actor=STAFF, now=now)


# --- transfers


def test_points_whose_month_is_past_by_the_clock_of_who_is_given_them_are_transferred_and_expire(now: datetime) -> None:
    adjust(100, now)  # until 11 April in Vienna
    may, ahead = datetime(2026, 5, 1, 0, 0, 1, tzinfo=UTC), datetime(2026, 4, 10, 21, 55, tzinfo=UTC)
    adjust(1, may, customer_id=BEA)
    assert transferring.transfer("demo", ANN, BEA, cause="merge:m1", now=ahead) == 100
    service.settle("demo", BEA, now=may)
    assert (balances(), balances(BEA)) == ((0, 0, 0), (1, 0, 0))


def test_points_of_a_merged_customer_move_with_their_expiry_once(now: datetime) -> None:
    adjust(100, now)
    adjust(30, now + timedelta(days=5), customer_id=BEA)
    later = now + timedelta(days=6)
    assert transferring.transfer("demo", ANN, BEA, cause="merge:m1", now=later) == 100
    assert transferring.transfer("demo", ANN, BEA, cause="merge:m1", now=later) == 0
    assert (balances(ANN), balances(BEA)) == ((0, 0, 0), (130, 0, 0))
    assert timer(BEA) == datetime.fromisoformat("2026-04-10T22:00:00Z")


# --- at once


@pytest.fixture
def overtaken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is put in here happens between a reading of the pools and the write that follows."""
    meanwhile: list[Any] = []
    read = repository.list_months

    def read_and_be_overtaken(*arguments: Any, **named: Any) -> Any:
        answer = read(*arguments, **named)
        if meanwhile:
            meanwhile.pop()()
        return answer

    monkeypatch.setattr(repository, "list_months", read_and_be_overtaken)
    yield meanwhile
    assert meanwhile == []


def test_two_who_spend_the_same_points_at_once_do_not_both_get_them(now: datetime, overtaken: list[Any]) -> None:
    adjust(100, now)
    overtaken.append(lambda: spend(60, now, key="theirs"))
    with pytest.raises(service.InsufficientPoints):
        spend(60, now, key="mine")
    assert balances() == (40, 0, 0)


def test_who_reads_an_account_while_its_points_are_spent_is_told_that_they_are(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    adjust(100, now)
    read, meanwhile = repository.list_months, [lambda: spend(100, now, key="theirs")]

    def read_late(*arguments: Any, **named: Any) -> Any:
        while meanwhile:
            meanwhile.pop()()
        return read(*arguments, **named)

    monkeypatch.setattr(repository, "list_months", read_late)
    with pytest.raises(service.InsufficientPoints):
        spend(60, now, key="mine")
    assert balances() == (0, 0, 0)


def test_one_key_used_twice_at_once_counts_once(now: datetime, overtaken: list[Any]) -> None:
    adjust(100, now)
    overtaken.append(lambda: spend(60, now))
    assert spend(60, now).replayed
    assert balances() == (40, 0, 0)


def test_a_hold_that_is_captured_and_released_at_once_is_one_of_them(now: datetime, overtaken: list[Any]) -> None:
    adjust(100, now)
    held = hold(60, now).hold
    overtaken.append(lambda: service.capture("demo", ANN, held.hold_id, actor=STAFF, now=now))
    with pytest.raises(service.HoldClosed):
        service.release("demo", ANN, held.hold_id, actor=STAFF, now=now)
    assert balances() == (40, 0, 0)


def test_a_capture_and_its_order_at_once_spend_the_points_once(now: datetime, overtaken: list[Any]) -> None:
    adjust(100, now)
    held = hold(60, now, order_id="o1").hold
    overtaken.append(lambda: service.post_for_order(order(now, points_spent=60), now=now))
    service.capture("demo", ANN, held.hold_id, actor=STAFF, now=now)
    assert balances() == (40, 99, 0)


def test_an_order_whose_hold_is_captured_meanwhile_spends_the_points_once(now: datetime, overtaken: list[Any]) -> None:
    adjust(100, now)
    held = hold(60, now, order_id="o1").hold
    overtaken.append(lambda: service.capture("demo", ANN, held.hold_id, actor=STAFF, now=now))
    service.post_for_order(order(now, points_spent=60), now=now)
    assert balances() == (40, 99, 0)


def test_a_transfer_that_is_done_twice_at_once_tells_of_the_points_once(now: datetime, overtaken: list[Any]) -> None:
    adjust(100, now)
    moved = []
    overtaken.append(lambda: moved.append(transferring.transfer("demo", ANN, BEA, cause="merge:m1", now=now)))
    moved.append(transferring.transfer("demo", ANN, BEA, cause="merge:m1", now=now))
    assert moved == [100, 0]


def test_a_timer_and_a_debit_at_once_both_count(now: datetime, overtaken: list[Any]) -> None:
    adjust(100, now)
    hold(60, now)
    later = now + timedelta(hours=2)
    overtaken.append(lambda: spend(30, later))
    service.settle("demo", ANN, now=later)
    assert balances() == (70, 0, 0)


def test_a_capture_forgets_nothing_that_its_order_said_meanwhile(now: datetime) -> None:
    """A revision that moves no points is written without the account."""
    adjust(100, now)
    held = hold(60, now, order_id="o1").hold
    reading = repository.get_for_order

    def read_late(*key: str) -> Any:
        answer = reading(*key)
        while late:
            late.pop()()
        return answer

    late = [lambda: service.post_for_order(order(now, rev=7, net=0), now=now)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repository, "get_for_order", read_late)
        service.capture("demo", ANN, held.hold_id, actor=STAFF, now=now)
    assert int(reading("demo", ANN, "o1")[1].order_rev) == 7


def test_maturing_forgets_nothing_that_its_order_said_meanwhile(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    service.post_for_order(order(now), now=now)
    reading = repository.list_pending
    late = [lambda: service.post_for_order(order(now, rev=7), now=now)]

    def read_late(*arguments: Any, **named: Any) -> Any:
        answer = reading(*arguments, **named)
        while late:
            late.pop()()
        return answer

    monkeypatch.setattr(repository, "list_pending", read_late)
    service.settle("demo", ANN, now=now + timedelta(days=4))
    assert int(repository.get_for_order("demo", ANN, "o1")[1].order_rev) == 7
    assert balances() == (100, 0, 0)


# --- as it is read


def test_what_is_due_counts_for_readers_before_its_timer_is_handled(now: datetime) -> None:
    adjust(100, now)
    hold(60, now)
    service.post_for_order(order(now), now=now)
    revs = [item.rev for item in [service.account("demo", ANN)] if item]
    for hours, balances_then in ((0, (40, 100, 60)), (2, (100, 100, 0)), (96, (200, 0, 0)), (24 * 40, (0, 0, 0))):
        then = service.balances_at("demo", ANN, now=now + timedelta(hours=hours))
        assert (then.available, then.pending, then.held) == balances_then
    assert [item.rev for item in [service.account("demo", ANN)] if item] == revs
    service.settle("demo", ANN, now=now + timedelta(days=40))
    assert balances() == (0, 0, 0)


# --- bounds


def test_a_debit_reads_and_writes_as_much_for_two_hundred_credits_as_for_two(now: datetime) -> None:
    costs = []
    for customer_id, credits_ in (("cus_few", 2), ("cus_many", 200)):
        for number in range(credits_):
            adjust(1, now, key=f"k{number}", customer_id=customer_id)
        costs.append(_cost(customer_id, now))
    assert costs[0] == costs[1] == (3, 1, 4)  # the month, the account, its entry and words, nothing for each credit


def _cost(customer_id: str, now: datetime) -> tuple[int, int, int]:
    """Reads, transactions, and items written."""
    counted = [0, 0, 0]

    def count(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name == "TransactWriteItems":
            counted[1] += 1
            counted[2] += len(json.loads(params["body"])["TransactItems"])
        else:
            counted[0] += 1

    events = client().meta.events
    events.register("before-call.dynamodb", count)
    try:
        adjust(-1, now, key="taken", customer_id=customer_id)
    finally:
        events.unregister("before-call.dynamodb", count)
    return counted[0], counted[1], counted[2]
