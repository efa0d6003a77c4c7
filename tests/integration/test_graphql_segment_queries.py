# tests/integration/test_graphql_segment_queries.py
"""What an editor of queries asks."""

from datetime import datetime
from typing import Any

import pytest

from crm.customers import service as customers
from crm.customers.service import AttributeFields
from crm.kernel.actor import Actor, Role
from crm.segmentation import service as segmentation
from crm.segmentation.language.catalogue import ATTRIBUTES
from crm.segmentation.service import SegmentFields
from crm.shops import service as shops
from schema.node import global_id
from tests import bulk
from tests.asking import NOW, answer, as_staff, ask, codes
from tests.shop_events import deliver, event, placed

pytestmark = pytest.mark.usefixtures("shop")

STAFF = as_staff("segments:read")
READERS = as_staff("segments:read", "customers:read")
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
                "code": "UNKNOWN_ATTRIBUTE", "message": "There is no such attribute.", "offset": 0, "length": 12,
                "line": 1, "column": 1, "expected": [], "nearest": "amount_spent",
            },
            {
                "code": "VALUE", "message": "This is none of the values there are.", "offset": 30, "length": 7,
                "line": 2, "column": 10, "expected": ["'female'", "'male'", "'other'", "'undisclosed'"],
                "nearest": "'female'",
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


EXPLAIN = """query ($segment: SegmentChoiceInput!, $customer: ID!) {
    segmentExplain(segment: $segment, customer: $customer) {
        member asOf flipsAt byHand errors { code offset }
        parts { index parent depth kind text truth value facts records flipsAt parts { index parts { index } } }
    }
}"""


def explained(customer: str, now: datetime = NOW, **segment: str) -> Any:
    given = {"segment": segment, "customer": global_id("Customer", customer)}
    return ask(EXPLAIN, given, now=now, principal=READERS)["segmentExplain"]


def known(number: int, **said: Any) -> str:
    """A customer, by their key."""
    deliver(event("customer.updated", {}, customer={"externalId": f"c{number}", **said}))
    found = customers.find("demo", "external", f"c{number}", source="shopify")
    assert found is not None
    return found


def test_a_query_is_explained_part_by_part_with_what_each_rests_on(outlets: None) -> None:
    ann = known(1, tags=["vip"])
    deliver(placed("o1", customer={"externalId": "c1"}))
    query = "last_order_date >= -30d AND (gender = 'male' OR NOT orders_placed(count_min: 2, since: -60d))"
    found = explained(ann, query=query)
    assert found | {"parts": []} == {
        "member": True, "asOf": "2026-03-10T12:00:00.000000Z", "flipsAt": "2026-03-31T22:00:00.000000Z",
        "byHand": None, "errors": [], "parts": [],
    }  # fmt: skip
    told = [(each["depth"], each["parent"], each["kind"], each["truth"], each["value"]) for each in found["parts"]]
    assert told == [
        (0, None, "AND", "TRUE", None),
        (1, 0, "CONDITION", "TRUE", "2026-03-01"),
        (1, 0, "OR", "TRUE", None),
        (2, 2, "CONDITION", "UNKNOWN", None),
        (2, 2, "NOT", "TRUE", None),
        (3, 4, "CONDITION", "FALSE", "1 order of 20.00 EUR"),
    ]
    last = found["parts"][-1]
    assert (last["facts"], last["records"]) == (["ORDERS"], ["o1"])
    assert last["text"] == "orders_placed(count_min: 2, since: -60d)"
    tree = found["parts"][0]["parts"]
    assert [each["index"] for each in tree] == [1, 2]
    assert [each["index"] for each in tree[1]["parts"]] == [3, 4]


def test_somebody_is_explained_by_the_segment_that_is_stored(outlets: None) -> None:
    ann = known(1, tags=["vip"])
    fields = SegmentFields(name="VIP", query="customer_tags CONTAINS 'vip'")
    vip = segmentation.create("demo", segmentation.DYNAMIC, fields, actor=CLERK, now=NOW).definition
    found = explained(ann, id=global_id("Segment", vip.segment_id))
    assert (found["member"], [each["value"] for each in found["parts"]]) == (True, ["vip"])
    asked = explained(ann, query="segment('VIP') AND number_of_orders > 0")
    assert asked["member"] is False
    assert [(each["depth"], each["truth"]) for each in asked["parts"]] == [
        (0, "FALSE"), (1, "TRUE"), (2, "TRUE"), (1, "FALSE"),
    ]  # fmt: skip


def test_a_wrong_query_is_explained_by_its_mistakes(outlets: None) -> None:
    found = explained(known(1), query="number_of_orders > ")
    assert (found["member"], found["parts"], [each["code"] for each in found["errors"]]) == (None, [], ["EXPECTED"])


def test_nobody_is_explained_whom_one_may_not_see(outlets: None) -> None:
    ann = known(1)
    given = {"segment": {"query": "number_of_orders > 0"}, "customer": global_id("Customer", ann)}
    for scopes in (["segments:read"], ["customers:read"]):
        assert codes(answer(EXPLAIN, given, principal=as_staff(*scopes))) == ["FORBIDDEN"]
    assert explained("cus_missing", query="number_of_orders > 0") is None
    assert explained(ann, id=global_id("Segment", "seg_missing")) is None
    customers.delete("demo", ann, now=NOW, by=CLERK)
    assert explained(ann, query="number_of_orders = 0") is None


ESTIMATE = """query ($query: String!) { segmentPreview(query: $query) {
    estimatedCount exact sampled estimatedReads sample(first: 2) { firstName }
} }"""


def test_a_small_shop_is_told_exactly_how_many_members_a_query_would_have(outlets: None) -> None:
    for number in range(6):
        known(number, firstName=f"C{number}", tags=["vip"] if number % 2 else [])
    deliver(placed("o1", customer={"externalId": "c3"}))
    heads = ask(ESTIMATE, {"query": "customer_tags CONTAINS 'vip'"})["segmentPreview"]
    assert heads["sample"] == [{"firstName": "C5"}, {"firstName": "C3"}]
    assert heads | {"sample": []} == {
        "estimatedCount": 3, "exact": True, "sampled": 6, "estimatedReads": 1, "sample": [],
    }  # fmt: skip
    histories = ask(ESTIMATE, {"query": "orders_placed(count_min: 1)"})["segmentPreview"]
    assert histories == {
        "estimatedCount": 1, "exact": True, "sampled": 6, "estimatedReads": 7, "sample": [{"firstName": "C3"}],
    }  # fmt: skip


def test_nothing_is_estimated_of_a_wrong_query(outlets: None) -> None:
    assert ask(ESTIMATE, {"query": "gender = "})["segmentPreview"] == {
        "estimatedCount": None, "exact": None, "sampled": None, "estimatedReads": None, "sample": [],
    }  # fmt: skip


@pytest.mark.parametrize("field", ["estimatedCount", "exact", "sampled", "sample { id }"])
def test_who_may_not_read_customers_learns_nothing_of_a_person_from_a_query(field: str) -> None:
    asked = f"query ($query: String!) {{ segmentPreview(query: $query) {{ errors {{ code }} {field} }} }}"
    given = {"query": "last_name = 'Berg' AND birth_date = 1990-03-12"}
    assert codes(answer(asked, given, principal=STAFF)) == ["FORBIDDEN"]
    assert codes(answer(asked, given, principal=READERS)) == []


def test_values_that_several_customers_share_are_offered_but_nothing_of_one_person(outlets: None) -> None:
    vienna = {"line1": "Graben 1", "city": "Wien", "country": "AT"}
    village = {"line1": "Dorf 2", "city": "Windhaag", "country": "AT"}
    for number in range(6):
        tags = ["vip", *(["new"] if number else []), *(["vegan"] if number > 1 else [])]
        mail = f"c{number}@{'example.com' if number else 'bergfamily.at'}"
        known(number, firstName="Violet", email=mail, tags=tags, addresses=[vienna, *([] if number else [village] * 5)])

    def offered(query: str) -> list[object]:
        return [each["text"] for each in suggested("segmentValueSuggestions", query)]

    assert offered("customer_tags CONTAINS 'v") == ["'vip'"]
    assert offered("customer_tags CONTAINS ") == ["'vip'", "'new'"]
    assert offered("customer_cities CONTAINS 'wi") == ["'Wien'", "'AT-Wien'"]
    assert offered("customer_email_domain = '") == ["'example.com'"]
    assert offered("first_name = 'v") == []


def test_what_the_shop_has_sold_is_offered_once_its_day_has_begun(outlets: None) -> None:
    ann = {"externalId": "c1"}
    known(1)
    line = {"id": "1", "sku": "LAMP-1", "quantity": 1, "unitPrice": "20.00", "category": "Light", "tags": ["oak"]}
    deliver(placed("o1", customer=ann, lines=[line], channel="pos"))
    deliver(placed("o2", customer=ann, lines=[line | {"sku": "LAMP-2"}], status="cancelled"))
    segmentation.begin_day(shops.get("demo"), now=NOW)
    bulk.drain()

    def offered(query: str) -> list[object]:
        return [each["text"] for each in suggested("segmentValueSuggestions", query)]

    assert offered("products_purchased(sku: 'la") == ["'LAMP-1'"]
    assert offered("products_purchased(category: ") == ["'Light'"]
    assert offered("products_purchased(tag: ('") == ["'oak'"]
    assert offered("orders_placed(channel: ") == offered("last_order_channel = ") == ["'pos'"]
