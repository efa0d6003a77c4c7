# bench/fresh.py
"""From a fresh process to its first answer, against baselines, in turns: what a cold start costs here."""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from bench import shop
from bench.figures import Report
from tests.faults import in_process

ANSWER, RECORD = FIGURES = ("foundation.gateway_first_answer", "foundation.function_first_record")
ROOT: Final = Path(__file__).parents[1]
BASELINE: Final = "bench.baselines.function.handler"


def run(report: Report) -> None:
    shop.found()
    assert in_process.ingest(shop.profile(0))
    assert in_process.ingest(shop.order(0, customer=0))
    in_process.let_follow(shop.SHOP, ["o0"])
    pairs = 3 if report.quick else 9
    if report.wants(ANSWER):
        _first_answer(report, pairs)
    if report.wants(RECORD):
        _first_record(report, pairs)


def _first_answer(report: Report, pairs: int) -> None:
    customer = shop.customer(0)
    theirs = {"app": "bench.baselines.gateway:app", "body": {"query": _baseline_query(customer.pk)}}
    ours = {
        "app": "api.app:app",
        "body": {
            "query": "query($id: ID!) { customer(id: $id) { firstName } }",
            "variables": {"id": shop.global_id(customer)},
        },
        "token": shop.staff_token(),
    }
    ratios = _ratios("bench.first_answer", [ours] * pairs, [theirs] * pairs)
    report.tell(ANSWER, statistics.median(ratios), n=pairs)


def _first_record(report: Report, pairs: int) -> None:
    """Every function by itself; the worst of their medians."""
    baseline = {"handler": BASELINE, "event": {"Records": [_message({"pk": shop.customer(0).pk})]}}
    worst = 0.0
    for number, (handler, records) in enumerate(_events(pairs + 1).items()):
        ours = [{"handler": handler, "event": event} for event in records]
        median = statistics.median(_ratios("bench.first_record", ours, [baseline] * len(ours)))
        print(f"  {number + 1:2} {handler:55} {median:.2f}", flush=True)
        worst = max(worst, median)
    report.tell(RECORD, worst, n=pairs)


def _ratios(module: str, ours: list[Any], theirs: list[Any]) -> list[float]:
    """In turns; the first pair only warms the caches of files."""
    ratios = [_seconds(module, a) / _seconds(module, b) for a, b in zip(ours, theirs, strict=True)]
    return ratios[1:] if len(ratios) > 1 else ratios


def _seconds(module: str, task: Any) -> float:
    environment = os.environ | {"BENCH_TASK": json.dumps(task), "POWERTOOLS_TRACE_DISABLED": "true"}
    # Else our code would be compiled each time, and the libraries', which pip has compiled, never.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started_at = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", module], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started_at
    assert done.returncode == 0, f"{task}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return seconds


def _events(count: int) -> dict[str, list[dict[str, Any]]]:
    """For each function, `count` events it handles with success."""
    from crm.notifications.events import MessagePlanned
    from crm.notifications.repository import list_newest
    from crm.orders import service as orders
    from crm.orders.events import OrderRecorded
    from crm.touchpoints.events import VisitorIdentified
    from tests.stream_records import record

    order = orders.get(shop.SHOP, "o0")
    told = _bus(OrderRecorded.of(order))
    (message,) = list_newest(shop.SHOP, order.customer_id, before=None, limit=1)
    planned = MessagePlanned.of(message)
    assert planned is not None, message.reason
    joined = VisitorIdentified("v@1", shop.SHOP, "v", order.customer_id, 1, order.placed_at, "event:v", replayed=False)
    stream = {"Records": [record(order)]}
    cognito = json.loads((ROOT / "tests" / "events" / "cognito_pre_token_v2.json").read_text())
    same = {
        "functions.intake.publish_changes.handler": stream,
        "functions.kpis.roll_up.handler": stream,
        "functions.segmentation.refresh_memberships.handler": {"Records": [told]},
        "functions.loyalty.post_points.handler": {"Records": [told]},
        "functions.notifications.plan_messages.handler": {"Records": [told]},
        "functions.notifications.deliver_message.handler": {"Records": [_bus(planned)]},
        "functions.touchpoints.join_visitor.handler": {"Records": [_bus(joined)]},
        "functions.timers.fire_due.handler": {"detail-type": "Scheduled Event"},
        "functions.auth.add_claims.handler": cognito,
    }
    fresh = [{"Records": [_message(shop.order(5000 + number, customer=0))]} for number in range(count)]
    return {"functions.intake.ingest.handler": fresh} | {name: [event] * count for name, event in same.items()}


def _bus(event: Any) -> dict[str, Any]:
    return _message({"detail-type": event.detail_type, "source": "rapport.domain", "detail": event.detail()})


def _message(body: dict[str, Any]) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": "1"}
    told = {"messageId": "m1", "eventSource": "aws:sqs", "body": json.dumps(body), "attributes": attributes}
    return told | {"messageAttributes": {}}


def _baseline_query(pk: str) -> str:
    return f"{{ customer(pk: {json.dumps(pk)}) {{ firstName }} }}"
