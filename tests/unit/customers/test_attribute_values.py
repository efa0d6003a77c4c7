# tests/unit/customers/test_attribute_values.py
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from crm.customers.attribute_values import take_on
from crm.customers.attributes import MOST_BYTES, MOST_DEFINITIONS, written
from crm.customers.history import FieldChange
from crm.customers.models import CustomerAttributes
from crm.customers.provenance import Occasion, Origin
from crm.kernel.actor import Actor, Role

AT = datetime(2026, 3, 1, tzinfo=UTC)
VALUES = some.sampled_from([None, "a", "b", True, False, ["a", "b"], ["b"], {"minor": 1, "currency": "EUR"}])
EVENTS = some.lists(
    some.tuples(
        some.integers(0, 2),
        some.dictionaries(some.sampled_from(["size", "club", "vip"]), VALUES, min_size=1),
        some.sampled_from(["shop", "till", "crm"]),
    ),
    max_size=7,
)
Said = tuple[int, dict[str, Any], str]


def new() -> CustomerAttributes:
    return CustomerAttributes.of("demo", "cus_1")


def occasion(seconds: int, source: str = "shop") -> Occasion:
    return Occasion(Origin.of_event(source), "event:e", AT + timedelta(seconds=seconds), AT + timedelta(days=1))


def ended(events: list[Said]) -> dict[str, Any]:
    stored = new()
    for seconds, values, source in events:
        take_on(stored, values, occasion(seconds, source))
    return dict(stored.states)


@given(EVENTS.flatmap(lambda events: some.tuples(some.just(events), some.permutations(events))))
def test_any_order_of_arrival_ends_in_the_same_values(both: tuple[list[Said], list[Said]]) -> None:
    assert ended(both[0]) == ended(both[1])


def test_the_later_event_decides_and_one_that_loses_changes_nothing() -> None:
    stored = new()
    assert take_on(stored, {"size": "42"}, occasion(2)) == [FieldChange("attributes.size", None, "42")]
    assert take_on(stored, {"size": "41"}, occasion(1)) is None
    assert take_on(stored, {"size": None}, occasion(3)) == [FieldChange("attributes.size", "42", None)]
    assert take_on(stored, {"size": "41"}, occasion(2)) is None
    assert stored.states["size"]["value"] is None


def test_a_value_said_again_moves_its_time_and_tells_of_no_change() -> None:
    stored = new()
    take_on(stored, {"vip": True}, occasion(1))
    assert take_on(stored, {"vip": True}, occasion(5)) == []
    assert take_on(stored, {"vip": False}, occasion(3)) is None


def test_all_attributes_of_a_shop_fit_one_item() -> None:
    longest = "x" * (MOST_BYTES - 2)
    assert len(written(longest)) == MOST_BYTES
    stored, by = new(), Origin.here(Actor(Role.STAFF, "s" * 255))
    values = {f"k{number:039}": longest for number in range(MOST_DEFINITIONS)}
    take_on(stored, values, Occasion(by, "customer:cus_1:attributes:1", AT, AT))
    assert len(stored.states) == MOST_DEFINITIONS
    assert len(CustomerAttributes.states.serialize(stored.states).encode()) < 300_000
