# infra/local/emulator_process.py
"""hypercorn, ended cleanly when whoever started it is gone: else a killed run would leave an emulator behind for good.

And what the emulator lacks of SES: reports on the default bus, as AWS sends them, of messages to its mailbox simulator
(bounce@, complaint@ and suppressionlist@simulator.amazonses.com, each also with a +label).

Runs in the emulator's virtual environment, so it imports nothing of ours.
"""

import importlib
import json
import os
import runpy
import signal
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

_LOOK_AGAIN_SECONDS = 1
_SEND_EMAIL = "/v2/email/outbound-emails"
_SIMULATOR = "@simulator.amazonses.com"
_OK = 200


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_AGAIN_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _report_mail() -> None:
    ses: Any = importlib.import_module("ministack.services.ses_v2")
    events: Any = importlib.import_module("ministack.services.eventbridge")
    handle = ses.handle_request

    async def handle_and_report(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        answer = await handle(method, path, headers, body, query)
        if method == "POST" and path.rstrip("/") == _SEND_EMAIL and answer[0] == _OK:
            sent = json.loads(body)
            for target, kind, detail in _reports(ses, sent, json.loads(answer[2])["MessageId"]):
                entry = {"Source": "aws.ses", "DetailType": kind, "Detail": json.dumps(detail), "EventBusName": target}
                events._put_events({"Entries": [entry]}, allow_aws_source=True)  # noqa: SLF001  as AWS's own do
        return answer

    ses.handle_request = handle_and_report


def _reports(ses: Any, sent: dict[str, Any], message_id: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(bus, type, detail) of each event that a message leads to."""
    name = sent.get("ConfigurationSetName", "")
    known = ses._config_sets.get(name) or {}  # noqa: SLF001  it has no other door to what it was told
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    tags = {each["Name"]: [each["Value"]] for each in sent.get("EmailTags", [])} | {"ses:configuration-set": [name]}
    found = []
    for address in sent.get("Destination", {}).get("ToAddresses", []):
        mailbox = address.lower().removesuffix(_SIMULATOR).split("+")[0] if _SIMULATOR in address.lower() else ""
        mail = {"timestamp": at, "messageId": message_id, "destination": [address], "tags": tags}
        feedback = {"timestamp": at, "feedbackId": str(uuid.uuid4())}
        told = {
            "bounce": ("BOUNCE", "Email Bounced", _bounce(address, "General") | feedback),
            "suppressionlist": ("BOUNCE", "Email Bounced", _bounce(address, "OnAccountSuppressionList") | feedback),
            "complaint": ("COMPLAINT", "Email Complaint Received", _complaint(address) | feedback),
        }.get(mailbox)
        if told is None:
            continue
        event_type, kind, part = told
        for destination in (known.get("EventDestinations") or {}).values():
            bus = destination.get("EventBridgeDestination", {}).get("EventBusArn")
            if bus and destination["Enabled"] and event_type in destination["MatchingEventTypes"]:
                detail = {"eventType": event_type.capitalize(), "mail": mail, event_type.lower(): part}
                found.append((bus, kind, detail))
    return found


def _bounce(address: str, subtype: str) -> dict[str, Any]:
    recipient = {"emailAddress": address, "action": "failed", "status": "5.1.1"}
    return {"bounceType": "Permanent", "bounceSubType": subtype, "bouncedRecipients": [recipient]}


def _complaint(address: str) -> dict[str, Any]:
    return {"complainedRecipients": [{"emailAddress": address}], "complaintFeedbackType": "abuse"}


if __name__ == "__main__":
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    _report_mail()
    runpy.run_module("hypercorn", run_name="__main__", alter_sys=True)
