# infra/dead_letters.py
"""Dead letters, listed and sent back to where they came from. boto3 only: works on AWS and on the local emulator.

`python -m infra.dead_letters list` and `redrive --id ID | --reason REASON`, with the credentials and the region of the
environment, and its ARCHIVE_BUCKET for letters too large for a queue. A queue is a dead-letter queue where another's
redrive policy names it or its own name says so.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3

from crm.kernel import dead_letters

EXHAUSTED = "EXHAUSTED"
"""The reason of a message that no handler gave up on: it only failed too often."""

_HIDDEN_SECONDS = 30
_MARKS = ("deadletters", "dead-letters", "dlq")
_OWN_ATTRIBUTES = {"source", "reason", "reasons", "archive", "ErrorMessage"}
_RULE_ATTRIBUTES = {"RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE"}
_RULE_ATTRIBUTES |= {"RETRY_ATTEMPTS", "EXHAUSTED_RETRY_CONDITION"}

Invoke = Callable[[str, dict[str, Any]], bool]
"""Hands one record to the stream function whose dead letters a queue (by address) holds; True when it has succeeded."""


@dataclass(frozen=True)
class DeadLetterQueue:
    name: str
    url: str
    source_url: str | None


@dataclass(frozen=True)
class Letter:
    queue: DeadLetterQueue
    message: dict[str, Any]

    @property
    def ids(self) -> list[str]:
        """The message's id, and that of the event or record in it."""
        body = self.body if isinstance(self.body, dict) else {}  # what is no JSON has no ids of its own
        detail = body.get("detail", body)
        inner = [body.get("eventID"), body.get("id"), detail.get("id") if isinstance(detail, dict) else None]
        return [self.message["MessageId"], *dict.fromkeys(str(one) for one in inner if one)]

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.message["Body"])
        except ValueError:
            return None

    @property
    def reasons(self) -> str:
        for name in ("reasons", "ErrorMessage", "ERROR_MESSAGE"):
            if text := self._attribute(name):
                return text
        received = self.message.get("Attributes", {}).get("ApproximateReceiveCount", "?")
        return f"failed until it was given up (received {received} times)"

    @property
    def codes(self) -> list[str]:
        code = self._attribute("reason") or self._attribute("ERROR_CODE")
        return code.split(",") if code else [EXHAUSTED]

    @property
    def target_arn(self) -> str:
        """Set by EventBridge on what it could not deliver."""
        return self._attribute("TARGET_ARN")

    def age_seconds(self, now: datetime) -> int:
        return int(now.timestamp() - int(self.message["Attributes"]["SentTimestamp"]) / 1000)

    def asked_for(self, *, identifier: str | None, reason: str | None) -> bool:
        if identifier is not None and identifier not in self.ids:
            return False
        return reason is None or reason in self.codes or reason.lower() in self.reasons.lower()

    def _attribute(self, name: str) -> str:
        return str(self.message.get("MessageAttributes", {}).get(name, {}).get("StringValue", ""))


def dead_letter_queues(sqs: Any) -> list[DeadLetterQueue]:
    urls = [url for page in sqs.get_paginator("list_queues").paginate() for url in page.get("QueueUrls", [])]
    arns, sources = {}, {}
    for url in urls:
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", "RedrivePolicy"])["Attributes"]
        arns[url] = attributes["QueueArn"]
        if policy := attributes.get("RedrivePolicy"):
            sources[json.loads(policy)["deadLetterTargetArn"]] = url
    queues = [DeadLetterQueue(url.rsplit("/", 1)[-1], url, sources.get(arns[url])) for url in sorted(urls)]
    return [q for q in queues if q.source_url or any(mark in q.name.lower() for mark in _MARKS)]


@contextlib.contextmanager
def letters(sqs: Any, queue: DeadLetterQueue) -> Iterator[list[Letter]]:
    """All letters of a queue, each once. SQS shows one only by hiding it from others for a while, so those not deleted
    are shown again at the end, with nothing changed but their count of receptions.
    """
    found: dict[str, Letter] = {}
    try:
        while messages := _receive(sqs, queue):
            found |= {message["MessageId"]: Letter(queue, message) for message in messages}
        yield list(found.values())
    finally:
        handles = [letter.message["ReceiptHandle"] for letter in found.values()]
        for start in range(0, len(handles), 10):
            entries = [
                {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for n, handle in enumerate(handles[start : start + 10])
            ]
            sqs.change_message_visibility_batch(QueueUrl=queue.url, Entries=entries)


def redrive(sqs: Any, letter: Letter, *, invoke: Invoke) -> str:
    """Send the letter back whole, then delete it; return where it went, or why it stayed.

    Sent before it is deleted: an interruption leaves a second one, which consumers ignore, rather than none.
    """
    body = dead_letters.body_of(letter.message)
    target = letter.queue.source_url
    if letter.target_arn:
        target = sqs.get_queue_url(QueueName=letter.target_arn.rsplit(":", 1)[-1])["QueueUrl"]
    if target is not None:
        attributes = {
            name: value
            for name, value in letter.message.get("MessageAttributes", {}).items()
            if name not in _OWN_ATTRIBUTES | _RULE_ATTRIBUTES
        }
        sqs.send_message(QueueUrl=target, MessageBody=body, MessageAttributes=attributes)
        went = f"sent to {target.rsplit('/', 1)[-1]}"
    elif body.startswith("{") and "dynamodb" in (record := json.loads(body)):
        if not invoke(letter.queue.url, record):
            return "stays: its function failed again"
        went = "handed to its function"
    else:
        return "stays: it has no source to go back to"
    sqs.delete_message(QueueUrl=letter.queue.url, ReceiptHandle=letter.message["ReceiptHandle"])
    return went


def invoke_on_aws(queue_url: str, record: dict[str, Any]) -> bool:
    client = boto3.client("lambda")
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if function.get("Environment", {}).get("Variables", {}).get("DEAD_LETTERS_URL") == queue_url:
                event = json.dumps({"Records": [record]}).encode()
                answer = client.invoke(FunctionName=function["FunctionName"], Payload=event)
                failures = json.loads(answer["Payload"].read() or b"{}")
                return "FunctionError" not in answer and not (failures or {}).get("batchItemFailures")
    return False


def run(arguments: Sequence[str] | None, *, sqs: Any, invoke: Invoke) -> int:
    given = _parser().parse_args(arguments)
    if given.command == "list":
        return _list(sqs, datetime.now(UTC))
    return _redrive(sqs, given.id, given.reason, invoke=invoke)


def _list(sqs: Any, now: datetime) -> int:
    count = 0
    for queue in dead_letter_queues(sqs):
        with letters(sqs, queue) as found:
            for letter in found:
                count += 1
                print(f"{queue.name}  {' '.join(reversed(letter.ids))}  {_age(letter.age_seconds(now))} old")
                print(f"    {', '.join(letter.codes)}: {letter.reasons}")
    print(f"{count} dead letters" if count else "No dead letters.")
    return 0


def _redrive(sqs: Any, identifier: str | None, reason: str | None, *, invoke: Invoke) -> int:
    moved = stayed = 0
    for queue in dead_letter_queues(sqs):
        with letters(sqs, queue) as found:
            for letter in found:
                if letter.asked_for(identifier=identifier, reason=reason):
                    outcome = redrive(sqs, letter, invoke=invoke)
                    print(f"{queue.name} {letter.ids[-1]}: {outcome}")
                    moved, stayed = moved + (not outcome.startswith("stays")), stayed + outcome.startswith("stays")
    print(f"{moved} redriven" + (f", {stayed} not" if stayed else ""))
    return 1 if stayed else 0


def _age(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _receive(sqs: Any, queue: DeadLetterQueue) -> list[dict[str, Any]]:
    answer = sqs.receive_message(
        QueueUrl=queue.url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=_HIDDEN_SECONDS,
        WaitTimeSeconds=0,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return list(answer.get("Messages", []))


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(description="Dead letters.")
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every dead letter: queue, id, age, reasons")
    again = commands.add_parser("redrive", help="send back to where it came from")
    which = again.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", help="of the message, or of the event in it")
    which.add_argument("--reason", help="one of its codes, or a part of its reasons")
    return top


if __name__ == "__main__":
    sys.exit(run(None, sqs=boto3.client("sqs"), invoke=invoke_on_aws))
