# tests/contract/test_fault_messages.py
"""What faults say: a predicate in lower case, which never quotes a value (docs/decisions/0043)."""

import ast

from tests.contract.stack import ROOT

PLACES = {"Fault": 2, "InvalidInput": 0}
REPR = ord("r")
SUBJECTS = {"a", "an", "at", "only", "the"}
"""First words of what is no predicate."""


def test_a_fault_is_a_predicate_and_quotes_nothing() -> None:
    wrong = []
    for path in (each for room in ("crm", "schema") for each in sorted((ROOT / room).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text())):
            place = PLACES.get(ast.unparse(node.func)) if isinstance(node, ast.Call) else None
            if not isinstance(node, ast.Call) or place is None or len(node.args) <= place:
                continue
            said = node.args[place]
            parts = said.values if isinstance(said, ast.JoinedStr) else [said]
            quotes = any(isinstance(part, ast.FormattedValue) and part.conversion == REPR for part in parts)
            first = str(parts[0].value) if isinstance(parts[0], ast.Constant) else "a"
            subject = place == PLACES["Fault"] and isinstance(parts[0], ast.Constant) and first.split()[0] in SUBJECTS
            if quotes or subject or not first[:1].islower() or first.endswith("."):
                wrong.append((path.name, ast.unparse(said)))
    assert wrong == []
