# tests/faults/loyalty_tampering.py
"""Stored ledgers in which everything has happened; then somebody who can write the table edits, deletes, swaps or cuts
off entries, or edits, copies or removes what follows from them, and `verify` is asked.
"""

from collections import Counter
from random import Random
from typing import Final

from bench.figures import Report
from tests.faults import loyalty_shop
from tests.tampering import DEEDS, Deed, Item, beside

(UNDETECTED,) = FIGURES = ("loyalty.edits_undetected",)
SHOP: Final = "points-tampered"
LEDGERS, STEPS = 5, 45
DOINGS: Final = ("redeem", "reverse", "hold", "capture", "release", "adjust", "order", "order", "wait", "wait")
DONE: Final = 1_000


def run(report: Report, sabotage: str) -> None:
    loyalty_shop.found(SHOP)
    draw = Random(report.seed)
    customers = [f"cus_{number}" for number in range(LEDGERS)]
    movements = Counter[str]()
    for customer_id in customers:
        movements += _fill(customer_id, draw)
    kept = {customer_id: _stored(customer_id) for customer_id in customers}
    entries = {customer_id: [item for item in kept[customer_id] if _is_entry(item)] for customer_id in customers}
    assert not any(map(_is_found, customers)), "a ledger that nobody touched does not verify"
    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    done, undetected = Counter[str](), []
    for number in range(DONE // 10 if report.quick or sabotage else DONE):
        customer_id, deed = draw.choice(customers), (*DEEDS, beside)[number % (len(DEEDS) + 1)]
        what = deed(draw, kept[customer_id] if deed is beside else entries[customer_id])
        _do(what)
        if not _is_found(customer_id):
            undetected.append(f"{deed.__name__} {what.what}")
        _undo(what, kept[customer_id])
        done[deed.__name__] += 1
    assert sabotage or not any(map(_is_found, customers)), "a ledger was not put back"
    print(f"{dict(movements)} in {LEDGERS} ledgers; {dict(done)}; not found: {undetected[:10]}", flush=True)
    report.tell(UNDETECTED, len(undetected), n=done.total())


def _fill(customer_id: str, draw: Random) -> Counter[str]:
    """Any movements in any order; how many of each there are."""
    from crm.kernel.errors import CrmError
    from crm.loyalty import repository
    from crm.loyalty.expiry import Expiry
    from crm.loyalty.programme import Programme
    from tests.faults.loyalty_book import StoredBook, counting

    programme = Programme(loyalty_shop.CURRENCY, loyalty_shop.ZONE, return_window_days=3, expiry=Expiry(1))
    book = StoredBook(SHOP, customer_id, programme)
    spent = []
    with counting(programme):
        book.adjust(500, "first")
        for step in range(STEPS):
            points = draw.randint(1, 60)
            try:
                match draw.choice(DOINGS):
                    case "redeem":
                        spent.append(book.redeem(points, f"k{step}"))
                    case "reverse" if spent:
                        book.reverse(spent.pop())
                    case "hold":
                        book.hold(points, f"k{step}", hours=draw.randint(1, 300))
                    case "capture" if book.holds:
                        name, held = draw.choice(sorted(book.holds.items()))
                        book.capture(name, draw.randint(1, held.points))
                    case "release" if book.holds:
                        book.release(draw.choice(sorted(book.holds)))
                    case "adjust":
                        book.adjust(draw.choice([points, -points]), f"k{step}")
                    case "order":
                        gross = 100 * draw.randint(50, 200)
                        refunded, said = draw.choice([0, gross // 2, gross]), draw.choice([0, 0, points])
                        book.order(f"o{draw.randint(1, 6)}", gross=gross, refunded=refunded, points_spent=said)
                    case _:
                        book.wait(days=draw.randint(0, 9))
            except CrmError:
                continue
    return Counter(str(entry.movement) for entry in repository.list_all_entries(SHOP, customer_id))


def _is_found(customer_id: str) -> bool:
    from crm.loyalty import service as loyalty

    return loyalty.verify(SHOP, customer_id).findings != []


def _is_entry(item: Item) -> bool:
    return bool(item["kind"]["S"] == "LedgerEntry")


def _stored(customer_id: str) -> list[Item]:
    from crm.kernel.settings import settings
    from crm.kernel.table import client, customer_key

    pages = client().get_paginator("query").paginate(
        TableName=settings().crm_table, KeyConditionExpression="pk = :pk", ConsistentRead=True,
        ExpressionAttributeValues={":pk": {"S": customer_key(SHOP, customer_id)}},
    )  # fmt: skip
    return [item for page in pages for item in page["Items"]]


def _do(deed: Deed) -> None:
    from crm.kernel.settings import settings
    from crm.kernel.table import client

    for item in deed.put:
        client().put_item(TableName=settings().crm_table, Item=item)
    for item in deed.removed:
        client().delete_item(TableName=settings().crm_table, Key={"pk": item["pk"], "sk": item["sk"]})


def _undo(deed: Deed, kept: list[Item]) -> None:
    touched = {item["sk"]["S"] for item in (*deed.put, *deed.removed)}
    before = [item for item in kept if item["sk"]["S"] in touched]
    known = {item["sk"]["S"] for item in before}
    _do(Deed("", put=before, removed=[item for item in deed.put if item["sk"]["S"] not in known]))
