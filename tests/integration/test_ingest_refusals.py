# tests/integration/test_ingest_refusals.py
import json
from typing import Any

import pytest

from crm.feedback import service as feedback
from crm.intake import service as intake
from crm.kernel import batch_reads
from crm.kernel.aws import s3_client
from crm.kernel.errors import Fault, NotFound
from crm.kernel.meter import metering
from crm.kernel.settings import settings
from crm.shops import service as shops
from crm.shops.service import Shop
from crm.touchpoints import service as touchpoints
from tests.letters import letters_in
from tests.shop_events import customer_of, deliver, event, placed, statistics_of

pytestmark = pytest.mark.usefixtures("shop", "outlets")


def dead_letters() -> list[Any]:
    return letters_in(settings().intake_dead_letters_url)


def reason(event_id: str) -> list[tuple[str, str]]:
    told = intake.status("demo", event_id)
    assert told is not None
    assert told.status == "dead_lettered"
    return [(reason.path, reason.code) for reason in told.reasons]


def test_a_bad_event_is_dead_lettered_whole_with_its_reasons_and_holds_up_no_other() -> None:
    bad = placed("o1", currency="EURO")
    assert deliver(bad, placed("o2")) == []
    assert statistics_of()["orders"] == 1
    (letter,) = dead_letters()
    assert json.loads(letter["Body"]) == bad
    assert letter["MessageAttributes"]["reason"]["StringValue"] == "INVALID"
    assert reason(bad["id"]) == [("data.currency", "INVALID")]


NAMELESS = ["not json", '{"type": "order.placed"}', '{"id": 7, "type": "x", "shop": []}', "[]", "[" * 100_000]
BOUNDLESS = ['{"id": 1e999}', '{"id": "e1", "shop": "demo", "type": %s}' % ("9" * 5_000), "NaN", '["\\ud800"]']


@pytest.mark.parametrize("body", [*NAMELESS, *BOUNDLESS], ids=lambda body: body[:20])
def test_what_cannot_even_be_named_is_dead_lettered_whole(body: str) -> None:
    assert deliver(body) == []
    assert [letter["Body"] for letter in dead_letters()] == [body]


def test_an_event_from_the_bus_with_control_characters_is_dead_lettered_with_their_places() -> None:
    odd = placed("o1", coupon="\x0b", customer={"externalId": "ann", "addresses": [{"city": "Wi\x00en"}]})
    assert deliver(odd, placed("o2")) == []
    assert reason(odd["id"]) == [("customer.addresses[0].city", "INVALID"), ("data.coupon", "INVALID")]
    assert statistics_of()["orders"] == 1


@pytest.mark.parametrize("fault", [{}, {"currency": "EURO"}])
def test_an_event_of_an_unknown_shop_writes_nothing_but_its_dead_letter(fault: dict[str, str]) -> None:
    lost = placed("o1", shop="nowhere", **fault)
    deliver(lost)
    assert [json.loads(letter["Body"]) for letter in dead_letters()] == [lost]
    assert intake.status("nowhere", lost["id"]) is None


def test_an_event_for_an_unknown_customer_is_dead_lettered() -> None:
    lost = placed("o1", customer={"id": "cus_nobody"})
    deliver(lost)
    assert reason(lost["id"]) == [("customer.id", "NOT_FOUND")]


def test_another_event_under_a_known_id_is_dead_lettered_and_the_first_stands() -> None:
    first = placed("o1", id="same")
    deliver(first, placed("o2", id="same"))
    told = intake.status("demo", "same")
    assert told is not None
    assert told.status == "applied"
    assert len(dead_letters()) == 1
    assert statistics_of()["orders"] == 1


def test_what_was_given_up_on_under_an_applied_id_is_told_with_it_each_content_once() -> None:
    first, second, third = placed("o1", id="same"), placed("o2", id="same"), placed("o3", id="same", currency="EURO")
    deliver(first, second, second)
    told = intake.status("demo", "same")
    assert told is not None
    assert (told.status, told.effect, len(told.rejected_hashes or ())) == ("applied", "order version 1", 1)
    assert [(reason.path, reason.code) for reason in told.rejected_reasons] == [("id", "KEY_REUSED")]
    deliver(third, first)
    told = intake.status("demo", "same")
    assert told is not None
    assert told.reasons == []
    assert len(told.rejected_hashes or ()) == 2
    assert [(reason.path, reason.code) for reason in told.rejected_reasons] == [("data.currency", "INVALID")]


def test_a_repeat_that_was_given_up_on_is_no_conflict(now: Any) -> None:
    first = placed("o1", id="same")
    deliver(first)
    intake.bury(json.dumps(first), [Fault("", "INVALID", "no")], now=now)
    told = intake.status("demo", "same")
    assert told is not None
    assert (told.status, len(told.rejected_hashes or ()), len(told.rejected_reasons)) == ("applied", 0, 0)


def test_a_dead_letter_that_has_been_mended_is_applied_once_however_often_it_is_redriven(two_shops: None) -> None:
    early = placed("o1", shop="not-yet")
    deliver(early)
    shops.create("not-yet", shops.ShopFields(name="Now", zone="UTC", currency="EUR", locale="en"))
    (letter,) = dead_letters()
    assert deliver(letter["Body"]) == []
    assert deliver(letter["Body"]) == []
    assert statistics_of(shop="not-yet")["orders"] == 1
    told = intake.status("not-yet", early["id"])
    assert told is not None
    assert told.status == "applied"


def test_a_dead_letter_is_archived_whole() -> None:
    deliver("not json")
    (letter,) = dead_letters()
    key = letter["MessageAttributes"]["archive"]["StringValue"]
    stored = s3_client().get_object(Bucket=settings().archive_bucket, Key=key)["Body"].read().decode()
    assert stored == "not json"


def test_an_event_from_the_bus_is_the_detail_of_what_the_queue_holds() -> None:
    on_the_bus = {"version": "0", "detail-type": "order.placed", "source": "shop", "detail": placed("o1")}
    assert deliver(on_the_bus) == []
    assert statistics_of()["orders"] == 1


def test_a_replayed_event_is_told_to_be_one() -> None:
    deliver(placed("o1"), replay=True)
    assert customer_of().replayed


def test_a_dead_letter_of_an_apps_event_is_an_apps_when_it_comes_again() -> None:
    for by_app in (True, False):
        deliver(event("order.eaten", {}, id="app.cus_1.e1"), by_app=by_app)
    marks = [letter["MessageAttributes"].get("app", {}).get("StringValue") for letter in dead_letters()]
    assert marks == ["true", None]


def test_what_the_door_takes_of_a_shops_own_event_can_be_stored(now: Any) -> None:
    """Not more than 100,000 bytes as they are stored, whatever script they are in."""
    for letters, status in ((33_000, "queued"), (33_400, "refused")):
        told = event("custom.recorded", {"name": "letter.written", "properties": {"text": "語" * letters}})
        [receipt] = intake.accept("demo", [told], now=now)
        assert (receipt.status, [(fault.path, fault.code) for fault in receipt.faults]) == (
            status,
            [] if status == "queued" else [("data.properties", "TOO_LARGE")],
        )
        deliver(told)
    assert len(dead_letters()) == 1
    [touchpoint] = touchpoints.touchpoints("demo", customer_of().customer_id, limit=10)
    assert touchpoint.properties == {"text": "語" * 33_000}
    assert touchpoint.serialize()["properties"]["S"] == '{"text":"' + "語" * 33_000 + '"}'


def test_a_cart_too_large_to_be_stored_is_refused_at_the_door(now: Any) -> None:
    lines = [{"sku": "語" * 190, "quantity": 1} for _ in range(200)]
    [receipt] = intake.accept("demo", [event("cart.updated", {"cartId": "c1", "lines": lines})], now=now)
    assert [(fault.path, fault.code) for fault in receipt.faults] == [("data", "TOO_LARGE")]


def test_feedback_and_visits_are_recorded_once() -> None:
    answered = event("feedback.received", {"score": 9, "comment": "Good."})
    seen = event("product.viewed", {"sku": "A"})
    assert deliver(answered, seen, answered, seen) == []
    assert dead_letters() == []
    ann = customer_of().customer_id
    assert [int(response.score) for response in feedback.responses("demo", ann, limit=10)] == [9]
    assert [touchpoint.type for touchpoint in touchpoints.touchpoints("demo", ann, limit=10)] == ["product.viewed"]


def test_the_door_queues_the_good_and_refuses_the_bad_with_all_their_faults(now: Any) -> None:
    receipts = intake.accept("demo", [placed("o1"), {"id": "x"}, placed("o2", shop="other")], now=now)
    assert [receipt.status for receipt in receipts] == ["queued", "refused", "refused"]
    assert {fault.path for fault in receipts[1].faults} == {"type", "version", "shop", "source", "occurredAt", "data"}
    assert [fault.code for fault in receipts[2].faults] == ["FORBIDDEN"]
    assert len(letters_in(settings().intake_queue_url)) == 1


def test_the_door_refuses_another_event_under_an_id_that_had_its_effect_and_takes_the_same_again(now: Any) -> None:
    first = placed("o1", id="same")
    deliver(first)
    with metering() as meter:
        again, other, new = intake.accept("demo", [first, placed("o2", id="same"), placed("o3")], now=now)
    assert (again.status, other.status, new.status) == ("queued", "refused", "queued")
    assert [(fault.path, fault.code) for fault in other.faults] == [("id", "KEY_REUSED")]
    assert meter.operations == {"GetItem": 1, "BatchGetItem": 1}


def test_of_two_events_of_one_call_under_one_id_the_door_refuses_the_second(now: Any) -> None:
    first = placed("o1", id="same")
    receipts = intake.accept("demo", [first, placed("o2", id="same"), dict(reversed(first.items()))], now=now)
    assert [receipt.status for receipt in receipts] == ["queued", "refused", "queued"]
    assert [fault.code for fault in receipts[1].faults] == ["KEY_REUSED"]


def test_an_id_whose_event_was_given_up_on_is_free_for_the_mended_one(now: Any) -> None:
    deliver(placed("o1", id="mended", currency="EURO"))
    (receipt,) = intake.accept("demo", [placed("o1", id="mended")], now=now)
    assert receipt.status == "queued"


def test_the_door_stands_open_while_the_table_does_not_answer(now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: Any, **__: Any) -> Any:
        raise TimeoutError

    monkeypatch.setattr(batch_reads, "read", silent)
    monkeypatch.setattr(Shop, "get", silent)
    shops.forget_cached()
    (receipt,) = intake.accept("demo", [placed("o1")], now=now)
    assert receipt.status == "queued"


def test_the_door_knows_its_shops_and_asks_for_one_once_a_minute(now: Any) -> None:
    with pytest.raises(NotFound):
        intake.accept("nosuch", [placed("o1", shop="nosuch")], now=now)
    with metering() as meter:
        for number in range(3):
            intake.accept("demo", [placed(f"o{number}")], now=now)
    assert meter.operations["GetItem"] <= 1
