# tests/unit/consent/test_reasons.py
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from crm.consent.reasons import LIFTED, STATES, SUPPRESSED, Verdict, prevails

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
VERDICTS = st.builds(
    Verdict,
    st.sampled_from(STATES),
    st.integers(0, 3).map(lambda minute: NOON + timedelta(minutes=minute)),
    st.sampled_from("ab"),
)


def last(verdicts: list[Verdict]) -> Verdict | None:
    held: Verdict | None = None
    for verdict in verdicts:
        held = verdict if prevails(verdict, held) else held
    return held


@given(st.lists(VERDICTS, max_size=6), st.randoms(use_true_random=False))
def test_in_whatever_order_verdicts_arrive_the_same_holds(verdicts: list[Verdict], random: object) -> None:
    shuffled = sorted(verdicts, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert last(verdicts) == last(shuffled)


def test_the_later_verdict_holds_and_at_one_instant_the_suppression() -> None:
    assert last([Verdict(LIFTED, NOON), Verdict(SUPPRESSED, NOON)]) == Verdict(SUPPRESSED, NOON)
    assert last([Verdict(SUPPRESSED, NOON), Verdict(LIFTED, NOON)]) == Verdict(SUPPRESSED, NOON)
    later = Verdict(LIFTED, NOON + timedelta(seconds=1))
    assert last([later, Verdict(SUPPRESSED, NOON)]) == later
