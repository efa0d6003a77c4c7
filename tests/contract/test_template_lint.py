# tests/contract/test_template_lint.py
"""cfn-lint, which knows AWS's own schemas, has nothing to say about the template as written and as transformed."""

import json
from pathlib import Path

from cfnlint.api import lint_file

from tests.contract.stack import TEMPLATE, template


def said(path: Path) -> list[str]:
    return [f"{match.rule.id} {match.message} at {match.linenumber}" for match in lint_file(path)]


def test_the_template_is_valid_as_written() -> None:
    assert said(TEMPLATE) == []


def test_the_template_is_valid_as_cloudformation_gets_it(tmp_path: Path) -> None:
    transformed = tmp_path / "template.json"
    transformed.write_text(json.dumps(template()))
    assert said(transformed) == []


def test_the_template_stays_within_what_the_local_run_can_read() -> None:
    assert set(intrinsics(json.loads(json.dumps(template()["Resources"])))) <= {"Ref", "Fn::GetAtt", "Fn::Sub"}


def intrinsics(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [key for key in value if len(value) == 1 and (key == "Ref" or key.startswith("Fn::"))]
        return own + [name for inner in value.values() for name in intrinsics(inner)]
    if isinstance(value, list):
        return [name for inner in value for name in intrinsics(inner)]
    return []
