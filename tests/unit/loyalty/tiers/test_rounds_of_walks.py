# tests/unit/loyalty/tiers/test_rounds_of_walks.py
from typing import Any

import pytest

from crm.kernel.operations import Operation
from crm.kernel.rounds import Place
from crm.loyalty.tiers.walking import Round


def round_of(**state: Any) -> Round | None:
    operation = Operation.of("demo", "op_1")
    operation.state = state
    return Round.of(operation)


def test_a_walk_that_sets_out_in_the_midst_ends_there_in_the_next_lap() -> None:
    going = Round.setting_out(Place(3, 1, "k"))
    assert (going.at, going.since, going.end) == (Place(0, 1, "k"), Place(0, 1, "k"), Place(1, 1, "k"))
    assert [Round(at, going.since).is_end for at in (Place(0, 3), Place(1, 1, "l"), Place(1, 1, "k"))] == [
        False,
        False,
        True,
    ]
    assert Round(Place(1)).is_end


@pytest.mark.parametrize("shard", [2, 4])
def test_a_walk_that_was_on_its_way_before_there_were_laps_goes_on(shard: int) -> None:
    since = {"shard": 1, "behind": "k"}
    told = round_of(place={"at": {"shard": shard, "behind": None}, "since": since, "again": True})
    assert told is not None
    assert (told.at, told.end) == (Place(0, shard), Place(1, 1, "k"))
    assert told.at.after([], most=100, shards=4) in {Place(0, 3), Place(1)}
    assert round_of() is None
