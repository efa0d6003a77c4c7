# tests/contract/test_judges.py
"""The judges are pinned, and a break of the contract is accepted only where the changelog names it."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract.stack import ROOT
from tests.judges import contract

HERE = ROOT / "tests" / "judges"
PACKAGES: dict[str, Any] = json.loads((HERE / "package.json").read_text())
LOCK: dict[str, Any] = json.loads((HERE / "package-lock.json").read_text())


def test_every_package_is_named_with_its_exact_version() -> None:
    named = {**PACKAGES["devDependencies"], **PACKAGES["overrides"]}
    assert [name for name, version in named.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_every_package_is_locked_by_its_hash_and_without_an_address() -> None:
    locked = {name: package for name, package in LOCK["packages"].items() if name}
    assert [name for name, package in locked.items() if not package.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, package in locked.items() if "resolved" in package] == []


def test_install_scripts_never_run() -> None:
    assert "ignore-scripts=true" in (HERE / ".npmrc").read_text().split()


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ("- Breaking: `Customer.email` is gone.", ["Order.id: gone"]),
        ("- Breaking: `Customer.email` and `Order.id` are gone.", []),
        ("- `Customer.email` and `Order.id` are gone.", ["Customer.email: gone", "Order.id: gone"]),
        ("\n## [1.0.0]\n\n- Breaking: `Order.id` is gone.", ["Customer.email: gone", "Order.id: gone"]),
    ],
)
def test_a_break_is_announced_by_its_coordinate_in_the_unreleased_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: str, left: list[str]
) -> None:
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## [Unreleased]\n\n{changes}\n")
    monkeypatch.setattr(contract, "ROOT", tmp_path)
    assert contract.unannounced([("Customer.email", "gone"), ("Order.id", "gone")]) == left


def test_a_break_of_a_directive_is_announced_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n\n- Breaking: `@access` has another argument.\n")
    monkeypatch.setattr(contract, "ROOT", tmp_path)
    assert contract.unannounced([("@access", "Argument added"), ("@oneOf", "gone")]) == ["@oneOf: gone"]


@pytest.mark.parametrize(("node", "judged"), [("echo v20.11.1", True), ("echo v18.0.0", False), (None, False)])
def test_a_change_is_judged_where_there_is_node_20_and_elsewhere_that_is_said(
    tmp_path: Path, node: str | None, *, judged: bool
) -> None:
    (tmp_path / ".ci").mkdir()
    copied = tmp_path / ".ci" / "run"
    copied.write_text((ROOT / ".ci" / "run").read_text())
    commands = tmp_path / "commands"
    commands.mkdir()
    for name, does in {"make": 'echo "make $1"', "node": node, "dirname": "echo .ci"}.items():
        if does:
            (commands / name).write_text(f"#!/bin/sh\n{does}\n")
            (commands / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", ".ci/run"], cwd=tmp_path, env={"PATH": str(commands)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:-1] == ["make check", "make test", "make e2e", *["make judges"] * judged]
    assert bool(done.stderr) is not judged
