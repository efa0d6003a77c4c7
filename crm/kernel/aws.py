# crm/kernel/aws.py
"""The clients of AWS services other than DynamoDB, each made when it is first needed (making one takes 50 ms)."""

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

from crm.kernel import service_models  # noqa: F401  read before any client is made
from crm.kernel.settings import settings


@cache
def _client(service: str, attempts: int = 3, signature: str | None = None) -> Any:
    config = Config(
        signature_version=signature,
        connect_timeout=1,
        read_timeout=5,
        max_pool_connections=32,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    return botocore.session.get_session().create_client(service, region_name=settings().aws_region, config=config)


def events_client() -> Any:
    return _client("events")


def sqs_client() -> Any:
    return _client("sqs")


def s3_client() -> Any:
    # Or addresses that others may use are signed as S3 signed them before 2014.
    return _client("s3", signature="s3v4")


def ses_client() -> Any:
    # One attempt: after a time-out nobody knows whether the first was sent, and a second would be a second e-mail.
    return _client("sesv2", 1)
