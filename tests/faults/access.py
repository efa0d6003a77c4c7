# tests/faults/access.py
"""Every field x role x tenant of the committed SDL, asked of the real schema with a customer of the same id and address
in each of two shops.
"""

from datetime import UTC, datetime
from typing import Final

from bench.figures import Report
from tests.faults import in_process

(WRONG,) = FIGURES = ("gateway.access_cells_wrong",)
SHOPS: Final = ("demo", "other")


def run(report: Report, sabotage: str) -> None:
    from crm.customers import service as customers

    words = customers.Words(fields={"email": "ada@example.com", "first_name": "Ada"})
    for shop in SHOPS:
        in_process.found_shop(shop, zone="Europe/Vienna", currency="EUR")
    _, ada = (customers.create(shop, words, now=datetime.now(UTC)).customer_id for shop in reversed(SHOPS))
    from tests.contract.test_access import QUERIES, roles, wrong_cells

    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    wrong = wrong_cells(ada)
    print(f"wrong: {[(role, field) for role, field, _ in wrong[:5]]}", flush=True)
    report.tell(WRONG, len(wrong), n=len(QUERIES) * len(roles(ada)))
