# infra/local/verify.py
"""`python -m infra.local.verify [--shop demo] [--customer cus_…]`: work the ledgers of points anew from their entries,
in the running instance. Ends with 1 where anything is not as it was posted.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

from infra.local.instance import DEMO_SHOP, Instance, NotRunning
from infra.local.wiring import Wiring

PAGE = 100


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shop", default=DEMO_SHOP, help=f"whose customers' points ({DEMO_SHOP})")
    parser.add_argument("--customer", help="one customer's only, by their id here (cus_…)")
    given = parser.parse_args(arguments)
    try:
        instance = Instance.running()
    except NotRunning as error:
        print(error, file=sys.stderr)
        return 1
    os.environ.update(instance.environment(Wiring.read(endpoint=instance.endpoint)))
    return run(given.shop, given.customer)


def run(shop: str, customer_id: str | None = None) -> int:
    """The table is that of the environment, which is set before anything of crm is imported."""
    from crm.kernel.errors import NotFound
    from crm.loyalty import service

    accounts = entries = wrong = 0
    for each in [customer_id] if customer_id else _customers(shop):
        try:
            verified = service.verify(shop, each)
        except NotFound:
            continue
        accounts, entries = accounts + 1, entries + verified.entry_count
        wrong += bool(verified.findings)
        for finding in verified.findings:
            print(f"{each}: {finding.flaw} {finding.place}", file=sys.stderr)
    print(f"{accounts} accounts, {entries} entries, {wrong} accounts not as they were posted")
    return 1 if wrong else 0


def _customers(shop: str) -> Iterator[str]:
    from crm.customers import service as customers

    for shard in range(customers.SHARDS):
        before = None
        while page := customers.list_shard(shop, shard, before=before, limit=PAGE):
            yield from (customer.customer_id for customer in page)
            before = page[-1].list_sk


if __name__ == "__main__":
    sys.exit(main())
