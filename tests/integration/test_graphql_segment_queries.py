# tests/integration/test_graphql_segment_queries.py
"""What an editor of queries asks."""

import pytest

from crm.customers import service as customers
from crm.customers.service import AttributeFields
from crm.kernel.actor import Actor, Role
from crm.segmentation import service as segmentation
from crm.segmentation.language.catalogue import ATTRIBUTES
from crm.segmentation.service import SegmentFields
from tests.asking import NOW, as_staff, ask

pytestmark = pytest.mark.usefixtures("shop")

STAFF = as_staff("segments:read")
CLERK = Actor(Role.STAFF, "clerk")
MISTAKES = "errors { code message offset length line column expected nearest } normalized readsFacts"


def preview(query: str) -> dict[str, object]:
    asked = f"query ($query: String!) {{ segmentPreview(query: $query) {{ {MISTAKES} }} }}"
    found: dict[str, object] = ask(asked, {"query": query}, principal=STAFF)["segmentPreview"]
    return found


def suggested(field: str, query: str, offset: int | None = None, first: int | None = None) -> list[dict[str, object]]:
    asked = f"""query ($query: String, $offset: Int, $first: Int) {{
        {field}(query: $query, offset: $offset, first: $first) {{
            text kind offset length description type example
        }}
    }}"""
    variables = {"query": query, "offset": offset, "first": first}
    found: list[dict[str, object]] = ask(asked, variables, principal=STAFF)[field]
    return found


def test_all_mistakes_of_a_query_are_told_with_their_places() -> None:
    found = preview("amount_spend > 1 AND\ngender = 'femal'")
    assert found == {
        "errors": [
            {
                "code": "UNKNOWN_ATTRIBUTE", "message": "there is no such attribute", "offset": 0, "length": 12,
                "line": 1, "column": 1, "expected": [], "nearest": "amount_spent",
            },
            {
                "code": "VALUE", "message": "is none of the values there are", "offset": 30, "length": 7,
                "line": 2, "column": 10, "expected": ["'female'", "'male'", "'other'", "'undisclosed'"],
                "nearest": "female",
            },
        ],
        "normalized": None,
        "readsFacts": [],
    }  # fmt: skip


def test_a_right_query_is_told_in_canonical_form_and_with_what_it_reads() -> None:
    found = preview("(number_of_orders>=2) and last_visit_date < 30_days_ago")
    assert found == {
        "errors": [],
        "normalized": "number_of_orders >= 2 AND last_visit_date < -30d",
        "readsFacts": ["LAST_SEEN", "STATISTICS"],
    }


def test_a_query_may_name_what_the_shop_has_defined_a_moment_ago() -> None:
    assert [each["code"] for each in preview("segment('VIP')")["errors"]] == ["UNKNOWN_SEGMENT"]  # type: ignore[attr-defined]
    customers.define_attribute("demo", "size", AttributeFields(name="Size", type="number"), now=NOW)
    fields = SegmentFields(name="VIP", query="attributes.size > 40")
    segmentation.create("demo", segmentation.DYNAMIC, fields, actor=CLERK, now=NOW)
    assert preview("segment('VIP') AND attributes.size < 50")["normalized"] is not None


def test_an_editor_is_offered_what_may_stand_at_the_cursor() -> None:
    assert suggested("segmentFilterSuggestions", "amount_sp > 5 AND gender = 'male'", 9) == [
        {
            "text": "amount_spent", "kind": "ATTRIBUTE", "offset": 0, "length": 9,
            "description": ATTRIBUTES["amount_spent"].description, "type": "amount",
            "example": ATTRIBUTES["amount_spent"].example,
        }
    ]  # fmt: skip
    assert [each["text"] for each in suggested("segmentFilterSuggestions", "amount_spent ")][:3] == ["=", "!=", ">"]
    assert len(suggested("segmentFilterSuggestions", "", first=7)) == 7


def test_an_editor_is_offered_the_shops_own_attributes_choices_and_segments() -> None:
    size = AttributeFields(name="Size", type="choice", choices=[("s", "Small"), ("l", "Large")])
    customers.define_attribute("demo", "size", size, now=NOW)
    for name in ("VIP", "Visitors", "Staff"):
        segmentation.create("demo", segmentation.STATIC, SegmentFields(name=name), actor=CLERK, now=NOW)
    (own,) = suggested("segmentFilterSuggestions", "attributes.si")
    assert (own["text"], own["description"]) == ("attributes.size", "Size")
    values = suggested("segmentValueSuggestions", "attributes.size = ")
    assert [(each["text"], each["kind"]) for each in values] == [("'s'", "VALUE"), ("'l'", "VALUE")]
    assert {each["text"] for each in suggested("segmentValueSuggestions", "segment('vi")} == {"'VIP'", "'Visitors'"}


@pytest.mark.parametrize("offset", [-5, 3000])
def test_a_cursor_outside_of_the_text_is_at_its_nearer_end(offset: int) -> None:
    assert suggested("segmentFilterSuggestions", "email", offset)


def test_a_shop_is_offered_segments_to_begin_with_and_each_is_right() -> None:
    found = ask("{ segmentTemplates { key name description query } }", principal=STAFF)["segmentTemplates"]
    assert {"vip", "new", "at_risk", "big_spenders"} <= {each["key"] for each in found}
    assert [preview(each["query"])["errors"] for each in found] == [[]] * len(found)
