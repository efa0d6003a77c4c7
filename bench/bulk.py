# bench/bulk.py
"""Requests of an import, counted by botocore's own hooks, against those that its rows' events cost a source."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from bench.figures import Report
from tests.faults import in_process

REQUESTS, AGAIN = FIGURES = ("gateway.bulk_requests", "gateway.bulk_repeat_requests")
SHOP, BY_EVENTS = "bench-bulk", "bench-bulk-events"
SOURCE: Final = "webshop"


def run(report: Report) -> None:
    rows = 100 if report.quick else 500
    at = datetime.now(UTC) - timedelta(hours=1)
    for shop in (SHOP, BY_EVENTS):
        in_process.found_shop(shop, zone="Europe/Vienna", currency="EUR")
    with counting() as least:
        _tell(rows, at)
    with counting() as asked:
        _import("first", rows, at)
    print(f"{rows} rows: {dict(asked)}; their events: {dict(least)}")
    report.tell(REQUESTS, asked.total() / least.total(), n=rows)
    with counting() as again:
        _import("again", rows, at)
    print(f"the same file again: {dict(again)}")
    report.tell(AGAIN, again.total() / rows, n=rows)


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """How often what is asked of the store, the bucket and the queue inside."""
    from crm.kernel.aws import s3_client, sqs_client
    from crm.kernel.table import client

    asked: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        asked[model.name] += 1

    clients = (client(), s3_client(), sqs_client())
    for one in clients:
        one.meta.events.register("before-call.*.*", count)
    try:
        yield asked
    finally:
        for one in clients:
            one.meta.events.unregister("before-call.*.*", count)


def _tell(rows: int, at: datetime) -> None:
    """One by one, as the intake queue's function does."""
    from crm.intake import service as intake

    for number in range(rows):
        consent = {"channel": "email", "purpose": "marketing", "state": "granted"}
        who = {"externalId": f"c{number}", "email": f"c{number}@example.com", "firstName": f"Ann {number}"}
        event = {
            "id": f"e{number}",
            "type": "customer.updated",
            "version": 1,
            "shop": BY_EVENTS,
            "source": SOURCE,
            "occurredAt": at.isoformat(),
            "customer": who,
            "data": {"consents": [consent]},
        }
        intake.apply(intake.written(event), now=datetime.now(UTC), replayed=True)


def uploaded(shop: str, key: str, text: str, *, at: datetime | None = None) -> str:
    """An import of customers whose file is there; its id."""
    from crm.bulk import service as bulk
    from crm.kernel.actor import Actor, Role

    now = datetime.now(UTC)
    asked, actor = bulk.ImportAsked(SOURCE, bulk.CSV, at or now), Actor(Role.STAFF, "bench")
    operation, _ = bulk.import_from(shop, "customers_import", asked, actor=actor, idempotency_key=key, now=now)
    httpx.put(bulk.upload_url(operation), content=text.encode()).raise_for_status()
    return str(operation.operation_id)


def _import(key: str, rows: int, at: datetime) -> None:
    """From asking for it to the result, without those who wait for it."""
    from crm.bulk import service as bulk
    from crm.kernel.operations import Task

    lines = [f"c{number},c{number}@example.com,Ann {number},granted" for number in range(rows)]
    text = "\n".join(["external_id,email,first_name,consent_email_marketing", *lines])
    operation = bulk.start(SHOP, uploaded(SHOP, key, text, at=at), now=datetime.now(UTC))
    while operation.status in {bulk.QUEUED, bulk.RUNNING}:
        task = Task(SHOP, operation.operation_id, int(operation.rev))
        operation = bulk.run(task.text(), delivery=1, now=datetime.now(UTC)) or operation
    assert (operation.status, operation.applied_count) == (bulk.DONE, rows)
