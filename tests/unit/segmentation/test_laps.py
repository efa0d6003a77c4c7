# tests/unit/segmentation/test_laps.py
"""When a walk that goes round and round is done with each of the edits that joined it on its way."""

import random

import pytest

from crm.kernel.rounds import Place
from crm.segmentation import laps
from crm.segmentation.laps import Walk, joined, passed

SHARDS = 4
LISTED = [["i", "h", "g"], ["f"], [], ["e", "d", "c", "b", "a"]]
"""The sort keys of a shop's customers, shard by shard, greatest first."""


def step(walk: Walk, size: int = 2, left: tuple[str, ...] = ()) -> tuple[Walk, list[str]]:
    behind = walk.place.behind
    page = [key for key in LISTED[walk.place.shard] if behind is None or key < behind][:size]
    to, given_up = walk.place.after(page, most=size, shards=SHARDS), [key for key in page if key in left]
    return passed(walk, to, count=len(page), left=given_up, shards=SHARDS), page


def lap(walk: Walk) -> Walk:
    """To where it is done with all that it owes."""
    while walk.owed:
        walk, _ = step(walk)
    return walk


def test_alone_an_edit_is_done_at_the_end_of_the_list() -> None:
    walk = joined(Walk(), 7)
    assert (walk.place, walk.newest, walk.done) == (Place(), 7, 0)
    walk = lap(walk)
    assert (walk.done, walk.owed, walk.walked, walk.total, walk.place) == (7, (), 9, 9, Place(1))


def test_an_edit_that_joins_on_the_way_is_done_where_it_joined_and_not_before() -> None:
    walk, _ = step(joined(Walk(), 1))
    walk = joined(walk, 2)
    assert walk.place == Place(0, 0, "h")
    done = []
    while walk.owed:
        walk, page = step(walk)
        done.append((page, walk.done))
    assert done[:6] == [(["g"], 0), (["f"], 0), ([], 0), (["e", "d"], 0), (["c", "b"], 0), (["a"], 1)]
    assert done[6:] == [(["i", "h"], 2)]


def test_however_many_edits_come_each_has_seen_everybody_after_one_lap() -> None:
    draw = random.Random(4)  # noqa: S311  a seeded one
    walk, version, seen = Walk(), 0, dict[int, set[str]]()
    for _ in range(2_000):
        if draw.random() < 0.6:
            version += 1
            walk, seen[version] = joined(walk, version), set()
        before = walk
        walk, page = step(walk, size=draw.choice([1, 2, 3]))
        for come_to in seen.values():
            come_to |= set(page)
        for each in [each for each in seen if each <= walk.done]:
            assert seen.pop(each) == set("abcdefghi"), (each, before)
        assert all(walk.walked - each.walked < 9 + 3 for each in walk.owed), "and no more than that, but for a page"
    assert walk.done > 1_000


def test_edits_beyond_those_that_are_told_apart_are_done_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laps, "MOST_OWED", 2)
    walk, _ = step(joined(Walk(), 1), size=2)
    walk, _ = step(joined(walk, 2), size=1)
    walk = joined(walk, 3)
    assert [each.version for each in walk.owed] == [1, 3], "the second and the third joined next to each other"
    assert walk.walked_before(2) == walk.walked_before(3) == 3
    assert lap(walk).done == 3


def test_an_edit_that_comes_late_to_a_walk_with_a_newer_one_is_done_with_that() -> None:
    walk = joined(joined(Walk(), 1), 3)
    assert joined(walk, 2) == joined(walk, 3) == walk
    ended = lap(walk)
    assert joined(ended, 2) == joined(ended, 3) == ended


def test_a_walk_that_owes_nothing_begins_with_the_newest_customers() -> None:
    walk, _ = step(joined(lap(joined(Walk(), 1)), 2))
    assert walk.place == Place(0, 0, "h")
    assert joined(lap(joined(walk, 3)), 4).place == Place()


def test_who_was_given_up_on_is_known_until_everybody_is_come_to_again() -> None:
    walk, _ = step(joined(Walk(), 1), left=("h",))
    assert (walk.left, walk.refused) == (("h",), 1)
    walk = joined(walk, 2)
    assert (walk.left, walk.refused, [each.version for each in walk.owed]) == ((), 0, [2])
    while not walk.done:
        walk, page = step(walk)
    assert (walk.done, page) == (2, ["i", "h"])


def test_what_is_done_by_an_edit_counts_no_more_once_somebody_before_it_was_given_up_on() -> None:
    walk, _ = step(joined(Walk(), 1))
    walk = joined(walk, 2)
    while walk.done < 1:
        walk, _ = step(walk, left=("a",))
    assert (walk.done, walk.refused, joined(walk, 3).done) == (1, 1, 0)


def test_more_are_given_up_on_than_are_known_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laps, "MOST_LEFT", 1)
    walk, _ = step(joined(Walk(), 1), left=("i", "h"))
    assert (walk.left, walk.refused) == (("i",), 2)


def test_how_many_there_are_is_told_from_the_shards_it_is_through() -> None:
    walk = joined(Walk(), 1)
    told = []
    while walk.owed:
        walk, _ = step(walk)
        told.append(walk.total)
    assert told == [None, 12, 8, 5, 5, 5, 9]
