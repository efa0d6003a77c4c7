# tests/integration/test_tier_walks.py
"""What a version of the programme makes of tiers comes to the shop's customers, whatever happens meanwhile."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from pynamodb.exceptions import AttributeDeserializationError

from crm.customers import service as customers
from crm.customers.service import Customer
from crm.intake.changes import events_of
from crm.kernel import operations, timers
from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.kernel.operations import CANCELLED, DONE, FAILED, QUEUED, Operation
from crm.kernel.rounds import Place
from crm.kernel.settings import settings
from crm.kernel.table import client
from crm.loyalty import service
from crm.loyalty.programmes import begun, in_force
from crm.loyalty.programmes.defining import NOTICE
from crm.loyalty.service import ProgrammeFields, ProgrammeVersion, TierFields, TierRules
from crm.loyalty.tiers import settling, walking
from crm.loyalty.tiers.walking import Round
from tests.integration.points import STAFF, order
from tests.segment_walks import finish, run

pytestmark = pytest.mark.usefixtures("shop")

DAY = timedelta(days=1)
PEOPLE = {f"cus_{number}": 100 * number for number in range(1, 10)}
"""With so many points each, earned yesterday."""


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "PAGE", 2)
    monkeypatch.setattr(walking, "STEP", 2)


@pytest.fixture
def people(shop: Any, now: datetime) -> None:
    for customer_id, points in PEOPLE.items():
        change = Change(now)
        change.revise(Customer.of("demo", customer_id, now=now - DAY))
        change.commit()
        placed = order(now - DAY, order_id=f"o_{customer_id}", net=points * 100)
        placed = replace(placed, customer_id=customer_id, gross=points * 100, refunded=0)
        service.post_for_order(placed, now=now - DAY)


def tier(now: datetime, threshold: int, name: str = "Gold", **said: Any) -> ProgrammeVersion:
    fields = TierFields(name, Decimal(threshold))
    return service.tier_create("demo", fields, actor=STAFF, now=now, **said).version


def changed(version: ProgrammeVersion, now: datetime, **said: Any) -> ProgrammeVersion:
    """The only tier there is."""
    tier_id = version.programme.tiers.all[0].id
    return service.tier_update("demo", tier_id, TierFields(**said), actor=STAFF, now=now).version


def walk(version: ProgrammeVersion) -> Operation:
    return operations.get("demo", begun.operation_id(version.number))


def written() -> dict[str, list[tuple[str | None, str, str]]]:
    """Of everybody the tiers they came to have, oldest first: its name, why, and by what cause."""
    found = {each: service.tier_changes("demo", each, before=None, limit=50) for each in PEOPLE}
    return {
        customer_id: [(each.after_name, each.why, each.cause or "") for each in changes[::-1]]
        for customer_id, changes in found.items()
    }


def who_has(name: str, *, of: Collection[str] = PEOPLE.keys()) -> list[str]:
    """By what is written down."""
    found = customers.snapshots("demo", of, [service.LoyaltyAccount]).items()
    heads = {each: snapshot.head(service.LoyaltyAccount) for each, snapshot in found}
    return sorted(each for each, head in heads.items() if head and head.tier and head.tier.name == name)


@pytest.mark.usefixtures("people")
def test_new_tiers_are_given_to_everybody_who_has_reached_them_once_they_count(now: datetime) -> None:
    version = tier(now, 500)
    assert (walk(version).status, walk(version).waits_until) == (QUEUED, now + NOTICE)
    run(walk(version), now=now + timedelta(seconds=119))
    assert written() == {each: [] for each in PEOPLE}
    done = finish(walk(version), now=now)
    assert (done.status, done.row_count, done.row_total, done.applied_count) == (DONE, 9, 9, 9)
    cause = f"programme:{version.number}:tier"
    assert written() == {
        each: [("Gold", "REDEFINED", cause)] if points >= 500 else [] for each, points in PEOPLE.items()
    }
    [change] = service.tier_changes("demo", "cus_9", before=None, limit=5)
    [event] = events_of(change, None)
    assert change.occurred_at == version.effective_at
    assert event.detail()["tier"] == "Gold"
    assert timers.get("demo", "cus_9", service.OWNER, service.TIER) is not None


@pytest.mark.usefixtures("people")
def test_edits_that_say_nothing_else_of_tiers_begin_no_walk(now: datetime) -> None:
    said = ProgrammeFields(point_value=Decimal("0.02"), zone="Europe/Berlin")
    service.update_programme("demo", said, actor=STAFF, now=now)
    service.tiers_rule("demo", TierRules(grace_days=3), actor=STAFF, now=now)  # there are no tiers yet
    version = tier(now, 500)
    changed(version, now, benefits=("More",))
    service.update_programme("demo", ProgrammeFields(grace_days=9), actor=STAFF, now=now)
    walks = operations.list_newest("demo", begun.SETTLE, before=None, limit=9)
    assert [each.operation_id for each in walks] == [begun.operation_id(version.number)]
    moved = service.update_programme("demo", ProgrammeFields(zone="Asia/Tokyo"), actor=STAFF, now=now)
    assert walk(moved).status == QUEUED  # tiers end in another morning


@pytest.mark.usefixtures("people")
def test_a_step_that_is_repeated_or_was_not_committed_gives_nobody_a_tier_twice(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, later = tier(now, 1), now + NOTICE
    move, lost = operations.move, [True]

    def crash(*arguments: Any, **named: Any) -> None:
        lost[0] = not lost[0]
        if not lost[0]:
            raise Stale
        move(*arguments, **named)

    monkeypatch.setattr(operations, "move", crash)
    for _ in range(100):
        before = walk(version)
        if before.status == DONE:
            break
        try:
            run(before, now=later)
        except Stale:
            assert walk(version).rev == before.rev
    assert walk(version).status == DONE
    assert Counter(len(each) for each in written().values()) == {1: 9}


@pytest.mark.usefixtures("people")
def test_an_order_that_comes_before_the_walk_has_said_the_same(now: datetime) -> None:
    version, later = tier(now, 500), now + 2 * NOTICE
    placed = replace(order(later, order_id="o_new", net=100), customer_id="cus_9")
    service.post_for_order(placed, now=later)
    assert written()["cus_9"] == [("Gold", "REDEFINED", f"programme:{version.number}:tier")]
    finish(walk(version), now=later)
    assert len(written()["cus_9"]) == 1


@pytest.mark.usefixtures("people")
def test_a_walk_that_is_overtaken_gives_way_and_the_newer_goes_on_where_it_was(now: datetime) -> None:
    first = tier(now, 1_000_000)
    run(walk(first), now=now + NOTICE)
    at = Round.of(walk(first))
    assert at is not None
    assert at.at != Place()
    second = changed(first, now + NOTICE, threshold=Decimal(1))
    later = now + 2 * NOTICE
    run(walk(first), now=later)
    assert (walk(first).status, [each.code for each in walk(first).faults]) == (CANCELLED, ["SUPERSEDED"])
    run(walk(second), now=later)
    begun_at = Round.of(walk(second))
    assert begun_at is not None
    assert begun_at.since == at.at
    done = finish(walk(second), now=later)
    assert (done.status, done.row_count) == (DONE, 9)
    assert who_has("Gold") == sorted(PEOPLE)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("edits", [1, 2])
def test_however_often_tiers_are_edited_everybody_is_come_to(
    now: datetime, monkeypatch: pytest.MonkeyPatch, edits: int
) -> None:
    """Each version counts for no longer than one step of its walk takes, or not at all."""
    seen: Counter[str] = Counter()
    settle = settling.settle

    def settled(shop: str, customer_id: str, *, now: datetime) -> Any:
        seen[customer_id] += 1
        return settle(shop, customer_id, now=now)

    monkeypatch.setattr(settling, "settle", settled)
    version = tier(now, 1)
    for threshold in range(2, 12):
        now += NOTICE
        run(walk(version), now=now)
        for edit in range(edits):
            version = changed(version, now, threshold=Decimal(10 * threshold + edit))
    assert set(seen) == set(PEOPLE)
    assert max(seen.values()) - min(seen.values()) <= 1


@pytest.mark.usefixtures("people")
def test_a_version_that_is_withdrawn_is_never_walked_for(now: datetime) -> None:
    first = tier(now, 500, effective_at=now + 30 * DAY)
    withdrawn = service.withdraw_programme("demo", actor=STAFF, now=now)
    assert service.tiers_operation(withdrawn) is None
    assert finish(walk(first), now=now + 30 * DAY).status == CANCELLED
    assert who_has("Gold") == []
    assert not any(written().values())


@pytest.mark.usefixtures("people")
def test_a_tier_that_is_called_something_else_is_told_of_and_counts_since_when_it_did(now: datetime) -> None:
    gold = tier(now, 900)
    finish(walk(gold), now=now)
    later = now + 40 * DAY
    renamed = changed(gold, later, name="Aurum")
    in_force.forget_cached()
    assert finish(walk(renamed), now=later).status == DONE
    [newest, before] = service.tier_changes("demo", "cus_9", before=None, limit=5)
    assert (newest.why, newest.direction, newest.before_name, newest.after_name) == ("RENAMED", 0, "Gold", "Aurum")
    assert (newest.occurred_at, newest.cause) == (renamed.effective_at, f"programme:{renamed.number}:tier")
    [event] = events_of(newest, None)
    assert event.detail()["tier"] == "Aurum"
    had = service.tier_at("demo", "cus_9", now=later + NOTICE)
    assert (had.since, had.changed_at) == (before.occurred_at.date(), renamed.effective_at)
    assert written()["cus_1"] == []


@pytest.mark.usefixtures("people")
def test_customers_are_told_of_an_end_as_long_before_as_the_programme_says_by_then(now: datetime) -> None:
    gold = tier(now, 900)
    finish(walk(gold), now=now)
    timer = timers.get("demo", "cus_9", service.OWNER, service.TIER)
    assert timer is not None
    version = service.tiers_rule("demo", TierRules(notice_days=60), actor=STAFF, now=now + DAY).version
    finish(walk(version), now=now + DAY)
    sooner = timers.get("demo", "cus_9", service.OWNER, service.TIER)
    assert sooner is not None
    assert timer.due_at - sooner.due_at >= 29 * DAY


@pytest.mark.usefixtures("people")
def test_one_who_cannot_be_settled_holds_up_no_other(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    version, settle = tier(now, 1), settling.settle

    def broken(shop: str, customer_id: str, *, now: datetime) -> Any:
        if customer_id == "cus_3":
            raise RuntimeError("never")
        return settle(shop, customer_id, now=now)

    monkeypatch.setattr(settling, "settle", broken)
    assert_left_behind("cus_3", version, now, because=RuntimeError)


@pytest.mark.usefixtures("people")
def test_one_whose_account_cannot_be_read_holds_up_no_other(now: datetime) -> None:
    version, key = tier(now, 1), Customer.of("demo", "cus_3", now=now).pk
    client().update_item(
        TableName=settings().crm_table,
        Key={"pk": {"S": key}, "sk": {"S": service.LoyaltyAccount.SK}},
        UpdateExpression="SET tier = :no_tier",
        ExpressionAttributeValues={":no_tier": {"M": {"name": {"N": "1"}}}},
    )
    assert_left_behind("cus_3", version, now, because=AttributeDeserializationError)


def assert_left_behind(customer_id: str, version: ProgrammeVersion, now: datetime, *, because: type[Exception]) -> None:
    raised = 0
    for _ in range(50):
        stored = walk(version)
        if stored.status in operations.OVER:
            break
        try:
            run(stored, now=now + NOTICE)
        except because:
            raised += 1
            run(stored, now=now + NOTICE, delivery=3)
    assert raised == 1  # it might have passed
    done = walk(version)
    assert (done.status, done.row_count, done.refused_count) == (FAILED, 9, 1)
    assert [each.code for each in done.faults] == ["INCOMPLETE"]
    others = set(PEOPLE) - {customer_id}
    assert who_has("Gold", of=others) == sorted(others)


def test_a_walk_goes_round_everybody_once_wherever_it_sets_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Listed:
        def __init__(self, key: str) -> None:
            self.customer_id = self.list_sk = key

    shards = [
        [Listed(f"{shard}{number}") for number in range(9, 9 - size, -1)] for shard, size in enumerate((5, 0, 4, 2))
    ]

    def listed(_shop: str, shard: int, *, before: str | None, limit: int) -> Sequence[Listed]:
        return [each for each in shards[shard] if before is None or each.list_sk < before][:limit]

    monkeypatch.setattr(customers, "list_shard", listed)
    everybody = sorted(each.list_sk for shard in shards for each in shard)
    starts = [Place(), Place(0, 1), Place(0, 3), *(Place(0, int(each[0]), each) for each in everybody)]
    for start in starts:
        going, seen = Round.setting_out(start), list[str]()
        while not going.is_end:
            page = next(iter(walking._pages("demo", going)))
            seen, going = [*seen, *page.ids], page.behind
        assert sorted(seen) == everybody, start
