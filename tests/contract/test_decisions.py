# tests/contract/test_decisions.py
"""Each decision record says what was the case, what was decided, what follows and what was rejected."""

import re
from pathlib import Path

import pytest

from tests.contract.stack import ROOT

FOLDER = ROOT / "docs" / "decisions"
RECORDS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
PARTS = ["Context", "Decision", "Consequences", "Rejected"]
LONGEST = 5_000  # characters: one page

by_name = pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.name)


@by_name
def test_a_record_has_its_four_parts_in_order(record: Path) -> None:
    found = re.findall(r"^(?:## (\w+)$|\*\*(\w+)\.\*\* ?)", record.read_text(), re.MULTILINE)
    assert [heading or lead for heading, lead in found] == PARTS


@by_name
def test_a_record_is_one_page_and_titled_by_its_number(record: Path) -> None:
    text = record.read_text()
    assert text.startswith(f"# {record.name[:4]} ")
    assert len(text) <= LONGEST


@by_name
def test_a_record_is_listed_under_its_title(record: Path) -> None:
    title = record.read_text().splitlines()[0].removeprefix("# ")[5:]
    assert f"| [{record.name[:4]}]({record.name}) | {title} |" in (FOLDER / "README.md").read_text()


def test_no_number_is_given_twice() -> None:
    numbers = [record.name[:4] for record in RECORDS]
    assert len(numbers) == len(set(numbers))


def test_the_records_that_code_names_exist() -> None:
    numbers = {record.name[:4] for record in RECORDS}
    cited = {
        number
        for room in ("api", "bench", "crm", "functions", "infra", "schema", "tests")
        for path in (ROOT / room).rglob("*.py")
        for number in re.findall(r"docs/decisions/(\d{4})", path.read_text())
    }
    assert cited - numbers == set()
