# tests/contract/test_sdl.py
import importlib
import pkgutil
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    Undefined,
    is_non_null_type,
)

import crm
from schema import export
from schema.schema import schema


def test_the_committed_contract_is_what_the_code_says() -> None:
    assert [path.name for path in export.differences()] == []


def described() -> dict[str, Any]:
    """Every element of the schema with what describes it."""
    found: dict[str, Any] = {}
    for name, kind in schema.core.type_map.items():
        if name.startswith("__") or name in {"String", "Int", "Float", "Boolean", "ID"}:
            continue
        found[name] = kind
        if isinstance(kind, GraphQLEnumType):
            found |= {f"{name}.{value}": each for value, each in kind.values.items()}
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field, each in kind.fields.items():
                found[f"{name}.{field}"] = each
                found |= {f"{name}.{field}({arg}:)": one for arg, one in getattr(each, "args", {}).items()}
    return found


def test_everything_in_the_schema_is_described() -> None:
    assert [name for name, element in described().items() if not element.description] == []


def test_lists_and_ids_are_never_null() -> None:
    nullable = [
        name
        for name, element in described().items()
        if "." in name and "(" not in name and hasattr(element, "resolve") and str(element.type).startswith("[")
        if not str(element.type).endswith("!")
    ]
    assert nullable == []


def test_an_argument_with_a_default_may_be_null() -> None:
    """Or relay-compiler refuses every variable for it that has no default of its own."""
    strict = [
        name
        for name, argument in described().items()
        if "(" in name and argument.default_value is not Undefined and is_non_null_type(argument.type)
    ]
    assert strict == []


def test_connections_are_as_relay_wants_them() -> None:
    for name, kind in schema.core.type_map.items():
        if isinstance(kind, GraphQLObjectType) and name.endswith("Connection"):
            node = name.removesuffix("Connection")
            assert str(kind.fields["edges"].type) == f"[{node}Edge!]!"
            assert str(kind.fields["nodes"].type) == f"[{node}!]!"
            assert str(kind.fields["pageInfo"].type) == "PageInfo!"


def test_mutations_take_one_input_and_answer_with_user_errors() -> None:
    mutation = schema.core.mutation_type
    assert mutation is not None
    for name, field in mutation.fields.items():
        payload = f"{name[0].upper()}{name[1:]}Payload"
        assert {arg: str(one.type) for arg, one in field.args.items()} == {
            "input": f"{name[0].upper()}{name[1:]}Input!"
        }
        assert str(field.type) == f"{payload}!"
        kind = schema.core.type_map[payload]
        assert isinstance(kind, GraphQLObjectType)
        assert str(kind.fields["userErrors"].type) == "[UserError!]!"


def test_errors_that_carry_more_can_be_asked_for_side_by_side() -> None:
    """Fields of one name and different types cannot stand in one selection."""
    shared, types = schema.core.type_map["UserError"], dict[str, set[str]]()
    assert isinstance(shared, GraphQLInterfaceType)
    for kind in schema.core.get_implementations(shared).objects:
        for name, field in kind.fields.items():
            types.setdefault(name, set()).add(str(field.type))
    assert {name: found for name, found in types.items() if len(found) > 1} == {}


def test_an_id_is_that_of_an_object_and_what_the_shop_calls_a_thing_is_a_text() -> None:
    """docs/decisions/0043: `ID` is never in a name that ends in Id, and such a name is always a String."""
    wrong = []
    for coordinate, element in described().items():
        name = coordinate.rpartition("(")[2].removesuffix(":)").rpartition(".")[2]
        is_id = str(getattr(element, "type", "")).strip("[]!") == "ID"
        if (is_id and name.endswith("Id")) or (name in {"id", "ids"} and not is_id):
            wrong.append(coordinate)
    assert wrong == []


def test_a_field_that_shows_a_choice_of_ours_shows_all_of_it() -> None:
    """Otherwise it fails where the one it does not know is stored."""
    for module in pkgutil.walk_packages(crm.__path__, "crm."):
        importlib.import_module(module.name)
    ours = {kind: {str(one) for one in kind} for kind in _kinds(StrEnum) if kind.__module__.startswith("crm.")}
    shown = {
        name: {str(getattr(value.value, "value", value.value)) for value in kind.values.values()}
        for name, kind in schema.core.type_map.items()
        if isinstance(kind, GraphQLEnumType) and not name.startswith("__")
    }
    lacking = {
        (name, kind.__name__): sorted(values - known)
        for kind, values in ours.items()
        for name, known in shown.items()
        if known < values and 2 * len(known) >= len(values)
    }
    assert lacking == {("PointsExpiryRounding", "Period"): ["EVER", "WEEK"]}  # another choice of the same words
    whole = {kind.__name__ for kind, values in ours.items() if values in shown.values()}
    assert {"Flaw", "Why", "Movement", "Withheld"} <= whole


def _kinds(of: type[StrEnum]) -> Iterator[type[StrEnum]]:
    for kind in of.__subclasses__():
        yield kind
        yield from _kinds(kind)
