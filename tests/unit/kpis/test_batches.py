# tests/unit/kpis/test_batches.py
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from crm.kpis.batches import Correction, filled
from crm.kpis.contributions import CellKey

FIRST = date(2026, 3, 1)


def correction(number: int, day: int, cells: int = 4, *, shop: str = "demo") -> Correction[int]:
    on = FIRST + timedelta(days=day)
    return Correction(shop, on, {CellKey(on, f"metric {cell}", "all"): 1 for cell in range(cells)}, number)


def writes(batch: list[Correction[int]]) -> int:
    return len(batch) + len({(each.shop, cell) for each in batch for cell in each.differences})


def test_facts_of_a_day_share_its_cells_so_that_ninety_six_fit_one_transaction() -> None:
    batches = list(filled((correction(number, 0) for number in range(96)), most_writes=100))
    assert [writes(batch) for batch in batches] == [100]


def test_days_are_kept_together_however_they_came() -> None:
    mixed = [correction(number, number % 2) for number in range(150)]
    batches = list(filled(mixed, most_writes=100))
    assert len(batches) == 2
    assert [each.day for batch in batches for each in batch] == [FIRST] * 75 + [FIRST + timedelta(days=1)] * 75


def test_shops_do_not_share_cells() -> None:
    (batch,) = filled([correction(1, 0), correction(2, 0, shop="other")], most_writes=100)
    assert writes(batch) == 10


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), max_size=120),
    st.integers(9, 100),
)
def test_no_transaction_is_too_large_and_no_fact_is_lost(facts: list[tuple[int, int]], most: int) -> None:
    corrections = [correction(number, day, cells) for number, (day, cells) in enumerate(facts)]
    batches = list(filled(corrections, most_writes=most))
    assert all(batch and writes(batch) <= most for batch in batches)
    assert sorted(each.write for batch in batches for each in batch) == list(range(len(facts)))
