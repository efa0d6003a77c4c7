# crm/bulk/reading.py
"""From a slice of a file to its whole rows, and the place where the next slice begins. Pure.

A slice begins where a row begins, and may end anywhere: what it does not hold whole is the next one's. Rows of one
order that stand together are one group, and a group is never parted. So a slice read again is read to the same end.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Self

from msgspec import Struct, field, to_builtins
from msgspec.structs import replace

from crm.bulk import spelling
from crm.kernel.errors import Fault, InvalidInputs

SLICE_BYTES: Final = 512 * 1024
SLICE_ROWS: Final = 500
LONGEST_ROW: Final = 64 * 1024
"""Of a CSV, in bytes: where no quote closes within it, it was opened by mistake."""
LONGEST_HEADER: Final = 32 * 1024
"""In bytes: it is kept with the operation, beside what else an item has to hold."""
CSV, JSONL = "csv", "jsonl"
DELIMITERS = (",", ";", "\t")
BOM = b"\xef\xbb\xbf"

UNDECODED = re.compile("[\udc80-\udcff]")

NO_HEADER = Fault("", "INVALID", "must be CSV in UTF-8 that begins with the names of its columns")
LONG_HEADER = Fault("", "TOO_LARGE", f"must begin with a header of at most {LONGEST_HEADER:,} bytes")
NO_ROW = Fault("", "INVALID", "must be a row of CSV: a quote stands where none may, or is never closed")
NO_JSON = Fault("", "NOT_JSON", "must be an object on a line")
NOT_UTF8 = Fault("", "INVALID", "must be UTF-8")
TOO_LONG = Fault("", "TOO_LARGE", f"must have at most {SLICE_BYTES:,} bytes")
TOO_MANY_CELLS = Fault("", "INVALID", "must have no more cells than there are columns")
UNSURE = Fault("", "INVALID", "stands beside a row of which nobody can say whether it belongs to the same order")


class Header(Struct, frozen=True):
    """What the first line of a CSV says."""

    columns: tuple[str, ...]
    delimiter: str


class Place(Struct, frozen=True):
    """Where a file is read on: perhaps `inside` a row that was refused for its length, behind the first rows of an
    order that was refused for its length (`parted`), or behind a row of which nobody can say whose it is (`unsure`).
    """

    offset: int = 0
    row: int = 1
    header: Header | None = None
    inside: bool = False
    parted: str | None = None
    unsure: bool = False

    def stored(self) -> dict[str, Any]:
        stored: dict[str, Any] = to_builtins(self)
        return stored

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        header = stored.get("header")
        known = Header(tuple(header["columns"]), header["delimiter"]) if header else None
        return cls(**{**stored, "header": known})


class Row(Struct, frozen=True):
    """A row by its number in the file (a CSV's header is 1): its cells, or its JSON, or why it has neither. `size` is
    what it takes of the file.
    """

    number: int
    size: int
    cells: Mapping[str, str] = field(default_factory=dict)
    value: Any = None
    fault: Fault | None = None

    @property
    def blank(self) -> bool:
        return not self.cells and self.value is None and self.fault is None


class Group(Struct):
    """Rows that make one event; `fault` is one of them all. Blank rows among them say nothing."""

    key: str | None = None
    rows: list[Row] = field(default_factory=list)
    fault: Fault | None = None

    @property
    def told(self) -> list[Row]:
        return [row for row in self.rows if not row.blank]


class Slice(Struct, frozen=True):
    """`done`: the file ends here."""

    groups: Sequence[Group]
    place: Place
    done: bool


def read(data: bytes, place: Place, form: str, *, together: Sequence[str] = (), last: bool) -> Slice:
    """Read what of a file stands in `data`: SLICE_BYTES from its place, or the `last` of it. `together` are the columns
    whose equal cells, one below the other, make rows one group; the first of them must not be empty. Raises
    InvalidInputs where it is no CSV at all.
    """
    before = place
    if place.offset == 0 and data.startswith(BOM):
        data, place = _behind(len(BOM), data, place)
    if place.inside:
        end = data.find(b"\n") + 1
        data, place = _behind(end or len(data), data, replace(place, inside=not end))
    lines = data.split(b"\n")
    tail = lines.pop()
    lines = [line + b"\n" for line in lines] + ([tail] if last and tail else [])
    if form == CSV and place.header is None:
        place = _headed(lines[0] if lines else tail, place, last=last)
        lines = lines[1:]
    if not lines and not last and place == before:
        # Not even the end of one row: it is refused, and the rest of it passed over.
        refused = Row(place.row, len(data), fault=TOO_LONG)
        place = replace(place, offset=place.offset + len(data), row=place.row + 1, inside=True)
        return Slice([Group(rows=[refused])], place, done=False)
    rows = _csv_rows(lines, place, last=last) if form == CSV else _json_rows(lines, place)
    return _gathered(rows, place, together, last=last)


def _behind(size: int, data: bytes, place: Place) -> tuple[bytes, Place]:
    return data[size:], replace(place, offset=place.offset + size)


def _headed(line: bytes, place: Place, *, last: bool) -> Place:
    """The place behind the header. Raises InvalidInputs."""
    if len(line) > LONGEST_HEADER or not (last or line.endswith(b"\n")):
        raise InvalidInputs([LONG_HEADER])
    text = line.decode(errors="replace").strip("\r\n")
    delimiter = max(DELIMITERS, key=text.count)
    try:
        [cells] = csv.reader([text], delimiter=delimiter, strict=True) if text.strip() else [[]]
    except (csv.Error, ValueError):
        cells = []
    columns = tuple(cell.strip().lower() for cell in cells)
    if not any(columns) or "\x00" in text or "\r" in text or "\ufffd" in text:
        raise InvalidInputs([NO_HEADER])
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice:
        raise InvalidInputs([Fault(column, "DUPLICATE", "must be one column") for column in twice])
    return replace(place, offset=place.offset + len(line), row=2, header=Header(columns, delimiter))


def _csv_rows(lines: Sequence[bytes], place: Place, *, last: bool) -> Iterator[Row]:
    """Up to a row whose quotes do not close before the slice ends: that is the next slice's."""
    header, number, at, left = place.header, place.row, 0, sum(map(len, lines))
    while header is not None and at < len(lines):
        taken = 0

        def texts(start: int = at) -> Iterator[str]:
            nonlocal taken
            while start + taken < len(lines):
                taken += 1
                yield lines[start + taken - 1].decode(errors="surrogateescape")

        try:
            cells = next(csv.reader(texts(), delimiter=header.delimiter, strict=True))
        except csv.Error:
            if at + taken == len(lines) and not last and left < LONGEST_ROW:
                return
            # Read on behind this line, not behind whatever the quote has swallowed.
            taken, row = 1, Row(number, len(lines[at]), fault=NO_ROW)
        else:
            row = _row(number, sum(map(len, lines[at : at + taken])), cells, header.columns)
        yield row
        number, at, left = number + 1, at + taken, left - row.size


def _row(number: int, size: int, cells: Sequence[str], columns: Sequence[str]) -> Row:
    pairs = zip(columns, map(spelling.bare, cells), strict=False)
    named = {column: cell for column, cell in pairs if column and cell}
    readable = {column: cell for column, cell in named.items() if not UNDECODED.search(cell)}
    fault = None
    if UNDECODED.search("".join(cells)):
        fault = NOT_UTF8
    elif any(cell.strip() for cell in cells[len(columns) :]):
        fault = TOO_MANY_CELLS
    return Row(number, size, cells=readable, fault=fault)


def _json_rows(lines: Sequence[bytes], place: Place) -> Iterator[Row]:
    for number, line in enumerate(lines, start=place.row):
        value, fault = None, None
        try:
            value = json.loads(line) if line.strip() else None
        except UnicodeDecodeError:
            fault = NOT_UTF8
        except (ValueError, RecursionError):
            fault = NO_JSON
        if value is None and fault is None and line.strip():
            fault = NO_JSON
        elif value is not None and not isinstance(value, dict):
            value, fault = None, NO_JSON
        yield Row(number, len(line), value=value, fault=fault)


def _key(row: Row, together: Sequence[str]) -> str | None:
    """Of the group that a row belongs to; None where nobody can say."""
    told = [cell for column in together if (cell := row.cells.get(column))]
    return " ".join(told) if together and together[0] in row.cells else None


def _gathered(rows: Iterable[Row], place: Place, together: Sequence[str], *, last: bool) -> Slice:
    """As many groups as a slice may have. Whether its last group goes on behind it cannot be known, so that is left to
    the next slice; where it is the only one, it is refused for its length.
    """
    whole: list[Group] = []
    group: Group | None = None
    unsure = place.unsure
    for count, row in enumerate(rows):
        key = _key(row, together)
        if group is None or not (together and (row.blank or key is None or key == group.key)):
            if group is not None:
                whole.append(group)
                if count >= SLICE_ROWS:
                    return Slice(whole, _after(whole, place, together), done=False)
            fault = TOO_LONG if key is not None and key == place.parted and not whole else None
            group = Group(key, fault=fault or (UNSURE if unsure and not row.blank else None))
        group.rows.append(row)
        if not row.blank and together:
            unsure = key is None
            if unsure and group.key is not None:
                group.fault = UNSURE
    if group is None:
        return Slice([], place, done=last)
    if not together or last:
        whole.append(group)
    elif not whole:
        group.fault = TOO_LONG
        return Slice([group], replace(_after([group], place, together), parted=group.key), done=False)
    return Slice(whole, _after(whole, place, together), done=last)


def _after(groups: Sequence[Group], place: Place, together: Sequence[str]) -> Place:
    rows = [row for group in groups for row in group.rows]
    told = [row for row in rows if not row.blank]
    unsure = _key(told[-1], together) is None if told and together else place.unsure
    end = place.offset + sum(row.size for row in rows)
    return replace(place, offset=end, row=place.row + len(rows), parted=None, unsure=unsure)
