# tests/faults/rfm_scores.py
"""Thirty customers with ties, whose scores were worked out by hand (tests/rfm_table.py)."""

from collections import Counter
from datetime import date
from typing import Final

from bench.figures import Report
from tests import rfm_table

(WRONG,) = FIGURES = ("segments.rfm_wrong",)
ON: Final = date(2026, 3, 31)


def run(report: Report, sabotage: str) -> None:
    from crm.kernel import clock
    from crm.segmentation import rfm
    from crm.segmentation.language.facts import Rfm, Statistics

    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    table = rfm_table.rows()
    buyers = [row for row in table if row.orders]
    days = Counter(clock.local_day(row.last_order_at, rfm_table.ZONE) for row in buyers if row.last_order_at)
    counts = rfm.Counts(days, Counter(row.orders for row in buyers), Counter(row.spent for row in buyers))
    stands = rfm.thresholds(counts, version=1, on=ON, zone=rfm_table.ZONE, currency="EUR")
    wrong = 0
    for row in table:
        known = Statistics(order_count=row.orders, spent=row.spent, last_order_at=row.last_order_at)
        by_hand = Rfm(row.group, row.recency, row.frequency, row.monetary)
        wrong += rfm.score(stands, known, currency="EUR") != by_hand
    report.tell(WRONG, wrong, n=len(table))
