# tests/contract/test_docs_segments.py
"""docs/segments.md tells of the language as it is."""

import re

import pytest

from crm.segmentation.language.catalogue import ATTRIBUTES, FUNCTIONS, Catalogue, OwnAttribute
from crm.segmentation.language.compiling import understand
from crm.segmentation.language.facts import ORIGINS, Fact
from crm.segmentation.language.mistakes import MEANINGS, Code
from infra.vocabulary import SEGMENTS_PAGE, rendered

PAGE = SEGMENTS_PAGE.read_text()


def test_the_generated_parts_are_those_that_the_declarations_generate() -> None:
    assert rendered(PAGE) == PAGE, "make schema"


@pytest.mark.parametrize("name", [*ATTRIBUTES, *FUNCTIONS])
def test_every_attribute_and_every_function_is_told(name: str) -> None:
    assert f"| `{name}` |" in PAGE or f"### `{name}`" in PAGE


def test_every_fact_and_every_code_has_a_meaning() -> None:
    assert set(ORIGINS) == set(Fact)
    assert set(MEANINGS) == set(Code)


@pytest.mark.parametrize("name", [*ATTRIBUTES, *FUNCTIONS])
def test_a_declaration_says_it_all_in_sentences(name: str) -> None:
    declared = ATTRIBUTES[name] if name in ATTRIBUTES else FUNCTIONS[name]
    descriptions = [declared.description]
    if name in FUNCTIONS:
        descriptions += [parameter.description for parameter in FUNCTIONS[name].parameters]
    assert [text for text in descriptions if not re.fullmatch(r"[A-Z“`].*[.]", text)] == []
    assert not declared.unknown.endswith(".")


def test_the_queries_in_the_words_around_them_are_right() -> None:
    """Those that are whole: an attribute, an operator and a value, or a function."""
    shop = Catalogue("EUR", {"size": OwnAttribute("size", "Size", "text")})
    words = re.sub(r"<!-- generated: \w+ -->.*?<!-- end: \w+ -->", "", PAGE, flags=re.DOTALL)
    around = words.partition("## Differences")[0]
    names = "|".join([*ATTRIBUTES, *FUNCTIONS])
    quoted = re.findall(rf"`((?:NOT )?(?:{names})\b[^`…]*[ (][^`…]*)`", around)
    assert len(quoted) >= 12
    assert [text for text in quoted if understand(text, shop).compiled is None] == []
