# tests/unit/consent/test_summary.py
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.consent.models import ConsentEntry
from crm.consent.permission import DENIED, GRANTED, MARKETING, PENDING, STATES, Refusal
from crm.consent.summary import MOST_TOPICS, MOST_TOPICS_DENIED, Summary

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

Said = tuple[str | None, str, int]


def entry(topic: str | None, state: str, minute: int, cause: str = "") -> ConsentEntry:
    at = NOON + timedelta(minutes=minute)
    item = ConsentEntry.of(
        "demo", "cus_1", "email", MARKETING, cause or f"event:{state}{minute}", topic=topic, occurred_at=at
    )
    item.state, item.source = state, f"form {cause}"
    return item


def summed(entries: Sequence[ConsentEntry]) -> Summary:
    summary = Summary()
    for each in entries:
        summary.hear(each)
    return summary


def refusal(summary: Summary, topic: str | None = None) -> Refusal | None:
    return summary.refusal("email", MARKETING, topic)


def after(*said: Said, topic: str | None = "news") -> Refusal | None:
    return refusal(summed([entry(*one) for one in said]), topic)


def test_without_a_word_of_its_own_a_topic_follows_its_channel_and_purpose() -> None:
    assert after() is Refusal.NOT_GIVEN
    assert after((None, GRANTED, 1)) is None
    assert after((None, DENIED, 1)) is Refusal.DENIED
    assert after((None, PENDING, 1)) is Refusal.NOT_CONFIRMED


def test_a_word_of_its_own_decides_about_a_topic_and_about_nothing_else() -> None:
    assert after(("news", GRANTED, 1)) is None
    assert after(("news", GRANTED, 1), topic="sports") is Refusal.NOT_GIVEN
    assert after(("news", GRANTED, 1), topic=None) is Refusal.NOT_GIVEN
    assert after((None, GRANTED, 1), ("news", DENIED, 2)) is Refusal.DENIED
    assert after((None, GRANTED, 1), ("news", DENIED, 2), topic="sports") is None


def test_a_general_yes_reopens_no_topic_that_was_denied() -> None:
    assert after(("news", DENIED, 1), (None, GRANTED, 2)) is Refusal.DENIED


def test_a_topic_that_was_denied_stays_denied_whatever_is_asked_of_the_whole() -> None:
    said = [entry("news", DENIED, 1), entry(None, DENIED, 2), entry(None, PENDING, 3)]
    assert refusal(summed(said), "news") is Refusal.DENIED


@pytest.mark.parametrize("minute", [1, 2])
def test_a_general_no_silences_the_yes_to_every_topic_said_before_it_or_with_it(minute: int) -> None:
    assert after(("news", GRANTED, minute), (None, DENIED, 2)) is Refusal.DENIED


def test_a_later_yes_reopens_just_its_topic() -> None:
    said = ((None, DENIED, 2), ("news", GRANTED, 3), ("sports", GRANTED, 1))
    assert after(*said) is None
    assert after(*said, topic="sports") is Refusal.DENIED
    assert after(*said, topic=None) is Refusal.DENIED


def test_a_request_to_be_confirmed_reopens_nothing_that_a_general_no_has_silenced() -> None:
    assert after(("news", GRANTED, 1), (None, DENIED, 2), (None, PENDING, 3)) is Refusal.NOT_CONFIRMED
    assert after(("news", GRANTED, 1), (None, PENDING, 3)) is None


def test_a_request_takes_back_neither_the_yes_to_its_topic_nor_the_yes_to_everything() -> None:
    assert after((None, GRANTED, 1), ("news", PENDING, 2)) is None
    assert after(("news", GRANTED, 1), ("news", PENDING, 2)) is None
    assert after((None, GRANTED, 1), (None, PENDING, 2)) is None
    assert after(("news", PENDING, 1), (None, DENIED, 2), (None, GRANTED, 3)) is None


def test_a_request_made_after_a_no_is_told_of_and_opens_nothing() -> None:
    assert after(("news", DENIED, 1), ("news", PENDING, 2), (None, GRANTED, 3)) is Refusal.NOT_CONFIRMED
    assert after((None, DENIED, 1), ("news", PENDING, 2)) is Refusal.NOT_CONFIRMED
    assert after(("news", PENDING, 1), (None, DENIED, 2)) is Refusal.DENIED


def test_what_holds_is_one_of_each_and_what_counts_may_be_more() -> None:
    summary = summed(
        [entry(None, DENIED, 1), entry(None, GRANTED, 2), entry(None, PENDING, 3), entry("news", DENIED, 1)]
    )
    assert [(state.topic, state.state) for state in summary.held] == [(None, GRANTED), ("news", DENIED)]
    assert [state.state for state in summary.states] == [DENIED, GRANTED, PENDING, DENIED]
    assert [state.state for state in Summary(summary.states).held] == [GRANTED, DENIED]


def test_a_yes_to_all_after_a_no_to_all_holds_for_the_topics_granted_before() -> None:
    assert after(("news", GRANTED, 1), (None, DENIED, 2), (None, GRANTED, 3)) is None


SAID = st.lists(
    st.tuples(st.sampled_from([None, "news", "sports"]), st.sampled_from(STATES), st.integers(0, 4)), max_size=8
)


@given(SAID, st.randoms(use_true_random=False))
def test_in_whatever_order_entries_arrive_the_same_holds(said: list[Said], random: Random) -> None:
    entries = [entry(*one, f"event:{number}") for number, one in enumerate(said)]
    shuffled = random.sample(entries, len(entries))
    assert [state.attribute_values for state in summed(entries).states] == [
        state.attribute_values for state in summed(shuffled).states
    ]


@given(SAID, st.randoms(use_true_random=False))
def test_what_is_heard_again_at_whatever_point_changes_nothing(said: list[Said], random: Random) -> None:
    entries = [entry(*one, f"event:{number}") for number, one in enumerate(said)]
    again = random.sample(entries * 3, len(entries) * 3)
    summary = summed(again)
    assert [state.attribute_values for state in summary.states] == [
        state.attribute_values for state in summed(entries).states
    ]
    assert not any(summary.hear(each) for each in entries)


@given(SAID, st.sampled_from([None, "news", "sports"]))
def test_what_holds_is_what_reading_all_entries_by_event_time_says(said: list[Said], topic: str | None) -> None:
    assert after(*said, topic=topic) is by_the_book(said, topic)


def by_the_book(said: list[Said], topic: str | None) -> Refusal | None:
    """The rule of decision 0054 told as a story, sharing nothing with the code: minute by minute, the no last."""
    mind: dict[str | None, str] = {}
    asked: set[str | None] = set()
    silenced = False
    for about, state, _ in sorted(said, key=lambda one: (one[2], STATES.index(one[1]), one[0] is None)):
        if about not in {None, topic}:
            continue
        if state == PENDING:
            asked.add(about)
            continue
        mind[about] = state
        asked -= {None, topic} if (about, state) == (None, DENIED) else {about}
        if about is None or state == GRANTED:
            silenced = state == DENIED
    own, whole = mind.get(topic), mind.get(None)
    if GRANTED in {own if not silenced else None, whole if own != DENIED else None}:
        return None
    if own == DENIED:
        asked &= {topic}
    return Refusal.NOT_CONFIRMED if asked else Refusal.DENIED if DENIED in {own, whole} else Refusal.NOT_GIVEN


def test_a_head_has_room_for_a_no_where_it_has_none_for_a_yes() -> None:
    full = summed([entry(f"t{number}", GRANTED, 1) for number in range(MOST_TOPICS)])
    assert not full.has_room_for(entry("more", GRANTED, 1))
    assert not full.has_room_for(entry("more", PENDING, 1))
    assert full.has_room_for(entry("more", DENIED, 1))
    assert full.has_room_for(entry("t1", GRANTED, 2))
    assert full.has_room_for(entry(None, GRANTED, 2))
    fuller = summed([entry(f"t{number}", DENIED, 1) for number in range(MOST_TOPICS_DENIED)])
    assert not fuller.has_room_for(entry("more", DENIED, 1))
