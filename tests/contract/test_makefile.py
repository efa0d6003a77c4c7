# tests/contract/test_makefile.py
"""What a command of the Makefile hands over to the program it starts."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.contract.stack import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder that is set up, with a Python that only tells its environment."""
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "requirements").mkdir()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv-emulator").mkdir()
    for name in ("requirements/dev.txt", "requirements/emulator.txt", ".venv/.done", ".venv-emulator/.done"):
        (tmp_path / name).touch()
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text("#!/bin/sh\nenv\n")
    python.chmod(0o755)
    return tmp_path


def told(folder: Path, *arguments: str) -> dict[str, str]:
    settings = {"CRM_PORT", "CRM_STATE_DIR", "CRM_DEMO", "CRM_BUDGETS"}
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    command = ["make", "--silent", "dev", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    found = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    return {name: found[name] for name in sorted(settings & found.keys())}


def test_a_plain_make_dev_hands_over_no_setting_not_even_an_empty_one(clone: Path) -> None:
    assert told(clone) == {}


def test_what_is_said_on_the_command_line_is_handed_over(clone: Path) -> None:
    assert told(clone, "CRM_PORT=8017", "CRM_BUDGETS=customer=20/1") == {
        "CRM_BUDGETS": "customer=20/1",
        "CRM_PORT": "8017",
    }
