# tests/unit/consent/test_permission.py
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.consent.permission import (
    DENIED,
    GRANTED,
    MARKETING,
    PROFILING,
    STATES,
    TRANSACTIONAL,
    Refusal,
    Stand,
    prevails,
    refusal,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stand", "purpose", "expected"),
    [
        (None, MARKETING, Refusal.NOT_GIVEN),
        (None, PROFILING, Refusal.NOT_GIVEN),
        (None, TRANSACTIONAL, None),
        (Stand(GRANTED, NOON), MARKETING, None),
        (Stand(DENIED, NOON), MARKETING, Refusal.DENIED),
        (Stand(DENIED, NOON), TRANSACTIONAL, Refusal.DENIED),
    ],
)
def test_silence_permits_what_an_order_requires_and_nothing_else(
    stand: Stand | None, purpose: str, expected: Refusal | None
) -> None:
    assert refusal(stand, purpose) is expected


def test_the_later_event_prevails_however_late_it_arrives() -> None:
    yes, later_no = Stand(GRANTED, NOON), Stand(DENIED, NOON + timedelta(seconds=1))
    assert prevails(later_no, yes)
    assert not prevails(yes, later_no)


def test_of_two_at_one_instant_the_denial_prevails() -> None:
    yes, no = Stand(GRANTED, NOON), Stand(DENIED, NOON)
    assert prevails(no, yes)
    assert not prevails(yes, no)
    assert not prevails(no, no)


STANDS = st.builds(
    Stand,
    st.sampled_from(STATES),
    st.integers(0, 2).map(lambda second: NOON + timedelta(seconds=second)),
    st.sampled_from(["event:a", "event:b"]),
)


@given(STANDS, STANDS, STANDS)
def test_of_any_two_different_words_exactly_one_prevails_and_the_rule_has_no_circles(
    one: Stand, other: Stand, third: Stand
) -> None:
    assert prevails(one, other) + prevails(other, one) == (one != other)
    if prevails(one, other) and prevails(other, third):
        assert prevails(one, third)


def test_of_two_alike_at_one_instant_the_cause_decides_whose_evidence_is_shown() -> None:
    assert prevails(Stand(GRANTED, NOON, "event:b"), Stand(GRANTED, NOON, "event:a"))
    assert prevails(Stand(DENIED, NOON, "event:a"), Stand(GRANTED, NOON, "event:b")), "but never against a no"


def test_anything_prevails_over_nothing() -> None:
    assert prevails(Stand(GRANTED, NOON), None)
