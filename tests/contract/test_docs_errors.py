# tests/contract/test_docs_errors.py
"""docs/errors.md lists every code a caller can meet, and none that is gone."""

import ast
import importlib
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from crm.consent import permission
from crm.kernel.errors import CrmError
from crm.loyalty import programme
from crm.notifications import delivery, eligibility, mail
from infra import dead_letters, discarded
from tests.contract.stack import ROOT

PAGE = (ROOT / "docs" / "errors.md").read_text()
CODE = re.compile(r"[A-Z]{2,}(_[A-Z]+)*")
REFUSING = {"BadRequest", "_refused", "_formatted"}
PLANNING = ("schema/plan.py",)  # where codes stand in pairs with their errors
STORED_REASONS: tuple[type[StrEnum], ...] = (eligibility.Refusal, programme.Withheld, permission.Refusal)


def documented(section: str) -> set[str]:
    """The codes in the first column of a section's tables."""
    return set(re.findall(r"^\| `([A-Z_]+)` \|", section_of(section), re.MULTILINE))


def section_of(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("section", re.findall(r"^## (.*)$", PAGE, re.MULTILINE))
def test_a_code_has_one_row(section: str) -> None:
    rows = [row.split(" | ")[:2] for row in section_of(section).splitlines() if re.match(r"\| `[A-Z_]+` \|", row)]
    named = [row[0] if section != "Reasons that are stored" else " of ".join(row) for row in rows]
    assert sorted(named) == sorted(set(named))


def modules(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from sorted((ROOT / room).rglob("*.py"))


def called_with(names: set[str], *rooms: str) -> set[str]:
    """Code literals among the arguments of calls of these names."""
    return {
        argument.value
        for path in modules(*rooms)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names
        for argument in (*node.args, *(keyword.value for keyword in node.keywords))
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and CODE.fullmatch(argument.value)
    }


def refusals() -> set[type[CrmError]]:
    for path in modules("crm"):
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))

    def below(kind: type[CrmError]) -> Iterator[type[CrmError]]:
        yield kind
        for subclass in kind.__subclasses__():
            yield from below(subclass)

    return {kind for kind in below(CrmError) if kind.__module__.startswith("crm.")}


def test_every_refusal_of_the_domain_is_listed_and_no_other() -> None:
    assert documented("Refusals of the domain") == {kind.code for kind in refusals()}


def test_every_refusal_with_data_or_a_rule_of_its_own_has_a_code_of_its_own() -> None:
    shared = {kind.__name__ for kind in refusals() if "code" not in vars(kind)}
    assert shared == set()


def test_every_fault_of_an_input_is_listed_and_no_other() -> None:
    assert documented("Faults") == called_with({"Fault"}, "crm", "schema", "api", "functions")


def test_every_code_of_a_request_is_listed_and_no_other() -> None:
    pairs = {
        node.elts[0].value
        for path in PLANNING
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.Tuple) and node.elts and isinstance(node.elts[0], ast.Constant)
    }
    answered = called_with(REFUSING, "schema", "api")
    assert documented("Requests") == answered | {code for code in pairs if isinstance(code, str)}


def test_every_reason_that_is_stored_is_listed_and_no_other() -> None:
    stored = {str(reason) for reasons in STORED_REASONS for reason in reasons} | {
        delivery.INTERRUPTED,
        mail.SUPPRESSED_BY_PROVIDER,
    }
    assert documented("Reasons that are stored") == stored


def test_every_reason_of_dead_letters_that_is_no_codes_own_is_listed_and_no_other() -> None:
    assert documented("Reasons of dead letters") == {dead_letters.EXHAUSTED, discarded.DISCARDED}


def test_the_limits_that_are_named_are_those_of_the_code() -> None:
    from api import events, graphql
    from crm.intake import parsing
    from crm.touchpoints.service import LARGEST_PROPERTIES
    from schema import event, limits

    for number in (
        *(events.MOST_BYTES, graphql.MOST_BYTES, parsing.MOST_BYTES, LARGEST_PROPERTIES),
        *(event.LARGEST, *event.LARGEST_OF.values()),
        *(limits.MOST_TOKENS, limits.MOST_FIELDS, limits.MOST_COST),
    ):
        assert f"{number:,}" in PAGE
    for text in (
        f"depth {limits.MOST_DEPTH}",
        f"{limits.MOST_ALIASES} aliases",
        f"{limits.MOST_ROOT_FIELDS} root fields",
        f"{limits.MOST_DIRECTIVES} directives",
    ):
        assert text in PAGE
