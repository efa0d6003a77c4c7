# crm/bulk/spelling.py
"""How values are spelled in the cells of a CSV, so that what is written can be read back as it was. Pure.

What a spreadsheet would take for a formula is written behind an apostrophe, which shows it as text; so is what begins
with an apostrophe itself, or would lose spaces around it. Reading takes that apostrophe away, and no other. A cell that
nobody has shielded loses the spaces around it: people leave them.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from crm.customers.service import BOOLEAN, LIST, MONEY, AttributeRule

SHIELD: Final = "'"
RISKY: Final = re.compile(r"['=+\-@＝＋－＠\s]")  # noqa: RUF001  full-width ones begin formulas, too
NEGATIVE: Final = re.compile(r"-[0-9]+([.][0-9]+)?")  # is itself as a formula, too
FLAGS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
COUNT: Final = re.compile("[0-9]{1,16}")
DEGREES: Final = re.compile(r"-?[0-9]{1,3}([.][0-9]{1,17})?")
SEPARATOR: Final = "|"  # between tags
BOM: Final = "\ufeff"  # without which spreadsheets take UTF-8 for something else, and save what they have made of it


def shielded(text: str) -> str:
    risky = RISKY.match(text) and not NEGATIVE.fullmatch(text)
    return f"{SHIELD}{text}" if risky or text != text.strip() else text


def bare(cell: str) -> str:
    """What a cell says; empty where that is nothing."""
    inner = cell[1:]
    if cell.startswith(SHIELD) and (RISKY.match(inner) or inner != inner.strip()):
        return inner
    return cell.strip()


def headed(columns: Sequence[str]) -> str:
    """The first line of a file."""
    return BOM + _lines([columns])


def rows(columns: Sequence[str], found: Iterable[Mapping[str, str]]) -> str:
    """Rows as RFC 4180 has them."""
    return _lines([shielded(row.get(column, "")) for column in columns] for row in found)


def flag(cell: str) -> bool | str:
    """Here and below: a cell that is not of its form is left as it is, for whoever judges what it was to be."""
    return FLAGS.get(cell.lower(), cell)


def count(cell: str) -> int | str:
    return int(cell) if COUNT.fullmatch(cell) else cell


def degrees(cell: str) -> float | str:
    return float(cell) if DEGREES.fullmatch(cell) else cell


def listed(cell: str) -> list[str]:
    """Texts between separators, or a JSON list of them."""
    said = json_list(cell)
    if isinstance(said, list) and all(isinstance(text, str) for text in said):
        return said
    return [text.strip() for text in cell.split(SEPARATOR) if text.strip()]


def enlisted(texts: Sequence[str]) -> str:
    """The plainer way where it says the same."""
    joined = SEPARATOR.join(texts)
    return joined if listed(joined) == list(texts) else written(texts)


def json_list(cell: str) -> Any:
    try:
        said = json.loads(cell) if cell.startswith("[") else cell
    except (ValueError, RecursionError):
        return cell
    return said


def written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def attribute(rule: AttributeRule, cell: str) -> Any:
    """A value of a shop's own attribute, as events say it."""
    if rule.type == LIST:
        return [_single(rule.element, text) for text in listed(cell)]
    return _single(rule.type, cell)


def attribute_cell(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case {"amount": amount, "currency": currency}:
            return f"{amount} {currency}"
        case list():
            return enlisted([attribute_cell(element) for element in value])
    return str(value)


def _single(kind: str | None, cell: str) -> Any:
    if kind == BOOLEAN:
        return flag(cell)
    if kind == MONEY:
        amount, _, currency = cell.partition(" ")
        return {"amount": amount, "currency": currency.strip()}
    return cell


def _lines(cells: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(cells)
    return out.getvalue()
