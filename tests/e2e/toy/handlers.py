# tests/e2e/toy/handlers.py
"""Handlers that do as their event says, and report to a queue what they saw."""

import json
import os
import signal
import time
from typing import Any

import boto3


def seen(**what: Any) -> None:
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN_URL"], MessageBody=json.dumps(what))


def work(event: dict[str, Any], _: Any) -> dict[str, Any]:
    failures = []
    for record in event["Records"]:
        detail = json.loads(record["body"])["detail"]
        received = int(record["attributes"]["ApproximateReceiveCount"])
        seen(work=detail["id"], received=received)
        first_time = received == 1
        match detail["do"]:
            case "fail":
                failures.append({"itemIdentifier": record["messageId"]})
            case "fail once" if first_time:
                failures.append({"itemIdentifier": record["messageId"]})
            case "raise once" if first_time:
                raise ValueError("told to raise")
            case "die once" if first_time:
                os.kill(os.getpid(), signal.SIGKILL)
            case "sleep once" if first_time:
                time.sleep(60)
            case "put":
                item = {"pk": {"S": detail["id"]}, "kind": {"S": detail["kind"]}}
                boto3.client("dynamodb").put_item(TableName=os.environ["TOY_TABLE"], Item=item)
    return {"batchItemFailures": failures}


def watch(event: dict[str, Any], _: Any) -> None:
    keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"]]
    if any(key.startswith("poison") for key in keys):
        raise ValueError("told to raise")
    for key in keys:
        seen(watch=key)


def tick(event: dict[str, Any], _: Any) -> None:
    seen(tick=event["detail-type"])
