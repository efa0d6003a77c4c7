# tests/contract/test_judges.py
"""The judges are pinned, and a break of the contract is accepted only where the changelog names it."""

import json
import re
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
