# tests/unit/customers/test_identifiers.py
import pytest

from crm.customers import identifiers


@pytest.mark.parametrize("value", ["null", " NULL ", "", "undefined", "n/a", "0"])
def test_a_blocked_external_id_identifies_nobody(value: str) -> None:
    assert identifiers.external("shopify", value) is None


def test_the_first_customer_of_a_shop_is_somebody() -> None:
    assert identifiers.external("magento", "1") is not None


@pytest.mark.parametrize("address", ["email@johndoe.com", "na@adams.at", "user@firm.com"])
def test_a_usual_word_before_the_at_is_no_reason_to_know_nobody(address: str) -> None:
    assert identifiers.email(address, verified=True) is not None


@pytest.mark.parametrize("address", ["test@test.com", "Test@Test.com ", "null@shop.de", "noreply@shop.de", "no-at"])
def test_a_blocked_address_identifies_nobody(address: str) -> None:
    assert identifiers.email(address, verified=True) is None


@pytest.mark.parametrize("number", ["0664 1234567", "+43 1", "+1 000 000 0000", "abc"])
def test_a_number_without_its_country_or_sense_identifies_nobody(number: str) -> None:
    assert identifiers.phone(number) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@Example.com", "ann@example.com"),
        ("a@b\u00fccher.example", "a@xn--bcher-kva.example"),
        (" a@b.co", "a@b.co"),
    ],
)
def test_addresses_are_compared_in_one_form(one: str, other: str) -> None:
    assert identifiers.matching_email(one) == identifiers.matching_email(other) is not None


def test_numbers_are_compared_in_e164() -> None:
    assert identifiers.matching_phone("0043 (664) 123-4567") == identifiers.matching_phone("+436641234567")


@pytest.mark.parametrize(
    "address", ["a..b@example.com", ".a@example.com", "a.@example.com", "a@example..com", "a@.com"]
)
def test_an_address_has_no_empty_part(address: str) -> None:
    assert identifiers.matching_email(address) is None
