# tests/integration/test_visitors_at_once.py
"""What a visitor does and who they turn out to be, crossing: each overtaken between its reading and its writing."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crm.kernel import clock
from crm.kernel.change import Change
from crm.kernel.meter import metering
from crm.touchpoints import repository, visitors
from crm.touchpoints import service as touchpoints
from tests.conftest import NOW
from tests.shop_events import deliver
from tests.visiting import brought_by, history, identified, settled, stored_of, viewed

pytestmark = pytest.mark.usefixtures("shop", "outlets")


@pytest.fixture(autouse=True)
def on_that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def overtaken(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Let something happen whole, once, just behind the next read of that name."""
    meanwhile: list[Callable[[], object]] = []

    def overtake(read: str, by: Callable[[], object]) -> None:
        original = getattr(repository, read)
        meanwhile.append(by)

        def read_then_be_overtaken(*args: Any, **more: Any) -> Any:
            found = original(*args, **more)
            if meanwhile:
                found = iter(list(found)) if isinstance(found, Iterator) else found
                meanwhile.pop()()
            return found

        monkeypatch.setattr(repository, read, read_then_be_overtaken)

    yield overtake
    assert meanwhile == []


def test_an_identification_overtaken_by_a_touchpoint_brings_its_source_along(overtaken: Callable[..., None]) -> None:
    deliver(viewed("v1", 1))
    overtaken("get_visitor", lambda: deliver(viewed("v1", 2)))
    deliver(identified("v1", "ann", 3))
    assert brought_by("ann") == ["v1-1", "v1-2"]
    settled("v1", now=NOW)
    assert history("ann") == ["2", "1"]


def test_a_touchpoint_overtaken_by_an_identification_and_its_joining_is_the_customers(
    overtaken: Callable[..., None],
) -> None:
    deliver(viewed("v1", 1))
    overtaken("get_visitor", lambda: (deliver(identified("v1", "ann", 3)), settled("v1", now=NOW)))
    deliver(viewed("v1", 2))
    assert history("ann") == ["2", "1"]
    assert brought_by("ann") == ["v1-1", "v1-2"]


def test_a_joining_overtaken_by_an_earlier_identification_and_its_joining_moves_nothing_back(
    overtaken: Callable[..., None],
) -> None:
    deliver(viewed("v1", 1), identified("v1", "ann", 3))
    overtaken("get_visitor", lambda: (deliver(identified("v1", "bob", 2)), settled("v1", now=NOW)))
    settled("v1", now=NOW)
    assert (history("ann"), history("bob")) == ([], ["1"])


def test_a_joining_does_not_bring_back_what_was_forgotten_meanwhile(
    overtaken: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "MOST_TOUCHPOINTS", 2)
    deliver(viewed("v1", 1), viewed("v1", 2), identified("v1", "ann", 9))
    overtaken("list_of_visitor", lambda: deliver(viewed("v1", 3)))
    settled("v1", now=NOW)
    assert history("ann") == ["3", "2"]
    assert len(stored_of("v1")) == 2 + 2


def test_of_two_joinings_at_once_each_touchpoint_is_brought_once(overtaken: Callable[..., None]) -> None:
    deliver(viewed("v1", 1), identified("v1", "ann", 3), identified("v1", "bob", 2))
    overtaken("list_of_visitor", lambda: settled("v1", now=NOW))
    assert settled("v1", now=NOW) == 0
    assert (history("ann"), history("bob")) == ([], ["1"])


def test_what_is_forgotten_is_forgotten_where_a_joining_has_just_brought_it(
    overtaken: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "MOST_TOUCHPOINTS", 2)
    deliver(viewed("v1", 1), viewed("v1", 2), identified("v1", "ann", 9))
    overtaken("oldest_of_visitor", lambda: settled("v1", now=NOW))
    deliver(viewed("v1", 3))
    assert history("ann") == ["3", "2"]
    assert len(stored_of("v1")) == 2 + 2


def test_touchpoints_are_moved_as_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "MOVED_AT_ONCE", 2)
    monkeypatch.setattr(repository, "PAGE", 2)
    deliver(*(viewed("v1", minute) for minute in range(8)), identified("v1", "ann", 9))
    commit, read = Change.commit, []

    def counted(change: Change) -> bool:
        read.append(meter.requests)
        return commit(change)

    monkeypatch.setattr(Change, "commit", counted)
    with metering() as meter:
        assert settled("v1", now=NOW) == 8
    visitor, pages = 1, 2  # whether there is a third touchpoint is on the second page
    assert read[0] == visitor + pages
    assert len(read) == 4


def test_what_has_expired_costs_little_until_it_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "MOST_TOUCHPOINTS", 2)

    def requests_of_one_more() -> int:
        deliver(viewed("v1", 41), viewed("v1", 42))
        with metering() as meter:
            deliver(viewed("v1", 43))
        return meter.requests

    fresh = requests_of_one_more()
    monkeypatch.setattr(visitors, "MOST_TOUCHPOINTS", 1000)
    deliver(*(viewed("v1", minute) for minute in range(25)))
    monkeypatch.setattr(visitors, "MOST_TOUCHPOINTS", 2)
    later = NOW + touchpoints.LIFETIME
    monkeypatch.setattr(clock, "now", lambda: later)
    assert requests_of_one_more() - fresh == 2
    visitor, expired, kept = 1, 2 + 25, 2
    assert len(stored_of("v1")) == visitor + expired + kept
