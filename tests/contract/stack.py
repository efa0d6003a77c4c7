# tests/contract/stack.py
"""`template.yaml` as CloudFormation sees it after the SAM transform, references left in place."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from infra.local.template import transformed

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"

Properties = dict[str, Any]


@cache
def template() -> dict[str, Any]:
    return transformed(TEMPLATE)


def resources() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = template()["Resources"]
    return found


def of_type(kind: str) -> dict[str, Properties]:
    """The properties of every resource of a type, by logical id."""
    return {name: r.get("Properties", {}) for name, r in resources().items() if r["Type"] == kind}


def names_in(value: Any) -> set[str]:
    """The logical ids and parameters a value refers to."""
    match value:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [str(name), *_]} | {"Fn::GetAtt": str(name)}:
            return {name.split(".")[0]}
        case {"Fn::Sub": str(text)}:
            return {name.split(".")[0] for name in re.findall(r"\$\{([^}!]+)\}", text)}
        case dict():
            return set().union(*(names_in(inner) for inner in value.values()))
        case list():
            return set().union(*(names_in(inner) for inner in value))
    return set()


def name_in(value: Any) -> str:
    """The one logical id a value refers to."""
    (name,) = names_in(value)
    return name


def written(value: Any) -> str:
    """A reference as text: `Table.Arn/index/listing`."""
    match value:
        case str():
            return value
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"{name}.{attribute}"
        case {"Fn::GetAtt": str(name)}:
            return name
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", r"\1", text)
    raise AssertionError(f"an intrinsic that the local run cannot read: {value}")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    return listed(document["Statement"])


def statements_of_role(role: Properties) -> Iterator[dict[str, Any]]:
    for policy in role.get("Policies", []):
        yield from statements(policy["PolicyDocument"])


def allowed(role: Properties) -> set[tuple[str, str]]:
    """(action, resource) pairs a role is allowed, resources as `written`."""
    return {
        (action, written(resource))
        for statement in statements_of_role(role)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def role_of(function: str) -> Properties:
    role: Properties = of_type("AWS::IAM::Role")[name_in(of_type("AWS::Lambda::Function")[function]["Role"])]
    return role


def mappings(*, of: str) -> dict[str, Properties]:
    """Event source mappings whose source is a resource of a type, by logical id."""
    sources = of_type(of)
    return {
        name: mapping
        for name, mapping in of_type("AWS::Lambda::EventSourceMapping").items()
        if names_in(mapping["EventSourceArn"]) <= set(sources)
    }


def targets() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every (rule, target)."""
    for name, rule in of_type("AWS::Events::Rule").items():
        for target in rule["Targets"]:
            yield name, target


def filtered_kinds(mapping: Properties) -> set[str]:
    """The kinds of items a stream mapping lets through."""
    kinds: set[str] = set()
    for criterion in mapping.get("FilterCriteria", {}).get("Filters", []):
        pattern = json.loads(criterion["Pattern"])
        kinds |= set(pattern["dynamodb"]["NewImage"]["kind"]["S"])
    return kinds
