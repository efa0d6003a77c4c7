# tests/bulk.py
"""Imports and exports as staff do them, and the tasks of their queue as its function is handed them."""

import json
from datetime import timedelta
from typing import Any

import pytest
import requests

from crm.bulk import files
from crm.bulk import service as bulk
from crm.kernel import operations
from crm.kernel.aws import s3_client, sqs_client
from crm.kernel.settings import settings
from functions.bulk.run_operation import handler
from schema.node import GlobalId
from schema.principal import Kind, Principal
from tests.asking import NOW, STAFF, ask

LATER = NOW + timedelta(minutes=1)
"""When it is asked for: whoever became a customer at that very moment is in no export."""
CLERK = Principal(Kind.STAFF, "demo", None, STAFF.scopes, "u1")
FIELDS = """id kind status progress { bytesDone bytesTotal rows applied waiting refused }
    faults { path code } ignoredColumns uploadUrl resultUrl asOf source actor { reference }
    createdAt startedAt finishedAt"""


def change(name: str, *, principal: Principal = CLERK, **given: Any) -> dict[str, Any]:
    """The payload of a mutation."""
    kind = f"{name[0].upper()}{name[1:]}Input!"
    replayed = "" if name in {"importStart", "operationCancel"} else "replayed"
    text = f"""mutation ($input: {kind}) {{ {name}(input: $input) {{
        {replayed} operation {{ {FIELDS} }} userErrors {{ code field }} }} }}"""
    answered: dict[str, Any] = ask(text, {"input": given}, principal=principal, now=LATER)[name]
    return answered


def asked_for(name: str = "customersImport", *, principal: Principal = CLERK, **given: Any) -> dict[str, Any]:
    """A new operation."""
    standard = {"source": "shopify", "asOf": "2026-03-01T00:00:00Z"} if name.endswith("Import") else {}
    payload = change(name, principal=principal, **{"idempotencyKey": name} | standard | given)
    assert payload["userErrors"] == []
    operation: dict[str, Any] = payload["operation"]
    return operation


def uploaded(text: str | bytes, name: str = "customersImport", **given: Any) -> str:
    """An import whose file is there; its id."""
    operation = asked_for(name, **given)
    body = text if isinstance(text, bytes) else text.encode()
    assert requests.put(operation["uploadUrl"], data=body, timeout=5).status_code == 200
    return str(operation["id"])


def imported(text: str | bytes, name: str = "customersImport", **given: Any) -> dict[str, Any]:
    """A whole import, to its end."""
    operation_id = uploaded(text, name, **given)
    principal = given.get("principal", CLERK)
    assert change("importStart", id=operation_id, principal=principal)["userErrors"] == []
    drain()
    return seen(operation_id, principal=principal)


def seen(operation_id: str, *, principal: Principal = CLERK) -> dict[str, Any]:
    operation: dict[str, Any] = ask(
        f"query ($id: ID!) {{ operation(id: $id) {{ {FIELDS} }} }}", {"id": operation_id}, principal=principal
    )["operation"]
    return operation


def stored(operation_id: str, shop: str = "demo") -> bulk.Operation:
    found = GlobalId.parse(operation_id)
    assert found is not None
    return bulk.find_many(shop, found.parts)[found.parts[0]]


def results(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of what came of it."""
    body = requests.get(operation["resultUrl"], timeout=5).content
    return [json.loads(line) for line in body.splitlines()]


def text_of(operation: dict[str, Any]) -> str:
    """What came of it, as it was written."""
    return requests.get(operation["resultUrl"], timeout=5).content.decode()


def tasks() -> list[dict[str, Any]]:
    """What the queue holds, taken from it."""
    url, found = settings().operations_queue_url, []
    while messages := sqs_client().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs_client().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found += messages
    return found


def run(task: dict[str, Any], *, delivery: int = 1) -> bool:
    """Hand a task to the function, for the nth time; whether it is done with."""
    record = {
        "messageId": task["MessageId"],
        "eventSource": "aws:sqs",
        "body": task["Body"],
        "attributes": {"ApproximateReceiveCount": str(delivery)},
        "messageAttributes": {},
    }
    return handler({"Records": [record]}, None) == {"batchItemFailures": []}  # type: ignore[arg-type]


def drain() -> int:
    """Run every task there is until there is none; how many there were."""
    count = 0
    while found := tasks():
        for task in found:
            assert run(task)
            count += 1
            assert count < 1_000, "the tasks do not end"
    return count


def drain_dying(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `drain`, where each step is first done by somebody who dies before it is written down."""
    move, count = operations.move, 0

    def dies(*arguments: Any, **more: Any) -> None:
        nonlocal count
        count += 1
        if count % 2:
            raise TimeoutError("before the step was written down")
        move(*arguments, **more)

    monkeypatch.setattr(operations, "move", dies)
    while found := tasks():
        for task in found:
            while not run(task):
                pass


def objects() -> set[str]:
    """The keys of everything that operations keep."""
    listed = s3_client().list_objects_v2(Bucket=settings().archive_bucket, Prefix="operations/").get("Contents", [])
    return {one["Key"] for one in listed}


__all__ = ["CLERK", "asked_for", "change", "drain", "drain_dying", "files", "imported", "objects", "results", "run",
           "seen", "stored", "tasks", "text_of", "uploaded"]  # fmt: skip
