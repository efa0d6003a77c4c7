# crm/kernel/dead_letters.py
"""Where a record goes that can never succeed: whole, with its reasons, to a queue that people empty and to the archive.

Archived under dead-letters/<source>/<day>/<sha256 of the body>.json, so that the same letter twice is one object, and
what is deleted from the queue can still be found. Message attributes:
    source   who gave up on it
    reason   the codes of its reasons, joined by commas: what redriving by reason goes by
    reasons  the same as text with paths, cut where it gets long
    archive  the key in the archive bucket
    correlation  whose request or which delivery it came with, where that is known: it goes back with it
    replay   "true" on what came as a replay, and on nothing else: it goes back as one, and messages nobody
    app      "true" on an event that an app sent, and on nothing else: it goes back as one
"""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crm.kernel import correlation
from crm.kernel.aws import s3_client, sqs_client
from crm.kernel.errors import CrmError, Fault
from crm.kernel.settings import settings

LARGEST_BODY = 256 * 1024 - 8 * 1024  # SQS's limit for a message, less its attributes
LONGEST_REASON, LONGEST_REASONS = 256, 2048
# SQS refuses a message that has any of these in an attribute.
UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def put(
    queue_url: str,
    body: str,
    *,
    source: str,
    reasons: Sequence[Fault],
    now: datetime,
    replayed: bool = False,
    by_app: bool = False,
) -> str:
    """Archive the body and send it to a dead-letter queue with its reasons; return its key in the archive.

    A body larger than a message may be is sent as `{"archive": key}`; `body_of` reads either.
    """
    key = archive_key(body, source=source, now=now)
    # Archived first: what the message points to is there, whenever it is read.
    s3_client().put_object(
        Bucket=settings().require("archive_bucket"), Key=key, Body=body.encode(), ContentType="application/json"
    )
    sent = body if len(body.encode()) <= LARGEST_BODY else json.dumps({"archive": key})
    attributes = {
        "source": source,
        "reason": ",".join(dict.fromkeys(fault.code for fault in reasons))[:LONGEST_REASON],
        "reasons": "; ".join(f"{fault.path}: {fault.message}" for fault in reasons)[:LONGEST_REASONS],
        "archive": key,
    }
    attributes |= ({"replay": "true"} if replayed else {}) | ({"app": "true"} if by_app else {})
    sqs_client().send_message(
        QueueUrl=queue_url,
        MessageBody=sent,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": UNSENDABLE.sub("\ufffd", value) or "-"}
            for name, value in attributes.items()
        }
        | correlation.attributes(),
    )
    return key


def archive_key(body: str, *, source: str, now: datetime) -> str:
    return f"dead-letters/{source}/{now:%Y-%m-%d}/{hashlib.sha256(body.encode()).hexdigest()}.json"


def body_of(message: dict[str, Any]) -> str:
    """The whole body of a received dead letter, from the archive where it was too large for the queue."""
    attributes = message.get("MessageAttributes", {})
    body = str(message["Body"])
    key = attributes.get("archive", {}).get("StringValue")
    if key is None or body != json.dumps({"archive": key}):
        return body
    answer = s3_client().get_object(Bucket=settings().require("archive_bucket"), Key=key)
    return str(answer["Body"].read().decode())


def reasons_of(error: CrmError) -> list[Fault]:
    """A refusal as the reasons of a dead letter."""
    return error.faults
