# crm/kernel/parts.py
"""What the steps of an operation bring, kept in the archive bucket until it is over; the operation names what counts.

operations/<shop>/<operation>/parts/<hash>-<size>
"""

import hashlib

from crm.kernel.aws import s3_client
from crm.kernel.operations import Operation
from crm.kernel.settings import settings


def put(operation: Operation, body: bytes, *, content_type: str) -> str:
    """Keep what a step has brought; its name. The same again is the same object, and whatever another run of the step
    has brought is another one.
    """
    name = f"{hashlib.sha256(body).hexdigest()[:16]}-{len(body)}"
    s3_client().put_object(Bucket=bucket(), Key=key(operation, f"parts/{name}"), Body=body, ContentType=content_type)
    return name


def read(operation: Operation) -> list[bytes]:
    """All that counts, in the order in which it was brought."""
    keys = [key(operation, f"parts/{name}") for name in operation.parts]
    return [s3_client().get_object(Bucket=bucket(), Key=each)["Body"].read() for each in keys]


def size(part: str) -> int:
    return int(part.rpartition("-")[2])


def bucket() -> str:
    return settings().require("archive_bucket")


def key(operation: Operation, name: str) -> str:
    return f"operations/{operation.shop}/{operation.operation_id}/{name}"
