# tests/integration/test_attribute_definitions.py
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.customers import attribute_definitions as definitions
from crm.customers import attributes, repository
from crm.customers.attribute_definitions import AttributeFields
from crm.customers.refusals import TooManyAttributes
from crm.kernel.errors import InvalidInputs, NotFound, VersionMismatch

pytestmark = pytest.mark.usefixtures("shop")

SIZES = AttributeFields(name="Size", type="choice", choices=[("s", "Small"), ("m", "Medium")])


def faults(key: str, said: AttributeFields, now: datetime) -> dict[str, str]:
    with pytest.raises(InvalidInputs) as refusal:
        definitions.define("demo", key, said, now=now)
    return {fault.path: fault.code for fault in refusal.value.faults}


def test_a_definition_is_changed_field_by_field_and_counts_its_versions(now: datetime) -> None:
    definitions.define("demo", "size", SIZES, now=now)
    later = now + timedelta(hours=1)
    changed = definitions.define("demo", "size", AttributeFields(description="Of shirts."), now=later)
    assert (changed.name, changed.type, changed.description, changed.rev) == ("Size", "choice", "Of shirts.", 2)
    assert (changed.created_at, changed.updated_at) == (now, later)
    assert [choice["key"] for choice in changed.choices] == ["s", "m"]


def test_the_type_of_a_key_is_for_ever(now: datetime) -> None:
    definitions.define("demo", "size", SIZES, now=now)
    assert faults("size", AttributeFields(type="text"), now) == {"type": "FIXED"}
    definitions.define("demo", "notes", AttributeFields(name="Notes", type="list", element_type="text"), now=now)
    assert faults("notes", AttributeFields(element_type="number"), now) == {"element_type": "FIXED"}
    definitions.retire("demo", "size", now=now)
    assert faults("size", AttributeFields(type="text", name="Size"), now) == {"type": "FIXED"}


def test_a_version_that_is_not_the_stored_one_is_refused(now: datetime) -> None:
    definitions.define("demo", "size", SIZES, now=now, expected_version=0)
    for version in (0, 2):
        with pytest.raises(VersionMismatch):
            definitions.define("demo", "size", SIZES, now=now, expected_version=version)
    with pytest.raises(VersionMismatch):
        definitions.retire("demo", "size", now=now, expected_version=2)
    assert definitions.retire("demo", "size", now=now, expected_version=1).rev == 2


def test_an_attribute_that_was_retired_takes_values_again_once_it_is_defined_anew(now: datetime) -> None:
    definitions.define("demo", "size", SIZES, now=now)
    assert definitions.retire("demo", "size", now=now).retired_at == now
    assert definitions.retire("demo", "size", now=now + timedelta(hours=1)).retired_at == now
    assert definitions.define("demo", "size", AttributeFields(), now=now).retired_at is None
    with pytest.raises(NotFound):
        definitions.retire("demo", "nothing", now=now)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({}, {"name": "REQUIRED", "type": "REQUIRED"}),
        ({"name": " ", "type": "map"}, {"name": "INVALID", "type": "INVALID"}),
        ({"type": "list"}, {"element_type": "REQUIRED"}),
        ({"type": "list", "element_type": "list"}, {"element_type": "INVALID"}),
        ({"type": "text", "element_type": "text"}, {"element_type": "INVALID"}),
        ({"type": "choice"}, {"choices": "REQUIRED"}),
        ({"type": "text", "choices": [("a", "A")]}, {"choices": "INVALID"}),
        ({"type": "choice", "choices": [("a", "A"), ("a", "B")]}, {"choices": "INVALID"}),
        ({"type": "choice", "choices": [("a b", "A")]}, {"choices": "INVALID"}),
        ({"type": "choice", "choices": [("a", "")]}, {"choices": "INVALID"}),
        ({"type": "choice", "choices": [(f"k{n}", "A") for n in range(101)]}, {"choices": "INVALID"}),
        ({"type": "text", "currency": "EUR"}, {"currency": "INVALID"}),
        ({"type": "money", "currency": "XXX"}, {"currency": "INVALID"}),
        ({"type": "text", "description": "x" * 501}, {"description": "INVALID"}),
        ({"type": "text", "party": "second"}, {"party": "INVALID"}),
        ({"type": "text", "customer_access": "some"}, {"customer_access": "INVALID"}),
    ],
)
def test_what_defines_nothing_is_refused(said: dict[str, Any], wrong: dict[str, str], now: datetime) -> None:
    fields = AttributeFields(**({"name": "A"} | said if said else said))
    assert faults("a", fields, now) == wrong
    assert repository.list_definitions("demo") == []


@pytest.mark.parametrize("key", ["", "Size", "1st", "shoe size", "shoe-size", "x" * 41, "größe", "a#b"])
def test_a_key_is_a_plain_lower_case_word(key: str, now: datetime) -> None:
    assert faults(key, SIZES, now) == {"key": "INVALID"}


def test_a_shop_has_no_more_than_its_limit_also_of_people_who_define_at_once(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "MOST_DEFINITIONS", 3)
    for key in ("a", "b"):
        definitions.define("demo", key, SIZES, now=now)
    real = repository.get_definition
    rivals = ["c"]

    def racing(shop: str, key: str) -> Any:
        if rivals:
            definitions.define(shop, rivals.pop(), SIZES, now=now)
        return real(shop, key)

    monkeypatch.setattr(repository, "get_definition", racing)
    with pytest.raises(TooManyAttributes):
        definitions.define("demo", "d", SIZES, now=now)
    assert sorted(definitions.fresh("demo", now=now)) == ["a", "b", "c"]
    definitions.define("demo", "a", AttributeFields(name="Still"), now=now)


def test_of_two_who_define_one_key_at_once_the_second_changes_what_the_first_defined(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = repository.get_definition
    rivals = [AttributeFields(name="Size", type="number")]

    def racing(shop: str, key: str) -> Any:
        seen = real(shop, key)
        if rivals:
            definitions.define(shop, key, rivals.pop(), now=now)
        return seen

    monkeypatch.setattr(repository, "get_definition", racing)
    assert faults("size", SIZES, now) == {"type": "FIXED"}
    assert definitions.fresh("demo", now=now)["size"].type == "number"


def test_events_read_the_definitions_once_a_minute_and_again_where_one_is_missing(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions.define("demo", "size", SIZES, now=now)
    reads: list[str] = []
    real = repository.list_definitions

    def counted(shop: str) -> Any:
        reads.append(shop)
        return real(shop)

    monkeypatch.setattr(repository, "list_definitions", counted)
    for seconds in (0, 30, 59):
        definitions.current("demo", now=now + timedelta(seconds=seconds), knowing=["size"])
    assert len(reads) == 1
    definitions.current("demo", now=now + timedelta(seconds=59), knowing=["size", "club"])
    assert len(reads) == 2
    definitions.current("demo", now=now + timedelta(seconds=119))
    assert len(reads) == 3


def test_shops_do_not_see_each_others_attributes(now: datetime, two_shops: None) -> None:
    definitions.define("other", "size", SIZES, now=now)
    assert definitions.current("demo", now=now) == {}
    with pytest.raises(NotFound):
        definitions.retire("demo", "size", now=now)


def test_as_many_choices_as_there_may_be_fit_a_definition(now: datetime) -> None:
    choices = [(f"{'k' * 60}{number}", "😀" * 200) for number in range(attributes.MOST_CHOICES)]
    definitions.define("demo", "size", AttributeFields(name="Size", type="choice", choices=choices), now=now)
    assert len(definitions.current("demo", now=now)["size"].choices) == attributes.MOST_CHOICES


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("Size", AttributeFields(name="Size", type="number")),
        ("size", AttributeFields(name=" ", type="number")),
        ("size", AttributeFields(name="Size", type="weight")),
        ("size", AttributeFields(name="Size", type="number", element_type="text")),
        ("size", AttributeFields(name="Size", type="number", description="x" * 501)),
        ("size", AttributeFields(name="Size", type="number", currency="EUR")),
        ("size", AttributeFields(name="Size", type="number", choices=[("a", "A")])),
        ("size", AttributeFields(name="Size", type="choice")),
        ("size", AttributeFields(name="Size", type="choice", choices=[("a", "A"), ("a", "B")])),
        ("size", AttributeFields(name="Size", type="choice", choices=[("a b", "A")])),
        ("size", AttributeFields(name="Size", type="choice", choices=[("a", "")])),
    ],
)
def test_what_is_wrong_with_a_definition_is_said_as_a_predicate(key: str, said: AttributeFields, now: datetime) -> None:
    with pytest.raises(InvalidInputs) as refusal:
        definitions.define("demo", key, said, now=now)
    assert {fault.message.split(" ")[0] for fault in refusal.value.faults} <= {"must", "may", "is"}
