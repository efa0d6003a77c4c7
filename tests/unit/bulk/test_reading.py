# tests/unit/bulk/test_reading.py
from typing import Any

import pytest

from crm.bulk import reading
from crm.bulk.reading import CSV, JSONL, LONG_HEADER, NO_ROW, TOO_LONG, UNSURE, Group, Place
from crm.kernel.errors import InvalidInputs


def slices(data: bytes, form: str = CSV, *, size: int = 1 << 20, together: tuple[str, ...] = ()) -> list[Group]:
    """Every group of a file read slice by slice."""
    place, groups = Place(), list[Group]()
    for _ in range(10_000):
        part = data[place.offset : place.offset + size]
        found = reading.read(part, place, form, together=together, last=place.offset + size >= len(data))
        groups += found.groups
        if found.done:
            assert found.place.offset == len(data)
            return groups
        assert found.place != place, "the file is not read on"
        place = Place.of(found.place.stored())
    raise AssertionError("the file does not end")


def told(groups: list[Group]) -> list[Any]:
    """What the rows say: number and cells, or what is wrong with them."""
    return [
        (row.number, row.fault.code if row.fault else dict(row.cells) or row.value)
        for group in groups
        for row in group.told
    ]


def refused(data: bytes) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInputs) as refusal:
        slices(data)
    return [(fault.path, fault.code) for fault in refusal.value.faults]


@pytest.mark.parametrize(
    "data",
    [
        b"email,first_name\nann@example.com,Ann\n",
        b"email,first_name\r\nann@example.com,Ann\r\n",
        b"email,first_name\nann@example.com,Ann",
        b"\xef\xbb\xbfemail,first_name\nann@example.com,Ann\n",
        b"EMAIL ;First_Name\n ann@example.com;Ann \n",
        b"email\tfirst_name\nann@example.com\tAnn\n",
        b'"email","first_name"\n"ann@example.com","Ann"\n',
    ],
)
def test_a_row_is_the_same_however_its_file_is_written(data: bytes) -> None:
    assert told(slices(data)) == [(2, {"email": "ann@example.com", "first_name": "Ann"})]


def test_quotes_hold_separators_quotes_and_line_ends_and_rows_are_counted_as_a_spreadsheet_does() -> None:
    data = b'email,first_name\na@example.com,"Ann, ""the""\nFirst"\n\nb@example.com,Bob\n'
    assert told(slices(data)) == [
        (2, {"email": "a@example.com", "first_name": 'Ann, "the"\nFirst'}),
        (4, {"email": "b@example.com", "first_name": "Bob"}),
    ]


def test_a_quote_that_never_closes_costs_its_own_row_only() -> None:
    rows = b"".join(b"%d@example.com,x\n" % number for number in range(5_000))
    groups = slices(b'email,first_name\n"oh,no\n' + rows, size=100_000)
    assert told(groups)[:2] == [(2, "INVALID"), (3, {"email": "0@example.com", "first_name": "x"})]
    assert len(told(groups)) == 5_001


@pytest.mark.parametrize("row", [b'"a"b,c', b"a,b,c", b"a\rb,c", b"caf\xe9,c"])
def test_what_is_no_row_is_refused_and_the_next_one_is_not(row: bytes) -> None:
    assert told(slices(b"email,first_name\n" + row + b"\nb@example.com,Bob\n")) == [
        (2, "INVALID"),
        (3, {"email": "b@example.com", "first_name": "Bob"}),
    ]


def test_a_file_in_slices_has_the_rows_that_it_has_in_one() -> None:
    data = b'order_id,sku\n1,"a\na"\n1,b\n2,\xc3\xa4\n3,d\n3,e\n3,f\n\n4,g\n'
    whole = [told([group]) for group in slices(data, together=("order_id",))]
    for size in range(40, len(data)):
        parts = slices(data, size=size, together=("order_id",))
        assert [told([group]) for group in parts if group.told] == whole
        assert [group.fault for group in parts] == [None] * len(parts)


def test_an_end_of_slice_parts_no_line_of_json() -> None:
    data = b'{"a": "\xc3\xa4"}\n\n{"a": 2}\nno\n[1]\nnull\n{"a": "\xff"}\n'
    expected = [(1, {"a": "ä"}), (3, {"a": 2}), (4, "NOT_JSON"), (5, "NOT_JSON"), (6, "NOT_JSON"), (7, "INVALID")]
    for size in (14, 20, 1000):
        assert told(slices(data, JSONL, size=size)) == expected


def test_a_row_longer_than_a_slice_is_refused_and_the_rest_of_it_passed_over() -> None:
    data = b'{"a": 1}\n{"a": "' + b"x" * 500 + b'"}\n{"a": 3}'
    groups = slices(data, JSONL, size=100)
    assert told(groups) == [(1, {"a": 1}), (2, "TOO_LARGE"), (3, {"a": 3})]


def test_an_order_longer_than_a_slice_is_refused_to_its_last_row() -> None:
    data = b"order_id,sku\n1,a\n" + b"2,b\n" * 100 + b"3,c\n"
    groups = slices(data, size=120, together=("order_id",))
    assert {group.fault for group in groups if group.key == "2"} == {TOO_LONG}
    assert sum(len(group.rows) for group in groups if group.key == "2") == 100
    assert {group.fault for group in groups if group.key != "2"} == {None}


def test_an_order_beside_a_row_that_may_be_its_own_is_refused_rather_than_short_of_a_line() -> None:
    data = b'order_id,sku\n1,a\n2,b\n"2"x,c\n2,d\n3,e\n4,f\n,g\n5,h\n6,i\n'
    for size in (40, 1000):
        faults = {group.key: group.fault for group in slices(data, size=size, together=("order_id",))}
        assert faults == {"1": None, "2": UNSURE, "3": None, "4": UNSURE, "5": UNSURE, "6": None}
    after = slices(b'order_id,sku\n"1"x,a\n1,b\n', together=("order_id",))
    assert [(group.key, group.fault) for group in after] == [(None, None), ("1", UNSURE)]
    assert after[0].rows[0].fault == NO_ROW


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"\xef\xbb\xbf", "email\n".encode("utf-16"), b"caf\xe9\n", b"a,b\rc,d", b"\x00\x01\n"]
)
def test_what_does_not_begin_with_the_names_of_columns_is_no_csv(data: bytes) -> None:
    assert refused(data) == [("", "INVALID")]


@pytest.mark.parametrize("size", [200_000, 1 << 20])
def test_a_header_that_an_operation_cannot_keep_is_refused_and_no_other_line_taken_for_it(size: int) -> None:
    data = b"email," + b"x" * 600_000 + b"\nexternal_id\n1\n"
    with pytest.raises(InvalidInputs) as refusal:
        slices(data, size=size)
    assert refusal.value.faults == [LONG_HEADER]


def test_an_apostrophe_before_a_formula_is_no_part_of_the_cell_and_any_other_is() -> None:
    data = b"email,first_name,last_name,note\n'=a@example.com,'Ann,''Ann,'  x \n"
    assert told(slices(data)) == [
        (2, {"email": "=a@example.com", "first_name": "'Ann", "last_name": "'Ann", "note": "  x "})
    ]


def test_a_refund_is_a_group_of_its_own_beside_its_order() -> None:
    data = b"order_id,refund_id,sku\n1,,a\n1,,b\n1,r1,\n1,r1,\n1,r2,\n2,,c\n"
    for size in (45, 1000):
        groups = slices(data, size=size, together=("order_id", "refund_id"))
        assert [(group.key, len(group.rows)) for group in groups] == [("1", 2), ("1 r1", 2), ("1 r2", 1), ("2", 1)]


def test_a_column_stands_once() -> None:
    assert refused(b"email,Email,\n") == [("email", "DUPLICATE")]


def test_a_slice_ends_after_so_many_rows() -> None:
    data = b"".join(b'{"a": %d}\n' % number for number in range(1_200))
    found = reading.read(data, Place(), JSONL, last=True)
    assert (len(found.groups), found.done, found.place.row) == (reading.SLICE_ROWS, False, reading.SLICE_ROWS + 1)
    assert len(slices(data, JSONL)) == 1_200
