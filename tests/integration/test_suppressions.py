# tests/integration/test_suppressions.py
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from crm.consent import repository, suppression
from crm.consent import service as consent
from crm.consent.models import Suppression
from crm.customers import service as customers
from crm.intake import service as intake
from crm.kernel import batch_reads
from crm.kernel.actor import Actor, Role
from crm.kernel.change import Change
from crm.kernel.errors import InvalidInputs, Stale
from crm.kernel.settings import settings
from crm.kernel.table import client, customer_key
from crm.notifications import recipient
from crm.notifications.events import MessagePlanned
from crm.notifications.models import Message
from crm.notifications.recipient import Recipient
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
)
from tests.shop_events import event

ADDRESS = "ann@example.com"
CLERK = Actor(Role.STAFF, "u1")

pytestmark = pytest.mark.usefixtures("shop")


def told(reason: str = "hard_bounce", address: str = "Ann@Example.com", *, at: datetime = NOW, **more: Any) -> str:
    """A provider's event; how it was taken."""
    data = {"channel": "email", "address": address, "reason": reason}
    body = event("address.suppressed", data, source="ses", occurredAt=at.isoformat(), **more)
    return intake.apply(intake.written(body), now=NOW).status


def given(reason: str = "manual", note: str | None = "asked by letter") -> consent.SuppressionGiven:
    return consent.SuppressionGiven("email", ADDRESS, reason, "staff", note)


def lift(reason: str = "manual", *, key: str = "lift", now: datetime = NOW) -> bool:
    change = consent.suppression_lift if reason == "manual" else consent.suppression_override
    return change("demo", given(reason), actor=CLERK, idempotency_key=key, now=now)


def add(*, key: str = "add", now: datetime = NOW) -> bool:
    return consent.suppression_add("demo", given(), actor=CLERK, idempotency_key=key, now=now)


def reasons(address: str = ADDRESS, *, shop: str = "demo") -> list[str]:
    item = consent.suppression(shop, "email", address)
    assert item is not None
    return [state.reason for state in item.reasons]


def entries() -> list[tuple[str, str, str]]:
    item = consent.suppression("demo", "email", ADDRESS)
    assert item is not None
    found = consent.suppression_entries("demo", item.digest, limit=100)
    return [(entry.reason, entry.state, entry.actor) for entry in found]


def test_reasons_add_up_and_each_is_lifted_by_itself() -> None:
    assert told("hard_bounce") == told("complaint") == "applied"
    add()
    assert reasons() == ["hard_bounce", "complaint", "manual"]
    lift()
    assert reasons() == ["hard_bounce", "complaint"]
    lift("complaint", key="over")
    assert reasons() == ["hard_bounce"]
    assert sorted(entries()) == [
        ("complaint", "lifted", "staff:u1"),
        ("complaint", "suppressed", "service:ses"),
        ("hard_bounce", "suppressed", "service:ses"),
        ("manual", "lifted", "staff:u1"),
        ("manual", "suppressed", "staff:u1"),
    ]


def test_an_address_is_suppressed_in_its_shop_and_channel_only() -> None:
    told()
    assert reasons("ANN@example.com") == ["hard_bounce"]
    assert reasons("bob@example.com") == []
    assert reasons(shop="other") == []
    by_token = consent.suppression("demo", "push", ADDRESS)
    assert by_token is not None
    assert by_token.reasons == []


def test_no_stored_text_tells_the_address() -> None:
    told()
    add()
    stored = [str(item) for item in client().scan(TableName=settings().crm_table)["Items"]]
    assert any("SUPPRESSION" in item for item in stored)
    assert [item for item in stored if "ann@" in item.lower()] == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_any_order_of_arrival_the_later_verdict_holds(order: tuple[int, ...]) -> None:
    acts = [
        lambda: told(at=NOW - timedelta(hours=2)),
        lambda: told(at=NOW - timedelta(hours=1)),
        lambda: told("complaint", at=NOW - timedelta(hours=3)),
    ]
    for number in order:
        acts[number]()
    item = consent.suppression("demo", "email", ADDRESS)
    assert item is not None
    assert [(state.reason, state.occurred_at) for state in item.reasons] == [
        ("hard_bounce", NOW - timedelta(hours=1)),
        ("complaint", NOW - timedelta(hours=3)),
    ]


@pytest.mark.parametrize("reason", ["hard_bounce", "complaint"])
def test_what_provider_or_recipient_said_is_not_lifted_as_what_staff_said_is(reason: str) -> None:
    told(reason)
    with pytest.raises(InvalidInputs):
        consent.suppression_lift("demo", given(reason), actor=CLERK, idempotency_key="k", now=NOW)
    assert reasons() == [reason]


def test_what_happened_before_it_was_lifted_does_not_suppress_again_and_what_happens_after_does() -> None:
    told(at=NOW - timedelta(hours=2))
    lift("hard_bounce")
    told(at=NOW - timedelta(hours=1))
    assert reasons() == []
    told(at=NOW + timedelta(seconds=1))
    assert reasons() == ["hard_bounce"]


def test_what_staff_lift_is_lifted_also_where_a_source_s_clock_runs_ahead() -> None:
    told(at=NOW + timedelta(minutes=9))
    lift("hard_bounce")
    assert reasons() == []


def test_verdicts_that_read_the_same_state_both_count(monkeypatch: pytest.MonkeyPatch) -> None:
    read, other = repository.get_suppression, [lambda: told("complaint")]

    def read_then_be_overtaken(shop: str, digest: str) -> Suppression | None:
        found = read(shop, digest)
        if other:
            other.pop()()
        return found

    monkeypatch.setattr(repository, "get_suppression", read_then_be_overtaken)
    told("hard_bounce")
    assert reasons() == ["hard_bounce", "complaint"]


def test_it_outlives_consents_imports_and_customers() -> None:
    ann = consenting(email=ADDRESS)
    told()
    say(ann, "granted", cause="event:again", at=NOW + timedelta(days=1))
    again = event("customer.updated", {}, customer={"externalId": "ann", "email": ADDRESS, "emailVerified": True})
    intake.apply(intake.written(again), now=NOW, replayed=True)
    assert reasons() == ["hard_bounce"]
    for item in client().query(
        TableName=settings().crm_table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": customer_key("demo", ann)}},
    )["Items"]:
        client().delete_item(TableName=settings().crm_table, Key={"pk": item["pk"], "sk": item["sk"]})
    assert list(batch_reads.read(settings().crm_table, [(customer_key("demo", ann), "HEAD#PROFILE")])) == []
    assert reasons() == ["hard_bounce"]


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def ann(provider: Provider) -> str:
    customer_id = consenting()
    assert plan(recorded()) == []
    return customer_id


@pytest.fixture
def planned(ann: str) -> MessagePlanned:
    return announced(ann)


def test_nothing_is_planned_for_a_suppressed_address(provider: Provider) -> None:
    told()
    ann = consenting()
    plan(recorded())
    assert outcome(ann) == ("refused", "SUPPRESSED")


def test_a_text_that_is_no_address_is_none_to_be_written_to(ann: str, planned: MessagePlanned) -> None:
    customer = customers.get("demo", ann)
    customer.email = "no address"
    change = Change(NOW)
    change.revise(customer)
    change.commit()
    deliver(planned)
    assert outcome(ann) == ("refused", "NO_ADDRESS")


def test_an_address_suppressed_after_planning_is_not_written_to(
    ann: str, planned: MessagePlanned, provider: Provider
) -> None:
    told("complaint")
    assert deliver(planned) == []
    assert outcome(ann) == ("refused", "SUPPRESSED")
    assert provider.asked == []


@pytest.mark.parametrize("before", [[], ["complaint"]])
def test_an_address_suppressed_at_the_very_moment_of_reserving_is_not_written_to(
    ann: str, planned: MessagePlanned, provider: Provider, monkeypatch: pytest.MonkeyPatch, before: list[str]
) -> None:
    for reason in before:
        told(reason)
        lift(reason)
    read, pending = recipient.look_up, [lambda: told("hard_bounce")]

    def look_up_then_be_overtaken(message: Message) -> Recipient:
        found = read(message)
        if pending:
            pending.pop()()
        return found

    monkeypatch.setattr(recipient, "look_up", look_up_then_be_overtaken)
    assert deliver(planned) == []
    assert outcome(ann) == ("refused", "SUPPRESSED")
    assert provider.asked == []


def test_once_lifted_the_address_is_written_to(ann: str, planned: MessagePlanned, provider: Provider) -> None:
    add()
    lift()
    deliver(planned)
    assert outcome(ann) == ("sent", None)


def test_the_next_customer_with_the_address_is_not_written_to_and_who_moved_away_is(provider: Provider) -> None:
    told()
    ann = consenting()
    customers.update("demo", ann, customers.Words(fields={"email": "new@example.com"}), now=NOW)
    bob = consenting("bob", email=ADDRESS)
    for external_id, order_id in (("ann", "o1"), ("bob", "o2")):
        plan(recorded(order_id, customer={"externalId": external_id}))
    assert outcome(bob) == ("refused", "SUPPRESSED")
    assert outcome(ann) == ("planned", None)


def test_an_address_that_the_provider_will_not_deliver_to_is_suppressed_here_too(
    ann: str, planned: MessagePlanned, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_its_list = refused("MessageRejected", 400)
    on_its_list.response["Error"]["Message"] = "Address is on the suppression list for your account"
    with monkeypatch.context() as rejecting:
        failing(rejecting, on_its_list)
        assert deliver(planned) == []
    assert outcome(ann) == ("failed", "SUPPRESSED_BY_PROVIDER")
    assert thank_you(ann).settled_at is not None
    assert reasons() == ["hard_bounce"]
    assert entries() == [("hard_bounce", "suppressed", "system")]


def test_what_is_rejected_for_other_reasons_suppresses_nobody(
    ann: str, planned: MessagePlanned, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, refused("MessageRejected", 400))
    deliver(planned)
    assert outcome(ann) == ("failed", "MessageRejected")
    assert reasons() == []


def test_that_the_provider_refused_is_settled_once_though_another_verdict_came_between(
    ann: str, planned: MessagePlanned, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_its_list = refused("MessageRejected", 400)
    on_its_list.response["Error"]["Message"] = "suppressed"
    failing(monkeypatch, on_its_list)
    look_up, overtaking = suppression.look_up, [None, lambda: told("complaint")]

    def look_up_then_be_overtaken(*args: str) -> Suppression | None:
        found = look_up(*args)
        act = overtaking.pop(0) if overtaking else None
        if act:
            act()
        return found

    monkeypatch.setattr(suppression, "look_up", look_up_then_be_overtaken)
    monkeypatch.setattr(consent, "suppression", look_up_then_be_overtaken)
    assert deliver(planned) == []
    assert outcome(ann) == ("failed", "SUPPRESSED_BY_PROVIDER")
    assert reasons() == ["hard_bounce", "complaint"]


def test_by_hand_a_lost_answer_is_met_again(monkeypatch: pytest.MonkeyPatch) -> None:
    commit, lost = Change.commit, [True]

    def commit_and_lose_the_answer(change: Change) -> bool:
        done = commit(change)
        if lost:
            lost.pop()
            raise Stale
        return done

    monkeypatch.setattr(Change, "commit", commit_and_lose_the_answer)
    add()
    assert entries() == [("manual", "suppressed", "staff:u1")]
