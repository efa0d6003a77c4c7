# schema/forms.py
"""How inputs are made of what was given. A null for a field that cannot be cleared is refused like any other fault of
the form: in `userErrors`, with the path to it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final, Protocol, runtime_checkable

import strawberry
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryMaybe, StrawberryOptional, get_object_definition

from crm.kernel.errors import Fault, InvalidInputs
from schema.principal import Principal

OF_MUTATIONS: Final = "input"


class Null(Enum):
    """Stands in an input where null was given for a `Maybe[T]`."""

    NULL = "null"


def filled_in(kind: type, given: Mapping[str, Any], context: InputContext) -> Any:
    """An input of what was given. Every input of the schema is made here (schema/schema.py)."""
    definition = get_object_definition(kind, strict=True)
    values: dict[str, Any] = {
        field.python_name: None
        for field in definition.fields
        if field.default_value is MISSING and field.default_factory is MISSING
    }
    nulls = []
    for field in definition.fields:
        name = context.config.name_converter.from_field(field)
        if name not in given:
            continue
        field_type = field.resolve_type(type_definition=definition)
        if given[name] is None and isinstance(field_type, StrawberryMaybe):
            clears = isinstance(field_type.of_type, StrawberryOptional)
            values[field.python_name] = strawberry.Some(None) if clears else Null.NULL
            nulls += [] if clears else [name]
        else:
            values[field.python_name] = context.convert(given[name], field_type, name)
    if nulls and context.path[0] != OF_MUTATIONS:  # nobody gathers what is wrong with other arguments
        raise InvalidInputs([_fault(".".join(map(str, (*context.path, name)))) for name in nulls])
    return kind(**values)


def said(given: object) -> dict[str, Any]:
    """What was given for the fields of an input that may be left out, by their names. The null of one that cannot be
    cleared is not among it: that is told of by `faults`.
    """
    return {name: some.value for name, some in vars(given).items() if isinstance(some, strawberry.Some)}


@runtime_checkable
class Judged(Protocol):
    """An input that says what is wrong with it, as far as that can be told without a read."""

    def faults(self, asker: Principal, now: datetime) -> list[Fault]: ...


def faults(given: Any, asker: Principal, now: datetime) -> list[Fault]:
    """What is wrong with the input of a mutation before any service has read anything. What is not the asker's to say
    is told as that only.
    """
    found = [*_version(given), *(given.faults(asker, now) if isinstance(given, Judged) else [])]
    forbidden = {fault.path for fault in found if fault.code == "FORBIDDEN"}
    return [*(_fault(path) for path in _nulls(given, ()) if path not in forbidden), *found]


def _version(given: Any) -> list[Fault]:
    """Of the version that an input expects: there is none below 0."""
    expected = getattr(given, "expected_version", None)
    return [Fault("expected_version", "INVALID", "must be 0 or more")] if expected is not None and expected < 0 else []


def _nulls(given: Any, path: tuple[str, ...]) -> Iterator[str]:
    if given is Null.NULL:
        yield ".".join(path)
    elif isinstance(given, strawberry.Some):
        yield from _nulls(given.value, path)
    elif isinstance(given, list):
        for index, item in enumerate(given):
            yield from _nulls(item, (*path, str(index)))
    elif is_dataclass(given):
        for field in fields(given):
            yield from _nulls(getattr(given, field.name), (*path, field.name))


def _fault(path: str) -> Fault:
    return Fault(path, "REQUIRED", "may not be null")
