# tests/contract/test_access_patterns.py
"""docs/access-patterns.md, the functions that ask the store, and the numbers cited in code say the same."""

import ast
import importlib
import inspect
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.stack import ROOT

PAGE = (ROOT / "docs" / "access-patterns.md").read_text()
ROW = re.compile(r"^\| (AP-\d{2,3}) \|.*\| `([\w.]+):(\w+)` \|$", re.MULTILINE)
PATTERNS: dict[str, tuple[str, str]] = {number: (module, name) for number, module, name in ROW.findall(PAGE)}
CITED = re.compile(r"AP-(\d{2,3})(?: to AP-(\d{2,3}))?")

# How patterns are asked, not patterns.
MEANS = {"crm/kernel/timeline.py", "crm/kernel/batch_reads.py", "crm/kernel/table.py"}
MODEL = "[A-Z][A-Za-z]*[a-z][A-Za-z]*"  # not a CONSTANT, which is likely a dictionary
READING = re.compile(
    rf"batch_reads\.read|timeline\.newest|client\(\)\.query|{MODEL}(\.\w+)?\.query|{MODEL}\.(get|batch_get)"
)


def readers(path: Path) -> Iterator[str]:
    """The public functions of a file that ask the store themselves."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            called = {ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
            if any(READING.fullmatch(name) for name in called):
                yield node.name


def function(number: str) -> Any:
    module, name = PATTERNS[number]
    return getattr(importlib.import_module(module), name)


def cited() -> Iterator[tuple[str, str]]:
    """(file, number) of every citation; of a range, its ends."""
    for room in ("crm", "schema", "functions", "infra", "api", "docs"):
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in {".py", ".md"}:
                for match in CITED.finditer(path.read_text()):
                    yield from ((str(path.relative_to(ROOT)), f"AP-{end}") for end in match.groups() if end)


def test_no_number_is_given_twice_and_they_stand_in_order() -> None:
    numbers = re.findall(r"^\| (AP-\d{2,3}) \|", PAGE, re.MULTILINE)
    assert [number for number, times in Counter(numbers).items() if times > 1] == []
    assert numbers == sorted(numbers, key=lambda number: int(number[3:]))
    assert set(numbers) == set(PATTERNS), "a row whose last column names no function"


@pytest.mark.parametrize("number", PATTERNS)
def test_a_pattern_has_its_function_which_cites_it(number: str) -> None:
    assert number in (inspect.getdoc(function(number)) or "")


@pytest.mark.parametrize("number", PATTERNS)
def test_a_pattern_is_cited_where_its_keys_are_designed(number: str) -> None:
    module = PATTERNS[number][0]
    models = ROOT / Path(*module.split(".")).parent / "models.py"
    designed = models if models.exists() else ROOT / Path(*module.split(".")).with_suffix(".py")
    numbers = {
        f"AP-{each:02}"
        for match in CITED.finditer(ast.get_docstring(ast.parse(designed.read_text())) or "")
        for each in range(int(match[1]), int(match[2] or match[1]) + 1)
    }
    assert number in numbers, f"{designed.relative_to(ROOT)} does not name it"


def test_every_number_that_is_cited_exists() -> None:
    assert [(file, number) for file, number in cited() if number not in PATTERNS] == []


def test_every_function_that_asks_the_store_is_a_pattern() -> None:
    known = set(PATTERNS.values())
    asking = {
        (".".join(path.relative_to(ROOT).with_suffix("").parts), name)
        for path in sorted((ROOT / "crm").rglob("*.py"))
        if str(path.relative_to(ROOT)) not in MEANS
        for name in readers(path)
    }
    assert asking - known == set()
    assert len(asking) >= 25, "the search finds less than there is"
