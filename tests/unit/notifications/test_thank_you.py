# tests/unit/notifications/test_thank_you.py
import pytest

from crm.notifications.thank_you import write


def test_a_customer_is_greeted_by_name_in_their_language() -> None:
    letter = write("de-AT", first_name="Ann", shop_name="Demo")
    assert letter.subject == "Danke für Ihre erste Bestellung bei Demo"
    assert letter.text.startswith("Guten Tag Ann,\n")
    assert '<html lang="de">' in letter.html


@pytest.mark.parametrize("name", [None, "", "  ", "http://evil.example/x", "<b>", "a@b", "x" * 61])
def test_without_a_usable_name_the_greeting_does_without(name: str | None) -> None:
    letter = write("en", first_name=name, shop_name="Demo")
    assert letter.text.startswith("Hello,\n")
    assert "<p>Hello,</p>" in letter.html


@pytest.mark.parametrize("locale", [None, "", "fr-FR"])
def test_a_language_without_wording_gets_english(locale: str | None) -> None:
    letter = write(locale, first_name="Ann", shop_name="Demo")
    assert letter.text.startswith("Hello Ann,")
    assert '<html lang="en">' in letter.html


def test_values_cannot_add_markup_placeholders_or_headers() -> None:
    letter = write("en", first_name="Ann & $shop", shop_name="A <script>\r\nBcc: all@example.com")
    assert letter.subject == "Thank you for your first order at A <script> Bcc: all@example.com"
    assert "<script>" not in letter.html
    assert "<p>Hello Ann &amp; $shop,</p>" in letter.html


def test_every_letter_says_how_to_stop_them() -> None:
    assert "unsubscribe" in write("en", first_name=None, shop_name="Demo").text
    assert "Abmelden" in write("de", first_name=None, shop_name="Demo").text
