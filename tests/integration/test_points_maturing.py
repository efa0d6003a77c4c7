# tests/integration/test_points_maturing.py
"""Orders whose points mature: however many do at one midnight, nobody waits for each of them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from crm.kernel import clock
from crm.kernel.change import Change
from crm.loyalty import maturing, repository, service
from tests.integration.points import ANN, adjust, balances, hold, order, programme
from tests.integration.rewards import overtaking

__all__ = ["programme"]
pytestmark = pytest.mark.usefixtures("shop", "programme")

MATURES = clock.parse("2026-03-13T23:00:00Z")
"""When points can be spent that were earned on 10 March."""
DAY = timedelta(days=1)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maturing, "MOST_MATURED", 3)


def bought(now: datetime, *numbers: int) -> None:
    for number in numbers:
        told = replace(order(now, order_id=f"o{number}", net=1_000), first=False)
        service.post_for_order(told, now=now)


def history() -> list[tuple[str, int]]:
    """What was posted, oldest first, and the balance behind it."""
    entries = sorted(repository.list_all_entries("demo", ANN), key=lambda entry: int(entry.number))
    return [(entry.cause or "", int(entry.balance_after)) for entry in entries]


def counted(monkeypatch: pytest.MonkeyPatch, of: Any, name: str, size: Callable[[Any], int] = lambda _: 1) -> list[int]:
    """How often it is called, or how much it answers, each time."""
    sizes, called = list[int](), getattr(of, name)

    def count(*given: Any, **named: Any) -> Any:
        answer = called(*given, **named)
        sizes.append(size(answer))
        return answer

    monkeypatch.setattr(of, name, count)
    return sizes


@pytest.mark.usefixtures("few")
def test_orders_that_mature_at_one_midnight_do_so_together(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    bought(now, *range(8))
    commits = counted(monkeypatch, Change, "commit")
    posted = service.settle("demo", ANN, now=MATURES)
    assert len(commits) == 3
    assert [entry.cause for entry in posted] == [f"order:o{number}:mature" for number in range(8)]
    assert [balance for cause, balance in history() if cause.endswith(":mature")] == [*range(10, 90, 10)]
    assert balances() == (80, 0, 0)
    account = service.account("demo", ANN)
    assert account is not None
    assert account.due_at is not None
    assert account.due_at > MATURES
    assert service.settle("demo", ANN, now=MATURES) == []


@pytest.mark.usefixtures("few")
def test_what_falls_due_between_two_orders_has_its_effect_between_them(now: datetime) -> None:
    adjust(50, now)
    bought(now, 1, 2)
    held = hold(20, MATURES - timedelta(minutes=30)).hold
    bought(now + DAY, 3)
    service.settle("demo", ANN, now=MATURES + 2 * DAY)
    assert [cause for cause, _ in history()][-4:] == [
        "order:o1:mature", "order:o2:mature", f"hold:{held.hold_id}:release", "order:o3:mature",
    ]  # fmt: skip
    assert balances() == (80, 0, 0)


@pytest.mark.usefixtures("few")
def test_two_who_let_orders_mature_at_once_let_each_mature_once(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    bought(now, 1, 2)
    bought(now + DAY, 3)
    behind = [lambda: service.settle("demo", ANN, now=MATURES)]
    with monkeypatch.context() as patched:
        patched.setattr(repository, "list_pending", overtaking(repository.list_pending, behind))
        service.settle("demo", ANN, now=MATURES + 2 * DAY)
    assert not behind
    assert [cause for cause, _ in history()][-3:] == ["order:o1:mature", "order:o2:mature", "order:o3:mature"]
    assert balances() == (30, 0, 0)


def test_whoever_asks_what_time_has_done_reads_no_orders_that_are_still_pending(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought(now, 1)
    bought(now + DAY, 2, 3, 4)
    read = counted(monkeypatch, repository, "list_pending", len)
    account = service.account("demo", ANN)
    assert account is not None
    assert service.played("demo", ANN, account, now=MATURES).balances.available == 10
    assert read == [1]
