# infra/docs.py
"""`python -m infra.docs [--check]`: the parts of docs/events.md that follow from the event types, of docs/local.md that
follow from the SDL (infra/scopes.py), of docs/api.md that are the example operations (infra/screens.py), and of
docs/segments.md that follow from what queries may say (infra/vocabulary.py).

What stands between the marks is generated; the words around them are written by hand.
"""

import argparse
import inspect
import json
import re
import sys
import typing
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crm.intake.domain_schemas import DOMAIN_EVENTS, bare
from crm.intake.event_types import EVENT_TYPES, EventType
from crm.intake.examples import example
from crm.intake.schemas import schema_of
from crm.kernel.domain_events import DomainEvent
from infra import scopes, screens, vocabulary

EVENTS_PAGE = Path(__file__).parents[1] / "docs" / "events.md"
WIDTH = 110

SHARED = frozenset({"id", "shop", "customerId", "rev", "occurredAt", "cause", "replayed", "correlationId"})
"""Fields that mean the same in every domain event; docs/events.md says it once."""
IDENTIFIER = r"^[^\s#|]+$"
ARTICLES = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false", "object": "object"}
WORDS: dict[Any, str] = {
    str: "text", int: "integer", bool: "true or false", datetime: "RFC 3339, UTC", tuple[str, ...]: "list of texts",
    dict[str, int]: "whole numbers by name",
}  # fmt: skip
SAMPLES: dict[Any, Any] = {
    str: "", int: 0, bool: False, datetime: datetime(2026, 1, 1, tzinfo=UTC), tuple[str, ...]: (),
    dict[str, int]: {},
}  # fmt: skip

Schema = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 where a page is out of date")
    options = parser.parse_args(arguments)
    stale = False
    pages = (
        (EVENTS_PAGE, rendered),
        (scopes.LOCAL_PAGE, scopes.rendered),
        (screens.API_PAGE, screens.rendered),
        (vocabulary.SEGMENTS_PAGE, vocabulary.rendered),
    )
    for page, fresh in pages:
        if fresh(committed := page.read_text()) == committed:
            continue
        if options.check:
            print(f"docs/{page.name} is out of date: make schema", file=sys.stderr)
            stale = True
        else:
            page.write_text(fresh(committed))
    return 1 if stale else 0


def rendered(page: str) -> str:
    """The page with its generated parts as the code has them now. Raises ValueError where a mark is missing."""
    for name, text in (("envelope", envelope()), ("types", event_types()), ("domain", domain_events())):
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        if begin not in page or end not in page:
            raise ValueError(f"docs/events.md has no {begin} … {end}")
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}"
    return page


def envelope() -> str:
    schema = schema_of(EVENT_TYPES["customer.updated"])
    parts = dict(schema["properties"]) | {
        "type": {"type": "string", "description": "One of the types below."},
        "customer": {"type": "object", "description": "Below; required where the type says so."},
        "data": {"type": "object", "description": "What the type says."},
    }
    required = [name for name in schema["required"] if name != "customer"]
    lines = [*_table({"properties": parts, "required": required}, {})]
    customer = schema["$defs"]["CustomerPart"]
    return "\n".join([*lines, "", f"`customer`: {customer['description']}", "", *_table(customer, schema["$defs"])])


def event_types() -> str:
    return "\n\n".join("\n".join(_event_type(kind)) for kind in EVENT_TYPES.values())


def domain_events() -> str:
    return "\n\n".join("\n".join(_domain_event(kind)) for kind in DOMAIN_EVENTS)


def _event_type(kind: EventType) -> Iterator[str]:
    yield f"### `{kind.name}`"
    yield ""
    rules = [kind.description, "`customer` is required." if kind.needs_customer else "`customer` is not looked at."]
    if kind.status:
        rules.append(f"`data.status` is `{kind.status}`.")
    yield " ".join(rules)
    yield ""
    alike = [other for other in EVENT_TYPES.values() if other.data is kind.data]
    if alike[0] is kind:
        # Of types that differ in the status they say, the one that may say any.
        schema = schema_of(next((other for other in alike if other.status is None), kind))
        data = schema["$defs"][kind.data.__name__]
        if "description" in data:
            yield data["description"]
            yield ""
        yield from _table(data, schema["$defs"])
    else:
        yield f"`data` as in [`{alike[0].name}`](#{alike[0].name.replace('.', '')})."
    yield ""
    yield "```json"
    yield written(example(kind.name))
    yield "```"


def _table(schema: Schema, definitions: Schema) -> Iterator[str]:
    yield "| field | | when absent |"
    yield "|---|---|---|"
    yield from _rows(schema, definitions, "")


def _rows(schema: Schema, definitions: Schema, prefix: str) -> Iterator[str]:
    required = schema.get("required", ())
    for name, part in schema["properties"].items():
        path = f"{prefix}{name}"
        said, inner = _said(part, definitions)
        absent = "refused" if name in required else _default(part)
        yield f"| `{path}` | {said} | {absent} |"
        if inner is not None:
            suffix = "[]." if _plain(part, definitions).get("type") == "array" else "."
            yield from _rows(inner, definitions, f"{path}{suffix}")


def _said(part: Schema, definitions: Schema) -> tuple[str, Schema | None]:
    """What may stand in a field, and the schema of the objects in it, if any."""
    plain = _plain(part, definitions)
    inner: Schema | None = None
    match plain:
        case {"const": value}:
            told = f"`{value}`"
        case {"enum": values}:
            told = ", ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": items}:
            said, inner = _said(items, definitions)
            told = f"list of {'objects' if inner else said}{_bounds(plain, 'Items', ' entries')}"
            if inner and "description" in inner:
                told = f"{told}. {inner['description']}"
        case {"type": "object", "properties": _}:
            told, inner = "object", plain
        case {"pattern": pattern} if pattern == IDENTIFIER:
            told = "identifier"
        case {"description": description}:
            told = description + _range(plain)
        case {"pattern": pattern}:
            told = f"text that matches `{_escaped(pattern)}`"
        case _:
            told = plain.get("format") or ARTICLES[plain["type"]]
            told += _bounds(plain, "Length", " characters") + _bounds(plain, "Properties", " fields") + _range(plain)
    if plain is not part and "anyOf" in part and "default" not in part:
        told += "; null clears it"
    return told.rstrip("."), inner


def _plain(part: Schema, definitions: Schema) -> Schema:
    """The part itself, its references followed and its null left out."""
    if "anyOf" in part:
        part = next(form for form in part["anyOf"] if form.get("type") != "null")
    if "$ref" in part:
        found: Schema = definitions[part["$ref"].rpartition("/")[2]]
        return found
    return part


def _bounds(part: Schema, what: str, unit: str) -> str:
    least, most = part.get(f"min{what}"), part.get(f"max{what}")
    if most is None:
        return ""
    return f", {least} to {most}{unit}" if least else f", at most {most}{unit}"


def _range(part: Schema) -> str:
    return f", {part['minimum']} to {part['maximum']}" if "minimum" in part and "maximum" in part else ""


def _default(part: Schema) -> str:
    if "default" not in part:
        return "unchanged" if "anyOf" in part or part.get("type") == "boolean" else "none"
    value = part["default"]
    return "none" if value is None or value in ([], {}) else f"`{json.dumps(value)}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _domain_event(kind: type[DomainEvent]) -> Iterator[str]:
    hints = typing.get_type_hints(kind)
    names = [name for name in hints if typing.get_origin(hints[name]) is not typing.ClassVar]
    types = {name: bare(hints[name]) for name in names}
    sample = typing.cast("Any", kind)(**{name: SAMPLES[types[name]] for name in names})
    yield f"### `{kind.detail_type}`"
    yield ""
    yield from inspect.cleandoc(kind.__doc__ or "").split("\n")
    own = [name for name in sample.detail() if name not in SHARED]
    if own:
        yield ""
        yield "| field | |"
        yield "|---|---|"
    for wire in own:
        name = re.sub("[A-Z]", lambda match: f"_{match.group().lower()}", wire)
        nullable = type(None) in typing.get_args(hints[name])
        yield f"| `{wire}` | {WORDS[types[name]]}{' or null' if nullable else ''} |"


def written(value: Any, *, room: int = WIDTH, pad: str = "") -> str:
    """JSON with each object or list on one line where it fits."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) <= room or not isinstance(value, dict | list) or not value:
        return flat
    inside = pad + "  "
    if isinstance(value, list):
        parts = [written(inner, room=WIDTH - len(inside), pad=inside) for inner in value]
        opening, closing = "[", "]"
    else:
        parts = [_member(name, inner, inside) for name, inner in value.items()]
        opening, closing = "{", "}"
    lines = ",\n".join(f"{inside}{part}" for part in parts)
    return f"{opening}\n{lines}\n{pad}{closing}"


def _member(name: str, value: Any, pad: str) -> str:
    key = f"{json.dumps(name)}: "
    return key + written(value, room=WIDTH - len(pad) - len(key), pad=pad)


if __name__ == "__main__":
    sys.exit(main())
