# tests/integration/test_feedback_record.py
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from crm.feedback import repository, service
from crm.feedback.events import FeedbackRecorded
from crm.feedback.models import FeedbackHead
from crm.feedback.service import FeedbackGiven
from crm.kernel.change import Change, retrying
from crm.kernel.errors import InvalidInputs
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("shop")


def answer(
    score: Any, event_id: str = "e1", *, at: datetime = NOW, comment: str | None = None, customer_id: str = "cus_1"
) -> bool:
    def attempt() -> bool:
        change = Change(NOW)
        service.record(
            change,
            "demo",
            customer_id,
            FeedbackGiven(score, comment),
            response_id=event_id,
            cause=f"event:{event_id}",
            occurred_at=at,
            now=NOW,
            replayed=False,
        )
        return change.commit()

    return retrying(attempt)


def head() -> tuple[int, int]:
    stored = repository.get_head("demo", "cus_1")
    assert stored is not None
    assert stored.latest_score is not None
    return int(stored.response_count), int(stored.latest_score)


def test_an_answer_is_kept_with_its_group_and_the_day_it_was_in_the_shop() -> None:
    answer(9, at=datetime.fromisoformat("2026-03-01T23:30:00+00:00"), comment="  Quick. ")
    [response] = service.responses("demo", "cus_1", limit=10)
    assert (response.score, response.group, response.comment) == (9, "promoter", "Quick.")
    assert response.answered_on == "2026-03-02"


def test_the_same_event_again_counts_once() -> None:
    assert answer(9)
    assert not answer(9)
    assert head() == (1, 9)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_any_order_of_arrival_the_latest_answer_leads_and_all_count(order: tuple[int, ...]) -> None:
    answers = [(2, "a", 0), (10, "b", 60), (5, "c", 60)]
    for number in order:
        score, event_id, seconds = answers[number]
        answer(score, event_id, at=NOW + timedelta(seconds=seconds))
    assert head() == (3, 5)


def test_an_answer_counted_meanwhile_is_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    read = repository.get_head
    overtaking = [lambda: answer(3, "other", at=NOW + timedelta(seconds=1))]

    def read_then_be_overtaken(shop: str, customer_id: str) -> FeedbackHead | None:
        found = read(shop, customer_id)
        if overtaking:
            overtaking.pop()()
        return found

    monkeypatch.setattr(repository, "get_head", read_then_be_overtaken)
    assert answer(9)
    assert head() == (2, 3)


def test_answers_are_listed_newest_first_in_pages_and_only_the_customers_own() -> None:
    for number in range(5):
        answer(number, f"e{number}", at=NOW + timedelta(minutes=number))
    answer(10, "foreign", customer_id="cus_2")
    first = service.responses("demo", "cus_1", limit=2)
    second = service.responses("demo", "cus_1", limit=2, before=first[-1].timeline_key)
    third = service.responses("demo", "cus_1", limit=2, before=second[-1].timeline_key)
    assert [int(response.score) for page in (first, second, third) for response in page] == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("score", [-1, 11, 7.0, True, "9", None])
def test_a_score_that_is_nearly_right_is_refused(score: Any) -> None:
    with pytest.raises(InvalidInputs, match="score"):
        answer(score)
    assert service.responses("demo", "cus_1", limit=10) == []


def test_a_comment_is_bounded() -> None:
    answer(9, comment="x" * 2000)
    with pytest.raises(InvalidInputs, match="comment"):
        answer(9, "e2", comment="x" * 2001)


def test_the_event_says_who_and_how_much_and_never_what_was_written() -> None:
    answer(9, comment="I am Ann of Vienna")
    [response] = service.responses("demo", "cus_1", limit=1)
    event = FeedbackRecorded.of(response)
    assert FeedbackRecorded.parse(event.detail()) == event
    assert "Ann" not in str(event.detail())
    assert event.id.endswith("|FEEDBACK#e1@1")
