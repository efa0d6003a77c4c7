# tests/unit/infra/test_files.py
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm.intake import parsing
from infra.local.files import Unreadable, read

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HEAD = "order_id,placed_at,currency,sku,quantity,unit_price,email,shipping\n"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_rows_of_one_order_become_its_lines_wherever_they_stand(tmp_path: Path) -> None:
    text = HEAD + "o1,2026-03-01T09:00:00Z,EUR,A,1,10.00,ada@example.com,4.90\n"
    text += "o2,2026-03-01T10:00:00Z,EUR,C,3,2.50,eva@example.com,\n"
    text += "o1,2026-03-01T09:00:00Z,EUR,B,2,5.00,ada@example.com,4.90\n"
    first, second = read(write(tmp_path, "orders.csv", text), shop="demo", source="csv")
    for row in (first, second):
        parsing.parse(json.dumps(row.event), now=NOW)
    assert [line["sku"] for line in first.event["data"]["lines"]] == ["A", "B"]
    assert first.event["data"]["shipping"] == "4.90"
    assert (second.line, second.event["type"]) == (3, "order.placed")


def test_a_row_that_is_no_order_holds_up_no_other(tmp_path: Path) -> None:
    text = HEAD + "o1,2026-03-01T09:00:00Z,EUR,A,many,1,,\no2,2026-03-01T09:00:00Z,EUR,A,1,1,a@example.com,\n"
    bad, good = read(write(tmp_path, "orders.csv", text), shop="demo", source="csv")
    assert bad.fault is not None
    assert "many" in bad.fault
    assert good.fault is None


def test_a_csv_without_a_needed_column_is_refused_as_a_whole(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="unit_price"):
        read(write(tmp_path, "orders.csv", "order_id,placed_at,currency,sku,quantity\n"), shop="demo", source="csv")


def test_json_lines_are_taken_as_they_are_and_broken_ones_are_told_by_line(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "events.jsonl", '{"id": "e1"}\n\n{broken\n'), shop="demo", source="csv")
    assert [(row.line, row.event) for row in rows] == [(1, {"id": "e1"}), (3, None)]
    assert rows[1].fault is not None
