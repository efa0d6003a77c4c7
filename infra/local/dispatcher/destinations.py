# infra/local/dispatcher/destinations.py
"""Where what could not be processed ends: in a bucket with its records, in a queue as a note about them."""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from infra.local.declarations import Function, StreamSource
from infra.local.dispatcher.container import InvocationFailed
from infra.local.dispatcher.retries import Record, sequence_number
from infra.local.template import ACCOUNT, REGION
from infra.local.wiring import Wiring

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class Destinations:
    def __init__(self, wiring: Wiring, sqs: "SQSClient", s3: "S3Client") -> None:
        self._wiring = wiring
        self._sqs = sqs
        self._s3 = s3

    def stream_records(
        self, source: StreamSource, records: Sequence[Record], *, reason: str, attempts: int, now: datetime
    ) -> None:
        """Without a destination they are lost, as on AWS; only then is it worth a line in the log."""
        note = _stream_note(source, records, reason=reason, attempts=attempts, now=now)
        if source.on_failure is None:
            print(f"{source.name}: {len(records)} records lost ({reason})", flush=True)
        elif ":s3:" in source.on_failure:
            # An object holds the records too; a queue message has only 1 MB, so it holds where they were.
            key = f"aws/lambda/{source.name}/{note['DDBStreamBatchInfo']['shardId']}/{now:%Y/%m/%d}/"
            key += f"{now:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
            body = json.dumps({**note, "payload": json.dumps({"Records": list(records)})})
            self._s3.put_object(Bucket=source.on_failure.rsplit(":", 1)[-1], Key=key, Body=body.encode())
        else:
            self._send(source.on_failure, json.dumps(note))

    def invocation(
        self, function: Function, event: Any, failure: InvocationFailed, *, attempts: int, now: datetime
    ) -> None:
        """End a failed asynchronous invocation in the function's on-failure destination and its dead-letter queue."""
        if function.on_failure is not None:
            note = {
                "version": "1.0",
                "timestamp": _iso(now),
                "requestContext": {
                    "requestId": failure.request_id,
                    "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}:$LATEST",
                    "condition": "RetriesExhausted",
                    "approximateInvokeCount": attempts,
                },
                "requestPayload": event,
                "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
                "responsePayload": {"errorType": failure.kind, "errorMessage": str(failure)},
            }
            self._send(function.on_failure, json.dumps(note))
        if function.dead_letters is not None:
            self._send(function.dead_letters, json.dumps(event), ErrorMessage=str(failure)[:1000])
        if function.on_failure is None and function.dead_letters is None:
            print(f"{function.logical_id}: an event is lost ({failure})", flush=True)

    def _send(self, arn: str, body: str, **attributes: str) -> None:
        self._sqs.send_message(
            QueueUrl=self._wiring.queue(arn).url,
            MessageBody=body,
            MessageAttributes={k: {"DataType": "String", "StringValue": v} for k, v in attributes.items()},
        )


def _stream_note(
    source: StreamSource, records: Sequence[Record], *, reason: str, attempts: int, now: datetime
) -> dict[str, Any]:
    created = [float(record["dynamodb"]["ApproximateCreationDateTime"]) for record in records]
    return {
        "version": "1.0",
        "timestamp": _iso(now),
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{source.function.name}",
            "condition": reason,
            "approximateInvokeCount": attempts,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "DDBStreamBatchInfo": {
            "shardId": "shardId-00000000000000000000-00000000",
            "startSequenceNumber": sequence_number(records[0]),
            "endSequenceNumber": sequence_number(records[-1]),
            "approximateArrivalOfFirstRecord": _iso(datetime.fromtimestamp(min(created), UTC)),
            "approximateArrivalOfLastRecord": _iso(datetime.fromtimestamp(max(created), UTC)),
            "batchSize": len(records),
            "streamArn": records[0].get("eventSourceARN", ""),
        },
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
