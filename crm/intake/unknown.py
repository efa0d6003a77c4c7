# crm/intake/unknown.py
"""What an event says that its type does not know: never refused, since sources grow, but told: people misspell."""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, Final

from msgspec import inspect

from crm.intake.event_types import EVENT_TYPES, Envelope

MOST_TOLD: Final = 20
LONGEST_PATH: Final = 200


def paths(event: Mapping[str, Any]) -> list[str]:
    """Of an event that fits its type: the paths of at most 20 fields that are ignored, in the order of the event."""
    return [path[:LONGEST_PATH] for path in islice(_unknown(event, _form(event["type"]), ""), MOST_TOLD)]


def _unknown(value: Any, form: "Form | None", path: str) -> Iterator[str]:
    if form is None:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in form:
                yield from _unknown(inner, form[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}".removeprefix(".")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _unknown(inner, form, f"{path}[{number}]")


class Form(dict[str, "Form | None"]):
    """The fields of a class by their names on the wire, each with its own form; None for what may hold anything."""


@cache
def _form(name: str) -> Form:
    envelope: Any = Envelope
    form = _of(inspect.type_info(envelope[EVENT_TYPES[name].data]))
    assert form is not None  # an envelope is a class
    return form


def _of(kind: inspect.Type) -> Form | None:
    """A list's is that of its items. None for values, for dictionaries (their keys are the sender's own), and for what
    may be of several forms.
    """
    if isinstance(kind, inspect.Metadata):
        return _of(kind.type)
    if isinstance(kind, inspect.StructType):
        return Form({field.encode_name: _of(field.type) for field in kind.fields})
    if isinstance(kind, inspect.ListType):
        return _of(kind.item_type)
    if isinstance(kind, inspect.UnionType):
        found = [form for form in map(_of, kind.types) if form is not None]
        return found[0] if len(found) == 1 else None
    return None
