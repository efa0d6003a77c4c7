# tests/integration/test_consent_record.py
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from crm.consent import repository, service
from crm.consent.models import ConsentEntry, ConsentHead
from crm.consent.service import ConsentGiven, Refusal, allows
from crm.kernel.change import Change, retrying
from crm.kernel.errors import InvalidInputs
from crm.kernel.table import customer_key
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("tables")

YES = ConsentGiven("email", "marketing", "granted", "checkout")
NO = ConsentGiven("email", "marketing", "denied", "profile page")


def say(*given: ConsentGiven, at: datetime = NOW, cause: str = "event:e1") -> bool:
    def attempt() -> bool:
        change = Change()
        service.record(change, "demo", "cus_1", list(given), cause=cause, occurred_at=at, now=NOW, replayed=False)
        return change.commit()

    return retrying(attempt)


def head() -> ConsentHead | None:
    return repository.get_head("demo", "cus_1")


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


def test_every_fault_is_named_and_nothing_is_written() -> None:
    with pytest.raises(InvalidInputs) as refused:
        say(YES, ConsentGiven("pigeon", "fun", "maybe", ""))
    assert [fault.path for fault in refused.value.faults] == [
        "consents.1.channel",
        "consents.1.purpose",
        "consents.1.state",
        "consents.1.source",
    ]
    assert head() is None
