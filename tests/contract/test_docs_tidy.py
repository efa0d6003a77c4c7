# tests/contract/test_docs_tidy.py
"""Pages that many write at once say each thing once, and in order: merges by union leave both sides of a change."""

import re
from collections import Counter

import pytest

from tests.contract.stack import ROOT

PAGES = ["CHANGELOG.md", *(f"docs/{name}.md" for name in ("access-patterns", "errors", "figures", "glossary"))]
HEADING = re.compile(r"^(\| +\||\|-|#|\| (number|word|code|figure|status|question or event) )")


def lines(page: str) -> list[str]:
    text = (ROOT / page).read_text()
    return [line for line in text.splitlines() if line.strip() and not HEADING.match(line)]


def first_cells(page: str) -> list[str]:
    return [line.split("|")[1].strip() for line in lines(page) if line.startswith("| ")]


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_said_twice(page: str) -> None:
    assert [line for line, times in Counter(lines(page)).items() if times > 1] == []


@pytest.mark.parametrize("page", ["docs/glossary.md", "docs/figures.md", "docs/access-patterns.md"])
def test_a_table_has_one_row_for_a_word(page: str) -> None:
    assert [word for word, times in Counter(first_cells(page)).items() if times > 1] == []


def test_an_entry_of_the_changelog_does_not_begin_as_another() -> None:
    begun = Counter(line[:60] for line in lines("CHANGELOG.md") if line.startswith("- "))
    assert [line for line, times in begun.items() if times > 1] == []


def test_access_patterns_stand_in_the_order_of_their_numbers() -> None:
    numbers = [cell for cell in first_cells("docs/access-patterns.md") if re.fullmatch(r"AP-\d+", cell)]
    assert numbers == sorted(numbers, key=lambda number: int(number[3:]))
