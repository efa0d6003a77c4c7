# tests/unit/kernel/test_locales.py
import pytest

from crm.kernel.locales import is_locale, written


@pytest.mark.parametrize(
    ("text", "locale"),
    [("de_at", "de-AT"), ("ZH-hant-tw", "zh-Hant-TW"), ("es_419", "es-419"), ("ca-Valencia", "ca-valencia")],
)
def test_what_systems_write_in_their_own_way_is_written_as_bcp_47_has_it(text: str, locale: str) -> None:
    assert written(text) == locale
    assert is_locale(locale)


@pytest.mark.parametrize("text", ["", "German", "zz_!!", "de_", "de-AT-"])
def test_what_is_no_locale_stays_as_it_is(text: str) -> None:
    assert written(text) == text
    assert not is_locale(text)
