# tests/integration/infra/test_segments_command.py
import pytest

from crm.segmentation import service
from infra.segments import main

pytestmark = pytest.mark.usefixtures("shop")

DEFINE = ["define", "--shop", "demo"]


def test_an_operator_defines_segments_and_one_whose_name_is_taken_is_left_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*DEFINE, "--segment", "VIP", "amount_spent>500"]) == 0
    assert main([*DEFINE, "--segment", "vip", "amount_spent > 1", "--segment", "Repeat", "number_of_orders >= 2"]) == 0
    found = {each.name: each.normalized for each in service.list_definitions("demo")}
    assert found == {"Repeat": "number_of_orders >= 2", "VIP": "amount_spent > 500"}
    assert "VIP: amount_spent > 500\n" in capsys.readouterr().out


def test_a_query_that_is_wrong_defines_nothing_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DEFINE, "--segment", "VIP", "amount_spend > 500"]) == 2
    assert service.list_definitions("demo") == []
    assert "VIP: query: " in capsys.readouterr().err


def test_a_shop_that_is_not_there_has_no_segments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["define", "--shop", "nowhere", "--segment", "VIP", "amount_spent > 500"]) == 1
    assert "NOT_FOUND" in capsys.readouterr().err
