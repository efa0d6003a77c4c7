# tests/integration/test_fire_due.py
import json
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from crm.kernel import aws, clock, publishing, timers
from crm.kernel.change import Change
from crm.kernel.timers import Timer
from functions.timers.fire_due import handler

pytestmark = pytest.mark.usefixtures("tables")


class Bus:
    """Stands in for the domain bus, which moto cannot be asked about; refuses as many entries as it is told to."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.refuse = 0

    def put_events(self, *, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803  botocore's name
        assert len(Entries) <= publishing.MOST_ENTRIES
        answers = []
        for entry in Entries:
            if self.refuse:
                self.refuse -= 1
                answers.append({"ErrorCode": "ThrottlingException"})
                continue
            assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (
                "domain",
                "rapport.domain",
                "timer.due",
            )
            self.taken.append(json.loads(entry["Detail"]))
            answers.append({"EventId": "1"})
        return {"Entries": answers}


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    stand_in = Bus()
    monkeypatch.setattr(publishing, "events_client", lambda: stand_in)
    return stand_in


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)


def arm(*due: datetime) -> None:
    for number, due_at in enumerate(due):
        change = Change()
        timers.set_to(change, None, Timer.of("demo", f"cus_{number}", "segmentation", "memberships", due_at))
        change.commit()


def run(request_id: str = "run-1") -> dict[str, int]:
    context: Any = SimpleNamespace(aws_request_id=request_id)
    return handler({}, context)


def busiest_shard(now: datetime) -> tuple[int, list[datetime]]:
    due = [[timer.due_at for timer in timers.due(now, shard=shard)] for shard in range(timers.SHARDS)]
    busiest = max(range(timers.SHARDS), key=lambda shard: len(due[shard]))
    return busiest, due[busiest]


def test_owners_are_told_of_what_is_due_and_of_nothing_else(bus: Bus, now: datetime) -> None:
    arm(now - timedelta(days=90), now, now + timedelta(microseconds=1))
    assert run() == {"put": 2, "refused": 0}
    assert sorted(event["customerId"] for event in bus.taken) == ["cus_0", "cus_1"]
    told = next(event for event in bus.taken if event["customerId"] == "cus_1")
    assert told == {
        "shop": "demo",
        "customerId": "cus_1",
        "owner": "segmentation",
        "subject": "memberships",
        "dueAt": clock.text(now),
    }


def test_a_timer_is_told_again_each_minute_until_its_owner_has_handled_it(bus: Bus, now: datetime) -> None:
    arm(now)
    run("run-1")
    run("run-2")
    assert len(bus.taken) == 2
    change = Change()
    timers.set_to(change, timers.get("demo", "cus_0", "segmentation", "memberships"), None)
    change.commit()
    assert run("run-3") == {"put": 0, "refused": 0}


def test_what_the_bus_refuses_is_due_again_next_time(bus: Bus, now: datetime) -> None:
    arm(*[now] * 25)
    bus.refuse = 3
    assert run("run-1") == {"put": 22, "refused": 3}
    assert run("run-2") == {"put": 25, "refused": 0}


def test_a_run_that_overlaps_another_leaves_its_shards_alone(bus: Bus, now: datetime) -> None:
    arm(*[now] * 25)
    for shard in range(timers.SHARDS):
        assert timers.hold_lease(shard, "another run", now=now)
    assert run() == {"put": 0, "refused": 0}
    assert bus.taken == []


def test_a_run_takes_no_more_than_it_can_finish_and_the_next_takes_the_rest(now: datetime, bus: Bus) -> None:
    arm(*[now - timedelta(seconds=number) for number in range(25)])
    busiest, due = busiest_shard(now)
    first = timers.fire(busiest, holder="run-1", now=now, page=2, seconds=0)
    assert first == timers.Fired(put=2, refused=0)
    assert [event["dueAt"] for event in bus.taken] == [clock.text(due_at) for due_at in due[:2]]


def test_timers_whose_owner_always_fails_do_not_hold_up_those_behind_them(now: datetime, bus: Bus) -> None:
    arm(*[now - timedelta(seconds=number) for number in range(25)])
    busiest, due = busiest_shard(now)
    for holder in ("run-1", "run-2"):
        bus.taken.clear()
        assert timers.fire(busiest, holder=holder, now=now, page=2) == timers.Fired(put=len(due), refused=0)
        assert [event["dueAt"] for event in bus.taken] == [clock.text(due_at) for due_at in due]


def test_a_bus_that_takes_nothing_is_not_pressed(now: datetime, bus: Bus) -> None:
    arm(*[now - timedelta(seconds=number) for number in range(25)])
    busiest, _ = busiest_shard(now)
    bus.refuse = 100
    assert timers.fire(busiest, holder="run-1", now=now, page=2) == timers.Fired(put=0, refused=2)


def test_a_run_that_crashed_holds_nobody_off_for_longer_than_its_lease(
    bus: Bus, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm(*[now] * 8)

    def crash(events: object) -> None:
        raise ConnectionError(str(events))

    with monkeypatch.context() as patched:
        patched.setattr(timers, "put", crash)
        with pytest.raises(ConnectionError):
            run("run-1")
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=1))
    assert run("run-2") == {"put": 8, "refused": 0}
    assert len(bus.taken) == 8


def test_the_real_client_takes_the_entries(now: datetime) -> None:
    aws.events_client().create_event_bus(Name="domain")
    arm(*[now] * 12)
    assert run() == {"put": 12, "refused": 0}
