# bench/__main__.py
"""`make bench`: ONLY=<area or figure> limits it, QUICK=1 shrinks it; SABOTAGE=<figure> of points takes out what that
figure watches, and must end in FAIL.
"""

import os
import sys

from bench import attacks, bulk, events, fresh, points, requests, segment_events, segments, throughput
from bench.figures import BENCH, Report
from tests.faults import in_process
from tests.local_system import forget_aws


def main() -> int:
    forget_aws()
    report = Report.of_environment(BENCH)
    sabotage = os.environ.get("SABOTAGE", "")
    if sabotage:
        if sabotage not in points.GROWTH:
            print(f"SABOTAGE names none of {', '.join(points.GROWTH)}: {sabotage}", file=sys.stderr)
            return 2
        report.only = report.only or sabotage
    modules = [
        module
        for module in (requests, bulk, fresh, attacks, throughput, segments, segment_events, points)
        if report.wants(*module.FIGURES)
    ]
    if modules:
        with in_process.emulator():
            if sabotage:
                from tests.faults.sabotage import in_worker

                in_worker(sabotage)
            for module in modules:
                module.run(report)
    if report.wants(*events.FIGURES):
        events.run(report)
    return report.verdict()


if __name__ == "__main__":
    sys.exit(main())
