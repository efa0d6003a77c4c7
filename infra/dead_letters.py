# infra/dead_letters.py
"""Dead letters, listed and sent back to where they came from. boto3 only: works on AWS and on the local emulator.

`python -m infra.dead_letters list` and `redrive --id ID | --reason REASON`, with the credentials and the region of the
environment, and its ARCHIVE_BUCKET for letters too large for a queue and for batches that stream functions gave up on.
A queue is a dead-letter queue where another's redrive policy names it or its own name says so.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3

from crm.kernel import dead_letters
from infra import discarded
from infra.discarded import Batch, Invoke

EXHAUSTED = "EXHAUSTED"
"""The reason of a message that no handler gave up on: it only failed too often."""

_HIDDEN_SECONDS = 30
_MARKS = ("deadletters", "dead-letters", "dlq")
_OWN_ATTRIBUTES = {"source", "reason", "reasons", "archive", "ErrorMessage"}
_RULE_ATTRIBUTES = {"RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE"}
_RULE_ATTRIBUTES |= {"RETRY_ATTEMPTS", "EXHAUSTED_RETRY_CONDITION"}


@dataclass(frozen=True)
class DeadLetterQueue:
    name: str
    url: str
    source_url: str | None
    tries: int | None = None
    """How often its source delivers a message before it gives up on it. What SQS counts of a letter itself is no
    measure: each look at it is one more.
    """


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
    def place(self) -> str:
        return self.queue.name

    @property
    def name(self) -> str:
        return self.ids[-1]

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
        return f"failed {self.queue.tries} times" if self.queue.tries else "failed until it was given up"

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

    def _attribute(self, name: str) -> str:
        return str(self.message.get("MessageAttributes", {}).get(name, {}).get("StringValue", ""))


def dead_letter_queues(sqs: Any) -> list[DeadLetterQueue]:
    urls = [url for page in sqs.get_paginator("list_queues").paginate() for url in page.get("QueueUrls", [])]
    arns, sources, tries = {}, {}, {}
    for url in urls:
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", "RedrivePolicy"])["Attributes"]
        arns[url] = attributes["QueueArn"]
        if policy := attributes.get("RedrivePolicy"):
            target = json.loads(policy)["deadLetterTargetArn"]
            sources[target], tries[target] = url, int(json.loads(policy)["maxReceiveCount"])
    queues = [
        DeadLetterQueue(url.rsplit("/", 1)[-1], url, sources.get(arns[url]), tries.get(arns[url]))
        for url in sorted(urls)
    ]
    return [q for q in queues if q.source_url or any(mark in q.name.lower() for mark in _MARKS)]


def asked_for(letter: Letter | Batch, *, identifier: str | None, reason: str | None) -> bool:
    """Whether an id is one of the letter's, or a reason one of its codes or a part of its text, in any case."""
    if identifier is not None:
        return identifier in letter.ids
    wanted = (reason or "").casefold()
    return wanted in map(str.casefold, letter.codes) or wanted in letter.reasons.casefold()


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
        if not invoke(letter.queue.url, [record]):
            return "stays: its function failed again"
        went = "handed to its function"
    else:
        return "stays: it has no source to go back to"
    sqs.delete_message(QueueUrl=letter.queue.url, ReceiptHandle=letter.message["ReceiptHandle"])
    return went


def invoke_on_aws(whose: str, records: list[dict[str, Any]]) -> bool:
    client = boto3.client("lambda")
    name = whose if whose.startswith("arn:") else _reader_of(client, whose)
    if name is None:
        return False
    answer = client.invoke(FunctionName=name, Payload=json.dumps({"Records": records}).encode())
    failures = json.loads(answer["Payload"].read() or b"{}")
    return "FunctionError" not in answer and not (failures or {}).get("batchItemFailures")


def _reader_of(client: Any, queue_url: str) -> str | None:
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if function.get("Environment", {}).get("Variables", {}).get("DEAD_LETTERS_URL") == queue_url:
                return str(function["FunctionName"])
    return None


def run(arguments: Sequence[str] | None, *, sqs: Any, s3: Any, invoke: Invoke) -> int:
    given = _parser().parse_args(arguments)
    if given.command == "list":
        return _list(sqs, s3, datetime.now(UTC))
    return _redrive(sqs, s3, given.id, given.reason, invoke=invoke)


def _list(sqs: Any, s3: Any, now: datetime) -> int:
    count = 0
    for queue in dead_letter_queues(sqs):
        with letters(sqs, queue) as found:
            for letter in found:
                count += 1
                _show(letter, " ".join(reversed(letter.ids)), now)
    for batch in discarded.batches(s3):
        count += 1
        _show(batch, batch.name, now)
    print(f"{count} dead letters" if count else "No dead letters.")
    return 0


def _show(letter: Letter | Batch, ids: str, now: datetime) -> None:
    print(f"{letter.place}  {ids}  {_age(letter.age_seconds(now))} old")
    print(f"    {', '.join(letter.codes)}: {letter.reasons}")


def _redrive(sqs: Any, s3: Any, identifier: str | None, reason: str | None, *, invoke: Invoke) -> int:
    outcomes = []
    for queue in dead_letter_queues(sqs):
        with letters(sqs, queue) as found:
            for letter in found:
                if asked_for(letter, identifier=identifier, reason=reason):
                    outcomes.append(redrive(sqs, letter, invoke=invoke))
                    print(f"{letter.place} {letter.name}: {outcomes[-1]}")
    for batch in discarded.batches(s3):
        if asked_for(batch, identifier=identifier, reason=reason):
            outcomes.append(discarded.redrive(s3, batch, invoke=invoke))
            print(f"{batch.place} {batch.name}: {outcomes[-1]}")
    if not outcomes:
        print(f"No dead letter has the {f'id {identifier}' if identifier else f'reason {reason}'}.", file=sys.stderr)
        return 1
    stayed = sum(outcome.startswith("stays") for outcome in outcomes)
    print(f"{len(outcomes) - stayed} redriven" + (f", {stayed} not" if stayed else ""))
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
    sys.exit(run(None, sqs=boto3.client("sqs"), s3=boto3.client("s3"), invoke=invoke_on_aws))
