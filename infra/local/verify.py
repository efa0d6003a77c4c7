# infra/local/verify.py
"""`python -m infra.local.verify [--shop demo] [--customer cus_…] [--against FILE]`: work the ledgers of points anew
from their entries, in the running instance. Ends with 1 where anything is not as it was posted.

Whose there are is told by what is stored, not by a list of customers. FILE: a `points.posted` a line, as they came from
the bus, whole or their `detail` alone; entries must have the fingerprints that were published, and none be missing.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from infra.local.instance import DEMO_SHOP, Instance, NotRunning
from infra.local.wiring import Wiring

KEPT: Final = ("HEAD#LOYALTY", "LEDGER#", "POINTS#", "HOLD#", "EARNING#")
"""What there may be of points, whatever else of a customer is gone."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shop", default=DEMO_SHOP, help=f"whose customers' points ({DEMO_SHOP})")
    parser.add_argument("--customer", help="one customer's only, by their id here (cus_…)")
    parser.add_argument("--against", type=Path, help="events that were published, to compare with")
    given = parser.parse_args(arguments)
    try:
        instance = Instance.running()
    except NotRunning as error:
        print(error, file=sys.stderr)
        return 1
    os.environ.update(instance.environment(Wiring.read(endpoint=instance.endpoint)))
    lines = given.against.read_text().splitlines() if given.against else []
    return run(given.shop, given.customer, published=read_published(lines, given.shop))


def run(shop: str, customer_id: str | None = None, *, published: Mapping[str, Mapping[str, str]] | None = None) -> int:
    """The table is that of the environment, which is set before anything of crm is imported."""
    from crm.kernel.errors import NotFound
    from crm.loyalty import service

    published = published or {}
    accounts = entries = wrong = 0
    for each in [customer_id] if customer_id else sorted({*_owners(shop), *published}):
        told = published.get(each, {})
        try:
            verified = service.verify(shop, each, published=told)
        except NotFound:
            continue
        accounts, entries = accounts + 1, entries + verified.entry_count
        wrong += bool(verified.findings)
        for finding in verified.findings:
            print(f"{each}: {finding.flaw} {finding.place}", file=sys.stderr)
    print(f"{accounts} accounts, {entries} entries, {wrong} accounts not as they were posted")
    return 1 if wrong else 0


def read_published(lines: Iterable[str], shop: str) -> dict[str, dict[str, str]]:
    """The fingerprints of the shop's entries, by customer and cause."""
    published: dict[str, dict[str, str]] = {}
    for line in filter(str.strip, lines):
        event = json.loads(line)
        told = event.get("detail", event)
        if told["shop"] == shop and told.get("fingerprint"):
            published.setdefault(told["customerId"], {})[told["cause"]] = told["fingerprint"]
    return published


def _owners(shop: str) -> Iterator[str]:
    from crm.kernel.settings import settings
    from crm.kernel.table import client, customer_key

    beginning = customer_key(shop, "")
    pages = client().get_paginator("scan").paginate(
        TableName=settings().crm_table, ProjectionExpression="pk, sk", ConsistentRead=True,
        FilterExpression="begins_with(pk, :shop)", ExpressionAttributeValues={":shop": {"S": beginning}},
    )  # fmt: skip
    for page in pages:
        keys = ((item["pk"]["S"], item["sk"]["S"]) for item in page["Items"])
        yield from (pk.removeprefix(beginning) for pk, sk in keys if sk.startswith(KEPT))


if __name__ == "__main__":
    sys.exit(main())
