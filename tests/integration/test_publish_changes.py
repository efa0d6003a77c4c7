# tests/integration/test_publish_changes.py
import json
import logging
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from crm.consent.models import ConsentHead, ConsentState
from crm.customers.models import AttributeDefinition, CustomerAttributes
from crm.intake.changes import PUBLISHERS
from crm.kernel import aws, clock
from crm.kernel.settings import settings
from crm.kernel.table import Published
from crm.loyalty.models import Enrolled, ExpiryNotice, LedgerEntry, Posting
from crm.loyalty.redemptions.models import Redemption, RefusedVoucher
from crm.loyalty.tiers.models import ChangeReason, TierChange, TierNotice
from crm.notifications.models import Message
from crm.orders.events import OrderRecorded
from crm.segmentation.stays import SegmentMembership
from crm.shops.models import Shop
from crm.touchpoints.models import Acquisition, Touchpoint, VisitorLink
from functions.intake.publish_changes import handler
from tests.letters import letters_in
from tests.stream_records import NOON, answer, order, profile, record, sequence_number

pytestmark = pytest.mark.usefixtures("outlets")
EVENTS = Path(__file__).parents[1] / "events"
LATER = datetime(2026, 3, 31, tzinfo=UTC)


class Bus:
    """What was put on the domain bus; `refuses` makes it answer as EventBridge does when it does not take an entry."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.calls: list[int] = []
        self.refuses: set[str] = set()
        self.fails_at_call: int | None = None

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803  boto's own name
        self.calls.append(len(Entries))
        if self.fails_at_call == len(self.calls):
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "PutEvents")
        answers = []
        for entry in Entries:
            if json.loads(entry["Detail"]).get("orderId") in self.refuses:
                answers.append({"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"})
            else:
                self.entries.append(entry)
                answers.append({"EventId": "1"})
        return {"FailedEntryCount": len(self.refuses), "Entries": answers}

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        return [(entry["DetailType"], json.loads(entry["Detail"])) for entry in self.entries]


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    bus = Bus()
    monkeypatch.setattr("crm.kernel.publishing.events_client", lambda: bus)
    return bus


def deliver(*records: dict[str, Any]) -> list[str]:
    """Hand over one batch, as JSON; return from which sequence number it is to be replayed."""
    replayed = handler(json.loads(json.dumps({"Records": records})), None)  # type: ignore[arg-type]
    return [failure["itemIdentifier"] for failure in replayed["batchItemFailures"]]


def letters() -> list[dict[str, Any]]:
    return letters_in(settings().dead_letters_url)


def stay(rev: int = 1, *, left_at: datetime | None = None) -> SegmentMembership:
    item = SegmentMembership.of("demo", "ann", "recent", NOON, "order:o1:segments", begun_in=1)
    item.rev, item.cause, item.left_at = rev, "order:o1:segments", left_at
    item.left_cause = "timer:recent:left" if left_at else None
    return item


def message(rev: int = 1, *, status: str = "planned", attempts: int = 0) -> Message:
    item = Message.of("demo", "ann", "m1", planned_at=NOON)
    item.template, item.channel, item.purpose = "thank_you", "email", "marketing"
    item.rev, item.status, item.attempt_count, item.cause = rev, status, attempts, "order:o1:thank_you"
    return item


def entry() -> LedgerEntry:
    item = LedgerEntry.of("demo", "ann", "order:o1:earn:1")
    item.number, item.movement, item.points, item.balance_after = 1, "earned", 20, 20
    item.postings, item.occurred_at = [Posting(account="available", points=20)], NOON
    return item


def enrolled() -> Enrolled:
    item = Enrolled.of("demo", "ann")
    item.enrolled_at, item.cause = NOON, "account:enroll"
    return item


def notice() -> ExpiryNotice:
    item = ExpiryNotice.of("demo", "ann", "pool:2026-04-01T22:00:00.000000Z:notice")
    item.points, item.ends_at, item.noticed_at = 20, LATER, NOON
    return item


def link() -> VisitorLink:
    item = VisitorLink.of("demo", "v1")
    item.customer_id, item.identified_at, item.identified_by = "ann", NOON, "e1"
    item.rev, item.cause = 1, "event:e1"
    return item


def attributes(rev: int = 1, **values: str | None) -> CustomerAttributes:
    item = CustomerAttributes.of("demo", "ann")
    item.rev, item.cause = rev, f"event:e{rev}"
    at = clock.text(NOON)
    item.states = {key: {"value": value, "at": at, "origin": "event:shopify"} for key, value in values.items()}
    return item


def consents() -> ConsentHead:
    item = ConsentHead.of("demo", "ann")
    item.states = [ConsentState(channel="email", purpose="marketing", state="granted", source="form", occurred_at=NOON)]
    item.rev, item.cause = 1, "event:e1"
    return item


def seen() -> Touchpoint:
    item = Touchpoint.of("demo", "ann", "product.viewed", "e1", occurred_at=NOON)
    item.direction, item.recorded_at, item.properties = "inbound", NOON, {"title": "so so"}
    item.rev, item.cause = 1, "event:e1"
    return item


def brought(rev: int = 1, *, gone_count: int = 0) -> Acquisition:
    item = Acquisition.of("demo", "ann")
    item.rev, item.cause, item.occurred_at, item.gone_count = rev, "event:e1", NOON, gone_count
    return item


def shop(rev: int = 1, **more: str) -> Shop:
    item = Shop.of("demo")
    item.name, item.zone, item.currency, item.locale = "Demo", "Europe/Vienna", "EUR", "de-AT"
    item.rev, item.cause = rev, f"shop:demo:update:{rev}"
    for name, value in more.items():
        setattr(item, name, value)
    return item


def tier_change() -> TierChange:
    item = TierChange.of("demo", "ann", 1)
    item.after_id, item.after_name, item.why, item.cause = "t2", "Gold", ChangeReason.ATTAINED, "order:o1:tier:1"
    item.direction, item.occurred_at, item.recorded_at = 1, NOON, NOON
    return item


def tier_notice() -> TierNotice:
    item = TierNotice.of("demo", "ann", "t2", date(2027, 1, 1))
    item.tier_name, item.basis, item.missing, item.occurred_at = "Gold", "POINTS", 100, NOON
    return item


def redemption(status: str = "FULFILLED") -> Redemption:
    item = Redemption.of("demo", "ann", "rdn_1")
    item.reward_id, item.reward_version, item.points, item.status = "rwd_1", 1, 100, status
    item.rev, item.cause, item.code = 1, "hold:rdn_1:capture", "so so"
    item.redeemed_at = item.ended_at = NOON
    item.reward, item.request, item.actor, item.counted_on = {"name": "so so"}, "r", "staff:s1", "2026-03-01"
    return item


def refused_voucher() -> RefusedVoucher:
    item = RefusedVoucher.of("demo", "ann", "o1")
    item.redemption_id, item.given_to, item.reason, item.occurred_at = "rdn_1", "bea", "USED_BEFORE", NOON
    item.rev, item.cause = 1, "order:o1:voucher"
    return item


EVERY_KIND: list[tuple[Published, str]] = [
    (profile(), "customer.recorded"),
    (attributes(shoe="so so"), "attributes.recorded"),
    (consents(), "consent.recorded"),
    (seen(), "touchpoint.recorded"),
    (brought(), "acquisition.recorded"),
    (order(), "order.recorded"),
    (stay(), "segment.entered"),
    (message(), "message.planned"),
    (entry(), "points.posted"),
    (enrolled(), "loyalty.enrolled"),
    (notice(), "points.expiring"),
    (tier_change(), "tier.changed"),
    (tier_notice(), "tier.downgrade_upcoming"),
    (redemption(), "reward.redeemed"),
    (redemption("USED"), "voucher.used"),
    (redemption("CANCELLED"), "redemption.cancelled"),
    (refused_voucher(), "voucher.refused"),
    (answer(), "feedback.recorded"),
    (link(), "visitor.identified"),
]


@pytest.mark.parametrize(("item", "detail_type"), EVERY_KIND)
def test_what_is_stored_is_published_with_its_id_cause_and_revision(
    bus: Bus, item: Published, detail_type: str
) -> None:
    assert deliver(record(item)) == []
    ((told_type, detail),) = bus.told()
    assert told_type == detail_type
    assert detail["id"].startswith(f"{item.pk}|{item.sk}@1")
    assert (detail["shop"], detail["customerId"], detail["rev"], detail["replayed"]) == ("demo", "ann", 1, False)
    assert detail["cause"]
    assert detail["occurredAt"] == "2026-03-01T11:00:00.000000Z"
    assert bus.entries[0]["Source"] == "rapport.domain"
    assert bus.entries[0]["EventBusName"] == "domain"


def test_a_profile_whose_values_stay_is_not_told(bus: Bus) -> None:
    confirmed, changed = profile(rev=2), profile(rev=3)
    changed.version = 1
    assert deliver(record(confirmed, profile()), record(changed, confirmed)) == []
    assert [detail["rev"] for _, detail in bus.told()] == [3]


def test_every_kind_that_is_published_is_tried_here() -> None:
    assert {type(item) for item, _ in EVERY_KIND} | {AttributeDefinition, Shop} == set(PUBLISHERS)


def test_of_the_shops_own_attributes_those_are_told_whose_value_is_another(bus: Bus) -> None:
    before, after = attributes(shoe="42", size="M", colour=None), attributes(2, shoe="43", size="M", pet="cat")
    later = attributes(3, shoe="43", size="M", pet="cat")
    later.states["pet"]["at"] = clock.text(LATER)
    assert deliver(record(after, before), record(later, after), record(attributes(4, shoe=None), later)) == []
    assert [detail["keys"] for _, detail in bus.told()] == [["pet", "shoe"], ["shoe"]]


def test_touchpoints_that_are_the_customers_no_longer_are_told_with_what_brought_them(bus: Bus) -> None:
    first, second, third = brought(), brought(2, gone_count=3), brought(3, gone_count=3)
    assert deliver(record(first), record(second, first), record(third, second)) == []
    assert [detail["touchpointsGone"] for _, detail in bus.told()] == [False, True, False]


def test_a_shop_is_told_of_where_its_days_or_amounts_mean_something_else(bus: Bus) -> None:
    renamed, moved = shop(2, name="Other"), shop(3, name="Other", zone="Asia/Tokyo")
    deliver(record(shop()), record(renamed, shop()), record(moved, renamed), record(shop(4, currency="JPY"), shop()))
    assert [(kind, detail["zone"], detail["currency"]) for kind, detail in bus.told()] == [
        ("shop.changed", "Asia/Tokyo", "EUR"),
        ("shop.changed", "Europe/Vienna", "JPY"),
    ]
    assert bus.told()[0][1]["cause"] == "shop:demo:update:3"


def test_an_attribute_is_told_of_where_other_values_may_be_asked_about(bus: Bus) -> None:
    def colour(rev: int, *keys: str, currency: str | None = None, name: str = "Colour") -> AttributeDefinition:
        item = AttributeDefinition.of("demo", "colour", now=NOON)
        item.name, item.type, item.choices = name, "choice", [{"key": key, "name": key} for key in keys]
        item.rev, item.currency, item.cause = rev, currency, f"attribute:colour:define:{rev}"
        return item

    first, fewer = colour(1, "red", "blue"), colour(3, "blue")
    deliver(
        record(first), record(colour(2, "blue", "red", name="Color"), first), record(fewer, first),
        record(colour(4, "blue", currency="EUR"), fewer),
    )  # fmt: skip
    assert [(kind, detail["shop"], detail["key"], detail["cause"]) for kind, detail in bus.told()] == [
        ("attribute.defined", "demo", "colour", "attribute:colour:define:3"),
        ("attribute.defined", "demo", "colour", "attribute:colour:define:4"),
    ]


@pytest.mark.parametrize(("item", "_"), EVERY_KIND)
def test_nothing_personal_is_published(bus: Bus, item: Published, _: str) -> None:
    deliver(record(item))
    assert not [word for word in ("ann@example.com", "so so") if word in bus.entries[0]["Detail"]]


def test_what_is_published_can_be_read_by_who_consumes_it(bus: Bus) -> None:
    deliver(record(order("o1", 7, net=1234)))
    ((_, detail),) = bus.told()
    assert OrderRecorded.parse(detail).detail() == detail
    assert (detail["net"], detail["version"]) == (1234, 7)


def test_a_record_as_dynamodb_sends_it_is_published(bus: Bus) -> None:
    recorded = json.loads((EVENTS / "dynamodb_stream_order.json").read_text())
    assert deliver(*recorded["Records"]) == []
    ((_, detail),) = bus.told()
    assert (detail["orderId"], detail["rev"], detail["net"]) == ("CD-10443", 3, 2495)


@pytest.mark.parametrize("item", [item for item, _ in EVERY_KIND])
def test_a_change_that_moved_no_revision_is_not_published(bus: Bus, item: Published) -> None:
    deliver(record(item, item))
    assert bus.told() == []


def test_a_stay_in_a_segment_is_told_when_it_begins_and_when_it_ends(bus: Bus) -> None:
    deliver(record(stay()), record(stay(2, left_at=LATER), stay()))
    assert [(kind, detail["occurredAt"][:10]) for kind, detail in bus.told()] == [
        ("segment.entered", "2026-03-01"),
        ("segment.left", "2026-03-31"),
    ]


def test_a_message_is_handed_to_delivery_once_and_not_again_when_an_attempt_failed(bus: Bus) -> None:
    sending = message(2, status="sending", attempts=1)
    deliver(record(message()), record(sending, message()), record(message(3, attempts=1), sending))
    assert [kind for kind, _ in bus.told()] == ["message.planned"]


def test_what_expires_or_is_removed_is_not_published(bus: Bus) -> None:
    expiry = json.loads((EVENTS / "dynamodb_stream_expiry.json").read_text())["Records"]
    assert deliver(*expiry, record(None, order())) == []
    assert (bus.told(), letters()) == ([], [])


def test_a_batch_is_put_ten_at_a_time_in_the_order_of_its_records(bus: Bus) -> None:
    deliver(*(record(order(f"o{number}")) for number in range(23)))
    assert bus.calls == [10, 10, 3]
    assert [detail["orderId"] for _, detail in bus.told()] == [f"o{number}" for number in range(23)]


def test_what_the_bus_did_not_take_comes_again_from_the_first_of_them(bus: Bus) -> None:
    records = [record(order(f"o{number}")) for number in range(15)]
    bus.refuses = {"o4", "o12"}
    assert deliver(*records) == [sequence_number(records[4])]
    bus.refuses = set()
    assert deliver(*records[4:]) == []
    assert {detail["orderId"] for _, detail in bus.told()} == {f"o{number}" for number in range(15)}


def test_a_bus_that_is_not_there_for_a_moment_loses_nothing(bus: Bus) -> None:
    records = [record(order(f"o{number}")) for number in range(25)]
    bus.fails_at_call = 2
    assert deliver(*records) == [sequence_number(records[10])]


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"net": {"S": "many"}}, "UNREADABLE"),
        ({"kind": {"S": "Dragon"}}, "UNREADABLE"),
        ({"kind": {"S": "Statistics"}}, "INVALID"),
    ],
)
def test_a_bad_record_is_dead_lettered_whole_with_its_reason_and_its_neighbours_are_published(
    bus: Bus, attributes: dict[str, Any], code: str
) -> None:
    bad = record(order("bad"))
    bad["dynamodb"]["NewImage"] |= attributes
    assert deliver(record(order("o1")), bad, record(order("o2"))) == []
    assert [detail["orderId"] for _, detail in bus.told()] == ["o1", "o2"]
    (letter,) = letters()
    assert json.loads(letter["Body"]) == bad
    assert letter["MessageAttributes"]["reason"]["StringValue"] == code
    assert letter["MessageAttributes"]["source"]["StringValue"] == "intake.publish_changes"


def test_the_real_bus_takes_what_is_put() -> None:
    assert deliver(record(order())) == []
    assert aws.events_client().describe_event_bus(Name=settings().domain_bus)["Name"] == "domain"


def test_the_log_says_for_whom_a_notice_was_published_and_nothing_of_one_that_the_bus_refused(
    bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    deliver(record(notice()), record(tier_notice()), record(entry()))
    told = [vars(one) for one in caplog.records if one.message == "notice published"]
    assert [(one["type"], one["customer_id"]) for one in told] == [
        ("points.expiring", "ann"), ("tier.downgrade_upcoming", "ann"),
    ]  # fmt: skip
    caplog.clear()
    bus.fails_at_call = 2
    deliver(record(notice()))
    assert "notice published" not in caplog.text
