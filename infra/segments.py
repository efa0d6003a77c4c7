# infra/segments.py
"""`python -m infra.segments define|score`: an operator defines segments, or has RFM scores drawn anew. Reads what it
needs from the environment, as functions do.
"""

import argparse
import sys
from collections.abc import Sequence

from crm.kernel import clock
from crm.kernel.actor import SYSTEM
from crm.kernel.errors import CrmError, InvalidInputs
from crm.segmentation import service
from crm.segmentation.language.kinds import folded
from crm.segmentation.service import DYNAMIC, SegmentFields
from crm.shops import service as shops


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m infra.segments", description="Define segments, draw scores.")
    commands = top.add_subparsers(dest="command", required=True)
    define = commands.add_parser("define", help="define segments; one whose name is taken is left as it is")
    define.add_argument("--shop", required=True)
    define.add_argument("--segment", nargs=2, action="append", metavar=("NAME", "QUERY"), required=True)
    score = commands.add_parser("score", help="draw the bounds of RFM scores anew, beside the daily ones")
    score.add_argument("--shop", required=True)
    score.add_argument("--occasion", required=True, help="what for: once a day for each")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    try:
        return _score(given) if given.command == "score" else _define(given)
    except CrmError as refusal:
        print(f"{refusal.code}: {refusal}", file=sys.stderr)
        return 1


def _score(given: argparse.Namespace) -> int:
    operation = service.begin_day(shops.get(given.shop), occasion=given.occasion, now=clock.now())
    print(f"{operation.operation_id}: {operation.status}")
    return 0


def _define(given: argparse.Namespace) -> int:
    known = {each.folded for each in service.list_definitions(given.shop)}
    for name, query in given.segment:
        if folded(name) in known:
            continue
        try:
            said = SegmentFields(name, query=query)
            found = service.create(given.shop, DYNAMIC, said, actor=SYSTEM, now=clock.now()).definition
        except InvalidInputs as refusal:
            for fault in refusal.faults:
                print(f"{name}: {fault.path}: {fault.message}", file=sys.stderr)
            return 2
        print(f"{found.segment_id}: {found.name}: {found.normalized}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
