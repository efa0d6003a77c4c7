# tests/operations.py
"""The example operations with variables of a shop that is there."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from schema.operations import Operation


def meaning(*, customer: str, order: str, email: str, shop: str, now: datetime) -> dict[str, str]:
    """What the placeholders of schema/operations/variables.json stand for; ids are global ones."""
    return {
        "<customer>": customer,
        "<order>": order,
        "<email>": email,
        "<shop>": shop,
        "<now>": now.isoformat(),
        "<today>": now.date().isoformat(),
        "<a year ago>": (now - timedelta(days=365)).date().isoformat(),
    }


def filled(operation: Operation, words: Mapping[str, str]) -> dict[str, Any]:
    """The operation's variables; each `<new key>` is one."""

    def fill(value: Any) -> Any:
        match value:
            case dict():
                return {name: fill(inner) for name, inner in value.items()}
            case list():
                return [fill(inner) for inner in value]
            case "<new key>":
                return f"k-{uuid4().hex[:12]}"
            case str() if value.startswith("<"):
                return words[value]
        return value

    return {name: fill(value) for name, value in operation.variables.items()}
