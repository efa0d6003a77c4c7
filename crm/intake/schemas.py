# crm/intake/schemas.py
"""The JSON Schemas (2020-12) of the event types, made from their classes."""

from typing import Any

import msgspec

from crm.intake.event_types import EVENT_TYPES, Envelope, EventType
from crm.intake.examples import example

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def all_schemas() -> dict[str, dict[str, Any]]:
    """By event type; each stands alone and holds its example."""
    return {name: schema_of(kind) for name, kind in EVENT_TYPES.items()}


def envelope_schema() -> dict[str, Any]:
    """What holds of every event, whatever its type; its data is any object."""
    envelope, definitions = _components(dict[str, Any])
    return {"$schema": DIALECT, **envelope, "$defs": definitions}


def schema_of(kind: EventType) -> dict[str, Any]:
    envelope, definitions = _components(kind.data)
    envelope["properties"]["type"] = {"const": kind.name}
    if kind.needs_customer:
        # Required with its object form only: null would say that nobody is meant.
        envelope["properties"]["customer"] = {"$ref": "#/$defs/CustomerPart"}
        envelope["required"] = [*envelope["required"], "customer"]
    if kind.status:
        definitions["OrderData"]["properties"]["status"] = {"const": kind.status}
    return {
        "$schema": DIALECT,
        "title": kind.name,
        "description": kind.description,
        **{key: value for key, value in envelope.items() if key not in {"title", "description"}},
        "examples": [example(kind.name)],
        "$defs": dict(sorted(definitions.items())),
    }


def _components(data: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of an envelope with such data, and those it refers to."""
    generic: Any = Envelope
    (reference,), definitions = msgspec.json.schema_components([generic[data]], ref_template="#/$defs/{name}")
    return definitions.pop(reference["$ref"].rpartition("/")[2]), definitions
