# tests/unit/consent/test_addresses.py
import pytest

from crm.consent.addresses import digest, hint, normalised


@pytest.mark.parametrize(
    ("channel", "address", "normal"),
    [
        ("email", " Ann@Example.COM ", "ann@example.com"),
        ("email", "ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("email", "ann", None),
        ("sms", "0049 170 123-45-67", "+491701234567"),
        ("sms", "0170 1234567", None),
        ("push", " aB:c9 ", "aB:c9"),
        ("push", "two words", None),
        ("push", "", None),
        ("ads", "ann@example.com", None),
    ],
)
def test_an_address_has_one_form_however_it_is_written(channel: str, address: str, normal: str | None) -> None:
    assert normalised(channel, address) == normal


def test_a_digest_is_of_one_shop_and_channel_and_tells_no_address() -> None:
    given = {digest(shop, channel, "+491701234567") for shop in ("a", "b") for channel in ("sms", "push")}
    assert len(given) == 4


def test_a_hint_tells_which_address_it_is_and_not_the_whole() -> None:
    assert hint("email", "ann@example.com") == "a…@example.com"
    assert hint("sms", "+491701234567") == "+49…567"
    assert hint("push", "aB:c9xyz") == "…9xyz"
