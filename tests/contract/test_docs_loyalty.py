# tests/contract/test_docs_loyalty.py
"""docs/loyalty.md names tests that there are, every movement, every account and every flaw."""

import re

import pytest

from crm.loyalty.ledger import movements
from crm.loyalty.service import Flaw, Movement
from crm.loyalty.verification import judging
from tests.contract.stack import ROOT

PAGE = (ROOT / "docs" / "loyalty.md").read_text()
UNIT = ROOT / "tests" / "unit" / "loyalty" / "ledger"
NAMES = (
    "test_order_points.py",
    "test_order_holds.py",
    "test_paid_with_points.py",
    "test_pardons.py",
    "test_movements.py",
)
TESTS = "".join((UNIT / name).read_text() for name in NAMES)


@pytest.mark.parametrize("name", [*re.findall(r"`(test_\w+)[`\[]", PAGE), *re.findall(r"\[(\w+)…\]`", PAGE)])
def test_a_case_of_the_refund_matrix_has_its_test(name: str) -> None:
    assert f"def {name}(" in TESTS


def test_every_movement_and_every_flaw_is_told() -> None:
    assert {str(one) for one in Movement} <= set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert {str(one) for one in Flaw} == set(re.findall(r"`([A-Z_]+)`", PAGE.partition("## Verifying")[2]))


def test_every_account_of_the_ledger_is_told_and_verified() -> None:
    posted = {
        value
        for name, value in vars(movements).items()
        if name.isupper() and isinstance(value, str) and re.match("customer:|programme:", value)
    }
    assert posted == set(re.findall(r"^\| `((?:customer|programme):\w+)` \|", PAGE, re.MULTILINE))
    assert posted == {*judging.CUSTOMER, *judging.PROGRAMME}
