# tests/unit/infra/test_positions.py
import os
from pathlib import Path
from typing import Any

from infra.local.dispatcher.positions import Positions


def test_a_reader_finds_its_place_again(tmp_path: Path) -> None:
    Positions(tmp_path).note("reader", "0042")
    assert Positions(tmp_path).read("reader") == "0042"
    assert Positions(tmp_path).read("another") is None


def test_what_a_stop_left_unread_is_read_first_and_then_forgotten(tmp_path: Path) -> None:
    Positions(tmp_path).leave("reader", [record(created=100)])
    assert [r["dynamodb"]["SequenceNumber"] for r in Positions(tmp_path).leftover("reader", now=0)] == ["0042"]
    Positions(tmp_path).leave("reader", [])
    assert Positions(tmp_path).leftover("reader", now=0) == []


def test_a_night_with_the_laptop_closed_makes_no_record_older(tmp_path: Path) -> None:
    positions = Positions(tmp_path)
    positions.leave("reader", [record(created=1000)])
    (left,) = tmp_path.glob("*.leftover.jsonl")
    os.utime(left, (1060, 1060))
    (found,) = positions.leftover("reader", now=1060 + 12 * 3600)
    assert found["dynamodb"]["ApproximateCreationDateTime"] == 1000 + 12 * 3600


def record(*, created: int) -> dict[str, Any]:
    return {"dynamodb": {"SequenceNumber": "0042", "ApproximateCreationDateTime": created}}
