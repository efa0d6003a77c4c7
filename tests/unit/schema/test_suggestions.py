# tests/unit/schema/test_suggestions.py
"""What exists is suggested only to those who may introspect, on whichever path a wrong name is met."""

from typing import Any

import pytest

from schema import execution, plan
from tests.asking import STAFF, answer, as_staff
from tests.asking import execution as asked

SCOPES = ("customers:read", "customers:write", "kpis:read", "orders:read", "feedback:write")
MAY_NOT = as_staff(*SCOPES)
DAYS = 'from: "2026-03-01", to: "2026-03-02"'
UPDATE = "mutation ($i: CustomerUpdateInput!) { customerUpdate(input: $i) { customer { id } } }"
GUESSES: dict[str, tuple[str, dict[str, Any] | None, str]] = {
    "a field": ("{ shap { id } }", None, "shop"),
    "a field of an interface": ('{ node(id: "x") { firstName } }', None, "Customer"),
    "a mutation": ("mutation { customerUpdat(input: {}) { customer { id } } }", None, "customerUpdate"),
    "an argument": ("{ customers(frist: 1) { nodes { id } } }", None, "first"),
    "a directive's argument": ("{ shop { id @skip(iff: true) } }", None, "Did you mean"),
    "a type": ("{ viewer { ... on Custmer { id } } }", None, "Customer"),
    "a fragment's type": ("{ viewer { ...F } } fragment F on Custmer { id }", None, "Customer"),
    "a variable's type": ("query ($g: KpiGrane) { shop { id } }", None, "KpiGrain"),
    "an enum value": (f"{{ kpi(name: NPS, {DAYS}, grain: YEER) {{ name }} }}", None, "YEAR"),
    "an enum value as a text": (f'{{ kpi(name: NPS, {DAYS}, grain: "YEAR") {{ name }} }}', None, "WEEK"),
    "an enum value by default": (
        f"query ($g: KpiGrain = YEER) {{ kpi(name: NPS, {DAYS}, grain: $g) {{ name }} }}", None, "YEAR",
    ),
    "an enum value in a variable": (
        f"query ($g: KpiGrain) {{ kpi(name: NPS, {DAYS}, grain: $g) {{ name }} }}", {"g": "YEER"}, "YEAR",
    ),
    "an enum value inside an input": (UPDATE, {"i": {"id": "x", "status": "ACTIV"}}, "ACTIVE"),
    "an input field": (UPDATE, {"i": {"id": "x", "firstNam": "Ann"}}, "firstName"),
    "an input field in a literal": (
        'mutation { customerUpdate(input: {id: "x", firstNam: "Ann"}) { customer { id } } }', None, "firstName",
    ),
    "a choice": (
        "query ($i: CustomerIdentifierInput!) { customerByIdentifier(identifier: $i) { id } }",
        {"i": {"emial": "x"}}, "email",
    ),
    "a choice in a literal": ('{ customerByIdentifier(identifier: {emial: "x"}) { id } }', None, "email"),
    "introspection": ('{ __type(nam: "x") { name } }', None, "Did you mean"),
}  # fmt: skip


@pytest.mark.parametrize("guess", GUESSES)
def test_a_wrong_guess_teaches_nothing(guess: str) -> None:
    text, variables, secret = GUESSES[guess]
    refused = answer(text, variables, principal=MAY_NOT)
    assert refused.refused
    told = [error["message"] for error in refused.body["errors"]]
    assert told
    assert not [said for said in told if "Did you mean" in said or f"'{secret}'" in said or f" {secret}" in said]


@pytest.mark.parametrize("guess", ["a field", "an argument", "a type", "an enum value", "an enum value in a variable"])
def test_who_may_introspect_is_helped(guess: str) -> None:
    text, variables, secret = GUESSES[guess]
    assert secret in str(answer(text, variables).body["errors"])


BEYOND_OURS = ["an enum value in a variable", "an enum value inside an input", "an input field", "a choice"]


@pytest.mark.parametrize(("principal", "helped"), [(MAY_NOT, False), (STAFF, True)], ids=["may not", "may introspect"])
@pytest.mark.parametrize("guess", BEYOND_OURS)
def test_graphql_cores_own_coercion_teaches_nothing_either(
    monkeypatch: pytest.MonkeyPatch, guess: str, principal: Any, helped: bool
) -> None:
    monkeypatch.setattr(execution, "errors_of_variables", lambda *_, **__: [])
    text, variables, secret = GUESSES[guess]
    refused = answer(text, variables, principal=principal).body["errors"]
    assert (f"'{secret}'" in "; ".join(error["message"] for error in refused)) is helped


@pytest.mark.parametrize(("principal", "helped"), [(MAY_NOT, False), (STAFF, True)], ids=["may not", "may introspect"])
@pytest.mark.parametrize("guess", ["an enum value", "a choice in a literal"])
def test_nor_does_its_executor(monkeypatch: pytest.MonkeyPatch, guess: str, principal: Any, helped: bool) -> None:
    asked.plans._kept.clear()
    monkeypatch.setattr(plan, "RULES", ())
    monkeypatch.setattr(plan, "validate", lambda *_, **__: [])
    text, variables, secret = GUESSES[guess]
    refused = answer(text, variables, principal=principal).body["errors"]
    asked.plans._kept.clear()
    assert (f"'{secret}'" in "; ".join(error["message"] for error in refused)) is helped
