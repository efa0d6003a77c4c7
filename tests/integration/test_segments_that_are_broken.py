# tests/integration/test_segments_that_are_broken.py
"""A segment whose query is no longer right keeps its members, and what time will do to them, until it is mended."""

from datetime import datetime

import pytest

from crm.customers import attribute_definitions as attributes
from crm.customers import repository
from crm.customers import service as customers
from crm.customers.events import AttributeDefined, CustomerRecorded
from crm.customers.service import AttributeFields
from crm.kernel import clock
from crm.segmentation import in_force, keeping, service
from crm.segmentation.in_force import Meaning
from crm.segmentation.service import Said, Status
from crm.shops.models import Shop
from tests.integration.memberships import (
    DAY,
    HOUR,
    Time,
    deliver,
    fire,
    head,
    memberships,
    open_at,
    recorded,
    stays,
    store,
    timer,
)
from tests.segments import ANNA, define, id_of

RED, BLUE = ("red", "Red"), ("blue", "Blue")
SIZED = AttributeDefined(
    id="size@2", shop="demo", key="size", rev=2, cause="attribute:size:define:2", replayed=False
)  # fmt: skip
LAPSED, IDLE = "Lapsed", "Idle"


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Time:
    moving = Time(now)
    monkeypatch.setattr(clock, "now", lambda: moving.now)
    return moving


@pytest.fixture(autouse=True)
def lapsed(shop: Shop, outlets: None, time: Time, now: datetime) -> None:
    """Whoever last ordered more than thirty days ago; and beside it those of five days."""
    colours(RED, BLUE, now=now - 40 * DAY)
    define(LAPSED, "attributes.colour = 'red' OR last_order_date < -30d", now=now - 30 * DAY)
    define(IDLE, "last_order_date < -5d", now=now - 30 * DAY)
    store(now)
    deliver(recorded(now))


def colours(*choices: tuple[str, str], now: datetime) -> None:
    said = AttributeFields(name="Colour", type="choice", choices=choices)
    customers.define_attribute("demo", "colour", said, now=now)
    attributes.forget_cached()
    in_force.forget_cached()


def changed_to(*choices: tuple[str, str], now: datetime) -> AttributeDefined:
    before = repository.get_definition("demo", "colour")
    colours(*choices, now=now)
    after = repository.get_definition("demo", "colour")
    assert after is not None
    event = AttributeDefined.of(after, before)
    assert event is not None
    return event


def status(name: str, *, now: datetime) -> Status:
    return service.current("demo", now=now).segments[id_of(name)].status(0)


def become_lapsed(time: Time, now: datetime) -> None:
    time.now = now + 40 * DAY
    while (armed := timer()) is not None and armed.due_at <= time.now:
        fire()


def test_one_that_is_mended_in_time_wakes_whom_it_would_have_woken(time: Time, now: datetime) -> None:
    colours(BLUE, now=now)
    assert status(LAPSED, now=now) is Status.BROKEN
    armed = timer()
    assert armed is not None
    time.now = armed.due_at
    fire()
    assert stays(IDLE) == [(armed.due_at, None)]
    assert stays(LAPSED) == []

    colours(RED, BLUE, now=time.now)
    become_lapsed(time, now)
    (stay,) = stays(LAPSED)
    assert now + 30 * DAY < stay[0] <= now + 32 * DAY


def test_an_attribute_with_other_choices_is_another_version_that_everybody_is_asked_by(
    time: Time, now: datetime
) -> None:
    define("Blue", "attributes.colour = 'blue'", now=now - 30 * DAY)
    warm, later = service.current("demo", now=now), now + 40 * DAY
    changed = changed_to(BLUE, now=now)
    become_lapsed(time, now)
    assert (deliver(changed), deliver(changed)) == ([], [])
    in_force.forget_cached()
    found = service.current("demo", now=later)
    assert found.version == warm.version + 1
    assert found.segments[id_of(LAPSED)].status(found.version) is Status.BROKEN
    assert found.segments[id_of("Blue")].meaning == Meaning(found.version, later, "attribute:colour:define:2")
    assert found.segments[id_of(IDLE)].meaning == warm.segments[id_of(IDLE)].meaning

    assert deliver(changed_to(RED, BLUE, now=later)) == []
    in_force.forget_cached()
    mended = service.current("demo", now=later)
    keeping.bring_up(customers.take_snapshot("demo", "cus_1"), mended, now=later)
    assert stays(LAPSED) == [(later, None)]
    assert memberships(LAPSED)[0].entered_cause == "attribute:colour:define:3"


def test_an_attribute_that_no_segment_names_moves_nothing(now: datetime) -> None:
    version = service.current("demo", now=now).version
    customers.define_attribute("demo", "size", AttributeFields(name="S", type="choice", choices=[BLUE]), now=now)
    assert deliver(SIZED) == []
    in_force.forget_cached()
    assert service.current("demo", now=now).version == version


def test_what_time_would_have_done_meanwhile_rests_and_wakes_nobody(time: Time, now: datetime) -> None:
    colours(BLUE, now=now)
    become_lapsed(time, now)
    assert timer() is None
    assert stays(LAPSED) == []
    assert set(head().asks) == {id_of(LAPSED)}
    before = head().rev
    store(now, now + HOUR)
    deliver(recorded(now, "o2"))
    assert head().rev == before, "nothing is written for what rests"


def test_whoever_is_taken_out_of_one_by_hand_leaves_it(time: Time, now: datetime) -> None:
    become_lapsed(time, now)
    colours(BLUE, now=time.now)
    assert open_at(time.now) == [IDLE, LAPSED]
    assert service.remove_members("demo", id_of(LAPSED), ["cus_1"], actor=ANNA, now=time.now) == [
        Said("cus_1", changed=True)
    ]
    assert open_at(time.now) == [IDLE]
    assert stays(LAPSED)[0][1] == time.now


def test_whoever_is_deleted_leaves_one_too(time: Time, now: datetime) -> None:
    become_lapsed(time, now)
    colours(BLUE, now=time.now)
    deliver(CustomerRecorded.of(customers.delete("demo", "cus_1", now=time.now)))
    assert stays(LAPSED)[0][1] == time.now
