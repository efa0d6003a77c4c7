# tests/faults/versions.py
"""64 concurrent writers of one customer, who all rely on the version they know: one of them wins each."""

from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import Final

from bench.figures import Report
from tests.faults import in_process
from tests.faults.racing import overlap, race

(TWICE,) = FIGURES = ("gateway.versions_won_twice",)
SHOP: Final = "versions"
WRITERS: Final = 64
WON = "won"


def run(report: Report, sabotage: str) -> None:
    from crm.customers import service as customers

    in_process.found_shop(SHOP, zone="Europe/Vienna", currency="EUR")
    fields = {"email": "one@versions.example.com", "first_name": "One"}
    customer = customers.create(SHOP, customers.Words(fields=fields), now=datetime.now(UTC))
    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    rounds = 3 if report.quick else 10
    wrong, most, outcomes = 0, 0, Counter[str]()
    for _ in range(rounds):
        version = int(customers.get(SHOP, customer.customer_id).version)
        attempts = race([partial(_write, customer.customer_id, version, number) for number in range(WRITERS)])
        told = Counter(attempt.outcome for attempt in attempts)
        stored = customers.get(SHOP, customer.customer_id)
        wrong += told[WON] != 1 or int(stored.version) != version + 1
        most, outcomes = max(most, overlap(attempts)), outcomes + told
    print(f"{rounds} versions: {dict(outcomes)}; {most} at work at one moment", flush=True)
    report.tell(TWICE, wrong if most >= WRITERS // 8 else float("nan"), n=rounds * WRITERS)


def _write(customer_id: str, version: int, number: int) -> str:
    from crm.customers import service as customers
    from crm.kernel.errors import CrmError

    words = customers.Words(fields={"first_name": f"Writer {number} of {version}"})
    try:
        customers.update(SHOP, customer_id, words, now=datetime.now(UTC), expected_version=version)
    except CrmError as refusal:
        return type(refusal).__name__
    return WON
