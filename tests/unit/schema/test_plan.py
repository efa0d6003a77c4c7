# tests/unit/schema/test_plan.py
import time

import pytest

from schema import limits
from schema.plan import MOST_ERRORS, Plans
from schema.schema import schema

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


def test_a_very_long_document_is_not_kept(plans: Plans) -> None:
    plans.plan("{ shop { id } }" + " " * 30_000)
    assert len(plans) == 0


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


def nested(depth: int) -> str:
    below = "orders { nodes { customer {" * (depth // 3)
    return f"{{ viewer {{ {below} id {'} } }' * (depth // 3)} }} }}"


BOMB = "{ viewer { ...F0 } } " + " ".join(
    f"fragment F{number} on Customer {{ ...F{number + 1} ...F{number + 1} }}" for number in range(22)
)
ATTACKS = {
    "depth": nested(21),
    "deeper than Python's stack": "{ viewer " * 1400,
    "brackets": "{ nodes(ids: " + "[" * 2900,
    "aliases": "{ " + " ".join(f"a{number}: shop {{ id }}" for number in range(40)) + " }",
    "aliases in a fragment": "{ ...F } fragment F on Query { "
    + " ".join(f"a{number}: shop {{ id }}" for number in range(40))
    + " }",
    "root fields": "{ " + "shop { id } " * 30 + "}",
    "one selection, repeated": "{ shop { " + "id " * 1200 + "} }",
    "directives": "{ shop { id " + "@include(if: true) " * 60 + "} }",
    "tokens": "{ shop { " + "id " * 4000 + "} }",
    "fragment bomb": BOMB + " fragment F22 on Customer { id }",
    "fragment bomb of nothing": BOMB,
    "repeats of what overlaps": "{ " + "viewer { orders { nodes { id } } } " * 270 + "}",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_at_once(plans: Plans, name: str) -> None:
    started = time.perf_counter()
    assert code(plans, ATTACKS[name]) in {"QUERY_TOO_COMPLEX", "GRAPHQL_PARSE_FAILED"}
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "document",
    ["{ viewer { ...F } } fragment F on Customer { ...F id }", "{ viewer { ...Missing } }"],
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
    assert plan.cost({"n": None}) == plan.cost({"n": 5})


@pytest.mark.parametrize("size", [0, -1, 10**9, "many", 2.5])
def test_a_size_that_is_none_costs_as_much_as_the_most(plans: Plans, size: object) -> None:
    assert plans.plan(PAGE).cost({"n": size}) == plans.plan(PAGE).cost({"n": 100})


def test_cost_counts_a_fragment_wherever_it_is_spread(plans: Plans) -> None:
    plan = plans.plan(
        "{ a: viewer { ...F } b: viewer { ...F } } fragment F on Customer { orders(first: 3) { nodes { id } } }"
    )
    assert plan.cost({}) == 2 * (1 + 1 + 3)


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
