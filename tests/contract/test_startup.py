# tests/contract/test_startup.py
"""What the gateway leaves to later to start sooner changes nothing of what it says."""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

from graphql import GraphQLInputObjectType, GraphQLSchema, validate_schema
from graphql.type import is_enum_type, is_interface_type, is_object_type

from schema.schema import schema
from tests.local_system import ROOT

STARTED = """
import dataclasses, gc, sys
import api.app
from graphql.type import assert_name, definition
from schema.customer.customer import Customer
from strawberry.annotation import StrawberryAnnotation, eval_type
from strawberry.utils import typing

assert Customer.__init__.__name__ == "method", "compiled at once"
assert "cryptography.x509.name" not in sys.modules, "read at once"
assert dataclasses.dataclass.__module__ == "dataclasses", "not ended"
assert definition.assert_name is assert_name, "not ended"
assert eval_type is typing.eval_type, "not ended"
assert gc.isenabled(), "not ended"

from schema.export import sdl
from schema.schema import schema
from tests.contract.test_startup import told

print(sdl(), *told(schema.core), sep="\\n")
"""


def told(core: GraphQLSchema) -> Iterator[str]:
    """What a schema knows beyond its text: how each field is read, with what, and what its arguments become."""
    core._validation_errors = None
    yield f"mistakes: {validate_schema(core)}"
    for name, kind in sorted(core.type_map.items()):
        if is_enum_type(kind):
            yield f"{name}: {[(key, value.value) for key, value in kind.values.items()]}"
        if is_object_type(kind) or is_interface_type(kind) or isinstance(kind, GraphQLInputObjectType):
            definition = kind.extensions.get("strawberry-definition")
            yield f"{name}: {definition and definition.origin}"
            for key, field in kind.fields.items():
                yield f"{name}.{key}: {field.type} {_read(field.extensions.get('strawberry-definition'))}"
                for argument, given in getattr(field, "args", {}).items():
                    yield f"{name}.{key}({argument}: {given.type} = {given.default_value!r}) {given.out_name}"


def _read(field: Any) -> str:
    if field is None:
        return "by graphql-core"
    resolver = field.base_resolver
    taken = resolver and [resolver.wrapped_func.__qualname__, *map(str, resolver.reserved_parameters.values())]
    said = f"{field.python_name} {field.type} {field.origin} {field.is_async} {field.default!r} {taken}"
    return re.sub(r" at 0x[0-9a-f]+", "", said)


@cache
def _started() -> list[str]:
    done = subprocess.run([sys.executable, "-c", STARTED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_schema_of_a_short_start_is_the_committed_one() -> None:
    committed = (ROOT / "schema" / "schema.graphql").read_text().splitlines()

    assert _started()[: len(committed)] == committed


def test_fields_are_read_as_after_a_long_start() -> None:
    known = list(told(schema.core))

    assert known[0] == "mistakes: []"
    assert len(known) > 1000
    assert _started()[-len(known) :] == known
