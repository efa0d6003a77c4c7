# tests/faults/rfm_scores.py
"""Thirty customers with ties, whose scores were worked out by hand (tests/rfm_table.py): their shop's day is begun, and
its operation is run by tasks of the queue, some customers a step, half of the tasks delivered twice.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bench.figures import Report
from tests import rfm_table
from tests.faults import in_process

(WRONG,) = FIGURES = ("segments.rfm_wrong",)
SHOP: Final = "rfm"
NOW: Final = datetime(2026, 3, 31, 10, tzinfo=UTC)
PAGE: Final = 4


def run(report: Report, sabotage: str) -> None:
    in_process.found_shop(SHOP, zone=rfm_table.ZONE, currency="EUR")
    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    from crm.segmentation import in_force, scoring
    from crm.segmentation import service as segmentation
    from crm.shops import service as shops
    from tests import scored

    chance = random.Random(report.seed)
    table = rfm_table.rows()
    chance.shuffle(table)
    ids = scored.furnish(SHOP, table, now=NOW - timedelta(days=1))
    plain, scoring.PAGE = scoring.PAGE, PAGE  # type: ignore[misc]
    segmentation.begin_day(shops.get(SHOP), now=NOW)
    steps = _run_tasks(chance)
    scoring.PAGE = plain  # type: ignore[misc]
    in_force.forget_cached(SHOP)
    found = {row.customer: scored.score(SHOP, ids[row.customer], now=NOW) for row in table}
    wrong = [row.customer for row in table if found[row.customer] != scored.by_hand(row)]
    print(f"{len(table)} customers scored in {steps} steps; wrong: {sorted(wrong)}", flush=True)
    report.tell(WRONG, len(wrong), n=len(table))


def _run_tasks(chance: random.Random) -> int:
    """Until there are none; how many there were."""
    from crm.bulk import service as bulk
    from crm.kernel.aws import sqs_client
    from crm.kernel.settings import settings

    url, count = settings().require("operations_queue_url"), 0
    sqs: Any = sqs_client()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            for delivery in (1, 2)[: chance.randint(1, 2)]:
                bulk.run(message["Body"], delivery=delivery, now=NOW)
                count += 1
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return count
