# tests/operations.py
"""The example operations with variables of a shop that is there, and who asks them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from schema.node import GlobalId
from schema.operations import Operation
from schema.principal import Principal
from tests.asking import STAFF, VISITOR, as_customer


def caller(operation: Operation, customer_id: str) -> Principal:
    return {"apps": as_customer(customer_id), "visitors": VISITOR, "staff": STAFF}[operation.audience]


def meaning(
    *,
    customer: str,
    order: str,
    email: str,
    shop: str,
    now: datetime,
    moved: str = "",
    segments: tuple[str, str] = ("", ""),
    reward: str = "",
) -> dict[str, str]:
    """What the placeholders of schema/operations/variables.json stand for; ids are global, `moved` is an import's."""
    named = GlobalId.parse(order)
    assert named is not None
    return {
        "<customer>": customer,
        "<order>": order,
        "<order number>": named.parts[0],
        "<email>": email,
        "<import>": moved,
        "<segment>": segments[0],
        "<another segment>": segments[1],
        "<reward>": reward,
        "<shop>": shop,
        "<now>": now.isoformat(),
        "<today>": now.date().isoformat(),
        "<a day with orders>": (now - timedelta(days=1)).date().isoformat(),
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
