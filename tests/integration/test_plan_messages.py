# tests/integration/test_plan_messages.py
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crm.customers import service as customers
from crm.kernel import clock, timers
from crm.kernel.timers import TimerDue
from crm.notifications import recipient, service
from crm.notifications.events import MessagePlanned
from crm.notifications.models import Message
from crm.notifications.recipient import Recipient
from crm.orders import service as orders
from crm.orders.events import OrderRecorded
from tests import shop_events
from tests.conftest import NOW
from tests.messaging import announced, consenting, outcome, plan, recorded, say, thank_you, wrapped

LATER = NOW + timedelta(seconds=1)

pytestmark = pytest.mark.usefixtures("shop")


def messages(customer_id: str) -> list[Message]:
    return service.messages("demo", customer_id, before=None, limit=10)


def overtaken(monkeypatch: pytest.MonkeyPatch, overtake: Any) -> None:
    """Let something else happen, once, between what a decision reads and what it writes."""
    read = recipient.look_up
    pending = [overtake]

    def look_up_then_be_overtaken(message: Message) -> Recipient:
        found = read(message)
        if pending:
            pending.pop()()
        return found

    monkeypatch.setattr(recipient, "look_up", look_up_then_be_overtaken)


def second_look(customer_id: str) -> TimerDue:
    timer = timers.get("demo", customer_id, "notifications", "thank_you")
    assert timer is not None
    return TimerDue("demo", customer_id, timer.owner, timer.subject, timer.due_at)


def say_yes_later(customer_id: str) -> None:
    say(customer_id, "granted", cause="event:yes", at=NOW + timedelta(seconds=1))


def test_a_first_order_is_thanked_for_once_however_often_it_is_told() -> None:
    ann = consenting()
    order = recorded()
    assert plan(order, order) == []
    assert plan(order) == []
    assert outcome(ann) == ("planned", None)
    assert len(messages(ann)) == 1
    assert thank_you(ann).rev == 1


def test_a_second_order_is_not_thanked_for() -> None:
    ann = consenting()
    recorded("o1")
    assert plan(recorded("o2")) == []
    assert messages(ann) == []


def test_two_first_orders_at_once_are_thanked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = consenting()
    order = recorded("o1")
    recorded("o2")
    other = OrderRecorded.parse(OrderRecorded.of(orders.get("demo", "o2")).detail() | {"first": True})
    overtaken(monkeypatch, lambda: plan(other))
    assert plan(order) == []
    assert [message.order_id for message in messages(ann)] == ["o2"]
    assert thank_you(ann).rev == 1


@pytest.mark.parametrize(
    ("customer", "order", "reason"),
    [
        ({"state": "denied"}, {}, "NO_CONSENT"),
        ({"email": None}, {}, "NO_ADDRESS"),
        ({}, {"status": "cancelled"}, "ORDER_CANCELLED"),
    ],
)
def test_a_message_that_may_not_be_sent_leaves_its_reason(
    customer: dict[str, Any], order: dict[str, Any], reason: str
) -> None:
    ann = consenting(**customer)
    plan(recorded(**order))
    assert outcome(ann) == ("refused", reason)
    assert MessagePlanned.of(thank_you(ann)) is None


def test_nothing_is_sent_to_an_address_that_another_has_verified_since() -> None:
    mallory = consenting("mallory", email="Ann@example.com")
    verified = {"externalId": "ann", "email": "ann@example.com", "emailVerified": True}
    assert shop_events.deliver(shop_events.event("customer.updated", {}, customer=verified)) == []
    plan(recorded(customer={"externalId": "mallory"}))
    assert outcome(mallory) == ("refused", "NO_ADDRESS")


ADDRESS = "ann@example.com"


def guest(*, state: str | None = None) -> str:
    """Somebody of whom nothing is known but the address, which they gave first."""
    assert shop_events.deliver(shop_events.event("customer.updated", {}, customer={"email": ADDRESS})) == []
    found = customers.find("demo", "email", ADDRESS)
    assert found is not None
    if state:
        say(found, state, cause="event:guest")
    return found


def account(external_id: str = "acc", **who: Any) -> str:
    """A customer of the shop who gives the same address, which nobody has verified, and agrees to mail."""
    words = {"externalId": external_id, "email": ADDRESS, "firstName": "Ann"} | who
    assert shop_events.deliver(shop_events.event("customer.updated", {}, customer=words)) == []
    found = customers.find("demo", "external", external_id, source="shopify")
    assert found is not None
    say(found, "granted", cause="event:signup")
    return found


def thanked(external_id: str = "acc", order_id: str = "o1") -> tuple[str, str | None]:
    plan(recorded(order_id, customer={"externalId": external_id}))
    found = customers.find("demo", "external", external_id, source="shopify")
    return outcome(found or "")


@pytest.mark.parametrize("state", [None, "granted", "pending"])
def test_who_bought_as_a_guest_before_they_had_an_account_is_written_to(state: str | None) -> None:
    holder, ann = guest(state=state), account()
    assert holder != ann
    assert thanked() == ("planned", None)


def test_a_no_that_was_said_of_the_same_mailbox_as_a_guest_holds_for_the_account_too() -> None:
    guest(state="denied")
    account()
    assert thanked() == ("refused", "NO_CONSENT")


def test_an_address_that_is_another_customers_is_not_written_to_for_whoever_else_gives_it() -> None:
    account("first")
    account()
    assert thanked() == ("refused", "NO_ADDRESS")
    assert thanked("first", "o2") == ("planned", None)


def test_an_address_that_a_guest_has_verified_is_theirs() -> None:
    verified = {"email": ADDRESS, "emailVerified": True}
    assert shop_events.deliver(shop_events.event("customer.updated", {}, customer=verified)) == []
    account()
    assert thanked() == ("refused", "NO_ADDRESS")


@pytest.mark.parametrize("bar", ["block", "delete"])
def test_the_address_of_a_guest_who_takes_no_part_is_not_written_to_by_another_name(bar: str) -> None:
    holder = guest()
    account()
    if bar == "block":
        customers.update("demo", holder, customers.Words(fields={"status": "blocked"}), now=NOW)
    else:
        customers.delete("demo", holder, now=NOW)
    assert thanked() == ("refused", "NO_ADDRESS")


def moved_away(holder: str) -> None:
    customers.update("demo", holder, customers.Words(fields={"email": "new@example.com"}), now=NOW)


def test_an_address_that_nobody_holds_any_more_is_written_to() -> None:
    holder = guest()
    account()
    moved_away(holder)
    assert thanked() == ("planned", None)


def stays(_: str) -> None:
    pass


def says_no(holder: str) -> None:
    say(holder, "denied", cause="event:no", at=LATER)


def becomes_known(_: str) -> None:
    words = {"externalId": "g", "email": ADDRESS, "emailVerified": True}
    assert shop_events.deliver(shop_events.event("customer.updated", {}, customer=words)) == []


@pytest.mark.parametrize(
    ("before", "meanwhile", "expected"),
    [
        (stays, becomes_known, ("refused", "NO_ADDRESS")),
        (stays, says_no, ("refused", "NO_CONSENT")),
        (lambda holder: say(holder, "granted", cause="e"), lambda holder: say(holder, "denied", cause="no", at=LATER),
         ("refused", "NO_CONSENT")),
        (moved_away, becomes_known, ("refused", "NO_ADDRESS")),
    ],
)  # fmt: skip
def test_what_becomes_of_the_guest_at_the_very_moment_of_planning_counts(
    monkeypatch: pytest.MonkeyPatch,
    before: Callable[[str], None],
    meanwhile: Callable[[str], None],
    expected: tuple[str, str],
) -> None:
    holder = guest()
    account()
    before(holder)
    order = recorded(customer={"externalId": "acc"})
    overtaken(monkeypatch, lambda: meanwhile(holder))
    plan(order)
    assert outcome(customers.find("demo", "external", "acc", source="shopify") or "") == expected


def test_an_imported_first_order_thanks_nobody_and_neither_does_what_happens_to_it_later() -> None:
    ann = consenting()
    imported = recorded("o1", replay=True)
    paid_now = recorded("o1", version=2)
    assert paid_now.first
    assert not paid_now.replayed
    assert plan(paid_now) == []
    assert messages(ann) == []
    assert plan(imported, paid_now, recorded("o2")) == []
    assert outcome(ann) == ("refused", "REPLAYED")
    assert timers.get("demo", ann, "notifications", "thank_you") is None


def test_an_old_order_told_live_thanks_nobody() -> None:
    ann = consenting()
    plan(recorded(placedAt="2024-05-01T10:00:00Z"))
    assert outcome(ann) == ("refused", "TOO_LATE")
    assert timers.get("demo", ann, "notifications", "thank_you") is None


def test_an_order_cancelled_since_is_not_thanked_for() -> None:
    ann = consenting()
    order = recorded("o1")
    recorded("o1", version=2, status="cancelled")
    plan(order)
    assert outcome(ann) == ("refused", "ORDER_CANCELLED")


def test_consent_withdrawn_while_it_is_decided_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = consenting()
    overtaken(monkeypatch, lambda: say(ann, "denied", cause="event:no"))
    assert plan(recorded()) == []
    assert outcome(ann) == ("refused", "NO_CONSENT")


def test_a_first_consent_given_while_it_is_decided_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = consenting(state=None)
    overtaken(monkeypatch, lambda: say_yes_later(ann))
    assert plan(recorded()) == []
    assert outcome(ann) == ("planned", None)


def test_a_consent_that_arrives_after_its_order_is_heard_at_the_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = consenting(state="denied")
    plan(recorded())
    say_yes_later(ann)
    due = second_look(ann)
    assert plan(due) == []
    assert outcome(ann) == ("refused", "NO_CONSENT"), "not before its time"
    monkeypatch.setattr(clock, "now", lambda: due.due_at)
    assert plan(due, due) == []
    assert outcome(ann) == ("planned", None)
    assert announced(ann).rev == 2
    assert timers.get("demo", ann, "notifications", "thank_you") is None


def test_a_second_look_that_finds_nothing_new_leaves_the_refusal_and_ends_the_timer() -> None:
    ann = consenting(state="denied")
    plan(recorded())
    due = second_look(ann)
    service.reconsider(due, now=due.due_at + timedelta(minutes=1))
    assert outcome(ann) == ("refused", "NO_CONSENT")
    assert timers.get("demo", ann, "notifications", "thank_you") is None
    assert service.reconsider(due, now=due.due_at) is None


def test_a_consent_recorded_during_the_second_look_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = consenting(state="denied")
    plan(recorded())
    due = second_look(ann)
    overtaken(monkeypatch, lambda: say_yes_later(ann))
    service.reconsider(due, now=due.due_at)
    assert outcome(ann) == ("planned", None)


def test_a_record_that_is_none_of_its_business_fails_alone() -> None:
    ann = consenting()
    order = recorded()
    unknown = wrapped(order) | {"detail-type": "points.posted"}
    broken = wrapped(order) | {"detail": {"shop": "demo"}}
    assert plan(unknown, broken, order) == ["m0", "m1"]
    assert outcome(ann) == ("planned", None)


def test_the_event_names_ids_and_never_people() -> None:
    ann = consenting()
    plan(recorded())
    event = announced(ann)
    assert MessagePlanned.parse(event.detail()) == event
    assert "example.com" not in str(event.detail())
    assert "Ann" not in str(event.detail())
