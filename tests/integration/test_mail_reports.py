# tests/integration/test_mail_reports.py
"""From a bounce or complaint that SES tells on the default bus to the suppression and the end of the message."""

import json
from collections.abc import Callable
from copy import deepcopy
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from crm.consent import service as consent
from crm.intake import service as intake
from crm.kernel import aws
from crm.kernel.settings import settings
from crm.notifications import mail, repository
from crm.notifications.models import Message
from tests import shop_events
from tests.asking import STAFF, answer, as_customer, ask
from tests.conftest import NOW
from tests.messaging import Provider, announced, consenting, deliver, outcome, plan, recorded, thank_you
from tests.shop_events import event

RECORDED = Path(__file__).parents[1] / "events" / "ses"
MESSAGES = """{ customers { nodes { messages { nodes { status reason reportedAt } } } } }"""

pytestmark = pytest.mark.usefixtures("two_shops", "outlets")


def told(name: str, customer_id: str = "cus_1", *, shop: str = "demo", **changes: Any) -> dict[str, Any]:
    """A recorded event of SES about the customer's thank-you; `changes` are of the bounce or complaint."""
    report: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text())
    tags = mail.tags(shop, customer_id, f"customer:{customer_id}:thank_you", template="thank_you")
    report["detail"]["mail"]["tags"] |= {key: [value] for key, value in tags.items()}
    report["detail"][name] |= changes
    return report


def reasons(address: str = "ann@example.com", *, shop: str = "demo") -> list[str]:
    item = consent.suppression(shop, "email", address)
    return [state.reason for state in item.reasons] if item else []


def letters() -> list[dict[str, Any]]:
    url = settings().intake_dead_letters_url
    found = aws.sqs_client().receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return [json.loads(message["Body"]) for message in found.get("Messages", [])]


@pytest.fixture
def ann() -> str:
    """She was sent her thank-you."""
    provider = Provider()
    customer_id = consenting()
    assert plan(recorded()) == []
    assert deliver(announced(customer_id)) == []
    assert outcome(customer_id) == ("sent", None)
    (asked,) = provider.asked
    assert asked["ConfigurationSetName"] == "rapport-test"
    sent = {tag["Name"]: [tag["Value"]] for tag in asked["EmailTags"]}
    assert mail.named_by(sent) == mail.Named("demo", customer_id, f"customer:{customer_id}:thank_you")
    return customer_id


@pytest.mark.parametrize(
    ("name", "reason", "status", "at"),
    [
        ("bounce", "hard_bounce", "BOUNCED", "2026-03-10T11:58:01.669000Z"),
        ("complaint", "complaint", "COMPLAINED", "2026-03-10T11:59:01.000000Z"),
    ],
)
def test_a_bounce_or_complaint_suppresses_the_address_and_ends_the_message(
    ann: str, name: str, reason: str, status: str, at: str
) -> None:
    assert shop_events.deliver(told(name, ann)) == []
    assert reasons() == [reason]
    (customer,) = ask(MESSAGES, principal=STAFF)["customers"]["nodes"]
    assert customer["messages"]["nodes"] == [{"status": status, "reason": None, "reportedAt": at}]
    receipt = intake.status("demo", f"ses.{told(name)['detail'][name]['feedbackId']}")
    assert receipt is not None
    assert receipt.effect == f"suppression; the message is {status.lower()}"
    item = consent.suppression("demo", "email", "ann@example.com")
    assert item is not None
    (entry,) = consent.suppression_entries("demo", item.digest, limit=9)
    assert (entry.source, entry.actor) == ("ses", "service:ses")
    assert "ann@" not in (entry.note or "")


def test_no_customer_learns_why_a_message_was_refused(ann: str) -> None:
    told = answer("{ viewer { messages { nodes { status reason } } } }", principal=as_customer(ann)).body
    assert [error["extensions"]["code"] for error in told["errors"]] == ["FORBIDDEN"]
    assert "Message.reason" in told["errors"][0]["message"]


def test_what_ses_tells_twice_counts_once(ann: str) -> None:
    assert shop_events.deliver(told("bounce", ann), told("bounce", ann)) == []
    again = told("bounce", ann) | {"id": "another-id-of-the-bus"}
    assert shop_events.deliver(again) == []
    item = consent.suppression("demo", "email", "ann@example.com")
    assert item is not None
    assert len(consent.suppression_entries("demo", item.digest, limit=9)) == 1
    assert letters() == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_any_order_of_arrival_the_complaint_is_the_end(ann: str, order: tuple[int, ...]) -> None:
    reports = [told("bounce", ann), told("bounce", ann, feedbackId="f2"), told("complaint", ann)]
    reports[1]["detail"]["bounce"]["timestamp"] = "2026-03-10T11:57:00.000Z"
    for number in order:
        assert shop_events.deliver(reports[number]) == []
    assert outcome(ann) == ("complained", None)
    assert reasons() == ["hard_bounce", "complaint"]


@pytest.mark.parametrize("kind", ["Transient", "Undetermined"])
def test_a_soft_bounce_changes_nothing(ann: str, kind: str) -> None:
    assert shop_events.deliver(told("bounce", ann, bounceType=kind)) == []
    assert reasons() == []
    assert outcome(ann) == ("sent", None)
    assert letters() == []


@pytest.mark.parametrize("status", ["sending", "unknown"])
def test_a_report_settles_a_message_of_which_nobody_knew_whether_it_left(ann: str, status: str) -> None:
    message = thank_you(ann)
    message.status, message.reason = status, "INTERRUPTED"
    message.save()
    shop_events.deliver(told("bounce", ann))
    assert outcome(ann) == ("bounced", None)


def test_a_confirmation_that_comes_behind_the_report_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Provider()
    customer_id = consenting()
    plan(recorded())
    send = mail.send

    def send_and_be_overtaken(*args: Any, **kwargs: Any) -> str:
        provider_id = send(*args, **kwargs)
        shop_events.deliver(told("bounce", customer_id))
        return provider_id

    monkeypatch.setattr(mail, "send", send_and_be_overtaken)
    assert deliver(announced(customer_id)) == []
    assert outcome(customer_id) == ("bounced", None)


def test_a_message_written_meanwhile_is_read_again(ann: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read, overtaking = repository.get_message, [told("bounce", ann)]

    def read_then_be_overtaken(*key: str) -> Message | None:
        found = read(*key)
        if overtaking:
            shop_events.deliver(overtaking.pop())
        return found

    monkeypatch.setattr(repository, "get_message", read_then_be_overtaken)
    assert shop_events.deliver(told("complaint", ann)) == []
    assert outcome(ann) == ("complained", None)
    assert reasons() == ["hard_bounce", "complaint"]


def test_the_address_is_suppressed_also_where_the_message_is_gone_or_not_named() -> None:
    shop_events.deliver(told("bounce"))
    nameless = told("complaint")
    nameless["detail"]["mail"]["tags"].pop("message")
    shop_events.deliver(nameless)
    assert reasons() == ["hard_bounce", "complaint"]
    ids = [f"ses.{told(name)['detail'][name]['feedbackId']}" for name in ("bounce", "complaint")]
    receipts = [intake.status("demo", event_id) for event_id in ids]
    assert [receipt and receipt.effect for receipt in receipts] == [
        "suppression; the message is none that was sent",
        "suppression",
    ]


def test_each_of_several_recipients_is_suppressed() -> None:
    both = [{"emailAddress": "Ann <ann@example.com>"}, {"emailAddress": "bob@example.com"}]
    assert shop_events.deliver(told("complaint", complainedRecipients=both)) == []
    assert reasons("ann@example.com") == reasons("bob@example.com") == ["complaint"]
    assert reasons("bob@example.com", shop="other") == []


Spoiled = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda report: report["detail"].pop("bounce"),
        lambda report: report["detail"]["bounce"].pop("feedbackId"),
        lambda report: report["detail"]["mail"]["tags"].pop("shop"),
        lambda report: report.update({"detail": "?"}),
        lambda report: report.update({"detail-type": "Email Vanished"}),
    ],
)
def test_an_unknown_shape_is_dead_lettered_whole_and_mended_when_it_is_redriven(spoil: Spoiled) -> None:
    report = told("bounce")
    spoil(report)
    assert shop_events.deliver(deepcopy(report), told("complaint")) == []
    assert letters() == [report]
    assert reasons() == ["complaint"]


def test_a_report_of_no_shop_of_ours_is_dead_lettered() -> None:
    assert shop_events.deliver(told("bounce", shop="nobody")) == []
    (letter,) = letters()
    assert (letter["type"], letter["shop"]) == ("address.suppressed", "nobody")


def test_a_shop_tells_the_end_of_its_own_messages_only(ann: str) -> None:
    named = {"customerId": ann, "messageId": f"customer:{ann}:thank_you"}
    data = {"channel": "email", "address": "ann@example.com", "reason": "complaint", "message": named}
    shop_events.deliver(event("address.suppressed", data, shop="other", source="elsewhere"))
    assert outcome(ann) == ("sent", None)
    shop_events.deliver(event("address.suppressed", data | {"reason": "manual"}, source="elsewhere"))
    assert outcome(ann) == ("sent", None)
    shop_events.deliver(event("address.suppressed", data, source="elsewhere"))
    assert outcome(ann) == ("complained", None)


@pytest.mark.parametrize("source", ["shopify", "aws.ses"])
def test_no_shop_wraps_an_event_of_another_in_its_own(source: str) -> None:
    """The door judges the envelope it is handed; what that holds beside is nobody's word."""
    foreign = event("address.suppressed", {"channel": "email", "address": "x@example.com", "reason": "manual"})
    inner = told("bounce", shop="other")
    for number, wrapped in enumerate((foreign | {"shop": "other"}, inner["detail"])):
        outer = foreign | {"id": f"o{number}", "source": source, "detail-type": "Email Bounced", "detail": wrapped}
        (receipt,) = intake.accept("demo", [outer], now=NOW)
        assert receipt.status == "queued"
    url = settings().intake_queue_url
    for message in aws.sqs_client().receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]:
        assert shop_events.deliver(message["Body"]) == []
    assert reasons("x@example.com") == ["manual"]
    assert reasons("x@example.com", shop="other") == reasons("ann@example.com", shop="other") == []
