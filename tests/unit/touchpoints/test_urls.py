# tests/unit/touchpoints/test_urls.py
import pytest

from crm.touchpoints.urls import LONGEST, host, plain


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("https://ann:secret@shop.example/cart?token=abc#top", "https://shop.example/cart"),
        ("https://shop.example:8443/a", "https://shop.example:8443/a"),
        ("http://[2001:db8::1]/a?b", "http://[2001:db8::1]/a"),
        ("android-app://com.example.mail/", "android-app://com.example.mail/"),
        ("/cart", None),
        ("mailto:ann@example.com", None),
        ("https://[broken", None),
        ("https://shop.example:port/", None),
    ],
)
def test_an_address_keeps_where_it_was_and_not_who_was_there(told: str, kept: str | None) -> None:
    assert plain(told) == kept


def test_a_long_address_is_cut() -> None:
    assert len(plain("https://shop.example/" + "a" * 2000) or "") == LONGEST


def test_a_site_is_known_without_its_www() -> None:
    assert host("https://www.search.example/?q=ann") == "search.example"
    assert host("nowhere") is None
