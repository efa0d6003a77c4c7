# tests/unit/kernel/test_stored_values.py
import pickle
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.exceptions import AttributeDeserializationError
from pynamodb.models import Model

from crm.kernel.table import Item, Part


class Leg(Part):
    port = UnicodeAttribute()
    days = NumberAttribute(default=1)


class Voyage(Item, discriminator="Voyage"):
    name = UnicodeAttribute()
    captain = UnicodeAttribute(null=True)
    crew = NumberAttribute(default=0)
    sailed_at = UTCDateTimeAttribute()
    legs: ListAttribute[Leg] = ListAttribute(of=Leg, default=list)


class Cruise(Item, discriminator="Cruise"):
    name = UnicodeAttribute()


def raw(**more: Any) -> dict[str, Any]:
    return {
        "pk": {"S": "SHIP#1"},
        "sk": {"S": "VOYAGE#1"},
        "kind": {"S": "Voyage"},
        "name": {"S": "home"},
        "sailed_at": {"S": "2026-01-02T03:04:05.000000+0000"},
        "legs": {"L": [{"M": {"port": {"S": "Trieste"}, "days": {"N": "3"}}}, {"M": {"port": {"S": "Bari"}}}]},
        **more,
    }


def test_an_attribute_reads_as_pynamodb_would_have_decoded_it() -> None:
    voyage = Voyage.from_raw_data(raw())
    assert [voyage.name, voyage.captain, voyage.crew] == ["home", None, 0]
    assert voyage.sailed_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert [(leg.port, leg.days) for leg in voyage.legs] == [("Trieste", 3), ("Bari", 1)]
    assert voyage.attribute_values["kind"] is Voyage


def test_an_item_that_was_read_and_never_looked_at_is_written_back_as_it_was() -> None:
    eager: Any = Voyage()
    Model.deserialize(eager, raw())
    assert Voyage.from_raw_data(raw()).serialize() == eager.serialize()
    assert set(raw()) <= set(eager.serialize())


def test_what_was_set_stands_whether_it_was_read_before_or_not() -> None:
    voyage = Voyage.from_raw_data(raw(captain={"S": "Ada"}, crew={"N": "7"}))
    voyage.captain = None
    voyage.crew = 8
    voyage.legs[0].days = 5
    assert [voyage.captain, voyage.crew, voyage.legs[0].days] == [None, 8, 5]
    written = voyage.serialize()
    assert "captain" not in written
    assert written["crew"] == {"N": "8"}
    assert written["legs"]["L"][0]["M"]["days"] == {"N": "5"}


def test_two_items_without_a_list_do_not_share_the_default() -> None:
    one, other = (Voyage.from_raw_data({**raw(), "legs": {"NULL": True}}) for _ in range(2))
    one.legs.append(Leg(port="Pula"))
    assert [leg.port for leg in one.legs] == ["Pula"]
    assert other.legs == []


def test_a_value_of_the_wrong_type_is_found_where_it_is_asked_for() -> None:
    voyage = Voyage.from_raw_data(raw(name={"N": "1"}))
    assert voyage.crew == 0
    with pytest.raises(AttributeDeserializationError):
        _ = voyage.name


@pytest.mark.parametrize("spoilt", [{"captain": {"N": "1"}}, {"legs": {"L": [{"M": {"port": {"N": "1"}}}]}}])
def test_an_item_that_must_be_whole_is_decoded_to_its_last_part(spoilt: dict[str, Any]) -> None:
    assert Voyage.from_raw_data(raw()).decode().name == "home"
    with pytest.raises(AttributeDeserializationError):
        Voyage.from_raw_data(raw(**spoilt)).decode()


def test_an_item_of_another_kind_is_not_read_as_this_one() -> None:
    with pytest.raises(ValueError, match="Cannot instantiate a Cruise"):
        Cruise.from_raw_data(raw())
    assert isinstance(Item.from_raw_data(raw()), Voyage)


def test_the_values_behave_as_the_dictionary_that_pynamodb_fills() -> None:
    values = Voyage.from_raw_data(raw()).attribute_values
    assert "name" in values
    assert "captain" not in values
    assert "nonsense" not in values
    assert values["crew"] == 0
    with pytest.raises(KeyError):
        _ = values["captain"]
    assert set(values) == {"pk", "sk", "kind", "name", "crew", "sailed_at", "legs"}
    assert len(values) == len(list(values.values())) == len(list(values.items()))
    assert deepcopy(values)["name"] == pickle.loads(pickle.dumps(dict(values, kind=None, legs=None)))["name"]  # noqa: S301  our own
