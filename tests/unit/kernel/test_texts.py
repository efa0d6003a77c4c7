# tests/unit/kernel/test_texts.py
"""Which names are one."""

import pytest

from crm.kernel.texts import name_key


@pytest.mark.parametrize(
    "written", ["a mug", "A MUG", "  A   mug ", "A\u00a0mug", "A\u2003 mug", "\uff21 \uff4d\uff55\uff47"]
)
def test_names_are_one_whatever_their_case_their_spaces_and_their_characters(written: str) -> None:
    assert name_key(written) == name_key("A mug")


@pytest.mark.parametrize(
    ("one", "other"), [("Caf\u00e9", "CAFE\u0301"), ("Stra\u00dfe", "STRASSE"), ("\ufb01ve", "Five"), ("\u1e9e", "SS")]
)
def test_names_are_one_however_their_characters_are_composed(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


def test_names_with_other_words_or_accents_are_others() -> None:
    assert len({name_key(name) for name in ("A mug", "Amug", "A m\u00fag", "A mug 2")}) == 4
