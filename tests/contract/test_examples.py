# tests/contract/test_examples.py
import re
from pathlib import Path

import pytest

from schema.limits import MOST_COST
from tests.asking import STAFF, execution

ROOT = Path(__file__).parents[2]


def examples() -> list[str]:
    """What people are given to paste: GraphiQL's tabs, and the GraphQL in the README and the docs."""
    tabs: list[str] = re.findall(
        r"^  `(.*?)`,$", (ROOT / "api/pages/graphiql.js").read_text(), re.MULTILINE | re.DOTALL
    )
    assert len(tabs) == 3
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    blocks: list[str] = [
        block for page in pages for block in re.findall(r"```graphql\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    return tabs + blocks


@pytest.mark.parametrize("document", examples())
def test_an_example_query_fits_the_schema_and_its_limits(document: str) -> None:
    plan = execution.plans.plan(document, suggestions=True)
    assert plan.errors() == []
    assert plan.denied(STAFF) is None
    assert plan.cost({}) <= MOST_COST
