# infra/segments.py
"""`python -m infra.segments define`: an operator defines segments. Reads the table's name from CRM_TABLE, as functions
do. One whose name is taken is left as it is.
"""

import argparse
import sys
from collections.abc import Sequence

from crm.kernel import clock
from crm.kernel.actor import SYSTEM
from crm.kernel.errors import CrmError, InvalidInputs
from crm.segmentation import service
from crm.segmentation.service import DYNAMIC, SegmentFields


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m infra.segments", description="Define segments.")
    commands = top.add_subparsers(dest="command", required=True)
    define = commands.add_parser("define", help="define segments; one whose name is taken is left as it is")
    define.add_argument("--shop", required=True)
    define.add_argument("--segment", nargs=2, action="append", metavar=("NAME", "QUERY"), required=True)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    known = {each.folded for each in service.list_definitions(given.shop)}
    for name, query in given.segment:
        if name.casefold() in known:
            continue
        try:
            said = SegmentFields(name, query=query)
            found = service.create(given.shop, DYNAMIC, said, actor=SYSTEM, now=clock.now()).definition
        except InvalidInputs as refusal:
            for fault in refusal.faults:
                print(f"{name}: {fault.path}: {fault.message}", file=sys.stderr)
            return 2
        except CrmError as refusal:
            print(f"{refusal.code}: {refusal}", file=sys.stderr)
            return 1
        print(f"{found.segment_id}: {found.name}: {found.normalized}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
