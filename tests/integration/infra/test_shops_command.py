# tests/integration/infra/test_shops_command.py
import pytest

from crm.shops import service
from infra.shops import main

pytestmark = pytest.mark.usefixtures("tables")

DEMO = ["create", "--id", "demo", "--name", "Demo", "--zone", "Europe/Vienna", "--currency", "EUR", "--locale", "de-AT"]


def test_an_operator_founds_a_shop(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DEMO, "--sender", "shop@example.com"]) == 0
    shop = service.get("demo")
    assert (shop.name, shop.zone, shop.currency, shop.locale, shop.sender) == (
        "Demo",
        "Europe/Vienna",
        "EUR",
        "de-AT",
        "shop@example.com",
    )
    assert capsys.readouterr().out == "demo: Demo, Europe/Vienna, EUR, de-AT, shop@example.com\n"


def test_a_shop_without_a_sender_sends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(DEMO) == 0
    assert service.get("demo").sender is None
    assert "no sender" in capsys.readouterr().out


def test_a_shop_is_founded_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(DEMO) == 0
    assert main([*DEMO[:3], "--name", "Another", *DEMO[5:]]) == 1
    assert service.get("demo").name == "Demo"
    assert capsys.readouterr().err.startswith("SHOP_EXISTS")


def test_everything_that_is_wrong_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = [*DEMO[:6], "Europe/Vindobona", "--currency", "EURO", "--locale", "german"]
    assert main(wrong) == 2
    told = capsys.readouterr().err
    assert [line.split(":")[0] for line in told.splitlines()] == ["--zone", "--currency", "--locale"]
