# tests/unit/kernel/test_rounds.py
from crm.kernel.rounds import Place

SHARDS = 3


def after(place: Place, *keys: str) -> Place:
    return place.after(keys, most=2, shards=SHARDS)


def test_a_page_that_is_full_may_have_others_behind_it_and_one_that_is_not_ends_its_shard() -> None:
    assert after(Place(4, 1), "z", "y") == Place(4, 1, "y")
    assert after(Place(4, 1, "y"), "x") == after(Place(4, 1)) == Place(4, 2)


def test_behind_the_last_shard_the_next_lap_begins() -> None:
    assert after(Place(4, 2, "y")) == Place(5)
    assert Place(4, 2, "y").a_lap_later() == Place(5, 2, "y")


def test_a_walk_has_come_to_what_is_behind_it() -> None:
    ways = [Place(), Place(0, 0, "z"), Place(0, 0, "y"), Place(0, 1), Place(0, 2, "z"), Place(1), Place(1, 0, "z")]
    for number, here in enumerate(ways):
        assert [here.has_come_to(there) for there in ways] == [at <= number for at in range(len(ways))], here


def test_how_many_shards_of_a_lap_it_is_through() -> None:
    assert [place.walked_through(1, shards=SHARDS) for place in (Place(1), Place(1, 2, "y"), Place(2))] == [0, 2, 3]
