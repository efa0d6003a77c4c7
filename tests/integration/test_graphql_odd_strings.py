# tests/integration/test_graphql_odd_strings.py
"""Whatever text comes in an input of a mutation, it is taken or refused with the path to it; nothing breaks."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    get_nullable_type,
    is_list_type,
    is_required_input_field,
)

from schema.node import global_id
from schema.schema import schema
from tests.asking import answer

assert schema.core.mutation_type is not None
MUTATIONS = schema.core.mutation_type.fields
TEXTS = {"String", "ID", "EmailAddress", "PhoneNumber"}
UNTYPABLE = ["a\x00b", "\ud800", "a\udc00", "\uffff", "\x1b[31m"]
UNUSUAL = ["", " ", "x" * 100_000, "\u202e\u0301", "a#b|c", "\U0001f984" * 300]
PLAIN: dict[str, Any] = {
    "Int": 1,
    "Float": 1.5,
    "Points": 1,
    "Decimal": "1",
    "Boolean": False,
    "Date": "1990-01-01",
    "DateTime": "2026-01-01T00:00:00Z",
    "TimeZone": "UTC",
    "CountryCode": "DE",
    "CurrencyCode": "EUR",
    "JSON": {},
    "EmailAddress": "a@example.com",
    "PhoneNumber": "+436601234567",
}


def filled(kind: GraphQLInputType) -> Any:
    """The least that fits."""
    inner = get_nullable_type(kind)
    if is_list_type(inner):
        return [filled(inner.of_type)]
    if isinstance(inner, GraphQLInputObjectType):
        return {name: filled(field.type) for name, field in inner.fields.items() if is_required_input_field(field)}
    if isinstance(inner, GraphQLEnumType):
        return next(iter(inner.values))
    return PLAIN.get(str(inner), "text")


def with_text(kind: GraphQLInputType, text: str) -> Iterator[tuple[list[str], Any]]:
    """The least that fits with the text in one place, for each place that takes texts."""
    inner = get_nullable_type(kind)
    if is_list_type(inner):
        yield from ((["0", *path], [value]) for path, value in with_text(inner.of_type, text))
    elif isinstance(inner, GraphQLInputObjectType):
        for name, field in inner.fields.items():
            for path, value in with_text(field.type, text):
                yield [name, *path], filled(inner) | {name: value}
    elif str(inner) in TEXTS:
        yield [], text


def literal(kind: GraphQLInputType, value: Any) -> str:
    """As it is written in a document."""
    inner = get_nullable_type(kind)
    if is_list_type(inner):
        return f"[{', '.join(literal(inner.of_type, each) for each in value)}]"
    if isinstance(inner, GraphQLInputObjectType):
        said = (f"{name}: {literal(inner.fields[name].type, each)}" for name, each in value.items())
        return f"{{{', '.join(said)}}}"
    return str(value) if isinstance(inner, GraphQLEnumType) else json.dumps(value)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_any_text_is_taken_or_refused_with_its_path(outlets: None, ann: str, mutation: str) -> None:
    kind = MUTATIONS[mutation].args["input"].type
    text = f"mutation ($input: {kind}) {{ {mutation}(input: $input) {{ userErrors {{ code field message }} }} }}"
    for odd in UNTYPABLE:
        for path, given in with_text(kind, odd):
            refused = answer(text, {"input": given})
            (error,) = refused.body["errors"]
            assert (refused.status, error["extensions"]["code"]) == (400, "BAD_USER_INPUT"), (path, odd)
            assert error["extensions"]["field"] == ["input", *path]
    for unusual in UNUSUAL:
        for path, given in with_text(kind, unusual):
            if "id" in given and path != ["id"]:
                given["id"] = global_id("Customer", ann)
            body = answer(text, {"input": given}).body
            assert "errors" not in body, (path, unusual[:20], body)
            told = str(body["data"])
            assert len(unusual) < 20 or unusual not in told


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_literals_are_judged_alike(mutation: str) -> None:
    kind = MUTATIONS[mutation].args["input"].type
    for path, given in with_text(kind, "a\x00b"):
        refused = answer(f"mutation {{ {mutation}(input: {literal(kind, given)}) {{ userErrors {{ code }} }} }}")
        assert ["input", *path] in [error["extensions"]["field"] for error in refused.body["errors"]]
