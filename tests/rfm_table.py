# tests/rfm_table.py
"""Thirty customers of a shop in Berlin on 31 March 2026, and their scores, worked out by hand from docs/rfm.md.

Two have no standing orders, so 28 are compared, and a value is worth one more than the places that hold less: the 6th,
12th, 17th and 23rd of each column in order (28/5 = 5.6, 11.2, 16.8 and 22.4, rounded up). By hand that is

    last order   5th to 7th are 10 April 2025, 12th is 30 September, 16th to 19th 28 November, 23rd and 24th 14
                 February: up to the 7th 1, up to the 12th 2, up to the 19th 3, up to the 24th 4, the last four 5
    orders       twelve ones, six twos, three threes, two fours, and 5 5 7 9 12: the 6th and the 12th are 1, the 17th is
                 2, the 23rd 4: 1 is worth 1, 2 is worth 3 (more than the 6th and the 12th), 3 and 4 are worth 4
    spent        0 0 9.90 12.90 12.90 19.90 | 24.90 24.90 29.90 34.90 39.90 49.90 49.90 49.90 | 59 64.90 89.90 | 99 119
                 129 149 199 249 249 | 319 459 599 889: the bounds are 19.90, 49.90, 89.90 and 249
"""

import csv
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

ZONE: Final = "Europe/Berlin"


class Row(Struct, frozen=True):
    """`spent` in cents. Scores are None of one without standing orders."""

    customer: str
    last_order_at: datetime | None
    orders: int
    spent: int
    recency: int | None
    frequency: int | None
    monetary: int | None
    group: str


def rows() -> list[Row]:
    with Path(__file__).with_suffix(".csv").open(newline="") as lines:
        return [_row(line) for line in csv.DictReader(lines)]


def _row(line: dict[str, str]) -> Row:
    at = line["last_order_at"]
    recency, frequency, monetary = (
        int(line[name]) if line[name] else None for name in ("recency", "frequency", "monetary")
    )
    return Row(
        line["customer"],
        datetime.fromisoformat(at) if at else None,
        int(line["orders"]),
        int(line["spent"]),
        recency,
        frequency,
        monetary,
        line["group"],
    )
