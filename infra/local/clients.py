# infra/local/clients.py
"""Clients of whatever stands behind `AWS_ENDPOINT_URL`: the emulator here, AWS itself where that is unset."""

from typing import Any

import boto3
from botocore.config import Config

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
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106  the emulator wants some, and checks none
        config=_CONFIG,
    )
