# tests/contract/test_docs_links.py
"""What the pages point at is there: files, headings, commands."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.stack import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ONE_SCREEN = 80  # lines

NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    yield from LINK.findall(text)


def headings(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def targets() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        found = (page.parent / path).resolve() if path else page
        if not found.exists() or (anchor and anchor not in headings(found)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_the_commands_a_page_names_exist(page: Path) -> None:
    code = re.findall(r"`([^`\n]+)`", page.read_text()) + re.findall(r"^(make .+)$", page.read_text(), re.MULTILINE)
    named = {name for text in code for name in re.findall(r"\bmake ([a-z][a-z0-9-]+)", text)}
    assert named - targets() == set()


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_the_modules_a_page_runs_exist(page: Path) -> None:
    modules = set(re.findall(r"python -m ([\w.]+)", page.read_text()))
    missing = {name for name in modules if name.split(".")[0] in {"infra", "schema", "tests", "bench"}} - {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for room in ("infra", "schema", "tests", "bench")
        for path in (ROOT / room).rglob("*.py")
    }
    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_the_files_a_page_names_exist(page: Path) -> None:
    rooms = "api|bench|crm|docs|functions|infra|requirements|schema|tests"
    named = set(re.findall(rf"`((?:{rooms})/[\w./-]+\.(?:py|md|json|graphql|txt))`", page.read_text()))
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_readme_is_one_screen() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= ONE_SCREEN


def test_the_readme_names_the_two_commands_and_every_page() -> None:
    text = (ROOT / "README.md").read_text()
    assert "`make dev`" in text
    assert "`make test`" in text
    pages = {str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md")}
    assert pages - set(LINK.findall(text)) == set()


def test_every_target_is_helped_with() -> None:
    helped = set(re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    ordered = [
        "help",
        "dev",
        "test",
        "check",
        "e2e",
        "faults",
        "bench",
        "judges",
        "schema",
        "lock",
        "dlq",
        "redrive",
        "clean",
    ]
    assert set(ordered) - helped == set()
