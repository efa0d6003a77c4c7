# crm/bulk/files.py
"""What operations read and write in the archive bucket. All of it is deleted after a week (template.yaml).

operations/<shop>/<operation>/upload               what was sent, by the address that the operation gives
operations/<shop>/<operation>/parts/<hash>-<size>  what a step has brought; the operation names those that count
operations/<shop>/<operation>/result.<form>        all of them

A result can be of any size, and an item cannot: once the parts are many, or large, a step of its own makes them one, or
sends them to S3 as the next piece of the result. It takes only parts that an earlier step has left behind for good; so
whoever does such a step again sends the same again.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError
from msgspec import Struct

from crm.bulk.reading import CSV, JSONL
from crm.kernel import parts
from crm.kernel.aws import s3_client
from crm.kernel.operations import Operation

ADDRESS_SECONDS: Final = 15 * 60
KEPT: Final = timedelta(days=7)
LEAST_BYTES: Final = 5 * 1024 * 1024
"""Of a piece of a result; S3 takes no smaller ones but the last."""
MOST_BYTES: Final = 8 * 1024 * 1024
MOST_PARTS: Final = 100
CONTENT_TYPES: Final = {CSV: "text/csv; charset=utf-8", JSONL: "application/x-ndjson"}
ABSENT: Final = frozenset({"404", "NoSuchKey", "403", "AccessDenied"})
"""What S3 says of an object that is not there; the latter two to those who may not list the bucket, as here nobody may.
"""
UPLOAD, SENT = "upload", "sent"
"""In an operation's state: the upload in pieces that its result is sent by, and how many pieces it has."""


class Upload(Struct, frozen=True):
    size: int
    etag: str


class UploadChanged(Exception):
    """What is there is no longer what was there when the operation was started."""


def upload_url(operation: Operation) -> str:
    """Where to PUT the file; for a quarter of an hour."""
    return _address("put_object", Key=parts.key(operation, "upload"))


def result_url(operation: Operation, *, now: datetime) -> str | None:
    """Where to GET the result; for a quarter of an hour. None where there is none, or none any more."""
    if not _has_parts(operation) or operation.finished_at is None or now >= operation.finished_at + KEPT:
        return None
    shown = f'attachment; filename="{operation.name}-{operation.operation_id}.{form(operation)}"'
    return _address("get_object", Key=_result(operation), ResponseContentDisposition=shown)


def form(operation: Operation) -> str:
    """How its result is written; of an import always in JSON Lines."""
    return str(operation.arguments.get("format", JSONL)) if "source" not in operation.arguments else JSONL


def uploaded(operation: Operation) -> Upload | None:
    """None while nothing is there."""
    head = _head(parts.key(operation, "upload"))
    return Upload(int(head["ContentLength"]), str(head["ETag"])) if head is not None else None


def read(operation: Operation, offset: int, size: int, *, etag: str) -> bytes:
    """A slice of the upload. Raises UploadChanged."""
    asked = f"bytes={offset}-{offset + size - 1}"
    try:
        answer = s3_client().get_object(Bucket=parts.bucket(), Key=parts.key(operation, "upload"), Range=asked)
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT | {"416", "InvalidRange"}:
            raise UploadChanged from error
        raise
    if answer["ETag"] != etag:
        raise UploadChanged
    return bytes(answer["Body"].read())


def put_part(operation: Operation, text: str) -> None:
    """Keep what a step has brought. The same again is the same object, and whatever another run of the step has brought
    is another one.
    """
    operation.parts = [*operation.parts, _put(operation, text.encode())]


def is_full(operation: Operation) -> bool:
    """Whether the next step is to gather what there is."""
    return len(operation.parts) >= MOST_PARTS or sum(map(parts.size, operation.parts)) >= MOST_BYTES


def gather(operation: Operation) -> None:
    """Make one of the parts: the next piece of the result, or another part where they are too small for that."""
    held = _held(operation)
    if len(held) < LEAST_BYTES:
        operation.parts = [_put(operation, held)]
        return
    if UPLOAD not in operation.state:
        started = s3_client().create_multipart_upload(**_target(operation), ContentType=CONTENT_TYPES[form(operation)])
        operation.state = operation.state | {UPLOAD: started["UploadId"], SENT: 0}
    _send(operation, held)
    operation.state = operation.state | {SENT: int(operation.state[SENT]) + 1}
    operation.parts = []


def join(operation: Operation) -> None:
    """Make the result of all that there is, if there is anything."""
    held = _held(operation)
    if UPLOAD not in operation.state:
        if operation.parts:
            s3_client().put_object(**_target(operation), Body=held, ContentType=CONTENT_TYPES[form(operation)])
        return
    try:
        pieces = _pieces(operation)
    except ClientError as error:
        # Whoever did this step before has made the result, and died.
        if error.response["Error"]["Code"] == "NoSuchUpload" and _head(_result(operation)) is not None:
            return
        raise
    if held:
        pieces |= _send(operation, held)
    whole = {"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in sorted(pieces.items())]}
    upload = operation.state[UPLOAD]
    s3_client().complete_multipart_upload(**_target(operation), UploadId=upload, MultipartUpload=whole)


def _send(operation: Operation, body: bytes) -> dict[int, str]:
    """Send the next piece; its number and ETag."""
    number, upload = int(operation.state[SENT]) + 1, operation.state[UPLOAD]
    sent = s3_client().upload_part(**_target(operation), UploadId=upload, PartNumber=number, Body=body)
    return {number: sent["ETag"]}


def _pieces(operation: Operation) -> dict[int, str]:
    pages = s3_client().get_paginator("list_parts").paginate(**_target(operation), UploadId=operation.state[UPLOAD])
    return {piece["PartNumber"]: piece["ETag"] for page in pages for piece in page.get("Parts", [])}


def _put(operation: Operation, body: bytes) -> str:
    return parts.put(operation, body, content_type=CONTENT_TYPES[form(operation)])


def _held(operation: Operation) -> bytes:
    return b"".join(parts.read(operation))


def _has_parts(operation: Operation) -> bool:
    return bool(operation.parts) or UPLOAD in operation.state


def _head(key: str) -> dict[str, Any] | None:
    try:
        head: dict[str, Any] = s3_client().head_object(Bucket=parts.bucket(), Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            return None
        raise
    return head


def _target(operation: Operation) -> dict[str, str]:
    return {"Bucket": parts.bucket(), "Key": _result(operation)}


def _result(operation: Operation) -> str:
    return parts.key(operation, f"result.{form(operation)}")


def _address(method: str, **about: str) -> str:
    given = {"Bucket": parts.bucket()} | about
    return str(s3_client().generate_presigned_url(method, Params=given, ExpiresIn=ADDRESS_SECONDS))
