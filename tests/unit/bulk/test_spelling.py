# tests/unit/bulk/test_spelling.py
import csv
import io
import itertools

import pytest

from crm.bulk import spelling

ODD = "=+-@'\"\t\r\n ,;|[]{}\\aZ0.9ä＝🙂\u00a0\ufeff"  # noqa: RUF001


@pytest.mark.parametrize("text", ["=1+1", "+43 1", "-cmd", "@SUM(A1)", "＝1", "\t=1", "\r=1", "--1", "-1+1", "- 1"])  # noqa: RUF001
def test_what_a_spreadsheet_would_compute_is_shown_as_text(text: str) -> None:
    assert spelling.shielded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ann", "-5", "-5.25", "1=1", "a@example.com", "O'Hara"])
def test_what_is_harmless_is_left_as_it_is(text: str) -> None:
    assert spelling.shielded(text) == text


def test_whatever_is_written_is_read_as_it_was() -> None:
    texts = ["".join(some) for length in range(1, 4) for some in itertools.product(ODD, repeat=length)]
    written = spelling.rows(["a", "b"], ({"a": text, "b": "x"} for text in texts))
    cells = [row[0] for row in csv.reader(io.StringIO(written, newline=""), strict=True)]
    assert [spelling.bare(cell) for cell in cells] == texts
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "@", "\t", "\r"}]


def test_a_file_is_csv_as_the_rfc_has_it_and_says_that_it_is_utf_8() -> None:
    text = spelling.headed(["a", "b"]) + spelling.rows(["a", "b"], [{"a": 'x"y', "b": "ä,\nz"}, {"b": "2"}])
    assert text.encode() == b'\xef\xbb\xbfa,b\r\n"x""y","\xc3\xa4,\nz"\r\n,2\r\n'


@pytest.mark.parametrize(
    "texts", [[], ["a"], ["a", "b c"], ["a|b"], [" a"], ["[a]"], ['["a"]'], ["a", "[", "|"], ["1"]]
)
def test_a_list_is_read_as_it_was(texts: list[str]) -> None:
    assert spelling.listed(spelling.enlisted(texts)) == texts


def test_a_list_is_written_plainly_where_that_says_the_same() -> None:
    assert spelling.enlisted(["vip", "press"]) == "vip|press"
    assert spelling.listed("[vip") == ["[vip"]
