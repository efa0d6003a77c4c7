# tests/integration/test_customer_deletion.py
"""A deletion among what goes on happening: events come late and at the same moment, segments follow, facts count."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.customers import repository, standing
from crm.customers import service as customers
from crm.customers.events import CustomerRecorded
from crm.customers.models import Customer
from crm.kernel import clock
from crm.orders import service as orders
from crm.orders.service import Statistics
from tests import kpi_cells
from tests.integration.memberships import LATELY, Time, members, memberships, open_at, recorded, stays
from tests.integration.memberships import deliver as refresh
from tests.shop_events import customer_of, deliver, event, placed, statistics_of
from tests.stream_records import record

pytestmark = pytest.mark.usefixtures("segments")
ANN = {"externalId": "ann", "email": "ann@example.com", "emailVerified": True, "phone": "+43 664 1234567"}


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Time:
    moving = Time(now)
    monkeypatch.setattr(clock, "now", lambda: moving.now)
    return moving


@pytest.fixture
def ann(shop: object) -> str:
    deliver(placed("o1", customer=ANN))
    return customer_of().customer_id


def listed() -> list[str]:
    shards = [repository.list_shard("demo", shard, before=None, limit=100) for shard in range(customers.SHARDS)]
    return [customer.customer_id for shard in shards for customer in shard]


@pytest.mark.parametrize("name", list(ANN))
def test_a_late_event_about_a_deleted_customer_founds_nobody_and_shows_nobody(
    ann: str, name: str, now: datetime
) -> None:
    customers.delete("demo", ann, now=now)
    known = {key: ANN[key] for key in ({name} if name != "emailVerified" else {"email", "emailVerified"})}
    late = event("customer.updated", {}, customer=known | {"firstName": "Anna"}, occurredAt="2026-03-10T11:00:00Z")
    assert deliver(late) == []
    assert (customer_of().first_name, customer_of().status) == ("Anna", "deleted")
    assert listed() == []


def test_orders_about_a_deleted_customer_are_recorded_and_count(ann: str, now: datetime) -> None:
    customers.delete("demo", ann, now=now)
    assert deliver(placed("o2", customer=ANN), placed("o1", 2, customer=ANN, status="cancelled")) == []
    assert statistics_of()["totals"] == {"EUR": (1, 2000, 0, 2000)}
    assert kpi_cells.deliver(record(orders.get("demo", "o2"))) == []
    assert {name for name, _ in kpi_cells.cells()} >= {"orders all"}


@pytest.mark.parametrize("says", [{"firstName": "Anna"}, {}])
def test_an_event_that_was_being_taken_in_does_not_undo_a_deletion(
    ann: str, says: dict[str, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = repository.get_identities
    deletions = [ann]

    def overtaken(shop: str, claims: Any) -> Any:
        seen = real(shop, claims)
        if deletions:
            customers.delete(shop, deletions.pop(), now=now)
        return seen

    # The event has read who it is about; its profile is read before the deletion where it names the customer itself.
    monkeypatch.setattr(repository, "get_identities", overtaken)
    assert deliver(placed("o2", customer={"id": ann} | says, occurredAt="2026-03-10T11:00:00Z")) == []
    profile = customer_of()
    assert (profile.status, profile.deleted_from) == ("deleted", "active")
    assert (profile.first_name, orders.get("demo", "o2").customer_id) == (says.get("firstName"), ann)
    assert listed() == []


def test_a_deletion_does_not_undo_the_event_that_overtook_it(
    ann: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = standing.is_hidden
    told = [event("customer.updated", {}, customer=ANN | {"firstName": "Anna"}, occurredAt="2026-03-10T11:00:00Z")]

    def overtaken(customer: Customer) -> bool:
        if told:
            deliver(told.pop())
        return real(customer)

    monkeypatch.setattr(standing, "is_hidden", overtaken)
    assert customers.delete("demo", ann, now=now).first_name == "Anna"
    assert (customer_of().first_name, customer_of().status) == ("Anna", "deleted")


def test_a_deleted_customer_leaves_their_segments_by_the_deletion_and_comes_back_by_the_restoring(
    ann: str, time: Time, now: datetime
) -> None:
    deliver(placed("o2", customer=ANN, placedAt=now.isoformat()))
    refresh(recorded(now, "o2", customer_id=ann))
    assert members(LATELY) == [ann]

    time.now = now + timedelta(hours=1)
    deleted = customers.delete("demo", ann, now=time.now)
    assert open_at(time.now, ann) == []
    refresh(CustomerRecorded.of(deleted))
    (stay,) = memberships(LATELY, ann)
    assert (stay.left_at, stay.left_cause) == (time.now, f"customer:{ann}:delete:{int(deleted.rev)}")
    assert members(LATELY) == []

    refresh(recorded(now, "o2", customer_id=ann))
    assert members(LATELY) == []

    restored_at = time.now = now + timedelta(hours=2)
    refresh(CustomerRecorded.of(customers.restore("demo", ann, now=restored_at)))
    assert stays(LATELY, ann) == [(now, now + timedelta(hours=1)), (restored_at, None)]
    assert members(LATELY) == [ann]


def test_a_customer_deleted_while_segments_are_worked_out_enters_none(
    ann: str, time: Time, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(placed("o2", customer=ANN, placedAt=now.isoformat()))
    real = customers.take_snapshot
    deletions = [ann]

    def overtaken(shop: str, customer_id: str) -> Any:
        seen = real(shop, customer_id)
        assert seen.head(Statistics) is not None
        if deletions:
            customers.delete(shop, deletions.pop(), now=now)
        return seen

    monkeypatch.setattr(customers, "take_snapshot", overtaken)
    refresh(recorded(now, "o2", customer_id=ann))
    assert stays(LATELY, ann) == []
