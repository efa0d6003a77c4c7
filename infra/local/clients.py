# infra/local/clients.py
"""Clients of whatever stands behind `AWS_ENDPOINT_URL`: the emulator here, AWS itself where that is unset."""

from typing import Any

import boto3
from botocore.config import Config

from infra.local.emulator import CREDENTIALS
from infra.local.template import REGION

_CONFIG = Config(max_pool_connections=64, retries={"mode": "standard", "max_attempts": 3}, read_timeout=30)


def client(service: Any, endpoint: str | None = None) -> Any:
    """Return a boto3 client; with an `endpoint`, one that needs no account."""
    if endpoint is None:
        return boto3.client(service, config=_CONFIG)
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=_CONFIG,
    )
