# tests/contract/test_examples.py
"""What people are given to paste: the example operations, and the GraphQL in the README and the docs."""

import json
import re
from pathlib import Path

import pytest
from graphql import FieldNode, TypeInfo, TypeInfoVisitor, Visitor, build_schema, parse, visit

from schema.limits import MOST_COST
from schema.operations import AUDIENCES, FIRST, HERE, NAMED, Operation, operations
from schema.plan import Plan
from tests.asking import execution
from tests.operations import caller

ROOT = Path(__file__).parents[2]
FILES = sorted(HERE.rglob("*.graphql"))


def planned(document: str) -> Plan:
    plan = execution.plans.plan(document, suggestions=True)
    assert plan.errors() == []
    return plan


def blocks() -> list[str]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [block for page in pages for block in re.findall(r"```graphql\n(.*?)```", page.read_text(), re.DOTALL)]


@pytest.mark.parametrize("document", blocks())
def test_an_example_query_fits_the_schema_and_its_limits(document: str) -> None:
    assert planned(document).cost({}) <= MOST_COST


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.name)
def test_an_example_operation_fits_the_schema_its_limits_and_its_callers_rights(operation: Operation) -> None:
    plan = planned(operation.text)
    assert plan.denied(caller(operation, "cus_1")) == ()
    assert plan.cost(operation.variables) <= MOST_COST


def test_all_that_can_be_asked_is_asked_by_an_example_operation() -> None:
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text())
    asked: set[tuple[str, str]] = set()

    class Asking(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            parent = types.get_parent_type()
            assert parent is not None
            asked.add((parent.name, node.name.value))

    for operation in operations():
        types = TypeInfo(schema)
        visit(parse(operation.text), TypeInfoVisitor(types, Asking()))
    roots = [root for root in (schema.query_type, schema.mutation_type) if root is not None]
    assert [f"{root.name}.{name}" for root in roots for name in root.fields if (root.name, name) not in asked] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_one_operation_of_its_name_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    (name,) = NAMED.findall(text)
    noun = "".join(word.capitalize() for word in path.stem.split("_"))
    assert name in {f"{noun}Query", f"{noun}Mutation"}  # as relay-compiler wants it
    assert re.match(r"# [^\n]+[.?]\n(query|mutation) ", text)


def test_an_operation_that_takes_variables_comes_with_some_to_try_and_no_other_does() -> None:
    taking = {
        operation.name
        for operation in operations()
        if re.search(r"^(query|mutation) \w+\(", operation.text, re.MULTILINE)
    }
    assert set(json.loads((HERE / "variables.json").read_text())) == taking


def test_newcomers_begin_with_the_home_screen_and_queries_come_before_mutations() -> None:
    assert operations()[0].name == "HomeQuery"
    for audience in AUDIENCES:
        names = [operation.name for operation in operations() if operation.audience == audience]
        assert names[0] == FIRST[audience]
        assert [name.endswith("Mutation") for name in names] == sorted(name.endswith("Mutation") for name in names)
