# infra/discarded.py
"""Batches of stream records that a function failed on until it gave up: Lambda writes them to the archive, whole.

One object each, under aws/lambda/, as of Lambda's on-failure destinations: `requestContext` says whose and why,
`payload` is the event as the function had it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.kernel.settings import settings

DISCARDED = "DISCARDED"
PREFIX = "aws/lambda/"

Invoke = Callable[[str, list[dict[str, Any]]], bool]
"""Hands records to a stream function, named by its ARN or by the queue (address) that holds its dead letters; True when
all have succeeded.
"""


@dataclass(frozen=True)
class Batch:
    bucket: str
    key: str
    discarded_at: datetime
    note: dict[str, Any]

    @property
    def place(self) -> str:
        return f"{self.bucket}/{self.key.rpartition('/')[0]}"

    @property
    def ids(self) -> list[str]:
        """Its key and the last part of it, and those of the records in it."""
        names = [self.key, self.key.rpartition("/")[2], *(str(record.get("eventID")) for record in self.records)]
        return list(dict.fromkeys(names))

    @property
    def name(self) -> str:
        return self.ids[1]

    @property
    def codes(self) -> list[str]:
        return [DISCARDED]

    @property
    def reasons(self) -> str:
        context = self.note["requestContext"]
        tries = context.get("approximateInvokeCount", "?")
        return f"{len(self.records)} records that {self.function} failed on {tries} times ({context.get('condition')})"

    @property
    def function(self) -> str:
        """Without its version, which on AWS the ARN may end in."""
        return str(self.note["requestContext"]["functionArn"]).partition(":function:")[2].partition(":")[0]

    @property
    def records(self) -> list[dict[str, Any]]:
        payload = self.note.get("payload") or "{}"
        event = json.loads(payload) if isinstance(payload, str) else payload
        found: list[dict[str, Any]] = event.get("Records", [])
        return found

    def age_seconds(self, now: datetime) -> int:
        return int((now - self.discarded_at).total_seconds())


def batches(s3: Any) -> Iterator[Batch]:
    """All that the archive of the environment holds, which is nothing where the environment names none."""
    bucket = settings().archive_bucket
    if not bucket:
        return
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX):
        for entry in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            yield Batch(bucket, entry["Key"], entry["LastModified"], json.loads(body))


def redrive(s3: Any, batch: Batch, *, invoke: Invoke) -> str:
    """Hand the batch to its function again, then delete it; return where it went, or why it stayed."""
    if not invoke(str(batch.note["requestContext"]["functionArn"]), batch.records):
        return "stays: its function failed again"
    s3.delete_object(Bucket=batch.bucket, Key=batch.key)
    return f"handed to {batch.function}"
