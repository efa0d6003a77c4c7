# tests/integration/test_points_at_once.py
"""The same call twice at once: the second is told what the first has done, whatever it had read of it by then."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from unittest.mock import Mock

import pytest

from crm.kernel.actor import Actor, Role
from crm.loyalty import repository, service
from crm.loyalty.models import LoyaltyAccount, PointsMonth, month_at
from crm.loyalty.posting import IMPOSSIBLE, Ledger
from crm.loyalty.rewards import service as rewards
from tests.integration.points import ANN, BEA, STAFF, adjust, balances, hold, order, programme, spend
from tests.integration.rewards import founded, redeem, reward

pytestmark = pytest.mark.usefixtures("shop", "programme")
__all__ = ["programme"]

Call = Callable[[], bool]
"""Whether it is answered with what an earlier one did."""
CUSTOMER = Actor(Role.CUSTOMER, ANN)


def released(now: datetime) -> Call:
    held = theirs(now)
    return lambda: service.release("demo", ANN, held, actor=CUSTOMER, now=ended(now)).given.replayed


def captured(now: datetime) -> Call:
    held = theirs(now)
    return lambda: service.capture("demo", ANN, held, points=10, actor=CUSTOMER, now=ended(now)).given.replayed


def cancelled(now: datetime) -> Call:
    founded()
    named: dict[str, Any] = {"actor": CUSTOMER, "themselves": True}
    mug = redeem(reward(now, price=60), now + timedelta(days=20), themselves=True).redemption.redemption_id
    return lambda: rewards.cancel("demo", ANN, mug, now=ended(now), **named).replayed


def reversed_(now: datetime) -> Call:
    cause = spend(60, now).entry.cause or ""
    return lambda: service.reverse("demo", ANN, cause, reason="A slip", actor=STAFF, now=ended(now)).replayed


def taken(now: datetime) -> Call:
    return lambda: adjust(-60, now, key="k2").replayed


def held_again(now: datetime) -> Call:
    return lambda: hold(60, now).given.replayed


def posted(now: datetime) -> Call:
    return lambda: not service.post_for_order(order(now, points_spent=60), now=now).points


def theirs(now: datetime) -> str:
    """60 that they have set aside themselves, for longer than the points live."""
    lasts = timedelta(days=30)
    made = service.hold(
        "demo", ANN, 60, lasts=lasts, actor=CUSTOMER, idempotency_key="h", now=now + timedelta(days=20)
    )  # fmt: skip
    return made.hold.hold_id


def ended(now: datetime) -> datetime:
    """When their points have expired: what comes back expires in one entry with that, and no balance tells who has read
    the hold before it and the pools after it that they do not belong together.
    """
    return now + timedelta(days=45)


@pytest.fixture
def overtaken(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What is put in here happens once somebody has read an account, and before they read its pools."""
    meanwhile: list[Callable[[], object]] = []
    read = repository.list_months

    def and_be_overtaken(*asked: Any, **named: Any) -> Any:
        if meanwhile:
            meanwhile.pop()()
        return read(*asked, **named)

    monkeypatch.setattr(repository, "list_months", and_be_overtaken)
    return meanwhile


@pytest.mark.parametrize("called", [released, captured, cancelled, reversed_, taken, held_again, posted])
def test_the_second_of_two_alike_is_answered_with_what_the_first_did(
    called: Callable[[datetime], Call], now: datetime, overtaken: list[Callable[[], object]]
) -> None:
    adjust(100, now)
    call, answers = called(now), list[bool]()
    if called in {released, captured, cancelled, reversed_}:
        service.settle("demo", ANN, now=ended(now))
    overtaken.append(lambda: answers.append(call()))
    answers.append(call())
    assert (answers, overtaken) == ([False, True], [])
    after = balances()
    assert call()
    assert balances() == after


def test_what_is_impossible_of_an_account_that_nobody_moves_is_a_bug_that_is_seen(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    adjust(100, now)
    held = hold(60, now).hold.hold_id
    [month] = repository.list_months("demo", ANN, since=month_at(now))
    month.update([PointsMonth.pools.set([])])
    read = Mock(wraps=repository.list_months)
    monkeypatch.setattr(repository, "list_months", read)
    for call in (partial(service.release, "demo", ANN, held, actor=STAFF, now=now), partial(adjust, 5, now, key="k2")):
        with pytest.raises(ValueError, match="40 points can be spent, and in the pools are 0"):
            call()
    assert read.call_count == 2 * IMPOSSIBLE


@pytest.mark.parametrize("seen", [1, IMPOSSIBLE - 1])
def test_who_has_seen_half_of_a_transaction_reads_again(
    seen: int, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    adjust(100, now)
    read, half = repository.list_months, [list[PointsMonth]()] * seen
    monkeypatch.setattr(
        repository, "list_months", lambda *asked, **named: half.pop() if half else read(*asked, **named)
    )
    assert not adjust(5, now, key="k2").replayed
    assert (half, balances()) == ([], (105, 0, 0))


@pytest.mark.parametrize(("seen", "is_answered"), [(1, True), (IMPOSSIBLE - 1, True), (IMPOSSIBLE, False)])
def test_who_only_looks_reads_again_what_cannot_be(
    seen: int, is_answered: bool, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    adjust(100, now)
    hold(60, now)
    head, later = service.account("demo", ANN), now + timedelta(hours=2)
    assert head is not None
    read, half = repository.list_months, [list[PointsMonth]()] * seen
    monkeypatch.setattr(
        repository, "list_months", lambda *asked, **named: half.pop() if half else read(*asked, **named)
    )
    if is_answered:
        assert service.played("demo", ANN, head, now=later).balances.available == 100
    else:
        with pytest.raises(ValueError, match="leaves Pool"):
            service.played("demo", ANN, head, now=later)


def test_nobody_decides_by_a_ledger_who_does_not_say_what_comes_of_one_that_moved(now: datetime) -> None:
    with pytest.raises(LookupError):
        Ledger("demo", BEA, LoyaltyAccount.of("demo", BEA), now=now)
