# infra/local/dispatcher/queues.py
"""SQS as an event source: poll, filter, invoke, delete what succeeded, show the rest again after a while."""

import contextlib
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.declarations import QueueSource
from infra.local.dispatcher.batches import failed_items
from infra.local.dispatcher.bell import Bell
from infra.local.dispatcher.container import Container, InvocationFailed
from infra.local.dispatcher.filters import wanted_message
from infra.local.dispatcher.pace import PACE, retry_visibility

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_MOST_PER_RECEIVE = 10
_LISTEN_SECONDS = 1
_PAUSE_AFTER_ERROR = 0.5
_LONGEST_PATIENCE = 5


class QueuePump:
    """One source mapping. A batch is held invisible as long as its function may take, and shown again when it failed:
    with the shrunk visibility timeout alone, a slow laptop would see a message twice and count that as a failure.
    """

    def __init__(
        self, source: QueueSource, client: "SQSClient", containers: Sequence[Container], *, hint: Bell, done: Bell
    ) -> None:
        self.source = source
        self._client = client
        self._hint = hint
        self._done = done
        self._containers = containers
        self._free: queue.LifoQueue[Container] = queue.LifoQueue()
        for container in reversed(containers):
            self._free.put(container)
        self._held_invisible = 3 * source.function.timeout + source.window + 5
        self._stopping = threading.Event()
        self._deliveries = ThreadPoolExecutor(len(containers), thread_name_prefix=source.name)
        self._threads = [
            threading.Thread(target=target, name=f"{source.name}-{target.__name__}", daemon=True)
            for target in (self._listen, self._hurry)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop_taking(self) -> None:
        self._stopping.set()

    def finish(self, seconds: float) -> None:
        """Let batches in hand end; after `seconds`, end their containers, and their messages come again."""
        timer = threading.Timer(seconds, self._end_containers)
        timer.start()
        for thread in self._threads:
            thread.join()
        self._deliveries.shutdown(wait=True)
        timer.cancel()

    def _end_containers(self) -> None:
        for container in self._containers:
            container.stop()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            self._take(_LISTEN_SECONDS)

    def _hurry(self) -> None:
        """Look when something was published, less often the more looks were in vain: then it was for other queues."""
        rung, in_vain = self._hint.heard(), 0
        while not self._stopping.is_set():
            now_rung = self._hint.wait(rung, _LISTEN_SECONDS)
            if now_rung == rung:
                in_vain = 0
                continue
            rung = now_rung
            in_vain = 0 if self._take(0) else in_vain + 1
            self._stopping.wait(PACE * 2 ** min(in_vain, _LONGEST_PATIENCE))

    def _take(self, wait: int) -> bool:
        try:
            messages = self._gather(wait)
        except (ClientError, BotoCoreError) as error:
            if not self._stopping.wait(_PAUSE_AFTER_ERROR):
                print(f"{self.source.queue.name} cannot be read: {error}", flush=True)
            return False
        if not messages:
            return False
        while not self._stopping.is_set():
            with contextlib.suppress(queue.Empty):
                container = self._free.get(timeout=_PAUSE_AFTER_ERROR)
                self._deliveries.submit(self._deliver, container, messages)
                return True
        with contextlib.suppress(ClientError, BotoCoreError):
            self._show_again(messages, 0)
        return False

    def _gather(self, wait: int) -> "list[MessageTypeDef]":
        messages = self._receive(self.source.batch_size, wait)
        deadline = time.monotonic() + self.source.window
        while messages and len(messages) < self.source.batch_size and not self._stopping.is_set():
            left = deadline - time.monotonic()
            more = self._receive(self.source.batch_size - len(messages), 1 if left >= 1 else 0)
            messages += more
            if not more and left <= 0:
                break
        return messages

    def _receive(self, most: int, wait: int) -> "list[MessageTypeDef]":
        answer = self._client.receive_message(
            QueueUrl=self.source.queue.url,
            MaxNumberOfMessages=min(most, _MOST_PER_RECEIVE),
            WaitTimeSeconds=wait,
            VisibilityTimeout=self._held_invisible,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def _deliver(self, container: Container, messages: "list[MessageTypeDef]") -> None:
        try:
            self._settle(messages, self._failed(container, messages))
        except (ClientError, BotoCoreError) as error:
            # They come again when their time is up.
            print(f"{self.source.queue.name}: {len(messages)} messages not settled: {error}", flush=True)
        finally:
            self._free.put(container)

    def _failed(self, container: Container, messages: "list[MessageTypeDef]") -> set[str]:
        """Invoke with what the filters let through, and return the ids of the messages that are to come again."""
        records = [self.record(message) for message in messages]
        records = [record for record in records if wanted_message(record, self.source.filters)]
        if not records:
            return set()
        identifiers = [record["messageId"] for record in records]
        try:
            answer = container.invoke({"Records": records})
        except InvocationFailed as failure:
            print(f"{self.source.function.logical_id} failed with {len(records)} messages: {failure}", flush=True)
            return set(identifiers)
        self._done.ring()
        return set(failed_items(answer, identifiers)) if self.source.partial else set()

    def _settle(self, messages: "list[MessageTypeDef]", failed: set[str]) -> None:
        for some in _tens([message for message in messages if message["MessageId"] not in failed]):
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(some)]
            self._client.delete_message_batch(QueueUrl=self.source.queue.url, Entries=entries)  # type: ignore[arg-type]
        again = [message for message in messages if message["MessageId"] in failed]
        self._show_again(again, retry_visibility(self.source.queue.visibility_timeout))

    def _show_again(self, messages: "list[MessageTypeDef]", seconds: int) -> None:
        for some in _tens(messages):
            waits = [
                {"Id": str(n), "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": seconds}
                for n, m in enumerate(some)
            ]
            self._client.change_message_visibility_batch(QueueUrl=self.source.queue.url, Entries=waits)  # type: ignore[arg-type]

    def record(self, message: "MessageTypeDef") -> dict[str, Any]:
        """Return the message as Lambda hands it to a handler."""
        queue_arn = self.source.queue.arn
        attributes: dict[str, dict[str, Any]] = {
            name: {
                "stringValue": value.get("StringValue"),
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": value["DataType"],
            }
            for name, value in message.get("MessageAttributes", {}).items()
        }
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": attributes,
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": queue_arn.split(":")[3],
        }


def _tens(messages: "list[MessageTypeDef]") -> "list[list[MessageTypeDef]]":
    return [messages[start : start + _MOST_PER_RECEIVE] for start in range(0, len(messages), _MOST_PER_RECEIVE)]
