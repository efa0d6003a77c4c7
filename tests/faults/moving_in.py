# tests/faults/moving_in.py
"""Files that are imported while their worker is killed at every write: each row has its effect once, and its result."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Final

from bench.figures import Report
from tests.faults import stored
from tests.faults.killing import OFTEN, POINTS, Kills, Plan, variables
from tests.local_system import LocalSystem, eventually
from tests.moving import Mover

(WRONG,) = FIGURES = ("gateway.bulk_rows_wrong",)
SHOP: Final = "faults-moving"
FUNCTION: Final = "RunOperationFunction"
PATIENCE_SECONDS: Final = 900
PRICE, PLACED_AT = 1_000, "2026-02-01T10:00:00Z"
APPLIED, WAITING, REFUSED = "applied", "waiting", "refused"


@dataclass
class File:
    """A file, and what must come of it: of each row by its number, and of each customer by their external id (name,
    orders, gross and refunded in minor units).
    """

    name: str
    form: str
    text: str = ""
    results: list[tuple[int, str]] = field(default_factory=list)
    customers: dict[str, tuple[str | None, int, int, int]] = field(default_factory=dict)

    def add(self, line: str, status: str) -> None:
        number = len(self.results) + (2 if self.form == "CSV" else 1)
        self.text, self.results = f"{self.text}{line}\n", [*self.results, (number, status)]


def files(count: int) -> Iterator[File]:
    """Four: two of customers, with rows that stand twice and rows about nobody; orders with refunds, some of which
    nobody can read; and refunds of orders that never come.
    """
    for letter in "ab":
        people = File("customersImport", "CSV", "external_id,first_name,consent_email_marketing\n")
        for number in range(count):
            row = f"{letter}{number},Name {number},granted"
            people.add(row, APPLIED)
            people.customers[f"{letter}{number}"] = (f"Name {number}", 0, 0, 0)
            if number % 5 == 0:
                people.add(row, APPLIED)
            if number % 6 == 0:
                people.add(",Nobody,granted", REFUSED)
        yield people
    head = "order_id,currency,placed_at,sku,quantity,unit_price,line_id,external_id,refund_id,refunded_at\n"
    orders = File("ordersImport", "CSV", head)
    for number in range(count // 2):
        good = number % 7 != 3
        told = APPLIED if good else REFUSED
        orders.add(f"o{number},EUR,{PLACED_AT},A,{1 if good else 'no'},10.00,1,c{number},,", told)
        orders.add(f"o{number},EUR,,B,2,10.00,2,,,", told)
        if good:
            orders.customers[f"c{number}"] = (None, 1, 3 * PRICE, 0)
        if good and number % 3 == 0:
            orders.add(f"o{number},EUR,,,1,,2,,r{number},{PLACED_AT}", APPLIED)
            orders.customers[f"c{number}"] = (None, 1, 3 * PRICE, PRICE)
    yield orders
    early = File("ordersImport", "JSONL")
    for number in range(count // 2):
        lines = [{"id": "1", "sku": "A", "quantity": 2, "unitPrice": "10.00"}]
        back = {"lines": [{"lineId": "1", "quantity": 1}], "refundId": "r", "orderId": f"e{number}", "currency": "EUR"}
        order = {"orderId": f"e{number}", "version": 1, "status": "placed", "currency": "EUR", "placedAt": PLACED_AT}
        early.add(json.dumps({"type": "refund.created", "data": back | {"orderId": f"never{number}"}}), WAITING)
        early.add(json.dumps({"customer": {"externalId": f"d{number}"}, "data": order | {"lines": lines}}), APPLIED)
        early.add(json.dumps({"type": "refund.created", "data": back}), APPLIED)
        early.customers[f"d{number}"] = (None, 1, 2 * PRICE, PRICE)
    yield early


class Imports:
    """All of the files at once, by a shop of their own."""

    def __init__(self, system: LocalSystem, count: int) -> None:
        self._system = system
        self._mover = Mover(system, SHOP)
        self._files = list(files(count))
        self._ids: list[str] = []

    def start(self) -> None:
        self._system.found_shop(SHOP)
        self._system.instance.announce()
        for number, file in enumerate(self._files):
            self._ids.append(self._mover.started(file.name, str(number), file.text, format=file.form))

    def are_over(self) -> bool:
        return all(map(self._mover.is_over, self._ids))

    @property
    def row_count(self) -> int:
        return sum(len(file.results) for file in self._files)

    def wrong(self) -> list[str]:
        """Every row without its result, and every customer whom it did not make what it says."""
        found = [line for file, id_ in zip(self._files, self._ids, strict=True) for line in self._rows_wrong(file, id_)]
        tables = {"crm": self._system.table("CrmTable"), "kpis": self._system.table("KpiTable")}
        people = stored.read(self._system.dynamodb, SHOP, **tables).customers
        expected = {name: said for file in self._files for name, said in file.customers.items()}
        for name in expected.keys() | people.keys():
            is_ = _summary(people[name]) if name in people else None
            if is_ != expected.get(name):
                found.append(f"{name}: {expected.get(name)} expected, {is_} stored")
        return found

    def _rows_wrong(self, file: File, operation_id: str) -> Iterator[str]:
        seen = self._mover.seen(operation_id)
        lines = self._mover.result(operation_id).splitlines() if seen["resultUrl"] else []
        told = [(line["row"], line["status"]) for line in map(json.loads, lines)]
        for expected, found in zip_longest(file.results, told):
            if expected != found:
                yield f"{file.name}: {expected} expected, {found} told"
        statuses = [status for _, status in file.results]
        counts = {status: statuses.count(status) for status in (APPLIED, WAITING, REFUSED)} | {"rows": len(statuses)}
        if seen["status"] != "DONE" or seen["progress"] != seen["progress"] | counts:
            yield f"{file.name}: DONE with {counts} expected, {seen['status']} with {seen['progress']}"


def run(report: Report, sabotage: str) -> None:
    with tempfile.TemporaryDirectory(prefix="rapport-faults-") as folder:
        kills_folder = Path(folder) / "kills"
        plan = _plan(report, sabotage)
        plan.save(kills_folder)
        system = LocalSystem(Path(folder), variables=variables(kills_folder))
        try:
            system.start()
            imports = Imports(system, 20 if report.quick or sabotage else 60)
            imports.start()
            # What was not sent on has come to rest without being over.
            eventually(lambda: imports.are_over() or system.settled(), "all are over", seconds=PATIENCE_SECONDS)
            tell(report, imports, Kills.read(kills_folder), sabotage)
        finally:
            system.stop()


def tell(report: Report, imports: Imports, kills: Kills, sabotage: str) -> None:
    """Where the worker was not killed at every write, nothing was tried."""
    wrong = imports.wrong()
    for line in wrong[:20]:
        print(line)
    points = {point: count for point, count in kills.by_point.items() if point.startswith(FUNCTION)}
    print(f"{imports.row_count} rows imported; {sum(points.values())} kills: {points}", flush=True)
    tried = all(points.values()) or sabotage
    report.tell(WRONG, len(wrong) if tried or wrong else float("nan"), n=imports.row_count)


def _plan(report: Report, sabotage: str) -> Plan:
    often, seldom = (4, 2) if report.quick or sabotage else (8, 3)
    own = [point for point in POINTS if point.function == FUNCTION]
    tickets = {str(point): often if point.operation == OFTEN else seldom for point in own}
    return Plan(tickets, spacing=0.2, sabotage=sabotage)


def _summary(customer: stored.Customer) -> tuple[str | None, int, int, int]:
    is_ = customer.found
    _, gross, refunded, _ = is_.totals.get("EUR", (0, 0, 0, 0))
    return is_.name, is_.orders, gross, refunded


__all__ = ["FIGURES", "Imports", "run", "tell"]
