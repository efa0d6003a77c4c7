# tests/unit/customers/test_attributes.py
from typing import Any

import pytest

from crm.customers.attributes import (
    EDITABLE,
    ELEMENT_TYPES,
    HIDDEN,
    MOST_BYTES,
    VISIBLE,
    Rule,
    Typed,
    accepted,
    shown,
    value_of,
)
from crm.kernel.errors import InvalidInputs

RULES = {kind: Rule(kind, kind, choices=("s", "m")) for kind in ELEMENT_TYPES}
EURO = {"amount": "12.9", "currency": "EUR"}


def faults(rules: dict[str, Rule], said: dict[str, Any], **how: Any) -> dict[str, str]:
    with pytest.raises(InvalidInputs) as refusal:
        accepted(rules, said, path=lambda key: f"a.{key}", **how)
    return {fault.path: fault.code for fault in refusal.value.faults}


@pytest.mark.parametrize(
    ("kind", "said", "stored"),
    [
        ("text", " Ann ", " Ann "),
        ("number", 42, "42"),
        ("number", "42.0", "42"),
        ("number", "-0.50", "-0.5"),
        ("number", "-0.0", "0"),
        ("number", "100", "100"),
        ("number", "999999999999999999.999999", "999999999999999999.999999"),
        ("money", EURO, {"minor": 1290, "currency": "EUR"}),
        ("money", {"amount": "-7", "currency": "JPY"}, {"minor": -7, "currency": "JPY"}),
        ("date", "2028-02-29", "2028-02-29"),
        ("boolean", False, False),
        ("choice", "m", "m"),
    ],
)
def test_a_value_is_stored_in_the_one_form_of_its_type(kind: str, said: Any, stored: Any) -> None:
    assert value_of(RULES[kind], said, path="a") == stored
    assert value_of(RULES[kind], Typed(kind, said), path="a") == stored


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        *(("text", said) for said in ("", "  ", 7, True, ["x"], "x" * 501, "half \ud800")),
        *(("number", said) for said in (71.5, True, "1e3", "1,5", "", "1.", " 1", "٤٢", "1" * 19, "0.1234567")),
        *(("money", said) for said in ("12.90", {"amount": 12, "currency": "EUR"}, {"amount": "1"}, 7)),
        *(("money", EURO | more) for more in ({"amount": "0.001"}, {"currency": "XXX"}, {"amount": "1e2"})),
        *(("date", said) for said in ("2026-02-29", "2026-1-1", "20260101", "2026-01-01T00:00:00Z", 2026)),
        *(("boolean", said) for said in ("true", 1, 0, None.__class__)),
        *(("choice", said) for said in ("xl", "S", 1, ["s"])),
    ],
)
def test_what_is_of_another_type_or_nearly_right_is_refused(kind: str, said: Any) -> None:
    assert faults({"k": RULES[kind]}, {"k": said}) == {"a.k": "INVALID"}


def test_whoever_says_the_type_is_held_to_it() -> None:
    assert faults(RULES, {"date": Typed("text", "2026-01-01")}) == {"a.date": "INVALID"}
    assert faults(RULES, {"choice": Typed("text", "s")}) == {"a.choice": "INVALID"}


def test_money_keeps_to_the_currency_of_its_definition() -> None:
    rule = Rule("limit", "money", currency="CHF")
    assert faults({"limit": rule}, {"limit": EURO}) == {"a.limit": "INVALID"}
    assert value_of(rule, EURO | {"currency": "CHF"}, path="a")["currency"] == "CHF"


def test_a_list_is_of_one_type_and_tells_which_elements_are_wrong() -> None:
    sizes = Rule("sizes", "list", "choice", choices=("s", "m"))
    assert value_of(sizes, ["m", "s", "m"], path="a") == ["m", "s", "m"]
    assert value_of(sizes, Typed("list", [Typed("choice", "s")]), path="a") == ["s"]
    assert value_of(sizes, [], path="a") is None
    assert faults({"k": sizes}, {"k": ["s", "xl", 7]}) == {"a.k[1]": "INVALID", "a.k[2]": "INVALID"}
    for said in ("s", {"s": 1}, 7, ["s"] * 101, [["s"]]):
        assert set(faults({"k": sizes}, {"k": said}).values()) == {"INVALID"}


def test_no_value_is_larger_than_its_share_of_the_item() -> None:
    texts = Rule("notes", "list", "text")
    assert faults({"k": texts}, {"k": ["é" * 100] * 5}) == {"a.k": "TOO_LARGE"}
    assert faults({"k": RULES["text"]}, {"k": "😀" * 250}) == {"a.k": "TOO_LARGE"}
    assert len(value_of(RULES["text"], "😀" * 249, path="a").encode()) == MOST_BYTES - 4


def test_everything_that_is_wrong_is_told_at_once() -> None:
    rules = RULES | {"old": Rule("old", "text", retired=True)}
    said = {"nothing": 1, "old": "x", "number": "x", "text": "fine", "date": None}
    assert faults(rules, said) == {"a.nothing": "UNKNOWN", "a.old": "RETIRED", "a.number": "INVALID"}


def test_customers_set_what_they_are_let_and_do_not_learn_what_is_hidden() -> None:
    rules = {access: Rule(access, "text", access=access) for access in (HIDDEN, VISIBLE, EDITABLE)}
    said = dict.fromkeys(rules, "x")
    assert accepted(rules, said, path=str) == said
    assert faults(rules, said, by_customer=True) == {"a.hidden": "UNKNOWN", "a.visible": "FORBIDDEN"}
    assert accepted(rules, {EDITABLE: "x"}, path=str, by_customer=True) == {EDITABLE: "x"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("42", "42"),
        (True, "true"),
        ({"minor": 1290, "currency": "EUR"}, "12.90 EUR"),
        (["ä", "b"], '["ä", "b"]'),
    ],
)
def test_a_value_is_shown_to_people_as_one_text(value: Any, text: str | None) -> None:
    assert shown(value) == text
