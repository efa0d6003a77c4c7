# tests/faults/__main__.py
"""`make faults`: SABOTAGE=<figure> takes out what that figure watches, and must end in FAIL."""

import os
import sys
from typing import Final

from bench.figures import BY_NAME, FAULTS, Report
from tests.faults import (
    access,
    consents,
    creators,
    forgeries,
    in_process,
    loyalty_budget,
    loyalty_conditions,
    loyalty_machine,
    loyalty_rush,
    loyalty_stock,
    loyalty_storm,
    loyalty_tampering,
    moving_in,
    orders_under_fire,
    rfm_scores,
    rush,
    segments_backfill,
    segments_oracle,
    segments_storm,
    segments_time,
    tenants,
    throttles,
    versions,
    visitors_joined,
)
from tests.local_system import forget_aws

MODULES: Final = (
    creators,
    consents,
    tenants,
    throttles,
    forgeries,
    rush,
    visitors_joined,
    access,
    versions,
    rfm_scores,
    segments_backfill,
    segments_oracle,
    segments_time,
    loyalty_rush,
    loyalty_tampering,
    loyalty_conditions,
    loyalty_machine,
    loyalty_stock,
    loyalty_budget,
)


def main() -> int:
    forget_aws()
    report = Report.of_environment(FAULTS)
    sabotage = os.environ.get("SABOTAGE", "").rpartition(".")[2]
    if sabotage:
        name = next((name for name in BY_NAME if name.rpartition(".")[2] == sabotage), "")
        if not name or BY_NAME[name].command != FAULTS:
            print(f"SABOTAGE names no figure of `make faults`: {sabotage}", file=sys.stderr)
            return 2
        report.only = report.only or name
    wanted = [module for module in MODULES if report.wants(*module.FIGURES)]
    if wanted:
        with in_process.emulator():
            for module in wanted:
                module.run(report, sabotage)
    for module in (moving_in, orders_under_fire, segments_storm, loyalty_storm):
        if report.wants(*module.FIGURES):
            module.run(report, sabotage)
    return report.verdict()


if __name__ == "__main__":
    sys.exit(main())
