# tests/integration/deliveries.py
"""Domain events as SQS delivers them to a consumer."""

import json
from typing import Any

from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import SOURCE


def record(detail_type: str, detail: dict[str, Any], message_id: str) -> dict[str, Any]:
    body = {"version": "0", "detail-type": detail_type, "source": SOURCE, "detail": detail}
    return {
        "messageId": message_id,
        "receiptHandle": "r",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:queue",
        "awsRegion": "eu-west-1",
    }


def batch(*events: DomainEvent | dict[str, Any]) -> dict[str, Any]:
    """A batch of events, or of records made before; the records' ids are their places: "0", "1", ..."""
    return {
        "Records": [
            event | {"messageId": str(place)}
            if isinstance(event, dict)
            else record(event.detail_type, event.detail(), str(place))
            for place, event in enumerate(events)
        ]
    }


def failed(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
