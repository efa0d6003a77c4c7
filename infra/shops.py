# infra/shops.py
"""`python -m infra.shops create`: an operator founds a shop. Reads the table's name from CRM_TABLE, as functions do."""

import argparse
import sys
from collections.abc import Sequence

from crm.kernel.errors import CrmError, InvalidInputs
from crm.shops import service


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m infra.shops", description="Found shops.")
    commands = top.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="found a shop; refused where its id is taken")
    create.add_argument("--id", required=True, help="lower-case letters, digits and hyphens; never changes")
    create.add_argument("--name", required=True)
    create.add_argument("--zone", required=True, help="IANA time zone that decides the shop's days: Europe/Vienna")
    create.add_argument("--currency", required=True, help="ISO 4217: EUR")
    create.add_argument("--locale", required=True, help="BCP 47: de-AT")
    create.add_argument("--sender", help="e-mail address messages come from; without it none are sent")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    fields = service.ShopFields(
        name=given.name, zone=given.zone, currency=given.currency, locale=given.locale, sender=given.sender
    )
    try:
        shop = service.create(given.id, fields)
    except InvalidInputs as refusal:
        for fault in refusal.faults:
            print(f"--{fault.path}: {fault.message}", file=sys.stderr)
        return 2
    except CrmError as refusal:
        print(f"{refusal.code}: {refusal}", file=sys.stderr)
        return 1
    print(f"{shop.shop}: {shop.name}, {shop.zone}, {shop.currency}, {shop.locale}, {shop.sender or 'no sender'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
