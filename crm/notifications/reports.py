# crm/notifications/reports.py
"""What SES reports of a message after it took it: that it bounced, or that its recipient complained. Pure: the event of
EventBridge goes in, what it means comes out (docs/decisions/0067).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parseaddr
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from crm.consent.reasons import COMPLAINT, HARD_BOUNCE
from crm.kernel.errors import Fault, InvalidInputs
from crm.notifications import mail

SOURCE = "aws.ses"
"""Whom EventBridge says it is from. Only AWS can say so: PutEvents refuses sources that begin with `aws.`."""
BOUNCED, COMPLAINED = "Email Bounced", "Email Complaint Received"
PERMANENT, NOT_SPAM = "Permanent", "not-spam"
CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
"""A word of SES or of the recipient's provider; whatever else they write may hold the address."""

FeedbackId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,100}$(?!\n)")]
Instant = Annotated[datetime, Meta(tz=True)]


class Wire(Struct, rename="camel", frozen=True, kw_only=True):
    """What is needed of it; the rest is left aside, since SES adds to it from time to time."""


class Recipient(Wire, frozen=True, kw_only=True):
    email_address: str
    status: str | None = None


Recipients = Annotated[list[Recipient], Meta(min_length=1, max_length=50)]


class Bounce(Wire, frozen=True, kw_only=True):
    bounce_type: str
    bounce_sub_type: str | None = None
    bounced_recipients: Recipients
    timestamp: Instant
    feedback_id: FeedbackId


class Complaint(Wire, frozen=True, kw_only=True):
    complained_recipients: Recipients
    timestamp: Instant
    feedback_id: FeedbackId
    complaint_feedback_type: str | None = None
    complaint_sub_type: str | None = None


class Mail(Wire, frozen=True, kw_only=True):
    tags: dict[str, list[str]] = {}


class OfBounce(Wire, frozen=True, kw_only=True):
    mail: Mail
    bounce: Bounce


class OfComplaint(Wire, frozen=True, kw_only=True):
    mail: Mail
    complaint: Complaint


W = TypeVar("W", bound=Wire)


class MailReport(Struct, frozen=True):
    """That something speaks against addresses. `customer_id` and `message_id` name what was sent to them; they are None
    where the message does not say.
    """

    shop: str
    customer_id: str | None
    message_id: str | None
    reason: str
    addresses: list[str]
    feedback_id: str
    occurred_at: datetime
    note: str | None


def read(event: Mapping[str, Any]) -> MailReport | None:
    """What an event of SES means; None where it changes nothing: the mailbox was full or away (`Transient`), nobody
    knows why (`Undetermined`), or the recipient says that it is no spam. Raises InvalidInputs for an unknown shape.
    """
    kind = event.get("detail-type")
    if kind == BOUNCED:
        of_bounce = _converted(event, OfBounce)
        bounce = of_bounce.bounce
        if bounce.bounce_type != PERMANENT:
            return None
        note = _note(bounce.bounce_sub_type, *(each.status for each in bounce.bounced_recipients))
        return _report(of_bounce.mail, HARD_BOUNCE, bounce, bounce.bounced_recipients, note)
    if kind == COMPLAINED:
        of_complaint = _converted(event, OfComplaint)
        complaint = of_complaint.complaint
        if complaint.complaint_feedback_type == NOT_SPAM:
            return None
        note = _note(complaint.complaint_sub_type, complaint.complaint_feedback_type)
        return _report(of_complaint.mail, COMPLAINT, complaint, complaint.complained_recipients, note)
    raise InvalidInputs([Fault("detail-type", "INVALID", f"must be one of {BOUNCED}, {COMPLAINED}")])


def _converted(event: Mapping[str, Any], shape: type[W]) -> W:
    try:
        return msgspec.convert(event.get("detail"), shape)
    except msgspec.ValidationError as error:
        # msgspec names what it expected and where, never what it found.
        raise InvalidInputs([Fault("detail", "INVALID", f"is no report of a known shape: {error}")]) from None


def _report(
    sent: Mail, reason: str, told: Bounce | Complaint, recipients: list[Recipient], note: str | None
) -> MailReport:
    named = mail.named_by(sent.tags)
    if named is None:
        raise InvalidInputs([Fault("detail.mail.tags.shop", "REQUIRED", "is required: whose message was it?")])
    return MailReport(
        named.shop,
        named.customer_id,
        named.message_id,
        reason,
        list(dict.fromkeys(parseaddr(each.email_address)[1] or each.email_address for each in recipients)),
        told.feedback_id,
        told.timestamp,
        note,
    )


def _note(*words: str | None) -> str | None:
    """Why, as far as that is said in codes: "NoEmail, 5.1.1"."""
    codes = dict.fromkeys(word for word in words if word and CODE.fullmatch(word))
    return ", ".join(codes)[:200] or None
