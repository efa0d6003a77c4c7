# tests/unit/schema/test_changes.py
"""How far an app has come."""

import random
from datetime import UTC, datetime, timedelta

from crm.kernel import clock
from schema.customer.changes import UNSETTLED, Round, following

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def at(seconds: float, name: str = "x") -> str:
    return f"{clock.text(NOW + timedelta(seconds=seconds))}#{name}"


def test_a_round_goes_on_behind_the_last_item_of_a_page() -> None:
    first = Round.of(None, now=NOW)
    second = following(first, [at(-500), at(-400)], more=True)
    assert second == Round(at(-400), first.floor)
    assert Round.of(second.text(), now=NOW + timedelta(hours=1)) == second


def test_the_next_round_begins_at_the_floor_of_the_last_so_that_what_was_committed_late_is_told() -> None:
    first = Round.of(None, now=NOW)
    done = following(first, [at(-500), at(-1)], more=False)
    assert done.position == clock.text(NOW - UNSETTLED)
    again = Round.of(done.text(), now=NOW + timedelta(seconds=90))
    assert again == Round(done.position, clock.text(NOW + timedelta(seconds=90) - UNSETTLED))


def test_what_is_settled_is_not_told_again_and_nothing_new_leaves_the_place() -> None:
    settled = following(Round.of(None, now=NOW), [at(-500)], more=False)
    assert settled.position == at(-500)
    assert following(Round.of(settled.text(), now=NOW), [], more=False).position == at(-500)


def test_no_change_is_missed_however_late_it_is_committed() -> None:
    """Changes bear the time at which their transaction began; an app asks in pages of two whenever it likes."""
    draw = random.Random(1)  # noqa: S311  a seeded one
    longest = UNSETTLED.total_seconds() - 1
    for _ in range(300):
        changes = sorted(
            ((began := draw.uniform(0, 600)) + draw.uniform(0, longest), at(began, str(number))) for number in range(12)
        )
        told: set[str] = set()
        cursor: str | None = None
        time = 0.0
        while time < 2_000:
            time += draw.choice([0.1, 5, 40, 100])
            asked = Round.of(cursor, now=NOW + timedelta(seconds=time))
            known = sorted(key for committed, key in changes if committed <= time and key > (asked.position or ""))
            told |= set(known[:2])
            cursor = following(asked, known[:2], more=len(known) > 2).text()
        assert told == {key for _, key in changes}
