# tests/unit/segmentation/language/test_templates.py
"""The segments that shops begin with, held against ten customers."""

import pytest

from crm.segmentation.language.catalogue import Catalogue
from crm.segmentation.language.templates import TEMPLATES, Template
from tests.unit.segmentation.language.small_shop import CUSTOMERS, NOW
from tests.unit.segmentation.language.some import compiled

MEMBERS = {
    "vip": "ada",
    "new": "cyd fay",
    "one_time": "ben gus hal",
    "repeat": "ada dee eli ida jon",
    "at_risk": "",
    "lapsed": "dee gus ida",
    "birthday_this_week": "ada ida",
    "abandoned_checkout": "cyd",
    "unreachable": "dee fay hal",
    "big_spenders": "ada eli",
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.id)
def test_a_template_is_a_canonical_query_with_the_members_it_promises(template: Template) -> None:
    segment = compiled(template.query, Catalogue("EUR"))
    assert segment.normalized == template.query
    found = [name for name, facts in CUSTOMERS.items() if segment.evaluate(facts, NOW).member]
    assert found == MEMBERS[template.id].split()


def test_there_are_ten() -> None:
    assert [template.id for template in TEMPLATES] == list(MEMBERS)
