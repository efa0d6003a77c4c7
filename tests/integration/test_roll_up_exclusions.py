# tests/integration/test_roll_up_exclusions.py
"""Test customers are kept out of KPIs, whenever somebody says that they are some."""

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

import pytest

from crm.customers import service as customers
from crm.kernel.stream import Record
from crm.kpis import repository, rollup, service
from crm.kpis.models import KpiItem
from tests.kpi_cells import NOTHING, ONE_ORDER, cells, days, deliver
from tests.stream_records import NOON, answer, order, profile, record, store

pytestmark = pytest.mark.usefixtures("shop", "outlets")


def test_orders_and_answers_of_a_test_customer_do_not_count() -> None:
    deliver(store(profile(test=True)), store(order()), store(answer()))
    assert cells() == NOTHING


def test_a_customer_found_to_be_a_test_takes_their_facts_along_and_brings_them_back() -> None:
    deliver(store(profile()), store(order("o1")), store(order("o2", day="2026-01-05")), store(answer()))
    deliver(store(order("o3", customer="bob")))
    deliver(store(profile(2, test=True)))
    assert cells() == ONE_ORDER
    deliver(store(profile(3)))
    assert cells()["orders all", "2026-03-01"] == 2
    assert cells()["orders all", "2026-01-05"] == 1
    assert cells()["nps_promoters all", "2026-03-01"] == 1


def test_another_change_of_a_profile_reads_no_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    store(profile())
    changed = store(profile(2))
    monkeypatch.setattr(repository, "list_records", lambda *_: pytest.fail("read the customer's records"))
    assert deliver(changed) == []


STEPS: tuple[Callable[[str], dict[str, Any]], ...] = (
    lambda shop: store(order("o1", 1, shop=shop)),
    lambda shop: store(profile(2, test=True, shop=shop)),
    lambda shop: store(order("o1", 2, net=900, shop=shop)),
    lambda shop: store(profile(3, shop=shop)),
    lambda shop: store(order("o1", 3, shop=shop)),
)


def test_orders_and_flags_that_cross_on_their_way_end_in_what_is_stored() -> None:
    for number, arrival in enumerate(list(permutations(range(5)))[::11]):
        shop = f"shop-{number}"
        store(profile(shop=shop))
        told = [step(shop) for step in STEPS]
        for position in arrival:
            deliver(told[position])
        assert cells(shop) == ONE_ORDER, arrival


def test_what_is_rolled_up_between_the_changes_does_not_change_their_end() -> None:
    for last_known in range(5):
        shop = f"shop-{last_known}"
        store(profile(shop=shop))
        told = []
        for number, step in enumerate(STEPS):
            told.append(step(shop))
            if number == last_known:
                deliver(*reversed(told))
        for late in reversed(told):
            deliver(late)
        assert cells(shop) == ONE_ORDER, last_known


@pytest.fixture
def between_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], None]]]:
    """What happens elsewhere after a roll-up has read profiles, and before it writes."""
    happens: list[Callable[[], None]] = []
    read = customers.snapshots

    def snapshots(*args: Any) -> Any:
        found = read(*args)
        while happens:
            happens.pop()()
        return found

    monkeypatch.setattr(customers, "snapshots", snapshots)
    yield happens
    assert not happens


def test_a_flag_that_changes_while_an_order_is_rolled_up_wins(between_reads: list[Callable[[], None]]) -> None:
    store(profile())
    told = store(order())
    between_reads.append(lambda: assert_done(deliver(store(profile(2, test=True)))))
    assert deliver(told) == []
    assert cells() == NOTHING


def test_an_order_that_changes_while_a_flag_is_rolled_up_wins(between_reads: list[Callable[[], None]]) -> None:
    store(profile(test=True))
    deliver(store(order("o1", 1)))
    flagged = store(profile(2))
    between_reads.append(lambda: assert_done(deliver(store(order("o1", 2, net=700)))))
    assert deliver(flagged) == []
    assert cells()["net_revenue EUR", "2026-03-01"] == 700


def test_profiles_are_read_after_the_contributions_they_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the other way round, an older flag could replace a newer contribution."""
    store(profile())
    told = store(order())
    read = repository.get_contributions

    def contributions(*args: Any) -> Any:
        monkeypatch.setattr(repository, "get_contributions", read)
        deliver(store(profile(2, test=True)))
        return read(*args)

    monkeypatch.setattr(repository, "get_contributions", contributions)
    deliver(told)
    assert cells() == NOTHING


def test_what_an_erased_customer_bought_stays_counted() -> None:
    known = profile()
    deliver(store(known), store(order("o1", 1)))
    known.delete()
    assert deliver(record(None, known), store(order("o1", 2, net=2000))) == []
    assert cells() == ONE_ORDER


def test_what_an_erased_test_customer_bought_stays_out() -> None:
    known = profile(test=True)
    deliver(store(known), store(order("o1", 1)))
    known.delete()
    deliver(store(order("o1", 2)))
    assert cells() == NOTHING


def test_a_rebuild_gives_equal_values() -> None:
    store(profile(3))
    orders = [order(f"o{number}", 2, net=100 * number, day=f"2026-03-{number:02}") for number in range(1, 20)]
    told = [record(item) for item in orders]
    deliver(*told)
    kept = cells()
    assert kept == dict(days(orders))
    for item in KpiItem.scan():
        item.delete()
    facts = [fact for each in told for fact in news_of(each)]
    assert rollup.roll_up(facts) == set()
    assert cells() == kept


def news_of(told: dict[str, Any]) -> Any:
    return service.news(Record(0, told).item(), None, now=NOON).facts


def assert_done(replayed: list[str]) -> None:
    assert replayed == []
