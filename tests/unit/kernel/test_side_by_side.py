# tests/unit/kernel/test_side_by_side.py
from contextvars import ContextVar
from threading import Barrier

import pytest

from crm.kernel import side_by_side
from crm.kernel.side_by_side import for_each

PEOPLE = {f"cus_{number}": number for number in range(50)}
FAILED = "not halved"


def half(number: int) -> int:
    if number % 2:
        raise ValueError("Ada Lovelace")
    return number // 2


@pytest.fixture(params=[1, 8], autouse=True)
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(side_by_side, "AT_ONCE", request.param)
    return int(request.param)


def test_what_came_of_it_is_told_for_each_in_their_order() -> None:
    done = for_each("demo", PEOPLE, lambda number: number + 1, otherwise=FAILED, patient=False)
    assert list(done.items()) == [(customer_id, number + 1) for customer_id, number in PEOPLE.items()]


def test_nothing_is_an_outcome_too() -> None:
    assert for_each("demo", {"cus_1": 1}, lambda _: None, otherwise=FAILED, patient=False) == {"cus_1": None}
    assert for_each("demo", dict[str, int](), half, otherwise=FAILED, patient=False) == {}


def test_one_for_whom_it_cannot_be_done_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    done = for_each("demo", PEOPLE, half, otherwise=FAILED, patient=False)
    assert done == {customer_id: number // 2 for customer_id, number in PEOPLE.items() if number % 2 == 0}
    assert caplog.text.count("not halved: ValueError at ") == 25
    assert "Ada" not in caplog.text
    assert {getattr(record, "customer_id", None) for record in caplog.records} == PEOPLE.keys() - done.keys()


def test_whoever_is_patient_is_told_of_what_may_pass(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="Ada"):
        for_each("demo", PEOPLE, half, otherwise=FAILED, patient=True)
    assert caplog.text == ""


def test_it_is_done_on_behalf_of_who_asks_as_many_at_once_as_may_be(threads: int) -> None:
    asking, together = ContextVar[str]("asking"), Barrier(threads, timeout=10)
    asking.set("the operation")

    def whose(_: int) -> str:
        together.wait()
        return asking.get()

    some = dict(list(PEOPLE.items())[: threads * 2])
    assert set(for_each("demo", some, whose, otherwise=FAILED, patient=True).values()) == {"the operation"}
