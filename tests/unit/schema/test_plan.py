# tests/unit/schema/test_plan.py
import time

import pytest

from schema import limits
from schema.connections import MOST_FIRST
from schema.consent import PAST
from schema.limits import UNSIZED_LIST
from schema.plan import MOST_ERRORS, Plans
from schema.schema import schema
from schema.sizes import Size
from tests.attacks import DOCUMENTS

PAGE = "query ($n: Int = 5) { customers(first: $n) { edges { node { id orders(first: 10) { nodes { orderId } } } } } }"


@pytest.fixture
def plans() -> Plans:
    return Plans(schema.core, most=3)


def code(plans: Plans, document: str) -> str | None:
    plan = plans.plan(document)
    return plan.problems[0][0] if plan.problems else None


def test_a_document_is_planned_once(plans: Plans) -> None:
    assert plans.plan(PAGE) is plans.plan(PAGE)
    assert plans.plan(PAGE) is not plans.plan(PAGE, suggestions=True)


def test_the_least_recently_used_plan_is_dropped_first(plans: Plans) -> None:
    first = plans.plan("{ shop { id } }")
    for name in ("a", "b", "c"):
        assert plans.plan("{ shop { id } }") is first
        plans.plan(f"query {name} {{ shop {{ id }} }}")
    assert len(plans) == 3


def test_documents_are_kept_up_to_a_sum_of_their_lengths() -> None:
    plans = Plans(schema.core, characters=1000)
    for number in range(5):
        plans.plan(f"query A{number} {{ shop {{ id }} }}" + " " * 400)
    assert len(plans) == 2
    plans.plan("{ shop { id } }" + " " * 900)
    assert len(plans) == 1


def test_problems_are_listed_anew_for_each_request(plans: Plans) -> None:
    plan = plans.plan("{ nothing }")
    plan.errors()[0]["extensions"]["requestId"] = "req_of_one_caller"
    assert "req_of_one_caller" not in str(plans.plan("{ nothing }").errors())


def test_five_problems_are_told_at_most(plans: Plans) -> None:
    assert len(plans.plan("{ a b c d e f g h i }").errors()) == MOST_ERRORS


def test_names_are_suggested_only_to_those_who_may_know_them(plans: Plans) -> None:
    assert "shop" not in plans.plan("{ shap { id } }").errors()[0]["message"]
    assert "shop" in plans.plan("{ shap { id } }", suggestions=True).errors()[0]["message"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{ shop {", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on Shop { id }", "OPERATION_RESOLUTION_FAILURE"),
        ("query A { shop { id } } query B { shop { id } }", "OPERATION_RESOLUTION_FAILURE"),
        ("subscription { shop { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($i: CustomerIdentifierInput!) { customerByIdentifier(identifier: $i) { id } }", None),
        (
            '{ customerByIdentifier(identifier: {email: "a@b.cd", phone: "+491234567"}) { id } }',
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ],
)
def test_what_is_wrong_with_a_document_has_a_code(plans: Plans, document: str, expected: str | None) -> None:
    assert code(plans, document) == expected


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_attack_is_refused_at_once(plans: Plans, name: str) -> None:
    started = time.perf_counter()
    assert code(plans, DOCUMENTS[name]) in {"QUERY_TOO_COMPLEX", "GRAPHQL_PARSE_FAILED"}
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "document",
    [
        "{ viewer { ...F } } fragment F on Customer { ...F id }",
        "{ viewer { ...F } } fragment F on Customer { orders { nodes { customer { ...F } } } }",
        "{ viewer { ...F } } fragment F on Customer { orders { nodes { ...G } } } fragment G on Order { id ...G }",
        "{ viewer { ...Missing } }",
    ],
)
def test_fragments_without_an_end_are_left_to_the_standard_rules(plans: Plans, document: str) -> None:
    assert code(plans, document) == "GRAPHQL_VALIDATION_FAILED"


def test_the_standard_introspection_query_keeps_within_the_limits(plans: Plans) -> None:
    from graphql import get_introspection_query

    plan = plans.plan(get_introspection_query(descriptions=True, input_value_deprecation=True))
    assert plan.problems == ()
    assert plan.cost({}) <= limits.MOST_COST


def test_cost_counts_objects_with_sizes_from_the_variables(plans: Plans) -> None:
    plan = plans.plan(PAGE)
    # Each customer: an edge, the node, its connection and ten orders.
    assert plan.cost({}) == 1 + 5 * (1 + 1 + 1 + 10)
    assert plan.cost({"n": 2}) == 1 + 2 * 13
    assert plan.cost({"n": None}) == plan.cost({"n": 20})  # null is no size, so the usual one


@pytest.mark.parametrize("size", [0, -1, 10**9, "many", 2.5])
def test_a_size_that_is_none_costs_as_much_as_the_most(plans: Plans, size: object) -> None:
    assert plans.plan(PAGE).cost({"n": size}) == plans.plan(PAGE).cost({"n": 100})


def test_cost_counts_a_fragment_wherever_it_is_spread(plans: Plans) -> None:
    plan = plans.plan(
        "{ a: viewer { ...F } b: viewer { ...F } } fragment F on Customer { orders(first: 3) { nodes { id } } }"
    )
    assert plan.cost({}) == 2 * (1 + 1 + 3)


def test_operations_of_one_document_are_measured_together(plans: Plans) -> None:
    document = " ".join(f"query A{number} {{ shop {{ id }} }}" for number in range(limits.MOST_OPERATIONS + 1))
    assert plans.plan(document, "A0").problems[0][0] == "QUERY_TOO_COMPLEX"


def test_a_connection_sizes_the_lists_it_names_through_fragments(plans: Plans) -> None:
    plan = plans.plan(
        "{ viewer { few: orders(first: 2) { ...Page } many: orders(first: 50) { ...Page } } }"
        " fragment Page on OrderConnection { nodes { orderId } pageInfo { endCursor } }"
    )
    assert plan.cost({}) == 1 + (1 + 2 + 1) + (1 + 50 + 1)


def test_as_many_nodes_are_counted_as_ids_are_asked_for(plans: Plans) -> None:
    assert plans.plan("{ nodes(ids: [1, 2, 3]) { id } }").cost({}) == 1 + 3
    plan = plans.plan("query ($ids: [ID!]! = [1, 2]) { nodes(ids: $ids) { id } }")
    assert [plan.cost({}), plan.cost({"ids": ["a"] * 7}), plan.cost({"ids": ["a"] * 10**4})] == [3, 8, 101]
    assert plan.cost({"ids": "one, or whatever"}) == 101


def test_each_event_of_a_mutation_has_its_price(plans: Plans) -> None:
    text = "mutation ($e: [JSON!]!) { eventsIngest(input: {events: $e}) { results { status } } }"
    assert plans.plan(text).cost({"e": [{}] * 3}) == 3 * limits.MUTATION_COST + 1 + 3
    whole = plans.plan("mutation ($i: EventsIngestInput!) { eventsIngest(input: $i) { results { status } } }")
    assert whole.cost({"i": {"events": [{}] * 3}}) == 3 * limits.MUTATION_COST + 1 + 3
    assert whole.cost({"i": 5}) == whole.cost({}) == 100 * limits.MUTATION_COST + 1 + 100


def test_each_consent_of_a_mutation_has_its_price(plans: Plans) -> None:
    text = "mutation ($i: ConsentUpdateInput!) { consentUpdate(input: $i) { replayed } }"
    assert plans.plan(text).cost({"i": {"consents": [{}]}}) == limits.MUTATION_COST + 1
    assert plans.plan(text).cost({"i": {"consents": [{}] * 50}}) == 50 * limits.MUTATION_COST + 1


@pytest.mark.parametrize(
    ("name", "given", "items"),
    [
        ("customerCreate", {"tags": ["a", "b"], "addresses": [{"city": "A"}], "externalIds": [{}] * 3}, 6),
        ("customerCreate", {"tags": None}, 0),
        ("customerUpdate", {"id": "x", "addresses": [{"city": "A"}] * 4}, 4),
        ("customerTagsAdd", {"id": "x", "tags": ["a"] * 7}, 7),
        ("customerTagsRemove", {"id": "x", "tags": ["a"] * 500}, 500),
        ("customerAttributesSet", {"id": "x", "attributes": [{"value": {"list": [{}] * 3}}, {"value": None}]}, 5),
        ("attributeDefine", {"choices": [{}] * 9}, 9),
        ("shopUpdate", {"thirdPartySources": ["a", "b"]}, 2),
        ("shopUpdate", {"name": "A"}, 0),
        ("shopUpdate", "what does not fit", 0),
    ],
)
def test_each_item_of_a_list_that_a_mutation_is_given_costs_a_point(
    plans: Plans, name: str, given: object, items: int
) -> None:
    kind = name[0].upper() + name[1:] + "Input!"
    plan = plans.plan(f"mutation ($i: {kind}) {{ {name}(input: $i) {{ userErrors {{ code }} }} }}")
    unlisted = plan.cost({})
    assert unlisted == limits.MUTATION_COST + 1 + UNSIZED_LIST
    assert plan.cost({"i": given}) - unlisted == items
    assert plan.excess({"i": given}) is None


def test_lists_in_a_document_cost_as_much_as_those_in_variables(plans: Plans) -> None:
    few = plans.plan('mutation ($t: [String!]!) { customerTagsAdd(input: {id: "x", tags: $t}) { customer { id } } }')
    more = plans.plan('mutation { customerTagsAdd(input: {id: "x", tags: ["a", "b", "c"]}) { customer { id } } }')
    assert few.cost({"t": ["a", "b", "c"]}) == more.cost({}) == limits.MUTATION_COST + 2 + 3
    attributes = 'customerAttributesSet(input: {id: 1, attributes: [{key: "a", value: {list: $l}}, {key: "b"}]})'
    mixed = plans.plan(f"mutation ($l: [AttributeElementInput!]!) {{ {attributes} {{ customer {{ id }} }} }}")
    assert mixed.cost({"l": [{}, {}]}) - mixed.cost({}) == 2


def test_a_field_that_reads_more_than_it_answers_with_has_a_price_wherever_it_stands(plans: Plans) -> None:
    moment = 'consent(asOf: "2026-03-01T00:00:00Z") { asOf }'
    assert plans.plan(f"{{ viewer {{ {moment} }} }}").cost({}) == 1 + 1 + PAST
    page = plans.plan(f"{{ customers(first: 40) {{ nodes {{ {moment} }} }} }}")
    assert page.cost({}) == 1 + 40 * (1 + 1 + PAST)
    assert page.excess({}) is None  # it holds 40 moments, and no 10,000 of anything


def test_lists_within_lists_have_a_limit_of_their_own(plans: Plans) -> None:
    plan = plans.plan(
        "query ($n: Int, $m: Int) { customers(first: $n) { nodes { orders(first: $m) { nodes { lines { sku } } } } } }"
    )
    assert plan.excess({"n": 10, "m": 10}) is None
    for sizes in ({"n": 100, "m": 101}, {"n": -1, "m": 10**30}):
        excess = plan.excess(sizes)
        assert excess is not None
        assert (excess.limit, excess.most) == ("items", limits.MOST_PRODUCT)


WIDE = """query ($n: Int, $m: Int) { shop { id } all: customers(first: $n) {
  pageInfo { endCursor } nodes { segments { enteredAt } ...Orders } } }
  fragment Orders on Customer { bought: orders(first: $m) { nodes { net { amount } lines { sku tags } } } }"""


def test_a_refusal_for_lists_within_lists_names_the_list_with_most_items(plans: Plans) -> None:
    excess = plans.plan(WIDE).excess({"n": 80, "m": 50})
    assert excess is not None
    assert excess.extensions == {
        "limit": "items",
        "value": 80 * 50 * 5,
        "maximum": limits.MOST_PRODUCT,
        "list": ["all", "nodes", "bought", "nodes", "lines"],
    }
    assert excess.message.endswith("The most are in all.nodes.bought.nodes.lines.")


def test_a_refusal_for_cost_names_it_too(plans: Plans) -> None:
    few = WIDE.replace("lines { sku tags }", "net { currencyCode }")
    plan = plans.plan(few)
    excess = plan.excess({"n": 100, "m": 90})
    assert excess is not None
    assert (excess.limit, excess.value, excess.most) == ("cost", plan.cost({"n": 100, "m": 90}), limits.MOST_COST)
    assert excess.list == ("all", "nodes", "bought", "nodes")


def test_a_cost_that_no_list_makes_names_none(plans: Plans, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_COST", 0)
    excess = plans.plan("{ shop { id } }").excess({})
    assert excess is not None
    assert excess.extensions == {"limit": "cost", "value": 1, "maximum": 0}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("depth", {"limit": "depth", "value": 23, "maximum": 16}),
        ("aliases", {"limit": "aliases", "value": 40, "maximum": 30}),
        ("root fields", {"limit": "rootFields", "value": 30, "maximum": 20}),
        ("directives", {"limit": "directives", "value": 60, "maximum": 50}),
        ("fragment bomb", {"limit": "fields", "value": 3 * 2**22, "maximum": 500}),
        ("variables", {"limit": "variables", "value": 60, "maximum": 50}),
        ("fragments", {"limit": "fragments", "value": 120, "maximum": 100}),
        ("values in a list", {"limit": "values", "value": 1401, "maximum": 300}),
        ("as many as fields allow", {"limit": "repeats", "value": 160 * 159 // 2, "maximum": 1000}),
        ("a long name", {"limit": "characters", "value": 200_004, "maximum": 20_000}),
    ],
)
def test_what_a_document_has_too_much_of_is_told_with_how_much_it_may_have(
    plans: Plans, name: str, told: dict[str, object]
) -> None:
    (error,) = plans.plan(DOCUMENTS[name]).errors()
    assert error["extensions"] == told | {"code": "QUERY_TOO_COMPLEX"}


def test_a_list_that_sizes_an_answer_is_refused_beyond_what_it_may_hold(plans: Plans) -> None:
    plan = plans.plan("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }")
    assert plan.excess({"ids": ["a"] * 100}) is None
    excess = plan.excess({"ids": ["a"] * 101})
    assert excess is not None
    assert excess.extensions == {"limit": "sizingList", "value": 101, "maximum": 100, "field": ["ids"]}


def test_a_mutation_in_a_fragment_has_its_price_too(plans: Plans) -> None:
    tags = 'customerTagsAdd(input: {id: "x", tags: []}) { customer { id } }'
    plan = plans.plan(f"mutation {{ ...F }} fragment F on Mutation {{ a: {tags} b: {tags} }}")
    assert plan.cost({}) == 2 * (limits.MUTATION_COST + 2)


def test_variables_are_nested_only_so_deep() -> None:
    def nested(depth: int) -> object:
        return {"a": nested(depth - 1)} if depth else [1]

    assert not limits.too_nested({"a": nested(limits.MOST_NESTING - 3)})
    assert limits.too_nested({"a": nested(limits.MOST_NESTING)})


def test_a_mutation_has_a_price_of_its_own(plans: Plans) -> None:
    query = plans.plan('mutation { customerTagsAdd(input: {id: "x", tags: []}) { customer { id } } }')
    assert query.cost({}) == limits.MUTATION_COST + 2


def test_a_plan_knows_every_field_it_uses(plans: Plans) -> None:
    plan = plans.plan(
        "query A { node(id: 1) { id ...F ... on Order { net { amount } } } } query B { shop { id } }"
        " fragment F on Customer { firstName }",
        "A",
    )
    assert set(plan.uses) == {"Query.node", "Node.id", "Customer.firstName", "Order.net", "Money.amount"}


def test_a_size_that_json_writes_with_a_point_is_the_same_size() -> None:
    plain, pointed = Size(50, "first").of({"first": 7}), Size(50, "first").of({"first": 7.0})
    assert plain == pointed == 7
    assert Size(50, "first").of({"first": 7.5}) == MOST_FIRST
