# tests/unit/kernel/test_meter.py
from typing import Any

import pytest

from crm.kernel.meter import _read_units, _size


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"name": {"S": "Zoë"}}, 4 + 4),
        ({"n": {"N": "12345"}}, 1 + 3),
        ({"b": {"BOOL": True}, "z": {"NULL": True}}, 2 + 2),
        ({"m": {"M": {"k": {"S": "ab"}}}}, 1 + 3 + 1 + 1 + 2),
        ({"l": {"L": [{"S": "a"}, {"S": "b"}]}}, 1 + 3 + 2 + 2),
        ({"s": {"SS": ["ab", "cd"]}}, 1 + 4),
    ],
)
def test_an_item_is_as_large_as_dynamodb_counts_it(item: Any, size: int) -> None:
    assert _size(item) == size


def test_letters_beyond_ascii_cost_what_they_take_in_utf_8() -> None:
    items = [{"note": {"S": "ü" * 2000}}]
    assert _read_units({"ConsistentRead": True}, {"Items": items}) == 1
    assert _read_units({"ConsistentRead": True}, {"Items": items * 2}) == 2


def test_a_key_of_a_batch_that_names_nothing_costs_as_much_as_the_smallest_item() -> None:
    keys = [{"pk": {"S": str(number)}} for number in range(5)]
    asked = {"RequestItems": {"crm": {"Keys": keys, "ConsistentRead": True}}}
    found = {"Responses": {"crm": [{"note": {"S": "x" * 5000}}]}}
    assert _read_units(asked, found) == 2 + 4
    left_over = {"UnprocessedKeys": {"crm": {"Keys": keys[:3]}}}
    assert _read_units(asked, found | left_over) == 2 + 1
    assert _read_units(asked, {"Responses": {"crm": []}, "UnprocessedKeys": {}}) == 5
