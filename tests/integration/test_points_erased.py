# tests/integration/test_points_erased.py
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from crm.intake.changes import events_of
from crm.kernel import timers
from crm.kernel.settings import settings
from crm.kernel.table import client, customer_key
from crm.loyalty import erasing, service
from crm.loyalty.bonuses.definitions import Bonuses
from crm.loyalty.programme import Programme
from crm.loyalty.service import Tier, TierChange, TierOverride, Tiers
from crm.shops.models import Shop
from tests.integration.points import ANN, STAFF, adjust, balances, hold, order, programme
from tests.integration.test_bonuses import profile, wakes_at

__all__ = ["programme"]

DAY = timedelta(days=1)
BORN, AWAITED = "1990-05-17", "2026-05-16T22:00"  # midnight in Vienna
WORDS = ("A late parcel", "An illness")


@pytest.fixture(autouse=True)
def known(shop: Shop, programme: list[Programme], now: datetime) -> None:
    """Ann has a date of birth, a tier that was given her, and a point of each kind."""
    tiers = Tiers(all=(Tier("g", "Gold", 1000),))
    programme.append(replace(programme[0], bonuses=Bonuses(birthday=20), tiers=tiers))
    profile(now, birth_date=BORN)
    service.heard_of_birthday("demo", ANN, now=now)
    given = adjust(100, now)
    service.reverse("demo", ANN, given.entry.cause or "", reason="An illness", actor=STAFF, now=now)
    adjust(50, now, key="k2")
    hold(10, now, hours=24)
    service.post_for_order(order(now), now=now)
    said = TierOverride(tier_id="g", until=now + 400 * DAY, reason="An illness")
    service.override_tier("demo", ANN, said, actor=STAFF, now=now)


def stored() -> list[dict[str, Any]]:
    """All that stands in her partition, but for her profile, as it is stored."""
    asked = {":pk": {"S": customer_key("demo", ANN)}}
    answer = client().query(
        TableName=settings().crm_table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=asked
    )
    return [item for item in answer["Items"] if item["sk"]["S"] != "HEAD#PROFILE"]


def traces() -> set[str]:
    told = str(stored())
    return {trace for trace in (BORN[5:], AWAITED, *WORDS) if trace in told}


def test_who_is_erased_leaves_no_birthday_and_no_words_and_the_ledger_stays_whole(now: datetime) -> None:
    assert traces() == {BORN[5:], AWAITED, *WORDS}
    before, tier = balances(), service.tier_at("demo", ANN, now=now)
    entries = service.entries("demo", ANN, before=None, limit=50)
    profile(now, birth_date=None)
    service.erase("demo", ANN, now=now)
    assert traces() == set()
    assert balances() == before
    assert service.tier_at("demo", ANN, now=now) == tier
    after = service.entries("demo", ANN, before=None, limit=50)
    assert [each.fingerprint for each in after] == [each.fingerprint for each in entries]
    again = stored()
    service.erase("demo", ANN, now=now)
    assert stored() == again


def test_what_is_due_still_comes_after_an_erasure_and_no_birthday_does(now: datetime) -> None:
    profile(now, birth_date=None)
    service.erase("demo", ANN, now=now)
    assert wakes_at() == now + DAY  # the hold
    service.settle("demo", ANN, now=now + 300 * DAY)
    assert "birthday:2026:bonus" not in {each.cause for each in service.entries("demo", ANN, before=None, limit=50)}
    service.heard_of_birthday("demo", ANN, now=now + 300 * DAY)
    assert traces() == set()
    assert balances()[1:] == (0, 0)


def test_of_a_birthday_that_was_celebrated_its_month_stays_and_no_day(now: datetime) -> None:
    birthday, later = datetime(2026, 5, 16, 22, tzinfo=UTC), now + 100 * DAY
    service.settle("demo", ANN, now=birthday - 5 * DAY)  # what was due before, as of when it was
    service.settle("demo", ANN, now=birthday)
    profile(birthday, birth_date=None)
    assert "2026-05-16" in str(stored())  # until they are erased: when the entry came to be, for apps
    service.heard_of_birthday("demo", ANN, now=birthday + DAY)
    service.erase("demo", ANN, now=later)
    given = [item for item in stored() if "birthday:2026:bonus" in item["sk"]["S"]]
    assert {item["occurred_at"]["S"][:10] for item in given} == {"2026-04-30"}  # midnight in Vienna
    assert {trace for trace in (BORN[5:], AWAITED, "2026-05-16") if trace in str(given)} == set()
    assert service.verify("demo", ANN).findings == []


def test_no_timer_waits_for_a_birthday_that_is_erased(now: datetime) -> None:
    april = now + 50 * DAY
    service.settle("demo", ANN, now=april)
    awaited = wakes_at()
    assert awaited is not None
    assert awaited.isoformat().startswith(AWAITED)
    service.erase("demo", ANN, now=april)
    assert wakes_at() is None


def test_words_that_are_erased_tell_nobody_of_a_tier_once_more(now: datetime) -> None:
    [before] = service.tier_changes("demo", ANN, before=None, limit=5)
    service.erase("demo", ANN, now=now)
    [after] = service.tier_changes("demo", ANN, before=None, limit=5)
    assert (after.after_id, after.why) == ("g", "OVERRIDDEN")
    assert after.reason is None
    assert events_of(after, before) == []


def test_an_erasure_of_more_words_than_a_transaction_holds_is_done_in_several(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "AT_ONCE", 2)
    adjust(1, now, key="k3")
    for days in (1, 2, 3):
        said = TierOverride(tier_id="g", until=now + days * DAY, reason="A late parcel")
        service.override_tier("demo", ANN, said, actor=STAFF, now=now)
    service.erase("demo", ANN, now=now)
    assert {trace for trace in WORDS if trace in str(stored())} == set()
    assert len(list(TierChange.query(customer_key("demo", ANN), TierChange.sk.startswith("TIER#")))) == 4


def test_of_who_has_no_points_nothing_is_to_be_forgotten(now: datetime) -> None:
    service.erase("demo", "cus_nobody", now=now)
    assert service.account("demo", "cus_nobody") is None
    assert timers.get("demo", "cus_nobody", "loyalty", "ledger") is None
