# crm/intake/arrivals.py
"""What a message of the intake queue holds: an envelope as a door has queued it, one that a source put on the bus, or
what SES reports of a message. Pure: a body goes in, envelopes come out.
"""

import json
from collections.abc import Mapping
from typing import Any

from crm.intake import parsing
from crm.kernel import clock
from crm.notifications import service as notifications
from crm.notifications.service import MailReport

SOURCE = "ses"
"""Who says so, as an event names its source."""
OF_SES = "ses."  # what the ids of its reports begin with


def envelopes(body: str) -> list[str]:
    """The events in a message, as texts; none in a report that changes nothing. Raises InvalidInputs for a report of an
    unknown shape.

    An event of the bus has a detail and no type of its own; an envelope that a door has judged has one. So nobody who
    may speak for one shop can wrap an event of another in theirs.
    """
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return [body]
    if not isinstance(event, dict) or "type" in event or not {"detail-type", "detail"} <= event.keys():
        return [body]
    if event.get("source") != notifications.REPORTING:
        return [parsing.written(event["detail"])]
    report = notifications.reported(event)
    return [parsing.written(each) for each in suppressions(report)] if report else []


def suppressions(report: MailReport) -> list[Mapping[str, Any]]:
    """An event for each address, whose identity is SES's own of its report: told twice, it counts once."""
    return [
        {
            "id": f"{OF_SES}{report.feedback_id}" + (f".{number}" if number else ""),
            "type": "address.suppressed",
            "version": 1,
            "shop": report.shop,
            "source": SOURCE,
            "occurredAt": clock.text(report.occurred_at),
            "data": _data(report, address),
        }
        for number, address in enumerate(report.addresses)
    ]


def _data(report: MailReport, address: str) -> dict[str, Any]:
    data: dict[str, Any] = {"channel": "email", "address": address, "reason": report.reason}
    if report.note:
        data["note"] = report.note
    sent = {"customerId": report.customer_id, "messageId": report.message_id}
    if all(name and parsing.is_identifier(name) for name in sent.values()):
        data["message"] = sent
    return data
