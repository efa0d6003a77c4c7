# tests/integration/test_deliver_message.py
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from crm.customers import service as customers
from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.notifications import delivery, mail, recipient, service
from crm.notifications.events import MessagePlanned
from crm.notifications.models import Message
from crm.notifications.recipient import Recipient
from crm.shops import service as shops
from tests.conftest import NOW
from tests.messaging import (
    Provider,
    announced,
    consenting,
    deliver,
    failing,
    outcome,
    plan,
    recorded,
    refused,
    say,
    thank_you,
    wrapped,
)


@pytest.fixture
def provider(shop: object) -> Provider:
    return Provider()


@pytest.fixture
def ann(provider: Provider) -> str:
    customer_id = consenting()
    assert plan(recorded()) == []
    return customer_id


@pytest.fixture
def planned(ann: str) -> MessagePlanned:
    return announced(ann)


def later(seconds: int = 1) -> datetime:
    return NOW + timedelta(seconds=seconds)


def merge_away(customer_id: str) -> None:
    customer = customers.get("demo", customer_id)
    customer.merged_into = "cus_other"
    change = Change(NOW)
    change.revise(customer)
    change.commit()


def test_a_planned_message_is_sent_once_however_often_it_is_delivered(
    ann: str, planned: MessagePlanned, provider: Provider
) -> None:
    assert deliver(planned, planned) == []
    assert deliver(planned) == []
    assert outcome(ann) == ("sent", None)
    assert thank_you(ann).provider_id
    [asked] = provider.asked
    assert asked["FromEmailAddress"] == "Demo <shop@example.com>"
    assert asked["Destination"] == {"ToAddresses": ["ann@example.com"]}
    assert asked["Content"]["Simple"]["Subject"]["Data"] == "Danke für Ihre erste Bestellung bei Demo"
    assert asked["Content"]["Simple"]["Headers"] == [
        {"Name": "List-Unsubscribe", "Value": "<mailto:shop@example.com?subject=unsubscribe>"}
    ]
    assert {"Name": "customer", "Value": ann} in asked["EmailTags"]


def test_consent_withdrawn_after_planning_stops_the_message(
    ann: str, planned: MessagePlanned, provider: Provider
) -> None:
    say(ann, "denied", cause="event:no", at=later())
    assert deliver(planned) == []
    assert outcome(ann) == ("refused", "NO_CONSENT")
    say(ann, "granted", cause="event:yes", at=later(2))
    deliver(planned)
    assert outcome(ann) == ("refused", "NO_CONSENT")
    assert provider.asked == []


@pytest.mark.parametrize(
    ("overtake", "reason"),
    [
        (lambda ann: say(ann, "denied", cause="event:no", at=later()), "NO_CONSENT"),
        (lambda _: recorded("o1", version=2, status="cancelled"), "ORDER_CANCELLED"),
        (merge_away, "CUSTOMER_BLOCKED"),
    ],
)
def test_what_speaks_against_it_at_the_very_moment_of_reserving_stops_the_message(
    ann: str,
    planned: MessagePlanned,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    overtake: Callable[[str], object],
    reason: str,
) -> None:
    read = recipient.look_up
    pending = [overtake]

    def look_up_then_be_overtaken(message: Message) -> Recipient:
        found = read(message)
        if pending:
            pending.pop()(ann)
        return found

    monkeypatch.setattr(recipient, "look_up", look_up_then_be_overtaken)
    assert deliver(planned) == []
    assert outcome(ann) == ("refused", reason)
    assert provider.asked == []


def test_an_order_cancelled_after_planning_is_not_thanked_for(
    ann: str, planned: MessagePlanned, provider: Provider
) -> None:
    recorded("o1", version=2, status="cancelled")
    deliver(planned)
    assert outcome(ann) == ("refused", "ORDER_CANCELLED")
    assert provider.asked == []


def test_a_customer_blocked_or_merged_after_planning_is_not_written_to(
    ann: str, planned: MessagePlanned, provider: Provider
) -> None:
    merge_away(ann)
    deliver(planned)
    assert outcome(ann) == ("refused", "CUSTOMER_BLOCKED")
    assert provider.asked == []


@pytest.mark.usefixtures("provider")
def test_a_shop_without_a_sender_sends_nothing() -> None:
    shops.create("bare", shops.ShopFields(name="Bare", zone="UTC", currency="EUR", locale="en"))
    ann = consenting(shop="bare")
    plan(recorded(shop="bare"))
    message = service.get_message("bare", ann, f"customer:{ann}:thank_you")
    assert message is not None
    assert (message.status, message.reason) == ("refused", "SHOP_HAS_NO_SENDER")


def test_a_message_redriven_a_week_later_stays_unsent(ann: str, planned: MessagePlanned, provider: Provider) -> None:
    service.deliver(planned, now=planned.occurred_at + timedelta(days=7))
    assert outcome(ann) == ("refused", "TOO_LATE")
    assert provider.asked == []


def test_a_crash_after_sending_leaves_it_unknown_and_unsent_for_good(
    ann: str, planned: MessagePlanned, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any, **__: Any) -> Message:
        raise RuntimeError("killed")

    with monkeypatch.context() as crash:
        crash.setattr(delivery, "_settle", die)
        assert deliver(planned) == ["m0"]
    assert outcome(ann) == ("sending", None)
    assert deliver(planned, planned) == []
    assert outcome(ann) == ("unknown", "INTERRUPTED")
    assert len(provider.asked) == 1


def test_a_repeat_that_comes_while_it_is_being_sent_sends_nothing_and_the_sender_has_the_last_word(
    ann: str, planned: MessagePlanned, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = mail.send
    seen: list[str] = []

    def send_while_a_repeat_comes(*args: Any, **kwargs: Any) -> str:
        service.deliver(planned, now=NOW)
        seen.append(outcome(ann)[0])
        return send(*args, **kwargs)

    monkeypatch.setattr(mail, "send", send_while_a_repeat_comes)
    assert deliver(planned) == []
    assert seen == ["unknown"]
    assert outcome(ann) == ("sent", None)
    assert len(provider.asked) == 1


def test_a_reservation_whose_answer_was_lost_is_still_ones_own(
    ann: str, planned: MessagePlanned, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = Change.commit
    lost = [True]

    def commit_and_lose_the_answer(change: Change) -> bool:
        done = commit(change)
        if lost:
            lost.pop()
            raise Stale
        return done

    monkeypatch.setattr(Change, "commit", commit_and_lose_the_answer)
    assert deliver(planned) == []
    assert outcome(ann) == ("sent", None)
    assert len(provider.asked) == 1


def test_what_the_provider_did_not_accept_is_tried_again_with_the_next_delivery(
    ann: str, planned: MessagePlanned, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as throttled:
        failing(throttled, refused("TooManyRequestsException", 429))
        assert deliver(planned) == ["m0"]
    assert outcome(ann) == ("planned", "TooManyRequestsException")
    assert MessagePlanned.of(thank_you(ann)) is None, "its queue brings it again, not a second event"
    assert deliver(planned) == []
    assert outcome(ann) == ("sent", None)
    assert thank_you(ann).attempt_count == 2
    assert len(provider.asked) == 1


def test_giving_a_message_back_twice_does_not_take_it_from_who_sends_it_now(
    ann: str, planned: MessagePlanned, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave = delivery._leave
    other = ["dlv_other"]

    def leave_and_lose_the_answer(*args: Any) -> Message:
        left = leave(*args)
        if other:
            delivery._reserve(planned, other.pop(), NOW)
            raise Stale
        return left

    failing(monkeypatch, refused("TooManyRequestsException", 429))
    monkeypatch.setattr(delivery, "_leave", leave_and_lose_the_answer)
    assert deliver(planned) == ["m0"]
    assert outcome(ann)[0] == "sending"
    assert thank_you(ann).reservation == "dlv_other"


def test_consent_withdrawn_between_two_attempts_stops_the_second(
    ann: str, planned: MessagePlanned, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as throttled:
        failing(throttled, refused("TooManyRequestsException", 429))
        deliver(planned)
    say(ann, "denied", cause="event:no", at=later())
    assert deliver(planned) == []
    assert outcome(ann) == ("refused", "NO_CONSENT")
    assert provider.asked == []


def test_what_the_provider_rejects_has_failed_and_is_not_tried_again(
    ann: str, planned: MessagePlanned, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as rejecting:
        failing(rejecting, refused("MessageRejected", 400))
        assert deliver(planned) == []
    deliver(planned)
    assert outcome(ann) == ("failed", "MessageRejected")


def test_no_answer_is_unknown_and_not_tried_again(
    ann: str, planned: MessagePlanned, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as silent:
        failing(silent, ReadTimeoutError(endpoint_url="https://email.eu-west-1.amazonaws.com"))
        assert deliver(planned) == []
    assert deliver(planned) == []
    assert outcome(ann) == ("unknown", "ReadTimeoutError")
    assert provider.asked == []


def test_a_record_that_is_none_of_its_business_fails_alone(
    ann: str, planned: MessagePlanned, provider: Provider
) -> None:
    other = wrapped(planned) | {"detail-type": "order.recorded"}
    nobody = wrapped(planned) | {"detail": planned.detail() | {"messageId": "customer:none:thank_you"}}
    assert deliver(other, nobody, planned) == ["m0", "m1"]
    assert outcome(ann) == ("sent", None)
    assert len(provider.asked) == 1


def test_nothing_personal_is_logged(
    planned: MessagePlanned,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as forbidden:
        failing(forbidden, refused("AccessDeniedException", 403))
        deliver(planned)
    deliver(planned)
    written = "".join(capsys.readouterr()) + caplog.text
    assert "AccessDeniedException" in written
    assert "message delivered" in written
    assert "example.com" not in written
    assert "Ann" not in written
