# tests/judges/__main__.py
"""`make judges`: ONLY=<figure> limits, QUICK=1 shrinks the fuzzing, SEED=<n> draws other requests."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from msgspec.structs import asdict

from bench.figures import JUDGES, Report
from schema.operations import operations
from tests.judges import contract
from tests.judges.demo import Demo, demo
from tests.local_system import ROOT, forget_aws
from tests.operations import filled

HERE: Final = Path(__file__).parent
PYTHON: Final = ROOT / ".venv-judges" / "bin" / "python"
WORK: Final = ROOT / ".build" / "judges"
CLIENTS: Final = ("relay", "codegen", "apollo", "urql", "page", "graphiql")
EXAMPLES: Final = 15
LONGEST: Final = 300  # seconds a judge may take


class Court:
    """Runs the judges and tells their figures."""

    def __init__(self, report: Report, shop: Demo) -> None:
        self.report = report
        self.shop = shop
        self.environment = {
            **os.environ,
            "GATEWAY": shop.url,
            "TOKEN": shop.tokens["staff"],
            "TOKENS": json.dumps(shop.tokens),
            "WORDS": json.dumps(shop.words),
            "OPERATIONS": str(WORK / "operations.json"),
            "WORK": str(WORK),
            "SEED": str(report.seed),
        }

    def audit(self) -> None:
        told = self._judged("audit")
        self._tell("gateway.audits_passed", told["judged"] - len(told["findings"]), told)

    def lint(self) -> None:
        told = self._judged("lint")
        self._tell("gateway.lint_findings", len(told["findings"]), told)

    def clients(self) -> None:
        each = [self._judged(client) for client in CLIENTS]
        told = {"judged": sum(one["judged"] for one in each), "findings": [f for one in each for f in one["findings"]]}
        self._tell("gateway.client_failures", len(told["findings"]), told)

    def contract(self) -> None:
        base = WORK / "earlier.graphql"
        try:
            since = contract.earlier(base)
        except contract.NothingEarlier:
            print("There is no earlier contract to compare with: fetch `main`, or the last release's tag.")
            return
        told = self._judged("breaking", BASE=str(base))
        undetected = {"judged": told["ways"], "findings": told["undetected"]}
        self._tell("gateway.breaking_changes_undetected", len(told["undetected"]), undetected)
        print(f"  the contract of {since[:12]} differs from this one by {len(told['broken'])} breaking changes")
        unannounced = contract.unannounced(told["broken"])
        self._tell("gateway.breaking_changes_unannounced", len(unannounced), {"judged": 1, "findings": unannounced})

    def fuzz(self) -> None:
        examples = EXAMPLES // 4 if self.report.quick else EXAMPLES
        told = self._run("fuzz", [str(PYTHON), "-m", "tests.judges.fuzz", self.shop.url, str(examples)], ROOT, {})
        print(f"  answers: {told['answers']}")
        self._tell("gateway.fuzz_server_errors", len(told["findings"]), told)

    def _judged(self, name: str, **variables: str) -> dict[str, Any]:
        # Filled anew: what one judge has made is there, under its name, when the next one comes.
        words = self.shop.renewed()
        listed = [asdict(each) | {"variables": filled(each, words)} for each in operations()]
        (WORK / "operations.json").write_text(json.dumps(listed))
        return self._run(name, ["node", f"{name}.mjs"], HERE, variables)

    def _run(self, name: str, command: Sequence[str], folder: Path, variables: dict[str, str]) -> dict[str, Any]:
        started_at = time.monotonic()
        environment = self.environment | variables
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
        )
        print(f"{name}: {time.monotonic() - started_at:.1f} s", flush=True)
        try:
            told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            raise RuntimeError(f"{name} broke: {done.stdout}{done.stderr}") from None
        return told

    def _tell(self, figure: str, value: float, told: dict[str, Any]) -> None:
        for finding in told["findings"]:
            print(f"  {finding}", flush=True)
        self.report.tell(figure, value, n=told["judged"])


def main() -> int:
    forget_aws()
    report = Report.of_environment(JUDGES)
    WORK.mkdir(parents=True, exist_ok=True)
    started_at = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rapport-judges-") as folder, demo(Path(folder)) as shop:
        print(f"demo: {time.monotonic() - started_at:.1f} s", flush=True)
        court = Court(report, shop)
        judges = {
            court.audit: ["gateway.audits_passed"],
            court.lint: ["gateway.lint_findings"],
            court.clients: ["gateway.client_failures"],
            court.contract: ["gateway.breaking_changes_undetected", "gateway.breaking_changes_unannounced"],
            court.fuzz: ["gateway.fuzz_server_errors"],
        }
        for judge, figures in judges.items():
            if report.wants(*figures):
                judge()
    print(f"all: {time.monotonic() - started_at:.0f} s", flush=True)
    return report.verdict()


if __name__ == "__main__":
    sys.exit(main())
