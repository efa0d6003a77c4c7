# tests/unit/notifications/test_reports.py
import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crm.kernel.errors import InvalidInputs
from crm.notifications import mail
from crm.notifications.ending import ends
from crm.notifications.models import BOUNCED, COMPLAINED, FAILED, PLANNED, REFUSED, SENDING, SENT, UNKNOWN
from crm.notifications.reports import MailReport, read

RECORDED = Path(__file__).parents[2] / "events" / "ses"
BOUNCE, COMPLAINT = (json.loads((RECORDED / f"{name}.json").read_text()) for name in ("bounce", "complaint"))
NOON, LATER = datetime(2026, 3, 10, 12, tzinfo=UTC), datetime(2026, 3, 10, 13, tzinfo=UTC)


def changed(event: dict[str, Any], *path: str, to: Any) -> dict[str, Any]:
    event = deepcopy(event)
    place = event["detail"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return event


def test_a_hard_bounce_speaks_against_the_address_it_went_to() -> None:
    assert read(BOUNCE) == MailReport(
        shop="demo",
        customer_id="cus_1",
        message_id="customer:cus_1:thank_you",
        reason="hard_bounce",
        addresses=["ann@example.com"],
        feedback_id="01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
        occurred_at=datetime(2026, 3, 10, 11, 58, 1, 669000, tzinfo=UTC),
        note="General, 5.1.1",
    )


def test_a_complaint_speaks_against_it_too() -> None:
    report = read(COMPLAINT)
    assert report is not None
    assert (report.reason, report.addresses, report.note) == ("complaint", ["ann@example.com"], "abuse")


@pytest.mark.parametrize("kind", ["Transient", "Undetermined"])
def test_a_soft_bounce_changes_nothing(kind: str) -> None:
    assert read(changed(BOUNCE, "bounce", "bounceType", to=kind)) is None


def test_who_says_that_it_is_no_spam_does_not_complain() -> None:
    assert read(changed(COMPLAINT, "complaint", "complaintFeedbackType", to="not-spam")) is None


def test_what_others_write_of_an_address_is_not_kept() -> None:
    wordy = changed(BOUNCE, "bounce", "bounceSubType", to="unknown user <ann@example.com>")
    report = read(wordy)
    assert report is not None
    assert report.note == "5.1.1"


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (changed(BOUNCE, "bounce", to="gone"), "detail"),
        (changed(BOUNCE, "bounce", "bouncedRecipients", to=[]), "detail"),
        (changed(BOUNCE, "bounce", "timestamp", to="yesterday"), "detail"),
        (changed(BOUNCE, "bounce", "timestamp", to="2026-03-10T11:58:01"), "detail"),
        (changed(BOUNCE, "bounce", "feedbackId", to="a b"), "detail"),
        (changed(COMPLAINT, "complaint", "complainedRecipients", to=[{"address": "ann@example.com"}]), "detail"),
        (changed(COMPLAINT, "mail", "tags", to={"customer": ["cus_1"]}), "detail.mail.tags.shop"),
        (BOUNCE | {"detail": None}, "detail"),
        (BOUNCE | {"detail-type": "Email Delivered"}, "detail-type"),
    ],
)
def test_what_has_no_known_shape_is_refused_without_quoting_it(event: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInputs) as refused:
        read(event)
    assert [fault.path for fault in refused.value.faults] == [path]
    assert "ann@" not in str(refused.value)
    assert "yesterday" not in str(refused.value)


def test_the_tags_of_a_message_lead_back_to_it_and_are_what_ses_takes() -> None:
    tags = mail.tags("demo", "cus_1", "journey:j1:ünlaut", template="thank_you")
    assert all(value.isascii() and value.replace("-", "").replace("_", "").isalnum() for value in tags.values())
    told = {name: [value] for name, value in tags.items()}
    assert mail.named_by(told) == mail.Named("demo", "cus_1", "journey:j1:ünlaut")
    assert mail.named_by(told | {"message": ["ü"]}) == mail.named_by({"shop": ["demo"]}) == mail.Named("demo")
    assert mail.named_by({}) is None


@pytest.mark.parametrize("known", [SENDING, SENT, UNKNOWN])
@pytest.mark.parametrize("reported", [BOUNCED, COMPLAINED])
def test_what_may_have_left_ends_as_is_reported(known: str, reported: str) -> None:
    assert ends(known, None, reported, NOON)


@pytest.mark.parametrize("known", [PLANNED, REFUSED, FAILED])
def test_what_never_left_ends_in_nothing(known: str) -> None:
    assert not ends(known, None, BOUNCED, NOON)


def test_of_two_reports_the_graver_holds_and_of_two_alike_the_earlier_in_any_order() -> None:
    assert ends(BOUNCED, LATER, COMPLAINED, NOON)
    assert not ends(COMPLAINED, NOON, BOUNCED, LATER)
    assert ends(BOUNCED, LATER, BOUNCED, NOON)
    assert not ends(BOUNCED, NOON, BOUNCED, LATER)
    assert not ends(BOUNCED, NOON, BOUNCED, NOON)
