# tests/integration/test_feedback_submit.py
from collections.abc import Callable

import pytest

from crm.customers import service as customers
from crm.feedback import repository, service
from crm.feedback.service import FeedbackGiven
from crm.kernel.errors import InvalidInputs, KeyReused, NotFound
from tests import kpi_cells
from tests.conftest import NOW
from tests.shop_events import customer_of, deliver, placed
from tests.stream_records import record

pytestmark = pytest.mark.usefixtures("shop")


@pytest.fixture
def ann(shop: object) -> str:
    words = customers.Words(external_ids={"shopify": "ann"}, fields={"first_name": "Ann"})
    return customers.create("demo", words, now=NOW).customer_id


def count(customer_id: str) -> int:
    head = repository.get_head("demo", customer_id)
    return int(head.response_count) if head else 0


def submit(customer_id: str, given: FeedbackGiven, key: str = "k1") -> tuple[str, int, bool]:
    response, replayed = service.submit("demo", customer_id, given, idempotency_key=key, now=NOW)
    return response.response_id, int(response.score), replayed


def test_the_same_call_again_gets_the_same_answer_and_counts_once(ann: str) -> None:
    first = submit(ann, FeedbackGiven(9, "good"))
    again = submit(ann, FeedbackGiven(9, "good"))
    assert again == (first[0], 9, True)
    assert not first[2]
    assert count(ann) == 1


@pytest.mark.parametrize("other", [FeedbackGiven(8, "good"), FeedbackGiven(9, "bad"), FeedbackGiven(9)])
def test_a_key_that_came_with_another_answer_is_refused(ann: str, other: FeedbackGiven) -> None:
    submit(ann, FeedbackGiven(9, "good"))
    with pytest.raises(KeyReused):
        submit(ann, other)
    assert count(ann) == 1


def test_another_key_is_another_answer(ann: str) -> None:
    submit(ann, FeedbackGiven(9), "k1")
    submit(ann, FeedbackGiven(9), "k2")
    assert count(ann) == 2


def test_two_customers_with_one_key_have_given_two_answers(ann: str) -> None:
    words = customers.Words(external_ids={"shopify": "bob"}, fields={"first_name": "Bob"})
    bob = customers.create("demo", words, now=NOW).customer_id
    assert not submit(ann, FeedbackGiven(9), "nps-1")[2]
    assert not submit(bob, FeedbackGiven(3), "nps-1")[2]
    given = [service.responses("demo", customer_id, limit=1)[0] for customer_id in (ann, bob)]
    assert kpi_cells.deliver(*(record(response) for response in given)) == []
    counted = {name.split()[0]: count for (name, _), count in kpi_cells.cells().items()}
    assert counted == {"nps_promoters": 1, "nps_detractors": 1, "nps_responses": 2}


def test_two_calls_at_once_with_one_key_have_one_effect(ann: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = customers.get
    other: list[tuple[str, int, bool]] = []

    def read_then_be_overtaken(shop: str, customer_id: str, *, themselves: bool) -> customers.Customer:
        found = read(shop, customer_id, themselves=themselves)
        if not other:
            other.append(("", 0, True))
            other.append(submit(ann, FeedbackGiven(9)))
        return found

    monkeypatch.setattr(customers, "get", read_then_be_overtaken)
    mine = submit(ann, FeedbackGiven(9))
    assert (mine[2], other[1][2]) == (True, False)
    assert mine[0] == other[1][0]
    assert count(ann) == 1


def test_nobody_answers_for_a_customer_who_does_not_exist() -> None:
    with pytest.raises(NotFound):
        submit("cus_none", FeedbackGiven(9))


def test_an_answer_about_an_order_needs_that_order_to_be_the_customers_own(ann: str) -> None:
    assert deliver(placed("o1"), placed("o2", customer={"externalId": "bob"})) == []
    assert customer_of("ann").customer_id == ann
    submit(ann, FeedbackGiven(9, order_id="o1"), "k1")
    for foreign in ("o2", "o3"):
        with pytest.raises(NotFound):
            submit(ann, FeedbackGiven(9, order_id=foreign), "k2")
    assert count(ann) == 1


def block(ann: str) -> None:
    customers.update("demo", ann, customers.Words(fields={"status": "blocked"}), now=NOW)


def delete(ann: str) -> None:
    customers.delete("demo", ann, now=NOW)


@pytest.mark.parametrize("bar", [block, delete])
def test_a_customer_who_is_barred_at_that_moment_answers_no_more(
    ann: str, bar: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = customers.get
    barring = [bar]

    def read_then_be_overtaken(shop: str, customer_id: str, *, themselves: bool) -> customers.Customer:
        found = read(shop, customer_id, themselves=themselves)
        if barring:
            barring.pop()(ann)
        return found

    monkeypatch.setattr(customers, "get", read_then_be_overtaken)
    with pytest.raises(customers.CustomerBlocked):
        service.submit("demo", ann, FeedbackGiven(9), idempotency_key="k1", now=NOW, own=True)
    assert service.responses("demo", ann, limit=1) == []


def test_staff_take_down_what_a_blocked_customer_says_and_nobody_what_a_deleted_one_does(ann: str) -> None:
    block(ann)
    submit(ann, FeedbackGiven(9))
    delete(ann)
    with pytest.raises(customers.CustomerDeleted):
        submit(ann, FeedbackGiven(8), "k2")
    assert count(ann) == 1


def test_all_faults_are_told_at_once(ann: str) -> None:
    with pytest.raises(InvalidInputs) as refused:
        submit(ann, FeedbackGiven(11, survey="csat"), "")
    assert {fault.path for fault in refused.value.faults} == {"idempotency_key", "score", "survey"}
