# tests/unit/consent/test_permission.py
from datetime import UTC, datetime, timedelta
from functools import reduce
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.consent.permission import (
    DENIED,
    GRANTED,
    MARKETING,
    PENDING,
    PROFILING,
    SILENCE,
    STATES,
    TRANSACTIONAL,
    Refusal,
    Said,
    Word,
    heard,
    refusal,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def said(state: str, second: int = 0, cause: str = "") -> Said:
    return Said(state, NOON + timedelta(seconds=second), cause)


def word(*told: Said) -> Word:
    return reduce(heard, told, SILENCE)


@pytest.mark.parametrize(
    ("told", "purpose", "expected"),
    [
        ([], MARKETING, Refusal.NOT_GIVEN),
        ([], PROFILING, Refusal.NOT_GIVEN),
        ([], TRANSACTIONAL, None),
        ([said(GRANTED)], MARKETING, None),
        ([said(DENIED)], MARKETING, Refusal.DENIED),
        ([said(DENIED)], TRANSACTIONAL, Refusal.DENIED),
        ([said(PENDING)], MARKETING, Refusal.NOT_CONFIRMED),
        ([said(PENDING)], TRANSACTIONAL, None),
        ([said(DENIED), said(PENDING, 1)], MARKETING, Refusal.NOT_CONFIRMED),
        ([said(DENIED), said(PENDING, 1)], TRANSACTIONAL, Refusal.DENIED),
        ([said(DENIED), said(GRANTED, 1)], TRANSACTIONAL, None),
    ],
)
def test_silence_permits_what_an_order_requires_and_a_request_no_more_than_silence(
    told: list[Said], purpose: str, expected: Refusal | None
) -> None:
    assert refusal(purpose, word(*told)) is expected


def test_the_later_event_holds_however_late_it_arrives() -> None:
    yes, no = said(GRANTED), said(DENIED, 1)
    assert word(yes, no) == word(no, yes) == Word(denied=no)
    again = said(GRANTED, 2)
    assert word(yes, no, again).holds == word(again, no, yes).holds == again


@pytest.mark.parametrize("state", [GRANTED, PENDING])
def test_of_two_at_one_instant_the_no_holds(state: str) -> None:
    assert word(said(state), said(DENIED)).holds == word(said(DENIED), said(state)).holds == said(DENIED)


def test_a_request_takes_no_yes_back_whoever_makes_it() -> None:
    yes, request = said(GRANTED), said(PENDING, 1)
    for told in (word(yes, request), word(request, yes)):
        assert told.holds == yes
        assert refusal(MARKETING, told) is None


def test_a_request_outlives_the_yes_before_it_where_a_no_comes_between() -> None:
    yes, no, request = said(GRANTED), said(DENIED, 1), said(PENDING, 2)
    assert word(yes, request, no).holds == word(no, request, yes).holds == request
    assert refusal(MARKETING, word(yes, request, no)) is Refusal.NOT_CONFIRMED


def test_of_two_alike_at_one_instant_the_cause_decides_whose_evidence_is_shown() -> None:
    one, other = said(GRANTED, 0, "event:a"), said(GRANTED, 0, "event:b")
    assert word(one, other).holds == word(other, one).holds == other
    assert word(said(DENIED, 0, "event:a"), other).holds == said(DENIED, 0, "event:a"), "but never against a no"


ANYTHING = st.lists(
    st.builds(said, st.sampled_from(STATES), st.integers(0, 4), st.sampled_from(["event:a", "event:b"])), max_size=8
)


@given(ANYTHING, st.randoms(use_true_random=False))
def test_in_whatever_order_and_however_often_things_are_heard_the_word_is_one(told: list[Said], random: Random) -> None:
    assert word(*random.sample(told * 2, len(told) * 2)) == word(*told)
    held = word(*told)
    assert all(heard(held, one) == held for one in told)


@given(ANYTHING, ANYTHING, st.sampled_from([MARKETING, TRANSACTIONAL]), st.integers(0, 5))
def test_no_request_changes_what_is_permitted(
    general: list[Said], topic: list[Said], purpose: str, second: int
) -> None:
    request = said(PENDING, second)
    permitted = refusal(purpose, word(*general), word(*topic)) is None
    assert (refusal(purpose, word(*general), word(*topic, request)) is None) == permitted
    assert (refusal(purpose, word(*general, request), word(*topic)) is None) == permitted
