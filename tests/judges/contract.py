# tests/judges/contract.py
"""The contract that front ends build on already, and the breaks of it that the changelog announces."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.local_system import ROOT

SDL: Final = "schema/schema.graphql"
ANNOUNCED = re.compile(r"^- Breaking: (.+)$", re.MULTILINE)


class NothingEarlier(Exception):
    """There is no earlier contract to compare with, as in a clone of depth one."""


def earlier(into: Path) -> str:
    """Write the earlier contract and return where it is from: the last release, before the first one `main`.

    On `main` itself, the commit before. Raises NothingEarlier.
    """
    candidates = (
        ("describe", "--tags", "--match", "v[0-9]*", "--abbrev=0"),
        ("merge-base", "HEAD", "main"),
        ("merge-base", "HEAD", "origin/main"),
        ("rev-parse", "HEAD^"),
    )
    head = _git("rev-parse", "HEAD")
    for candidate in candidates:
        commit = _git(*candidate)
        text = _git("show", f"{commit}:{SDL}") if commit and commit != head else None
        if text:
            into.write_text(text)
            return str(commit)
    raise NothingEarlier


def unannounced(breaks: Iterable[tuple[str, str]]) -> list[str]:
    """The breaks that no line `- Breaking:` of the unreleased changes names by its coordinate, in backticks."""
    changes = (ROOT / "CHANGELOG.md").read_text().partition("## [Unreleased]")[2].partition("\n## [")[0]
    named = {coordinate for line in ANNOUNCED.findall(changes) for coordinate in re.findall(r"`([@\w.]+)`", line)}
    return [f"{path}: {message}" for path, message in breaks if path not in named]


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
