# tests/integration/test_graphql_consents.py
from datetime import timedelta
from typing import Any

import pytest

from crm.consent import service as consent
from crm.customers import service as customers
from crm.intake import service as intake
from crm.kernel import clock
from crm.kernel.change import Change
from schema.node import global_id
from schema.principal import Kind, Principal
from tests.asking import NOW, STAFF, answer, as_customer, as_staff, ask, codes
from tests.shop_events import deliver, event

UPDATE = """mutation ($input: ConsentUpdateInput!) { consentUpdate(input: $input) {
    replayed
    userErrors { code field message }
    customer { consents { channel purpose topic state source textVersion optInLevel legalBasis occurredAt } }
} }"""
EMAIL = {"channel": "EMAIL", "purpose": "MARKETING"}
YES, NO = EMAIL | {"state": "GRANTED"}, EMAIL | {"state": "DENIED"}
SMS = YES | {"channel": "SMS"}
MAY = "{ viewer { permission(channel: EMAIL, purpose: MARKETING) { allowed reason } } }"


@pytest.fixture
def ann(shop: object) -> str:
    return customers.create("demo", customers.Words(fields={"first_name": "Ann"}), now=NOW).customer_id


def update(principal: Principal, *consents: dict[str, Any], key: str = "k", **more: Any) -> Any:
    given = {"consents": list(consents), "idempotencyKey": key} | more
    return ask(UPDATE, {"input": given}, principal=principal)["consentUpdate"]


def refused(principal: Principal, *consents: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    return [
        (error["code"], ".".join(error["field"][1:])) for error in update(principal, *consents, **more)["userErrors"]
    ]


def may(ann: str) -> Any:
    return ask(MAY, principal=as_customer(ann))["viewer"]["permission"]


def test_customers_agree_and_withdraw_for_themselves(ann: str) -> None:
    assert may(ann) == {"allowed": False, "reason": "NOT_GIVEN"}
    agreed = update(as_customer(ann), YES | {"textVersion": "v2", "source": "preferences"}, key="a")
    assert agreed["userErrors"] == []
    assert agreed["customer"]["consents"] == [
        EMAIL
        | {
            "topic": None,
            "state": "GRANTED",
            "source": "preferences",
            "textVersion": "v2",
            "optInLevel": "SINGLE",
            "legalBasis": "CONSENT",
            "occurredAt": "2026-03-10T12:00:00.000000Z",
        }
    ]
    assert may(ann) == {"allowed": True, "reason": None}
    update(as_customer(ann), NO, key="b")
    assert may(ann) == {"allowed": False, "reason": "DENIED"}
    update(as_customer(ann), EMAIL | {"state": "PENDING"}, key="c")
    assert may(ann) == {"allowed": False, "reason": "NOT_CONFIRMED"}


def test_a_key_repeated_changes_nothing_and_with_something_else_is_refused(ann: str) -> None:
    assert not update(as_customer(ann), YES)["replayed"]
    update(as_customer(ann), NO, key="no")
    assert update(as_customer(ann), YES)["replayed"]
    assert may(ann)["reason"] == "DENIED"
    assert refused(as_customer(ann), NO) == [("KEY_REUSED", "idempotencyKey")]
    assert refused(as_customer(ann), EMAIL | {"state": "GRANTED", "channel": "SMS"}) == [
        ("KEY_REUSED", "idempotencyKey")
    ]


@pytest.mark.parametrize("besides", [[], [YES]])
def test_a_key_used_at_the_same_moment_is_told_from_a_repeat(
    ann: str, monkeypatch: pytest.MonkeyPatch, besides: list[dict[str, Any]]
) -> None:
    commit, other = Change.commit, [{**YES, "channel": "SMS"}]

    def commit_behind_another(change: Change) -> bool:
        if other:
            update(as_customer(ann), other.pop(), *besides)
        return commit(change)

    monkeypatch.setattr(Change, "commit", commit_behind_another)
    assert refused(as_customer(ann), YES) == [("KEY_REUSED", "idempotencyKey")]


def test_a_withdrawal_is_not_lost_to_a_source_whose_clock_runs_ahead(ann: str) -> None:
    ahead = clock.text(NOW + timedelta(minutes=5))
    said = {"consents": [{"channel": "email", "purpose": "marketing", "topic": "news", "state": "granted"}]}
    body = event("consent.updated", said, customer={"id": ann}, occurredAt=ahead)
    assert intake.apply(intake.written(body), now=NOW).status == "applied"
    update(as_customer(ann), NO)
    query = '{ viewer { permission(channel: EMAIL, purpose: MARKETING, topic: "news") { reason } } }'
    assert ask(query, principal=as_customer(ann))["viewer"]["permission"]["reason"] == "DENIED"


def test_a_withdrawal_is_not_lost_to_a_yes_from_the_future_that_comes_while_it_is_decided(
    ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = customers.take_snapshot
    ahead = clock.text(NOW + timedelta(minutes=5))
    said = {"consents": [{"channel": "email", "purpose": "marketing", "state": "granted"}]}
    overtaking = [intake.written(event("consent.updated", said, customer={"id": ann}, occurredAt=ahead))]

    def read_then_be_overtaken(shop: str, customer_id: str) -> customers.Snapshot:
        found = read(shop, customer_id)
        if overtaking:
            intake.apply(overtaking.pop(), now=NOW)
        return found

    monkeypatch.setattr(customers, "take_snapshot", read_then_be_overtaken)
    assert update(as_customer(ann), NO)["userErrors"] == []
    assert not overtaking
    assert may(ann) == {"allowed": False, "reason": "DENIED"}


def test_one_topic_too_many_takes_no_withdrawal_with_it_and_is_refused_to_who_can_hear_it(ann: str) -> None:
    def told(*consents: dict[str, Any]) -> str:
        body = event("consent.updated", {"consents": list(consents)}, customer={"id": ann})
        return intake.apply(intake.written(body), now=NOW).effect

    topic = {"channel": "email", "purpose": "marketing", "state": "granted"}
    assert told(*[topic | {"topic": f"t{number}"} for number in range(consent.MOST_TOPICS)]) == "customer"
    effect = told(topic | {"state": "denied"}, topic | {"topic": "more"})
    assert effect == (
        "customer, without data.consents[1].topic is beyond the 50 topics of a customer, the denied ones included"
    )
    assert may(ann) == {"allowed": False, "reason": "DENIED"}
    more = YES | {"topic": "more"}
    assert refused(as_customer(ann), YES, more) == [("TOO_MANY", "consents.1.topic")]
    assert may(ann) == {"allowed": False, "reason": "DENIED"}


def test_a_no_that_finds_no_room_is_told_otherwise_than_a_yes_and_one_to_everything_always_finds_it(ann: str) -> None:
    topic = EMAIL | {"state": "DENIED"}
    for call in range(2):
        said = [topic | {"topic": f"t{call}-{number}"} for number in range(50)]
        assert refused(as_customer(ann), *said, key=f"k{call}") == []
    both = [YES | {"topic": "more"}, topic | {"topic": "more"}]
    assert refused(as_customer(ann), both[0], key="yes") == [("TOO_MANY", "consents.0.topic")]
    assert refused(as_customer(ann), both[1], key="no") == [("TOO_MANY_DENIED", "consents.0.topic")]
    data = {"consents": [{name: value.lower() for name, value in one.items()} for one in (topic, topic)]}
    data["consents"][0]["topic"], data["consents"][1]["topic"] = "a", "b"
    data["consents"].append(data["consents"][0] | {"state": "granted", "topic": "c"})
    effect = intake.apply(intake.written(event("consent.updated", data, customer={"id": ann})), now=NOW).effect
    assert effect == (
        "customer, without data.consents[0].topic, data.consents[1].topic is beyond the 100 topics of a customer: deny "
        "the channel and purpose as a whole; data.consents[2].topic is beyond the 50 topics of a customer, the denied "
        "ones included"
    )
    assert update(as_customer(ann), NO, key="all")["userErrors"] == []
    assert may(ann) == {"allowed": False, "reason": "DENIED"}


def test_customers_forge_no_evidence(ann: str) -> None:
    forged = SMS | {"optInLevel": "DOUBLE", "legalBasis": "CONTRACT"}
    assert refused(as_customer(ann), YES, forged) == [
        ("FORBIDDEN", "consents.1.optInLevel"),
        ("FORBIDDEN", "consents.1.legalBasis"),
    ]


def test_evidence_is_refused_with_everything_else_that_is_wrong(ann: str) -> None:
    wrong = YES | {"legalBasis": "CONTRACT", "topic": "No Topic", "source": ""}
    assert sorted(refused(as_customer(ann), wrong)) == [
        ("FORBIDDEN", "consents.0.legalBasis"),
        ("INVALID", "consents.0.source"),
        ("INVALID", "consents.0.topic"),
    ]


def test_staff_record_what_was_said_elsewhere_and_sign_it(ann: str) -> None:
    clerk = Principal(Kind.STAFF, "demo", None, STAFF.scopes, "u1")
    paper = YES | {"occurredAt": "2026-03-01T09:00:00Z", "optInLevel": "SINGLE", "source": "paper form"}
    assert update(clerk, paper, id=global_id("Customer", ann))["userErrors"] == []
    query = """query ($id: ID!) { customer(id: $id) { consentEntries { nodes {
        state source optInLevel legalBasis actor { kind reference } occurredAt recordedAt } } } }"""
    assert ask(query, {"id": global_id("Customer", ann)})["customer"]["consentEntries"]["nodes"] == [
        {
            "state": "GRANTED",
            "source": "paper form",
            "optInLevel": "SINGLE",
            "legalBasis": None,
            "actor": {"kind": "STAFF", "reference": "u1"},
            "occurredAt": "2026-03-01T09:00:00.000000Z",
            "recordedAt": "2026-03-10T12:00:00.000000Z",
        }
    ]


def test_everything_wrong_is_named_by_its_path(ann: str) -> None:
    id_ = global_id("Customer", ann)
    wrong = YES | {"topic": "No Topic", "source": "", "textVersion": "x" * 101, "occurredAt": "2027-01-01T00:00:00Z"}
    assert sorted(refused(STAFF, YES, wrong, id=id_, key="")) == [
        ("FROM_THE_FUTURE", "consents.1.occurredAt"),
        ("INVALID", "consents.1.source"),
        ("INVALID", "consents.1.topic"),
        ("INVALID", "idempotencyKey"),
        ("TOO_LONG", "consents.1.textVersion"),
    ]
    ancient = YES | {"occurredAt": "1969-12-31T23:59:59Z"}
    assert refused(STAFF, ancient, id=id_) == [("INVALID", "consents.0.occurredAt")]
    assert refused(STAFF, id=id_) == [("REQUIRED", "consents")]
    assert refused(STAFF, YES) == [("REQUIRED", "id")]
    assert refused(STAFF, YES, id=global_id("Customer", "cus_nobody")) == [("NOT_FOUND", "id")]
    assert refused(as_customer("cus_other"), YES, id=id_) == [("NOT_FOUND", "id")]
    assert refused(as_customer("cus_other"), YES) == [("NOT_FOUND", "id")]


def test_one_thing_is_said_once_of_one_time(ann: str) -> None:
    topic, earlier = {"topic": "news"}, {"occurredAt": "2026-03-10T10:00:00Z"}
    assert refused(as_customer(ann), YES, SMS, NO) == [("DUPLICATE", "consents.2")]
    assert refused(as_customer(ann), YES | topic, NO, YES | topic) == [("DUPLICATE", "consents.2")]
    assert refused(as_customer(ann), YES | earlier, NO | {"occurredAt": "2026-03-10T11:00:00+01:00"}) == [
        ("DUPLICATE", "consents.1")
    ]
    assert refused(as_customer(ann), NO | topic, YES, NO | earlier) == []
    assert may(ann) == {"allowed": True, "reason": None}


@pytest.mark.parametrize("field", ["viewer { %s }", 'viewer { consent(asOf: "2026-03-10T12:00:00Z") { %s } }'])
def test_nobody_is_told_what_may_be_sent_about_what_is_no_topic(ann: str, field: str) -> None:
    asked = 'permission(channel: EMAIL, purpose: MARKETING, topic: "Bad Topic") { allowed }'
    given = answer(f"{{ {field % asked} }}", principal=as_customer(ann))
    assert codes(given) == ["INVALID_INPUT"]
    assert given.body["errors"][0]["extensions"]["field"] == ["topic"]


def test_nobody_is_told_what_will_hold(ann: str) -> None:
    query = "query ($at: DateTime!) { viewer { firstName consent(asOf: $at) { consents { state } } } }"
    soon, later = (clock.text(NOW + timedelta(minutes=minutes)) for minutes in (10, 11))
    assert ask(query, {"at": soon}, principal=as_customer(ann))["viewer"]["consent"] == {"consents": []}
    given = answer(query, {"at": later}, principal=as_customer(ann))
    assert codes(given) == ["INVALID_INPUT"]
    assert given.body["errors"][0]["extensions"]["field"] == ["asOf"]
    assert given.body["data"]["viewer"] == {"firstName": "Ann", "consent": None}


def test_the_history_is_paged_and_the_past_can_be_asked(ann: str) -> None:
    for number in range(3):
        said = {"consents": [{"channel": "email", "purpose": "marketing", "state": ["granted", "denied"][number % 2]}]}
        deliver(event("consent.updated", said, customer={"id": ann}, occurredAt=f"2026-03-0{number + 1}T10:00:00Z"))
    query = """query ($after: String) { viewer {
        consentEntries(first: 2, after: $after) { nodes { occurredAt state } pageInfo { endCursor hasNextPage } }
        consent(asOf: "2026-03-02T12:00:00Z") {
            asOf consents { state } permission(channel: EMAIL, purpose: MARKETING) { reason } }
    } }"""
    first = answer(query, principal=as_customer(ann)).body
    page = first["data"]["viewer"]["consentEntries"]
    assert [node["state"] for node in page["nodes"]] == ["GRANTED", "DENIED"]
    assert page["pageInfo"]["hasNextPage"]
    assert first["data"]["viewer"]["consent"] == {
        "asOf": "2026-03-02T12:00:00.000000Z",
        "consents": [{"state": "DENIED"}],
        "permission": {"reason": "DENIED"},
    }
    assert first["extensions"]["capacity"]["requests"] == 3, "the snapshot, a page, the past"
    rest = ask(query, {"after": page["pageInfo"]["endCursor"]}, principal=as_customer(ann))["viewer"]["consentEntries"]
    assert [node["state"] for node in rest["nodes"]] == ["GRANTED"]


def test_permissions_of_many_customers_are_in_the_heads_that_a_page_reads(ann: str) -> None:
    for number in range(3):
        said = {"consents": [{"channel": "email", "purpose": "marketing", "state": "granted"}]}
        deliver(event("consent.updated", said, customer={"externalId": f"c{number}"}))
    query = "{ customers { nodes { permission(channel: EMAIL, purpose: MARKETING) { allowed } } } }"
    given = answer(query).body
    assert sorted(node["permission"]["allowed"] for node in given["data"]["customers"]["nodes"]) == [False, *[True] * 3]
    assert given["extensions"]["capacity"]["requests"] == 4 + 1


def test_who_told_is_for_staff_and_consents_are_for_those_with_their_scope(ann: str) -> None:
    actor = "{ viewer { consentEntries { nodes { actor { kind } } } } }"
    assert codes(answer(actor, principal=as_customer(ann))) == ["FORBIDDEN"]
    query = "{ customers { nodes { consents { state } } } }"
    assert codes(answer(query, principal=as_staff("customers:read"))) == ["FORBIDDEN"]
    assert codes(answer(query, principal=as_staff("customers:read", "consents:read"))) == []


def test_nothing_is_recorded_of_a_customer_who_is_removed_at_that_moment(
    ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = Change.commit

    def commit_behind_a_removal(change: Change) -> bool:
        customers.get("demo", ann).delete()
        return commit(change)

    monkeypatch.setattr(Change, "commit", commit_behind_a_removal)
    assert refused(as_customer(ann), YES) == [("NOT_FOUND", "id")]
    assert consent.entries("demo", ann, before=None, limit=9) == []


def test_two_customers_may_choose_one_key(ann: str) -> None:
    other = customers.create("demo", customers.Words(fields={"first_name": "Bob"}), now=NOW).customer_id
    assert not update(as_customer(ann), YES)["replayed"]
    assert not update(as_customer(other), NO)["replayed"]


def test_a_consent_at_the_door_is_refused_by_its_path() -> None:
    said = {
        "consents": [
            {"channel": "email", "purpose": "marketing", "state": "pending", "optInLevel": "double"},
            {"channel": "sms", "purpose": "marketing", "state": "granted", "occurredAt": "2026-03-10T13:00:00Z"},
        ]
    }
    [receipt] = intake.accept("demo", [event("consent.updated", said)], now=NOW)
    assert [(fault.path, fault.code) for fault in receipt.faults] == [
        ("data.consents[0].optInLevel", "INVALID"),
        ("data.consents[1].occurredAt", "FROM_THE_FUTURE"),
    ]
    [receipt] = intake.accept("demo", [event("consent.updated", {"consents": []})], now=NOW)
    assert [fault.path for fault in receipt.faults] == ["data.consents"]


def test_entries_outlive_what_they_say(ann: str) -> None:
    update(as_customer(ann), YES, key="a")
    update(as_customer(ann), NO, key="b")
    assert [entry.state for entry in consent.entries("demo", ann, before=None, limit=9)] == ["denied", "granted"]
