# tests/unit/schema/test_connections.py
import pytest
from msgspec.structs import replace

from crm.kernel.errors import InvalidInput
from schema.connections import Place, connection, merged, page_size

PLACE = Place("Customer.orders", "demo", "cus_1", "status=PAID")


def test_a_cursor_leads_back_to_its_place() -> None:
    assert PLACE.position(PLACE.cursor("ORDER#2026-03-01#o1")) == "ORDER#2026-03-01#o1"
    assert PLACE.position(None) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(PLACE, field="Customer.messages"),
        replace(PLACE, shop="other"),
        replace(PLACE, parent="cus_2"),
        replace(PLACE, narrowed=""),
    ],
)
def test_a_cursor_of_another_list_is_refused(other: Place) -> None:
    with pytest.raises(InvalidInput) as refusal:
        PLACE.position(other.cursor("ORDER#1"))
    assert refusal.value.field == "after"


@pytest.mark.parametrize("cursor", ["", "x", "ünicode", "a" * 5000, PLACE.cursor("1")[:-4], PLACE.cursor("1") + "AAAA"])
def test_a_cursor_that_was_tampered_with_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        PLACE.position(cursor)


@pytest.mark.parametrize(("first", "size"), [(None, 20), (1, 1), (100, 100)])
def test_a_page_has_the_size_asked_for(first: int | None, size: int) -> None:
    assert page_size(first) == size


@pytest.mark.parametrize("first", [0, -1, 101])
def test_a_page_has_no_other_size(first: int) -> None:
    with pytest.raises(InvalidInput):
        page_size(first)


def test_one_more_than_asked_for_tells_that_there_is_more() -> None:
    page = connection(PLACE, ["a", "b", "c"], first=2, after=None, position=str, node=str.upper)
    assert page.nodes() == ["A", "B"]
    assert (page.page_info.has_next_page, page.page_info.has_previous_page) == (True, False)
    assert PLACE.position(page.page_info.end_cursor()) == "b"
    assert page.page_info.start_cursor() == page.edges[0].cursor()


def test_the_last_page_has_nothing_behind_it() -> None:
    page = connection(PLACE, ["c"], first=2, after="x", position=str, node=str.upper)
    assert (page.page_info.has_next_page, page.page_info.has_previous_page) == (False, True)


def test_an_empty_page_has_no_cursors() -> None:
    info = connection(PLACE, [], first=2, after=None, position=str, node=str).page_info
    assert (info.start_cursor(), info.end_cursor()) == (None, None)


def test_shards_are_merged_in_order() -> None:
    assert merged([[9, 4, 1], [8, 3], []], key=int, most=4, newest_first=True) == [9, 8, 4, 3]
    assert merged([[1, 4], [3]], key=int, most=9) == [1, 3, 4]
