# crm/bulk/files.py
"""What operations read and write in the archive bucket. All of it is deleted after a week (template.yaml).

operations/<shop>/<operation>/upload                  what was sent, by the address that the operation gives
operations/<shop>/<operation>/parts/<number>-<hash>   what one step has brought; the operation names those that count
operations/<shop>/<operation>/result.jsonl            all of them
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError
from msgspec import Struct

from crm.kernel.aws import s3_client
from crm.kernel.operations import Operation
from crm.kernel.settings import settings

ADDRESS_SECONDS: Final = 15 * 60
KEPT: Final = timedelta(days=7)
PART_BYTES: Final = 8 * 1024 * 1024  # S3 takes no less than 5 MB for all but the last part of an upload


class Upload(Struct, frozen=True):
    size: int
    etag: str


class UploadChanged(Exception):
    """What is there is no longer what was there when the operation was started."""


def upload_url(operation: Operation) -> str:
    """Where to PUT the file; for a quarter of an hour."""
    return _address("put_object", Key=_key(operation, "upload"))


def result_url(operation: Operation, *, now: datetime) -> str | None:
    """Where to GET the result; for a quarter of an hour. None where there is none, or none any more."""
    if not operation.parts or operation.finished_at is None or now >= operation.finished_at + KEPT:
        return None
    shown = f'attachment; filename="{operation.name}-{operation.operation_id}.jsonl"'
    return _address("get_object", Key=_key(operation, "result.jsonl"), ResponseContentDisposition=shown)


def uploaded(operation: Operation) -> Upload | None:
    """None while nothing is there."""
    try:
        head = s3_client().head_object(Bucket=_bucket(), Key=_key(operation, "upload"))
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            return None
        raise
    return Upload(int(head["ContentLength"]), str(head["ETag"]))


def read(operation: Operation, offset: int, size: int, *, etag: str) -> bytes:
    """A slice of the upload. Raises UploadChanged."""
    asked = f"bytes={offset}-{offset + size - 1}"
    try:
        answer = s3_client().get_object(Bucket=_bucket(), Key=_key(operation, "upload"), Range=asked)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "416", "NoSuchKey", "InvalidRange"}:
            raise UploadChanged from error
        raise
    if answer["ETag"] != etag:
        raise UploadChanged
    return bytes(answer["Body"].read())


def put_part(operation: Operation, text: str) -> str:
    """Keep what a step has brought; return its name. The same again is the same object, and whatever another run of the
    step has brought is another one.
    """
    body = text.encode()
    name = f"{len(operation.parts):05}-{hashlib.sha256(body).hexdigest()[:12]}"
    s3_client().put_object(Bucket=_bucket(), Key=_part(operation, name), Body=body, ContentType="application/x-ndjson")
    return name


def join(operation: Operation) -> None:
    """Make one result of the parts, however large: never more than one part of an upload is held."""
    target = {"Bucket": _bucket(), "Key": _key(operation, "result.jsonl")}
    kind = "application/x-ndjson"
    held, upload = bytearray(), None
    parts: list[dict[str, Any]] = []

    def send() -> dict[str, Any]:
        number = len(parts) + 1
        sent = s3_client().upload_part(**target, UploadId=upload, PartNumber=number, Body=bytes(held))
        held.clear()
        return {"PartNumber": number, "ETag": sent["ETag"]}

    for name in operation.parts:
        held += s3_client().get_object(Bucket=_bucket(), Key=_part(operation, name))["Body"].read()
        if len(held) >= PART_BYTES:
            upload = upload or s3_client().create_multipart_upload(**target, ContentType=kind)["UploadId"]
            parts.append(send())
    if upload is None:
        s3_client().put_object(**target, Body=bytes(held), ContentType=kind)
        return
    if held:
        parts.append(send())
    s3_client().complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": parts})


def _address(method: str, **about: str) -> str:
    given = {"Bucket": _bucket()} | about
    return str(s3_client().generate_presigned_url(method, Params=given, ExpiresIn=ADDRESS_SECONDS))


def _bucket() -> str:
    return settings().require("archive_bucket")


def _key(operation: Operation, name: str) -> str:
    return f"operations/{operation.shop}/{operation.operation_id}/{name}"


def _part(operation: Operation, name: str) -> str:
    return _key(operation, f"parts/{name}")
