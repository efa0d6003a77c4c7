# tests/letters.py
"""What a queue holds."""

from typing import Any

from crm.kernel.aws import sqs_client


def letters_in(queue_url: str) -> list[dict[str, Any]]:
    """Every message of a queue, once, with its attributes."""
    found: dict[str, dict[str, Any]] = {}
    while (
        messages := sqs_client()
        .receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=30
        )
        .get("Messages")
    ):
        found |= {message["MessageId"]: message for message in messages}
    return list(found.values())
