# tests/unit/loyalty/ledger/test_pools.py
from datetime import UTC, datetime

import pytest

from crm.loyalty.expiry import NEVER
from crm.loyalty.ledger import pools
from crm.loyalty.ledger.pools import Effect, Line, Pool, Portion

SOON, LATER = "2026-03-31T22:00:00.000000Z", "2026-06-30T22:00:00.000000Z"
NOW = datetime(2026, 3, 10, tzinfo=UTC)
THREE = {LATER: Pool(50), NEVER: Pool(100), SOON: Pool(30, 10)}


def test_points_that_expire_soonest_are_taken_first_and_those_that_never_do_last() -> None:
    assert pools.taking(THREE, 90) == [
        Line(Effect.TAKE, SOON, 20),
        Line(Effect.TAKE, LATER, 50),
        Line(Effect.TAKE, NEVER, 20),
    ]


def test_a_pool_that_is_named_is_taken_from_first() -> None:
    assert pools.taking(THREE, 110, first=[NEVER]) == [Line(Effect.TAKE, NEVER, 100), Line(Effect.TAKE, SOON, 10)]


def test_no_more_is_taken_than_there_is() -> None:
    assert pools.remaining(pools.after(THREE, pools.taking(THREE, 1000))) == 0
    assert pools.taking(THREE, 0) == pools.taking(THREE, -5) == []


def test_what_is_given_back_expires_when_it_would_have_unless_that_is_past() -> None:
    given = [Portion(SOON, 5), Portion(LATER, 7)]
    grace = "2026-05-01T22:00:00.000000Z"
    assert pools.returning(THREE, given, now=NOW, grace=grace) == [
        Line(Effect.RETURN, SOON, 5),
        Line(Effect.RETURN, LATER, 7),
    ]
    assert pools.returning(THREE, given, now=datetime(2026, 4, 1, tzinfo=UTC), grace=grace) == [
        Line(Effect.RETURN, LATER, 7),
        Line(Effect.CREDIT, grace, 5, start=0),
    ]


def test_what_remains_of_a_credit_follows_from_where_it_begins_in_its_pool() -> None:
    """Three credits of 10: of the first all is spent, of the second half."""
    pool = Pool(credited=30, taken=15)
    assert [pools.remaining_of_credit(pool, start=start, points=10) for start in (0, 10, 20)] == [0, 5, 10]
    returned = Pool(credited=30, taken=5)
    assert [pools.remaining_of_credit(returned, start=start, points=10) for start in (0, 10, 20)] == [5, 10, 10]
    expired = Pool(credited=30, taken=5, expired=25)
    assert [pools.remaining_of_credit(expired, start=start, points=10) for start in (0, 10, 20)] == [0, 0, 0]


def test_portions_are_split_by_when_they_expire() -> None:
    whole = [Portion(LATER, 7), Portion(SOON, 5)]
    assert pools.split(whole, 6) == ((Portion(SOON, 5), Portion(LATER, 1)), (Portion(LATER, 6),))
    assert pools.split(whole, 12) == ((Portion(SOON, 5), Portion(LATER, 7)), ())


@pytest.mark.parametrize(
    "line",
    [
        Line(Effect.TAKE, SOON, 21), Line(Effect.RETURN, SOON, 11), Line(Effect.EXPIRE, SOON, 21),
        Line(Effect.RECLAIM, SOON, 1), Line(Effect.CREDIT, SOON, -1),
    ],
)  # fmt: skip
def test_a_pool_that_would_hold_less_than_nothing_is_a_bug(line: Line) -> None:
    with pytest.raises(ValueError, match="leaves"):
        pools.after(THREE, [line])
