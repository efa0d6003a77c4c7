# tests/unit/infra/test_positions.py
from pathlib import Path

from infra.local.dispatcher.positions import Positions


def test_a_reader_finds_its_place_again(tmp_path: Path) -> None:
    Positions(tmp_path).note("reader", "0042")
    assert Positions(tmp_path).read("reader") == "0042"
    assert Positions(tmp_path).read("another") is None


def test_what_a_stop_left_unread_is_read_first_and_then_forgotten(tmp_path: Path) -> None:
    record = {"dynamodb": {"SequenceNumber": "0042"}}
    Positions(tmp_path).leave("reader", [record])
    assert Positions(tmp_path).leftover("reader") == [record]
    Positions(tmp_path).leave("reader", [])
    assert Positions(tmp_path).leftover("reader") == []
