# tests/unit/intake/test_unknown.py
import pytest

from crm.intake import unknown
from crm.intake.event_types import EVENT_TYPES
from crm.intake.examples import example


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_an_example_says_nothing_that_its_type_does_not_know(name: str) -> None:
    assert unknown.paths(example(name)) == []


def test_misspelt_fields_are_told_wherever_they_are() -> None:
    told = example("order.placed")
    told["customer"] = {"emial": "ada@example.com", "addresses": [{"city": "Vienna"}, {"citty": "Vienna"}]}
    told["data"]["lines"][0]["skuu"] = "CD-17"
    told["dat"] = {"inner": 1}
    assert unknown.paths(told) == ["customer.emial", "customer.addresses[1].citty", "data.lines[0].skuu", "dat"]


def test_what_the_sender_names_is_never_unknown() -> None:
    told = example("custom.recorded")
    told["data"]["properties"] = {"anything": {"goes": [{"here": 1}]}}
    told["customer"] = {"externalId": "1", "attributes": {"size": {"amount": "1", "currency": "EUR"}}}
    assert unknown.paths(told) == []


def test_no_more_are_told_than_anybody_reads() -> None:
    told = example("visit.started") | {f"field{number}": 1 for number in range(50)} | {"x" * 9999: 1}
    assert unknown.paths(told) == [f"field{number}" for number in range(20)]
    assert len(unknown.paths(example("visit.started") | {"x" * 9999: 1})[0]) == unknown.LONGEST_PATH
