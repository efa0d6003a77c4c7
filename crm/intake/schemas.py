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


def schema_of(kind: EventType) -> dict[str, Any]:
    generic: Any = Envelope
    (reference,), definitions = msgspec.json.schema_components([generic[kind.data]], ref_template="#/$defs/{name}")
    envelope = definitions.pop(reference["$ref"].rpartition("/")[2])
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
