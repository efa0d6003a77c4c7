# crm/customers/attribute_values.py
"""What is stored of a customer's attributes: each value with its time and origin, and what an occasion does to them."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from crm.customers import attribute_definitions, attributes, history, profile
from crm.customers.attributes import THIRD
from crm.customers.history import FieldChange
from crm.customers.models import AttributeDefinition, CustomerAttributes
from crm.customers.provenance import Occasion, Origin, Provenance
from crm.kernel import clock
from crm.kernel.errors import Fault

PREFIX = "attributes."
"""Before a key, where attributes stand beside the fields of a profile."""


class AttributeValue(Struct, frozen=True):
    """A value as it is stored (crm/customers/attributes.py says how), its definition and where it comes from."""

    definition: AttributeDefinition
    value: Any
    provenance: Provenance

    def is_third_party(self, third_parties: frozenset[str]) -> bool:
        """The definition says so, or the source does."""
        return self.definition.party == THIRD or self.provenance.is_third_party(third_parties)


def said_in_event(shop: str, said: Mapping[str, Any], *, now: datetime) -> tuple[dict[str, Any], list[Fault]]:
    """What an event says, as it is stored, and what of it is ignored and why, with paths as in the event.

    It is judged by the definitions as they were at most a minute ago; none is ignored but by those that hold now.
    """

    def path(key: str) -> str:
        return f"customer.{PREFIX}{key}"

    if not said:
        return {}, []
    known = attribute_definitions.current(shop, now=now)
    values, faults = attributes.judged(attribute_definitions.rules_of(known), said, path=path)
    if faults:
        known = attribute_definitions.fresh(shop, now=now)
        values, faults = attributes.judged(attribute_definitions.rules_of(known), said, path=path)
    return values, faults


def take_on(stored: CustomerAttributes, given: Mapping[str, Any], occasion: Occasion) -> list[FieldChange] | None:
    """Write to `stored` what wins over what it holds; return what changed, None where not even a time or origin did."""
    if not given:
        return None
    known = {key: stored.states[key]["value"] for key in given if key in stored.states}
    won = profile.taken_on(
        known,
        {key: state["at"] for key, state in stored.states.items()},
        {key: state["origin"] for key, state in stored.states.items()},
        given,
        occurred_at=occasion.occurred_at,
        origin=str(occasion.origin),
    )
    if not won.times:
        return None
    stored.states = stored.states | {
        key: {"value": given[key], "at": at, "origin": won.origins[key]} for key, at in won.times.items()
    }
    before, after = (
        {PREFIX + key: attributes.shown(values.get(key)) for key in won.values} for values in (known, given)
    )
    return history.differences(before, after)


def values(
    stored: CustomerAttributes, shop: str, *, now: datetime, shows: Callable[[AttributeDefinition], bool]
) -> list[AttributeValue]:
    """The values that are set, by key, where the definition shows them. Reads the definitions at most once a minute."""
    states = {key: state for key, state in stored.states.items() if state["value"] is not None}
    if not states:
        return []
    known = attribute_definitions.current(shop, now=now, knowing=states)
    return [
        AttributeValue(
            known[key],
            state["value"],
            Provenance(PREFIX + key, clock.parse(state["at"]), Origin.parse(state["origin"])),
        )
        for key, state in sorted(states.items())
        if shows(known[key])
    ]


def after(stored: CustomerAttributes, given: Mapping[str, Any], now: datetime) -> datetime:
    """Now, or just after what a source whose clock runs ahead has said."""
    told = [clock.parse(stored.states[key]["at"]) for key in given if key in stored.states]
    return max([now, *(at + timedelta(microseconds=1) for at in told)])
