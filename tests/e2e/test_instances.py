# tests/e2e/test_instances.py
"""`make dev` as a person has it: two side by side, Ctrl-C, and again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.figures import E2E, Report
from infra.local.tokens import token
from tests.local_system import eventually, free_port

PATIENCE = 120
ROOT = Path(__file__).parents[2]

report = Report(E2E, seed=1)


class Dev:
    """One local instance, without the demo, in a folder and on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.dev"],
            cwd=ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        eventually(self.answers, "the gateway answers", seconds=PATIENCE)
        self.headers = {"authorization": f"Bearer {token(self.url, 'service', 'demo')}"}

    def environment(self) -> dict[str, str]:
        return {**os.environ, "CRM_PORT": str(self.port), "CRM_STATE_DIR": str(self.folder), "CRM_DEMO": "0"}

    def answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._process.communicate()[0]
        try:
            return httpx.get(f"{self.url}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def interrupt(self) -> tuple[int, float, str]:
        """Press Ctrl-C; return the exit code, the seconds it took, and what was printed."""
        assert self._process is not None
        pressed_at = time.monotonic()
        os.killpg(self._process.pid, signal.SIGINT)
        printed, _ = self._process.communicate(timeout=60)
        return self._process.returncode, time.monotonic() - pressed_at, printed

    def post(self, *events: dict[str, Any]) -> None:
        answer = httpx.post(f"{self.url}/v1/events", json={"events": events}, headers=self.headers)
        assert answer.status_code == 202, answer.text

    def status(self, event_id: str) -> str | None:
        answer = httpx.get(f"{self.url}/v1/events/{event_id}", headers=self.headers)
        return None if answer.status_code == 404 else str(answer.json()["status"])

    def run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment(), capture_output=True, text=True, check=False)


def feedback(event_id: str) -> dict[str, Any]:
    return {
        "id": event_id,
        "type": "feedback.received",
        "version": 1,
        "shop": "demo",
        "source": "test",
        "occurredAt": (datetime.now(UTC) - timedelta(minutes=1)).isoformat(),
        "customer": {"externalId": "1"},
        "data": {"score": 9},
    }


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Dev, Dev]]:
    one, other = (Dev(tmp_path_factory.mktemp(name)) for name in ("one", "other"))
    one.start()
    other.start()
    yield one, other
    one.interrupt()
    other.interrupt()


def test_two_instances_know_nothing_of_each_other_and_state_survives_ctrl_c(pair: tuple[Dev, Dev]) -> None:
    one, other = pair
    one.post(feedback("e1"))
    eventually(lambda: one.status("e1") == "applied", "applied", seconds=PATIENCE)
    # What is still on its way when it stops arrives after the restart.
    one.post(*[feedback(f"late-{n}") for n in range(50)])
    code, seconds, printed = one.interrupt()
    assert code == 0, printed
    assert seconds < 30, printed
    assert "Traceback" not in printed
    assert other.status("e1") is None
    other.post(feedback("e1"))
    eventually(lambda: other.status("e1") == "applied", "applied there, too", seconds=PATIENCE)
    one.start()
    assert one.status("e1") == "applied"
    eventually(
        lambda: all(one.status(f"late-{n}") == "applied" for n in range(50)),
        "all applied after the restart",
        seconds=PATIENCE,
    )
    late = [f"late-{n}" for n in range(50)]
    report.tell("foundation.lost_over_restart", sum(one.status(name) != "applied" for name in late), n=len(late))
    shown = sum(other.status(name) is not None for name in late)
    report.tell("foundation.disturbed_by_second_instance", shown, n=len(late))


def test_a_taken_port_and_a_folder_in_use_are_told_plainly(pair: tuple[Dev, Dev], tmp_path: Path) -> None:
    one, _ = pair
    same_folder = one.run("infra.local.dev")
    assert same_folder.returncode == 1
    assert "choose another CRM_STATE_DIR" in same_folder.stderr
    same_port = Dev(tmp_path)
    same_port.port = one.port
    refused = same_port.run("infra.local.dev")
    assert refused.returncode == 1
    assert f"Port {one.port} is taken" in refused.stderr


def test_a_file_is_sent_once_and_its_refused_lines_are_told(pair: tuple[Dev, Dev], tmp_path: Path) -> None:
    one, _ = pair
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "order_id,placed_at,currency,sku,quantity,unit_price,email\n"
        "o1,2026-03-01T09:00:00Z,USD,A,2,10.00,ada@example.com\n"
        "o2,2026-03-01T09:00:00Z,XXL,A,2,10.00,ada@example.com\n"
    )
    for _ in range(2):
        sent = one.run("infra.local.send", str(orders))
        assert sent.returncode == 1
        assert "line 3 (csv-o2-1): data.currency" in sent.stderr
    eventually(lambda: one.status("csv-o1-1") == "applied", "applied", seconds=PATIENCE)


def test_a_file_put_on_the_bus_has_its_effect_and_its_unnamed_lines_are_told(
    pair: tuple[Dev, Dev], tmp_path: Path
) -> None:
    one, _ = pair
    events = tmp_path / "events.jsonl"
    lines = [{**feedback("by-bus"), "shop": "demo"}, {"id": "unnamed"}]
    events.write_text("\n".join(json.dumps(line) for line in lines))
    sent = one.run("infra.local.send", str(events), "--bus")
    assert sent.returncode == 1
    assert "line 2 (None): event: an event on the bus needs its source and type" in sent.stderr
    eventually(lambda: one.status("by-bus") == "applied", "applied", seconds=PATIENCE)


def test_a_dead_letter_is_listed_and_redriven(pair: tuple[Dev, Dev]) -> None:
    one, _ = pair
    one.post({**feedback("poison"), "shop": "demo", "customer": {"id": "cus_nobody"}})
    eventually(lambda: one.status("poison") == "dead_lettered", "dead-lettered", seconds=PATIENCE)
    listed = one.run("infra.local.dead_letters", "list")
    assert "IntakeDeadLetters  poison" in listed.stdout
    redriven = one.run("infra.local.dead_letters", "redrive", "--id", "poison")
    assert "poison: sent to IntakeQueue" in redriven.stdout
