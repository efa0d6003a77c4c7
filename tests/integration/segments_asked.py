# tests/integration/segments_asked.py
"""Segments as GraphQL defines them, and customers who are brought up to them."""

from datetime import datetime, timedelta
from typing import Any

from crm.customers import service as customers
from crm.segmentation import keeping
from crm.segmentation import service as segmentation
from schema.node import GlobalId
from tests.asking import NOW, ask
from tests.shop_events import deliver, event

LATER = NOW + timedelta(hours=1)


def changed(mutation: str, selection: str, *, now: datetime = NOW, **given: Any) -> dict[str, Any]:
    """What a mutation answers that takes one input."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    asked = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {selection} }} }}"
    found: dict[str, Any] = ask(asked, {"input": given}, now=now)[mutation]
    return found


def defined(name: str, query: str, *, now: datetime = NOW) -> str:
    """A segment, by id."""
    found = changed("segmentCreate", "segment { id } userErrors { code }", now=now, name=name, query=query)
    assert found["userErrors"] == []
    return str(found["segment"]["id"])


def key_of(id: str) -> str:
    parsed = GlobalId.parse(id)
    assert parsed is not None
    return parsed.parts[0]


def known(number: int, **said: Any) -> str:
    """A customer, by their key."""
    deliver(event("customer.updated", {}, customer={"externalId": f"c{number}", **said}))
    found = customers.find("demo", "external", f"c{number}", source="shopify")
    assert found is not None
    return found


def caught_up(*, now: datetime = NOW) -> None:
    """All customers are looked at by the definitions in force."""
    in_force = segmentation.current("demo", now=now)
    for shard in range(customers.SHARDS):
        for profile in customers.list_shard("demo", shard, before=None, limit=100):
            keeping.bring_up(customers.take_snapshot("demo", profile.customer_id), in_force, now=now)
