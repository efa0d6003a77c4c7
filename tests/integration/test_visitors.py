# tests/integration/test_visitors.py
from datetime import timedelta
from itertools import permutations

import pytest

from crm.customers import service as customers
from crm.intake import service as intake
from crm.kernel import clock
from crm.kernel.change import Change
from crm.touchpoints import service as touchpoints
from crm.touchpoints import sources, visitors
from tests.conftest import NOW
from tests.shop_events import customer_of, deliver, event, placed
from tests.visiting import brought_by, history, identified, settled, stored_of, viewed

pytestmark = pytest.mark.usefixtures("shop", "outlets")


@pytest.fixture(autouse=True)
def on_that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def test_what_a_visitor_does_is_nobodys_and_expires() -> None:
    assert deliver(viewed("v1", 1), viewed("v1", 2)) == []
    assert customers.list_shard("demo", 0, before=None, limit=10) == []
    items = stored_of("v1")
    assert len(items) == 3
    assert {item["expires_at"]["N"] for item in items} == {str(int((NOW + touchpoints.LIFETIME).timestamp()))}


def test_what_a_visitor_did_is_the_customers_once_they_are_known() -> None:
    deliver(viewed("v1", 1), viewed("v1", 2), identified("v1", "ann", 3))
    assert history("ann") == []
    assert settled("v1", now=NOW) == 2
    assert settled("v1", now=NOW) == 0
    assert history("ann") == ["2", "1"]
    assert brought_by("ann") == ["v1-1", "v1-2"]
    [newest, _] = touchpoints.touchpoints("demo", customer_of("ann").customer_id, limit=2)
    assert (newest.visitor_id, newest.rev, newest.cause.startswith("event:")) == ("v1", 1, True)
    assert newest.expires_at is None


def test_what_they_do_from_then_on_is_the_customers_at_once() -> None:
    deliver(identified("v1", "ann", 3), viewed("v1", 4))
    assert history("ann") == ["4"]
    assert brought_by("ann") == ["v1-4", "v1-4"]


def test_any_event_that_names_a_customer_and_a_visitor_identifies() -> None:
    who = {"externalId": "ann", "anonymousId": "v1"}
    for kind in (placed(customer=who), event("product.viewed", {"sku": "known"}, customer=who)):
        deliver(viewed("v1", 1), kind)
    settled("v1", now=NOW)
    assert sorted(history("ann")) == ["1", "1", "known"]


def test_an_identifier_that_stands_for_nobody_identifies_nobody() -> None:
    deliver(viewed("v1", 1) | {"customer": {"anonymousId": "v1", "externalId": "null", "email": "no@no.com"}})
    assert len(stored_of("v1")) == 2


def test_a_replay_stays_one_when_it_joins_a_customer() -> None:
    deliver(viewed("v1", 1), replay=True)
    deliver(identified("v1", "ann", 3))
    settled("v1", now=NOW)
    [touchpoint] = touchpoints.touchpoints("demo", customer_of("ann").customer_id, limit=2)
    assert touchpoint.replayed


def test_of_two_customers_on_one_device_the_first_one_identified_was_the_visitor_in_any_order() -> None:
    for number, order in enumerate(list(permutations(range(5)))[::13]):
        v, ann, bob = f"v{number}", f"ann{number}", f"bob{number}"
        told = [
            viewed(v, 1),
            identified(v, bob, 8, id=f"b{number}"),
            identified(v, ann, 8, id=f"a{number}"),
            identified(v, ann, 9),
            viewed(v, 10),
        ]
        for place in order:
            deliver(told[place])
            if (number + place) % 2:
                settled(v, now=NOW)
        settled(v, now=NOW)
        assert (history(ann), history(bob)) == (["10", "1"], [])
        assert (brought_by(ann), brought_by(bob)) == ([f"{v}-1", f"{v}-10"], [])


def test_the_customers_own_sources_stay_when_a_visitor_turns_out_to_be_somebody_else() -> None:
    own = event("visit.started", {"utm": {"source": "own"}}, occurredAt="2026-03-01T10:05:00Z")
    deliver(viewed("v1", 1), own, identified("v1", "ann", 9))
    assert brought_by("ann") == ["v1-1", "own"]
    deliver(identified("v1", "bob", 8))
    assert brought_by("ann") == ["own", "own"]
    assert brought_by("bob") == ["v1-1", "v1-1"]


def gone_from(external_id: str) -> int:
    head = customers.take_snapshot("demo", customer_of(external_id).customer_id).head(touchpoints.Acquisition)
    return int(head.gone_count) if head else 0


def test_whoever_the_visitor_was_not_is_told_that_touchpoints_are_gone() -> None:
    deliver(viewed("v1", 1), viewed("v1", 2), identified("v1", "ann", 9))
    settled("v1", now=NOW)
    deliver(identified("v1", "bob", 8))
    assert gone_from("ann") == 0  # they are hers until they are brought to bob
    settled("v1", now=NOW)
    settled("v1", now=NOW)
    assert (history("ann"), history("bob")) == ([], ["2", "1"])
    assert (gone_from("ann"), gone_from("bob")) == (2, 0)


def test_whose_oldest_touchpoint_is_forgotten_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "MOST_TOUCHPOINTS", 2)
    deliver(identified("v1", "ann", 1), viewed("v1", 2), viewed("v1", 3), viewed("v1", 4))
    assert (history("ann"), gone_from("ann")) == (["4", "3"], 1)


def test_the_newest_touchpoints_of_a_visitor_are_kept_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "MOST_TOUCHPOINTS", 3)
    for number, order in enumerate(list(permutations(range(1, 6)))[::13]):
        v, ann = f"v{number}", f"ann{number}"
        deliver(*(viewed(v, minute) for minute in order[:3]))
        deliver(identified(v, ann, 9))
        if number % 2:
            settled(v, now=NOW)
        deliver(*(viewed(v, minute) for minute in order[3:]))
        settled(v, now=NOW)
        assert history(ann) == ["5", "4", "3"]
        assert len(stored_of(v)) == 2 + 3
        assert brought_by(ann) == [f"{v}-1", f"{v}-5"]


def test_a_customer_is_so_many_visitors_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_VISITORS", 2)
    deliver(*(identified(f"v{number}", "ann", number) for number in range(3)))
    deliver(*(viewed(f"v{number}", 10 + number) for number in range(3)))
    assert history("ann") == ["11", "10"]
    deliver(identified("v2", "bob", 20))
    settled("v2", now=NOW)
    assert history("bob") == ["12"]


def test_a_visitor_whose_time_is_over_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(viewed("v1", 1), identified("v1", "ann", 2))
    settled("v1", now=NOW)
    later = NOW + touchpoints.LIFETIME + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    deliver(viewed("v1", 3))
    assert history("ann") == ["1"]
    deliver(identified("v1", "bob", 4))
    settled("v1", now=later)
    assert (history("ann"), history("bob")) == (["1"], ["3"])
    assert brought_by("ann") == ["v1-1", "v1-1"]


def test_what_brought_a_visitor_whose_time_is_over_is_the_customers_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(viewed("v1", 1), identified("v1", "ann", 2))
    monkeypatch.setattr(clock, "now", lambda: NOW + touchpoints.LIFETIME)
    deliver(identified("v2", "ann", 5))
    head = customers.take_snapshot("demo", customer_of("ann").customer_id).head(touchpoints.Acquisition)
    assert head is not None
    assert [each.visitor_id for each in head.visitors] == ["v2"]
    assert brought_by("ann") == ["v1-1", "v1-1"]


def test_many_touchpoints_are_brought_in_several_transactions_and_what_is_interrupted_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(visitors, "MOVED_AT_ONCE", 2)
    deliver(*(viewed("v1", minute) for minute in range(5)), identified("v1", "ann", 9))
    commit, commits = Change.commit, iter([True, False])

    def interrupted(change: Change) -> bool:
        if not next(commits, True):
            raise InterruptedError
        return commit(change)

    monkeypatch.setattr(Change, "commit", interrupted)
    with pytest.raises(InterruptedError):
        settled("v1", now=NOW)
    assert len(history("ann")) == 2
    assert settled("v1", now=NOW) == 3
    assert history("ann") == ["4", "3", "2", "1", "0"]


def test_an_event_about_a_visitor_says_so_to_whoever_asks() -> None:
    told = viewed("v1", 1)
    deliver(told)
    received = intake.status("demo", told["id"])
    assert received is not None
    assert received.effect == "touchpoint product.viewed of a visitor"
    assert received.customer_id is None


def test_a_claim_that_loses_says_so() -> None:
    deliver(identified("v1", "ann", 1, id="ann-1"), identified("v1", "ann", 3, id="ann-3"))
    deliver(identified("v1", "bob", 2, id="bob-2"))
    who = {"anonymousId": "v1", "externalId": "bob"}
    deliver(event("product.viewed", {"sku": "A"}, customer=who, id="bob-view", occurredAt="2026-03-01T10:04:00Z"))
    told = {event_id: intake.status("demo", event_id) for event_id in ("ann-1", "ann-3", "bob-2", "bob-view")}
    beside = "; the visitor is another customer's, who was identified earlier"
    assert {event_id: received and received.effect for event_id, received in told.items()} == {
        "ann-1": "customer",
        "ann-3": "customer",
        "bob-2": f"customer{beside}",
        "bob-view": f"touchpoint product.viewed{beside}",
    }


def test_an_app_takes_over_nobodys_history_by_claiming_to_have_been_there_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number, first in enumerate([{"id": "app.ann.1"}, {}]):
        v = f"v{number}"
        monkeypatch.setattr(clock, "now", lambda: NOW)
        deliver(viewed(v, 1))
        deliver(identified(v, "ann", 3, **first), by_app="id" in first)
        monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(minutes=1))
        claimed = identified(v, "bob", 4, id=f"app.bob.{number}") | {"occurredAt": "1970-01-01T00:00:00Z"}
        deliver(claimed, by_app=True)
        settled(v, now=NOW)
        assert (len(history("ann")), history("bob")) == (number + 1, [])


def test_a_shops_earlier_event_says_who_a_visitor_was_whatever_an_app_said_and_when_it_came() -> None:
    for number, order in enumerate(permutations(range(3))):
        v = f"v{number}"
        told = [
            viewed(v, 1),
            identified(v, f"ann{number}", 3),
            identified(v, f"bob{number}", 2, id=f"app.bob.{number}"),
        ]
        for place in order:
            deliver(told[place], by_app=told[place]["id"].startswith("app."))
        settled(v, now=NOW)
        assert (history(f"ann{number}"), history(f"bob{number}")) == (["1"], [])
