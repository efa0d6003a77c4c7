# tests/contract/test_docs_events.py
"""docs/events.md tells of the events there are, as they are."""

import json
import re

import pytest

from crm.intake.changes import PUBLISHERS
from crm.intake.domain_schemas import DOMAIN_EVENTS
from crm.intake.event_types import EVENT_TYPES
from crm.kernel.domain_events import DomainEvent
from infra import scopes
from infra.docs import EVENTS_PAGE, rendered
from schema.principal import SCOPES
from tests.contract.stack import ROOT, of_type

PAGE = EVENTS_PAGE.read_text()


def test_the_generated_parts_are_those_the_code_generates() -> None:
    assert rendered(PAGE) == PAGE, "make schema"


def test_the_scopes_are_told_with_what_they_open() -> None:
    page = scopes.LOCAL_PAGE.read_text()
    assert scopes.rendered(page) == page, "make schema"
    rows = dict(re.findall(r"^\| `([a-z]+:[a-z]+)` \| (.*) \|$", page, re.MULTILINE))
    assert set(rows) == SCOPES
    assert [scope for scope, opened in rows.items() if not opened] == []


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_type_has_a_section_with_its_example(name: str) -> None:
    section = PAGE.partition(f"\n### `{name}`\n")[2].partition("\n### ")[0]
    (example,) = re.findall(r"```json\n(.*?)\n```", section, re.DOTALL)
    assert json.loads(example)["type"] == name


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_type_has_its_json_schema_beside_the_contract(name: str) -> None:
    schema = json.loads((ROOT / "schema" / "events" / f"{name}.json").read_text())
    assert schema["title"] == name


@pytest.mark.parametrize("kind", DOMAIN_EVENTS)
def test_every_domain_event_has_its_json_schema_beside_the_contract(kind: type[DomainEvent]) -> None:
    schema = json.loads((ROOT / "schema" / "domain_events" / f"{kind.detail_type}.json").read_text())
    assert schema["title"] == kind.detail_type


def test_every_class_that_says_what_it_publishes_is_told() -> None:
    declared = {
        (path.parent.name, detail_type)
        for path in (ROOT / "crm").rglob("*.py")
        for detail_type in re.findall(r'detail_type: ClassVar\[str\] = "([a-z_.]+)"', path.read_text())
    }
    assert {detail_type for _, detail_type in declared} == {kind.detail_type for kind in DOMAIN_EVENTS}
    assert len(declared) >= len(PUBLISHERS)


def test_who_consumes_an_event_is_what_the_rules_say() -> None:
    """A domain event whose rule is there is told as consumed, and one without a rule as not yet."""
    ruled: set[str] = set()
    for rule in of_type("AWS::Events::Rule").values():
        ruled.update(rule.get("EventPattern", {}).get("detail-type", []))
    table = PAGE.partition("| event | consumed by |")[2].partition("\n\n")[0]
    rows = {line.split("|")[1]: line.split("|")[2].strip() for line in table.splitlines()[2:]}
    consumed = {name: who != "nobody yet" for names, who in rows.items() for name in re.findall(r"`([a-z._]+)`", names)}
    assert consumed == {kind.detail_type: kind.detail_type in ruled for kind in DOMAIN_EVENTS}
