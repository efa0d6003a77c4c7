# tests/integration/test_graphql_all_faults.py
"""Whatever is wrong with the form of a mutation is told at once, before anything is asked of the store."""

from typing import Any

import pytest

from schema.node import global_id
from schema.principal import Principal
from schema.schema import schema
from tests.asking import STAFF, answer, as_customer

assert schema.core.mutation_type is not None
MUTATIONS = schema.core.mutation_type.fields
NO_ID, LONG = "cus_1", "x" * 300
MEANT = "2026-03-01T00:00:00Z"
FORMS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "customerCreate": (
        {
            "email": "none",
            "phone": "12",
            "tags": ["", LONG],
            "addresses": [{"latitude": 91, "longitude": 0}, {}],
            "externalIds": [{"source": "Shop Ify", "value": ""}],
        },
        {
            "email", "phone", "tags.0", "tags.1", "addresses.0.latitude", "addresses.1", "externalIds.0.source",
            "externalIds.0.value",
        },
    ),
    "customerUpdate": (
        {"id": NO_ID, "email": "none", "status": None, "addresses": [{"city": " ", "line1": LONG}]},
        {"id", "email", "status", "addresses.0.line1"},
    ),
    "customerDelete": ({"id": NO_ID, "expectedVersion": -1}, {"id", "expectedVersion"}),
    "customerRestore": ({"id": NO_ID, "expectedVersion": -1}, {"id", "expectedVersion"}),
    "customerTagsAdd": ({"id": NO_ID, "tags": ["good", " ", LONG]}, {"id", "tags.1", "tags.2"}),
    "customerAttributesSet": (
        {"id": NO_ID, "attributes": [{"key": key, "value": None} for key in ("a", "b", "a", "b")]},
        {"id", "attributes.2.key", "attributes.3.key"},
    ),
    "consentUpdate": (
        {
            "id": NO_ID,
            "idempotencyKey": " ",
            "consents": [
                {"channel": "EMAIL", "purpose": "MARKETING", "state": "GRANTED", "topic": "No!", "textVersion": LONG}
            ],
        },
        {"id", "idempotencyKey", "consents.0.topic", "consents.0.textVersion"},
    ),
    "attributeDefine": (
        {"key": "No!", "name": " ", "type": "TEXT", "description": "x" * 501, "currency": "EUR", "party": None},
        {"key", "name", "description", "currency", "party"},
    ),
    "feedbackSubmit": (
        {"customer": NO_ID, "order": "o1", "score": 11, "comment": "x" * 2001, "idempotencyKey": ""},
        {"customer", "order", "score", "comment", "idempotencyKey"},
    ),
    "loyaltyEnroll": ({"customer": NO_ID}, {"customer"}),
    "loyaltyPointsHold": (
        {"customer": NO_ID, "points": 0, "minutes": 43_201, "orderId": " ", "idempotencyKey": ""},
        {"customer", "points", "minutes", "orderId", "idempotencyKey"},
    ),
    "loyaltyPointsCapture": ({"hold": NO_ID, "points": 0}, {"hold", "points"}),
    "loyaltyPointsAdjust": (
        {"customer": NO_ID, "points": 0, "reason": " ", "idempotencyKey": LONG},
        {"customer", "points", "reason", "idempotencyKey"},
    ),
    "loyaltyEntryReverse": ({"entry": NO_ID, "reason": "x" * 501}, {"entry", "reason"}),
    "loyaltyTierCreate": (
        {"name": " ", "threshold": "-1", "benefits": ["ok", " "], "expectedVersion": -1},
        {"name", "threshold", "benefits.1", "expectedVersion"},
    ),
    "loyaltyTierUpdate": (
        {"id": NO_ID, "name": None, "threshold": "10000000000", "benefits": [LONG + "x"]},
        {"id", "name", "threshold", "benefits.0"},
    ),
    "loyaltyTierArchive": ({"id": NO_ID, "expectedVersion": -1}, {"id", "expectedVersion"}),
    "loyaltyTiersUpdate": (
        {"graceDays": 181, "noticeDays": -1, "expectedVersion": -1}, {"graceDays", "noticeDays", "expectedVersion"},
    ),
    "loyaltyTierOverride": (
        {"customer": NO_ID, "tier": NO_ID, "reason": " "}, {"customer", "tier", "reason", "until"},
    ),
    "loyaltyRewardCreate": (
        {
            "name": " ", "kind": "DISCOUNT", "price": 0, "amount": {"amount": "1.234", "currencyCode": "EUR"},
            "percent": "101", "stock": -1, "limit": {"count": 0}, "segments": [""], "voucherDays": 0,
            "validFrom": MEANT, "validUntil": MEANT,
        },
        {
            "name", "price", "amount.amount", "percent", "stock", "limit.count", "segments", "voucherDays",
            "validUntil",
        },
    ),
    "loyaltyRewardUpdate": (
        {"id": NO_ID, "expectedVersion": -1, "name": None, "price": 0, "percent": "0", "sku": " "},
        {"id", "expectedVersion", "name", "price", "percent", "sku"},
    ),
    "loyaltyRewardArchive": ({"id": NO_ID, "expectedVersion": -1}, {"id", "expectedVersion"}),
    "loyaltyRewardRedeem": (
        {"customer": NO_ID, "rewardId": "", "idempotencyKey": ""}, {"customer", "idempotencyKey"},
    ),
    "loyaltyVoucherUse": ({"code": "x", "orderId": " ", "idempotencyKey": ""}, {"orderId", "idempotencyKey"}),
    "shopUpdate": (
        {"name": " ", "locale": "nonsense!", "sender": "none", "thirdPartySources": ["ok", "No!"], "zone": None},
        {"name", "locale", "sender", "thirdPartySources.1", "zone"},
    ),
    "loyaltyProgrammeUpdate": (
        {
            "currency": "XXY", "zone": "Europe/Vienna", "pointsPerUnit": "-1", "pointValue": "0",
            "breakage": "1.1", "returnWindowDays": 401, "expiry": {"months": 61}, "mostOwed": -1, "graceDays": None,
            "noticeDays": 91, "signupPoints": -1, "enrolment": "ON_REQUEST", "birthdayPoints": 5,
            "caps": {"perOrder": 0}, "effectiveAt": "2001-01-01T00:00:00Z", "expectedVersion": -1,
        },
        {
            "currency", "pointsPerUnit", "pointValue", "breakage", "returnWindowDays", "expiry.months", "mostOwed",
            "graceDays", "caps.perOrder", "effectiveAt", "expectedVersion", "noticeDays", "signupPoints",
        },
    ),
    "loyaltyRuleCreate": (
        {
            "name": " ", "kind": "FIXED", "value": "1.5", "budget": 0, "caps": {"perDay": -1},
            "conditions": {"weekdays": [0, 1], "channels": [""], "minimum": "0"},
            "effectiveAt": "2001-01-01T00:00:00Z",
        },
        {
            "name", "value", "budget", "caps.perDay", "conditions.weekdays.0", "conditions.channels.0",
            "conditions.minimum", "effectiveAt",
        },
    ),
    "loyaltyRuleUpdate": (
        {
            "ruleId": "r1", "name": None, "value": None, "budget": 0,
            "conditions": {"segments": ["", "x" * 201], "tiers": [" "]},
        },
        {"name", "value", "budget", "conditions.segments.0", "conditions.segments.1", "conditions.tiers.0"},
    ),
    "loyaltyRuleArchive": (
        {"ruleId": "r1", "effectiveAt": "2001-01-01T00:00:00Z", "expectedVersion": -1},
        {"effectiveAt", "expectedVersion"},
    ),
    "loyaltyEventBonusCreate": (
        {
            "name": " ", "event": "order.placed", "points": 0, "perDay": 0, "perCustomer": 10_001,
            "filters": [
                {"property": "a b", "comparison": "IS"},
                {"property": "stars", "comparison": "AT_LEAST", "value": "many"},
                {"property": "stars", "comparison": "IS_SET", "value": "5"},
                {"property": "stars", "comparison": "IS_NOT", "value": "5"},
            ],
            "effectiveAt": "2001-01-01T00:00:00Z", "expectedVersion": -1,
        },
        {
            "name", "event", "points", "perDay", "perCustomer", "filters.0.property", "filters.0.value",
            "filters.1.value", "filters.2.value", "effectiveAt", "expectedVersion",
        },
    ),
    "loyaltyEventBonusUpdate": (
        {
            "bonusId": "b1", "name": None, "event": "Review", "points": 1_000_001, "perDay": -1,
            "filters": [{"property": "stars", "comparison": "IS_SET"}] * 11,
        },
        {"name", "event", "points", "perDay", "filters"},
    ),
    "loyaltyEventBonusArchive": (
        {"bonusId": "b1", "effectiveAt": "2001-01-01T00:00:00Z", "expectedVersion": -1},
        {"effectiveAt", "expectedVersion"},
    ),
    "customersImport": (
        {"source": "No!", "asOf": "1960-01-01T00:00:00Z", "idempotencyKey": ""}, {"source", "asOf", "idempotencyKey"},
    ),
    "ordersImport": (
        {"source": "No!", "asOf": "2036-01-01T00:00:00Z", "idempotencyKey": ""}, {"source", "asOf", "idempotencyKey"},
    ),
    "suppressionAdd": (
        {"channel": "EMAIL", "address": "none", "note": "x" * 501, "idempotencyKey": ""},
        {"address", "note", "idempotencyKey"},
    ),
    "suppressionLift": (
        {"channel": "EMAIL", "address": "none", "note": " ", "idempotencyKey": ""},
        {"address", "note", "idempotencyKey"},
    ),
    "suppressionOverride": (
        {"channel": "EMAIL", "address": "none", "reason": "MANUAL", "note": " ", "idempotencyKey": ""},
        {"address", "reason", "note", "idempotencyKey"},
    ),
}  # fmt: skip
ONE_INPUT = {
    "attributeRetire", "customerTagsRemove", "customersExport", "eventsIngest",
    "importStart", "loyaltyLedgerVerify", "loyaltyPointsRelease", "loyaltyProgrammeWithdraw",
    "loyaltyRedemptionCancel", "operationCancel", "ordersExport",
}  # fmt: skip
"""Of which only one thing can be wrong; events are told one by one, each with all its faults."""
OF_SEGMENTS = {
    "segmentCreate", "segmentDelete", "segmentDuplicate", "segmentMembersAdd", "segmentMembersImport",
    "segmentMembersRemove", "segmentRecompute", "segmentUpdate",
}  # fmt: skip
"""Of which the shop's other segments say what is wrong: tests/integration/test_segment_edits.py asks for it."""


def refused(mutation: str, given: dict[str, Any], principal: Principal = STAFF) -> tuple[list[str], int]:
    """The paths at fault, and how often the store was asked."""
    kind = MUTATIONS[mutation].args["input"].type
    text = f"mutation ($input: {kind}) {{ {mutation}(input: $input) {{ userErrors {{ code field }} }} }}"
    body = answer(text, {"input": given}, principal=principal).body
    assert "errors" not in body, body["errors"]
    errors = body["data"][mutation]["userErrors"]
    assert all(error["field"][0] == "input" for error in errors)
    return [".".join(error["field"][1:]) for error in errors], body["extensions"]["capacity"]["requests"]


def test_each_mutation_is_tried() -> None:
    assert set(MUTATIONS) == FORMS.keys() | ONE_INPUT | OF_SEGMENTS


@pytest.mark.usefixtures("shop", "outlets")
@pytest.mark.parametrize("mutation", FORMS)
def test_everything_wrong_with_a_form_is_told_at_once(mutation: str) -> None:
    given, wrong = FORMS[mutation]
    told, requests = refused(mutation, given)
    assert set(told) == wrong
    assert len(told) == len(wrong)
    assert requests == 0


@pytest.mark.usefixtures("shop", "outlets")
def test_what_only_the_store_can_say_of_an_attribute_is_told_with_what_the_form_says() -> None:
    assert refused("attributeDefine", {"key": "size", "name": "Size", "type": "NUMBER"})[0] == []
    changed = {"key": "size", "type": "TEXT", "choices": [{"key": "a", "name": "A"}]}
    assert set(refused("attributeDefine", changed)[0]) == {"choices"}
    wrong = {"key": "size", "type": "LIST", "elementType": "TEXT", "name": "Sizes"}
    assert set(refused("attributeDefine", wrong)[0]) == {"type", "elementType"}
    new = {"key": "colour", "description": "Which"}
    assert set(refused("attributeDefine", new)[0]) == {"name", "type"}


@pytest.mark.usefixtures("outlets")
def test_a_customers_own_form_is_judged_alike(ann: str) -> None:
    given = {"order": "o1", "score": 11, "idempotencyKey": ""}
    assert set(refused("feedbackSubmit", given, as_customer(ann))[0]) == {"order", "score", "idempotencyKey"}
    given = {"id": global_id("Customer", ann), "email": "none", "test": True}
    assert set(refused("customerUpdate", given, as_customer(ann))[0]) == {"email", "test"}


@pytest.mark.usefixtures("shop")
def test_staff_who_name_nobody_are_told_so_with_the_rest() -> None:
    assert set(refused("feedbackSubmit", {"score": -1, "idempotencyKey": "k"})[0]) == {"customer", "score"}
