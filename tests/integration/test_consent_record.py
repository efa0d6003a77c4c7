# tests/integration/test_consent_record.py
from datetime import datetime, timedelta
from itertools import count, permutations
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_any
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.consent import repository, service
from crm.consent.models import ConsentEntry, ConsentHead, ConsentState
from crm.consent.service import MOST_TOPICS, STATES, ConsentGiven, Refusal, allows
from crm.kernel.actor import Actor, Role
from crm.kernel.change import Change, retrying
from crm.kernel.errors import InvalidInput, InvalidInputs
from crm.kernel.table import customer_key
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("tables")

YES = ConsentGiven("email", "marketing", "granted", "checkout")
NO = ConsentGiven("email", "marketing", "denied", "profile page")
TOPIC = ConsentGiven("email", "marketing", "granted", "checkout", topic="news")


def say(*given: ConsentGiven, at: datetime = NOW, cause: str = "event:e1", customer: str = "cus_1") -> bool:
    def attempt() -> bool:
        change = Change(NOW)
        service.record(
            change,
            "demo",
            customer,
            list(given),
            actor=Actor(Role.SERVICE, "till"),
            cause=cause,
            occurred_at=at,
            now=NOW,
            replayed=False,
        )
        return change.commit()

    return retrying(attempt)


def head(customer: str = "cus_1") -> ConsentHead | None:
    return repository.get_head("demo", customer)


def states(customer: str = "cus_1") -> list[ConsentState]:
    """All that counts, as it is stored."""
    stored = head(customer)
    return stored.states if stored else []


def holding() -> list[tuple[str | None, str]]:
    return [(state.topic, state.state) for state in service.held(states())]


def written(state: ConsentState) -> dict[str, object]:
    return {name: value for name, value in state.attribute_values.items() if value is not None}


def held(instant: datetime) -> list[str]:
    return [state.state for state in service.held(service.as_of("demo", "cus_1", instant))]


def marketing() -> Refusal | None:
    return allows(head(), "email", "marketing")


def entries() -> list[ConsentEntry]:
    prefix = ConsentEntry.sk.startswith("CONSENT#")
    return list(ConsentEntry.query(customer_key("demo", "cus_1"), prefix))


def test_a_customer_who_was_never_asked_has_not_agreed() -> None:
    assert marketing() is Refusal.NOT_GIVEN


def test_a_yes_to_one_channel_and_purpose_is_a_yes_to_nothing_else() -> None:
    say(YES)
    stored = head()
    assert allows(stored, "email", "marketing") is None
    assert allows(stored, "sms", "marketing") is Refusal.NOT_GIVEN
    assert allows(stored, "email", "profiling") is Refusal.NOT_GIVEN


def test_the_same_event_again_adds_nothing() -> None:
    assert say(YES)
    assert not say(YES)
    stored = head()
    assert stored is not None
    assert (int(stored.rev), len(entries())) == (1, 1)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_any_order_of_arrival_the_latest_event_holds_and_all_are_kept(order: tuple[int, ...]) -> None:
    said = [(YES, 0, "event:a"), (NO, 60, "event:b"), (YES, 30, "event:c")]
    for number in order:
        given, seconds, cause = said[number]
        say(given, at=NOW + timedelta(seconds=seconds), cause=cause)
    assert marketing() is Refusal.DENIED
    assert len(entries()) == 3


@pytest.mark.parametrize("order", [(YES, NO), (NO, YES)])
def test_of_a_yes_and_a_no_at_one_instant_the_no_holds(order: tuple[ConsentGiven, ...]) -> None:
    for number, given in enumerate(order):
        say(given, cause=f"event:{number}")
    assert marketing() is Refusal.DENIED


@pytest.mark.parametrize("order", [(YES, NO), (NO, YES)])
def test_a_yes_and_a_no_in_one_breath_are_a_no(order: tuple[ConsentGiven, ...]) -> None:
    say(*order)
    assert marketing() is Refusal.DENIED
    assert [entry.state for entry in entries()] == ["denied"]


def test_a_consent_recorded_meanwhile_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    read = repository.get_head
    overtaking = [lambda: say(NO, at=NOW + timedelta(seconds=1), cause="event:other")]

    def read_then_be_overtaken(shop: str, customer_id: str) -> ConsentHead | None:
        found = read(shop, customer_id)
        if overtaking:
            overtaking.pop()()
        return found

    monkeypatch.setattr(repository, "get_head", read_then_be_overtaken)
    assert say(YES)
    assert marketing() is Refusal.DENIED
    assert len(entries()) == 2


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_writers_who_all_read_before_any_wrote_end_by_event_time(
    monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...]
) -> None:
    """Each is overtaken, after it has read the head, by all that come behind it in `order`."""
    said = [(YES, 0), (TOPIC, 10), (NO, 20), (replace(TOPIC, state="pending"), 30)]
    read, waiting = repository.get_head, list(order)

    def next_one() -> None:
        number = waiting.pop(0)
        given, seconds = said[number]
        assert say(given, at=NOW + timedelta(seconds=seconds), cause=f"event:{number}")

    def read_then_let_the_others_write(shop: str, customer_id: str) -> ConsentHead | None:
        found = read(shop, customer_id)
        if waiting:
            next_one()
        return found

    monkeypatch.setattr(repository, "get_head", read_then_let_the_others_write)
    next_one()
    assert holding() == [(None, "denied"), ("news", "granted")]
    assert marketing() is Refusal.DENIED
    assert allows(head(), "email", "marketing", "news") is Refusal.NOT_CONFIRMED
    assert len(entries()) == 4


def test_the_head_is_what_all_entries_say_whatever_came_late() -> None:
    for number, seconds in enumerate((40, 10, 30, 0, 20)):
        given = replace(TOPIC if number % 2 else YES, state=STATES[number % 3])
        say(given, at=NOW + timedelta(seconds=seconds), cause=f"event:{number}")
    told = service.as_of("demo", "cus_1", NOW + timedelta(minutes=1))
    assert [written(state) for state in told] == [written(state) for state in states()]


def test_what_held_at_a_moment_is_told_by_when_things_were_said_not_by_when_they_came() -> None:
    say(YES, at=NOW, cause="event:a")
    say(YES, at=NOW + timedelta(seconds=60), cause="event:b")
    say(NO, at=NOW + timedelta(seconds=30), cause="event:late")
    moments = {seconds: held(NOW + timedelta(seconds=seconds)) for seconds in (-1, 0, 29, 30, 59, 60, 99)}
    yes, no = ["granted"], ["denied"]
    assert moments == {-1: [], 0: yes, 29: yes, 30: no, 59: no, 60: yes, 99: yes}
    assert held(NOW + timedelta(seconds=30, microseconds=-1)) == yes


def test_the_past_is_told_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        say(YES, at=NOW + timedelta(seconds=number), cause=f"event:{number}")
    monkeypatch.setattr(service, "MOST_ENTRIES", 2)
    assert held(NOW + timedelta(seconds=1)) == ["granted"]
    with pytest.raises(InvalidInput):
        held(NOW + timedelta(seconds=2))


def test_of_many_moments_those_are_refused_that_come_after_too_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, one in enumerate((YES, NO, YES)):
        say(one, at=NOW + timedelta(seconds=number), cause=f"event:{number}")
    monkeypatch.setattr(service, "MOST_ENTRIES", 2)
    moments = [NOW + timedelta(seconds=seconds) for seconds in (5, -1, 1, 0, 2, 1)]
    told = service.at_moments("demo", "cus_1", moments)
    assert [
        "refused" if isinstance(known, InvalidInput) else [state.state for state in service.held(known)]
        for known in map(told.__getitem__, moments)
    ] == ["refused", [], ["denied"], ["granted"], "refused", ["denied"]]


def test_each_consent_of_an_event_may_have_its_own_time() -> None:
    say(replace(NO, occurred_at=NOW - timedelta(days=2)), replace(YES, occurred_at=NOW - timedelta(days=9)), YES)
    assert marketing() is None
    assert held(NOW - timedelta(days=1)) == ["denied"]
    assert held(NOW - timedelta(days=8)) == ["granted"]
    assert len(entries()) == 3


def test_a_customer_has_so_many_topics_and_one_more_has_no_effect_unless_it_is_a_no() -> None:
    topics = [replace(TOPIC, topic=f"t{number}") for number in range(MOST_TOPICS)]
    say(*topics)
    say(YES, replace(TOPIC, topic="more"), cause="event:e2")
    assert marketing() is None, "what stands beside it is heard"
    assert "more" not in {state.topic for state in states()}
    assert [entry.topic for entry in entries() if entry.without_effect] == ["more"]
    told = service.as_of("demo", "cus_1", NOW)
    assert [written(state) for state in told] == [written(state) for state in states()]
    say(replace(NO, topic="more"), cause="event:e3")
    assert allows(head(), "email", "marketing", "more") is Refusal.DENIED


_customers = count(1)
HEARD = st.lists(
    st.tuples(
        st.sampled_from([None, "news"]),
        st.sampled_from(STATES),
        st.integers(0, 2).map(lambda second: NOW + timedelta(seconds=second)),
        st.sampled_from(["event:a", "event:b"]),
    ),
    max_size=5,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given_any(HEARD, st.randoms(use_true_random=False))
def test_the_head_is_what_all_entries_say_in_whatever_order_and_however_often_they_come(
    heard: list[tuple[str | None, str, datetime, str]], random: Random
) -> None:
    """An entry is a cause's, of one time and topic: with another state it was said by somebody else."""
    said = {(topic, at, cause): (topic, state, at, f"{cause}:{state}") for topic, state, at, cause in heard}.values()
    customers = [f"cus_p{next(_customers)}" for _ in range(2)]
    arrivals = list(said), random.sample(list(said) * 2, len(said) * 2)
    for customer, arrived in zip(customers, arrivals, strict=True):
        for topic, state, at, cause in arrived:
            say(replace(YES, topic=topic, state=state), at=at, cause=cause, customer=customer)
    heads = [[written(state) for state in states(customer)] for customer in customers]
    assert heads[0] == heads[1]
    for customer, head in zip(customers, heads, strict=True):
        folded = service.as_of("demo", customer, NOW + timedelta(days=1))
        assert [written(state) for state in folded] == head


def test_more_than_one_transaction_holds_is_refused() -> None:
    with pytest.raises(InvalidInputs):
        say(*[replace(YES, topic=f"t{number}") for number in range(51)])


def test_evidence_is_kept_with_the_entry_and_shown_with_what_holds() -> None:
    say(replace(TOPIC, text_version="2026-02", opt_in_level="double", legal_basis="consent"))
    [entry], [state] = entries(), states()
    for item in (entry, state):
        kept = (item.topic, item.source, item.text_version, item.opt_in_level, item.legal_basis)
        assert kept == ("news", "checkout", "2026-02", "double", "consent")
    assert (entry.actor, entry.recorded_at, entry.cause) == ("service:till", NOW, "event:e1")


def test_every_fault_is_named_and_nothing_is_written() -> None:
    with pytest.raises(InvalidInputs) as refused:
        say(
            YES,
            ConsentGiven("pigeon", "fun", "maybe", "", "No Topic", "", "triple", "luck"),
            replace(TOPIC, state="pending", opt_in_level="double"),
        )
    assert [fault.path for fault in refused.value.faults] == [
        "consents.1.channel",
        "consents.1.purpose",
        "consents.1.state",
        "consents.1.source",
        "consents.1.topic",
        "consents.1.textVersion",
        "consents.1.optInLevel",
        "consents.1.legalBasis",
        "consents.2.optInLevel",
    ]
    assert head() is None
