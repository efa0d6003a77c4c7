# tests/integration/test_customer_samples.py
"""Some customers stand for all: those of a large shop come from all over its list."""

from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest

from crm.customers import service as customers
from crm.kernel.operations import Operation
from crm.segmentation import sampling
from crm.shops.service import Shop
from tests.asking import NOW
from tests.shop_events import deliver, event

MANY = 60


@pytest.fixture
def customers_of_two_months(shop: Shop, outlets: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same at each run: their ids say in which shard of the list they are."""
    monkeypatch.setattr("crm.kernel.ids.secrets.randbits", Random(1).getrandbits)  # noqa: S311  the same ids, no secrets
    for number in range(MANY):
        at = (NOW - timedelta(days=number)).isoformat()
        deliver(event("customer.updated", {}, customer={"externalId": f"c{number}"}, occurredAt=at))


@pytest.mark.usefixtures("customers_of_two_months")
def test_a_small_shop_is_looked_at_whole() -> None:
    found = sampling.sample("demo", most=10 * MANY)
    assert (len(found.customer_ids), found.total, found.is_whole) == (MANY, MANY, True)
    assert found.estimate(6) == 6


@pytest.mark.usefixtures("customers_of_two_months")
def test_of_a_large_shop_that_nobody_has_counted_nothing_is_estimated() -> None:
    found = sampling.sample("demo", most=20)
    assert (len(found.customer_ids), found.total, found.is_whole) == (20, None, False)
    assert found.estimate(6) is None


@pytest.mark.usefixtures("customers_of_two_months")
def test_a_large_shop_is_looked_at_where_it_was_walked() -> None:
    everybody = sampling.sample("demo", most=10 * MANY).customer_ids
    walk = Operation.of("demo", "op_walk")
    for shard in range(4):
        page = customers.list_shard("demo", shard, before=None, limit=MANY)
        for first in (None, *page[4::5]):
            walk.state = sampling.passing(walk, shard, str(first.list_sk) if first else "9")
    sampling.keep(walk, customer_count=MANY, now=NOW)
    found = sampling.sample("demo", most=30)
    assert (found.total, found.is_whole, found.estimate(len(found.customer_ids))) == (MANY, False, MANY)
    places = sorted(everybody.index(each) for each in found.customer_ids)
    assert len(places) > 20
    assert places[0] < 10
    assert places[-1] > MANY - 15


def test_marks_stay_few_and_evenly_spread_however_long_the_walk_is() -> None:
    walk = Operation.of("demo", "op_walk")
    for page in range(10_000):
        walk.state = sampling.passing(walk, 0, str(page))
    passed, step, marks = walk.state[sampling.MARKS]
    places = [int(key) for _, key in marks]
    assert passed == 10_000
    assert sampling.MOST_MARKS / 2 <= len(marks) <= sampling.MOST_MARKS
    assert {after - before for before, after in pairwise(places)} == {step}
    assert sampling.spread(marks, 4) == [marks[place * len(marks) // 4] for place in range(4)]
