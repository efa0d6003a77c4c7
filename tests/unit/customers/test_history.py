# tests/unit/customers/test_history.py
import json

from msgspec.structs import asdict

from crm.customers.history import LARGEST, FieldChange, bounded, differences


def size(changes: list[FieldChange]) -> int:
    return len(json.dumps([asdict(each) for each in changes], ensure_ascii=False).encode())


def test_only_what_is_another_value_has_changed() -> None:
    before = {"first_name": "Ann", "last_name": "Lee", "tags": {"a", "b"}, "test": False, "addresses": [], "ids": {"x"}}
    after = {
        "first_name": "Anna",
        "last_name": "Lee",
        "tags": {"b", "c"},
        "test": True,
        "addresses": None,
        "ids": {"x"},
    }
    assert differences(before, after) == [
        FieldChange("first_name", "Ann", "Anna"),
        FieldChange("tags", added=("c",), removed=("a",)),
        FieldChange("test", "false", "true"),
    ]


def test_what_comes_and_what_goes_has_nothing_on_its_other_side() -> None:
    assert differences({"phone": "+43"}, {"addresses": [{"city": "Wien"}]}) == [
        FieldChange("addresses", None, '[{"city": "Wien"}]'),
        FieldChange("phone", "+43", None),
    ]


def test_what_fits_is_told_whole() -> None:
    changes = [FieldChange(f"f{number}", "é" * 500, "ü" * 500) for number in range(64)]
    assert bounded(changes) == changes


def test_whatever_changes_at_once_fits_an_item() -> None:
    """Text that takes the most bytes as JSON, in as many fields as a record has."""
    worst = "\x00" * 40_000
    texts = [FieldChange(f"f{number}", worst, "😀" * 100_000) for number in range(212)]
    sets = [FieldChange("tags", added=("😀" * 200,) * 100, removed=("\x00" * 200,) * 100)] * 12
    for changes in (texts, sets):
        told = bounded(changes)
        assert all(each.cut for each in told)
        assert LARGEST / 2 < size(told) < 400_000


def test_a_long_text_is_told_as_far_as_there_is_room() -> None:
    (told,) = bounded([FieldChange("addresses", "[" + "x" * 60, "short")], largest=100)
    assert (told.before, told.after, told.cut) == ("[" + "x" * 47, "short", True)
