# tests/integration/test_docs_api.py
"""What docs/api.md shows as answers is what front ends get."""

import pytest

from infra.screens import API_PAGE
from tests.documented_answers import answers, documented, forms


@pytest.mark.usefixtures("shop", "outlets")
def test_the_answers_of_the_page_have_the_form_of_those_given() -> None:
    shown = documented()
    given = answers(list(shown))
    for name in shown:
        assert set(forms(shown[name])) == set(forms(given[name])), f"{name}: python -m tests.documented_answers"


def test_what_the_page_says_that_the_home_screen_costs_is_what_its_answer_says() -> None:
    cost = documented()["HomeQuery"]["extensions"]["cost"]
    said = f"The home screen below is priced at {cost['requested']} and takes {cost['actual']}:"
    assert said in API_PAGE.read_text()
