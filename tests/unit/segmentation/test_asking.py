# tests/unit/segmentation/test_asking.py
"""By what a segment has come to mean something else."""

import pytest

from crm.segmentation.asking import Judged, questions
from crm.segmentation.causes import CauseKind, cause_kind
from crm.segmentation.in_force import InForce, Meaning, Segment
from crm.segmentation.language.catalogue import Catalogue
from crm.segmentation.models import DYNAMIC
from crm.segmentation.touching import NOTHING
from crm.segmentation.transitions import Question, Standing
from tests.unit.segmentation.history import DAY, START, ZONE, compiled

EDITED = Meaning(5, START, "segment:seg_1:update:2")
DRAWN = Meaning(6, START + DAY, "rfm:7:score")


def asked(judged: Judged) -> list[Question]:
    """Of a segment that asks for scores, was edited, and of which bounds were drawn the day after."""
    query = compiled("rfm_recency <= 2")
    segment = Segment("seg_1", "At risk", DYNAMIC, 2, query, query.reads, DRAWN, EDITED)
    in_force = InForce("demo", 6, ZONE, "EUR", Catalogue("EUR"), {"seg_1": segment})
    return questions(
        Standing({}, {}), judged, in_force, touched=NOTHING, hidden=False, added_at=START + DAY / 2, now=START + 2 * DAY
    )


def test_new_bounds_come_upon_customers_as_time_does_from_when_they_were_drawn() -> None:
    [question] = asked(Judged(5))
    assert (question.redefined, question.since) == (DRAWN.cause, DRAWN.at)
    assert cause_kind(DRAWN.cause) is CauseKind.TIME
    assert asked(Judged(6)) == []


def test_who_was_not_looked_at_since_an_edit_comes_and_goes_by_that_whatever_was_drawn_after_it() -> None:
    [question] = asked(Judged(4))
    assert (question.redefined, question.since) == (EDITED.cause, DRAWN.at)


@pytest.mark.parametrize("version", [None, 5])
def test_somebody_new_since_an_edit_knows_nothing_of_it(version: int | None) -> None:
    [question] = asked(Judged(version))
    assert question.redefined == DRAWN.cause
