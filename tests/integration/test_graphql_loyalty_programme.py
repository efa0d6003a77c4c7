# tests/integration/test_graphql_loyalty_programme.py
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from crm.customers.service import Customer, SegmentsHead, SegmentState
from crm.loyalty import service
from crm.orders.service import Statistics
from crm.shops.service import Shop
from schema.node import global_id
from schema.principal import Principal
from tests.asking import NOW, STAFF, answer, as_customer, as_staff, ask, codes
from tests.integration.points import ANN, order, tier
from tests.segments import define

pytestmark = pytest.mark.usefixtures("shop")

LATER = NOW + timedelta(minutes=2)
RULE = "ruleId name kind value budget archivedAt conditions { categories segments minimum fromOn } caps { perDay }"
VERSION = f"version effectiveAt pointsPerUnit caps {{ perOrder }} rules {{ {RULE} }}"


def changed(mutation: str, selection: str, *, now: datetime = NOW, principal: Principal = STAFF, **given: Any) -> Any:
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    text = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {selection} userErrors {{ code field }} }} }}"
    return ask(text, {"input": given}, principal=principal, now=now)[mutation]


def created(*, now: datetime = NOW, **given: Any) -> str:
    answered = changed("loyaltyRuleCreate", "rule { ruleId }", now=now, **given)
    assert answered["userErrors"] == []
    return str(answered["rule"]["ruleId"])


def programme(now: datetime = NOW, principal: Principal = STAFF) -> Any:
    text = (
        f"{{ loyaltyProgramme {{ current {{ {VERSION} }} newest {{ version }} upcoming {{ version effectiveAt }} }} }}"
    )
    return ask(text, now=now, principal=principal)["loyaltyProgramme"]


def refused(mutation: str, **given: Any) -> dict[str, str]:
    errors = changed(mutation, "__typename", **given)["userErrors"]
    return {".".join(error["field"][1:]): error["code"] for error in errors}


def test_a_shop_that_has_defined_none_is_shown_what_counts() -> None:
    found = programme()
    assert (found["current"]["version"], found["current"]["effectiveAt"]) == (0, None)
    assert (found["current"]["pointsPerUnit"], found["current"]["rules"]) == ("1", [])
    assert (found["newest"]["version"], found["upcoming"]) == (0, [])


def test_a_change_counts_from_two_minutes_on_and_the_payload_says_so() -> None:
    said: Any = {"pointsPerUnit": "1.5", "expiry": {"months": 12, "rounding": "MONTH"}, "caps": {"perOrder": 500}}
    answered = changed("loyaltyProgrammeUpdate", f"programme {{ {VERSION} expiry {{ months rounding }} }}", **said)
    assert answered["userErrors"] == []
    shown = answered["programme"]
    assert (shown["version"], shown["effectiveAt"]) == (1, "2026-03-10T12:02:00.000000Z")
    assert (shown["expiry"], shown["caps"]) == ({"months": 12, "rounding": "MONTH"}, {"perOrder": 500})
    before, after = programme(), programme(LATER)
    assert (before["current"]["version"], [one["version"] for one in before["upcoming"]]) == (0, [1])
    assert (after["current"]["version"], after["current"]["pointsPerUnit"], after["upcoming"]) == (1, "1.5", [])


def test_null_clears_and_what_is_left_out_stays() -> None:
    said: Any = {"expiry": {"months": 12, "kind": "INACTIVITY"}, "mostOwed": 50, "caps": {"perDay": 9}, "graceDays": 7}
    changed("loyaltyProgrammeUpdate", "__typename", **said, enrolment="ON_REQUEST", signupPoints=9, noticeDays=3)
    shown = "enrolment signupPoints birthdayPoints noticeDays expiry { kind }"
    joined = changed("loyaltyProgrammeUpdate", f"programme {{ {shown} }}", birthdayPoints=5)["programme"]
    assert joined == {
        "enrolment": "ON_REQUEST", "signupPoints": 9, "birthdayPoints": 5, "noticeDays": 3,
        "expiry": {"kind": "INACTIVITY"},
    }  # fmt: skip
    selection = "programme { expiry { months } mostOwed graceDays caps { perDay } }"
    answered = changed("loyaltyProgrammeUpdate", selection, expiry=None, mostOwed=None, caps=None)
    assert answered["programme"] == {"expiry": None, "mostOwed": None, "graceDays": 7, "caps": {"perDay": None}}


def segment(segment_id: str = "seg_vip") -> str:
    with mock.patch("crm.kernel.ids.new_id", return_value=segment_id):
        define("VIP", "number_of_orders >= 5", now=NOW)
    return global_id("Segment", segment_id)


@pytest.mark.usefixtures("outlets")
def test_a_rule_is_made_changed_and_archived_each_time_as_the_next_version() -> None:
    conditions = {"categories": ["shoes"], "segments": [segment()], "minimum": "50.00", "fromOn": "2026-04-01"}
    made = changed(
        "loyaltyRuleCreate", f"rule {{ {RULE} }} programme {{ version }}", name="Shoes", kind="PER_UNIT", value="2.5",
        conditions=conditions, caps={"perDay": 100}, budget=1000,
    )  # fmt: skip
    rule_id = made["rule"]["ruleId"]
    assert made == {
        "rule": {
            "ruleId": rule_id, "name": "Shoes", "kind": "PER_UNIT", "value": "2.5", "budget": 1000,
            "archivedAt": None, "conditions": conditions, "caps": {"perDay": 100},
        },
        "programme": {"version": 1},
        "userErrors": [],
    }  # fmt: skip
    selection = f"rule {{ {RULE} }} programme {{ version }}"
    renamed = changed("loyaltyRuleUpdate", selection, ruleId=rule_id, name="Boots", caps=None, budget=None)
    assert renamed["rule"] | {"name": "Shoes", "caps": {"perDay": 100}, "budget": 1000} == made["rule"]
    assert (renamed["rule"]["caps"], renamed["rule"]["budget"]) == ({"perDay": None}, None)
    for _ in range(2):
        archived = changed("loyaltyRuleArchive", selection, ruleId=rule_id)
        assert (archived["programme"]["version"], archived["rule"]["archivedAt"] is not None) == (3, True)
    assert refused("loyaltyRuleUpdate", ruleId=rule_id, name="Hats") == {"ruleId": "ARCHIVED"}
    assert [rule["name"] for rule in programme(LATER)["current"]["rules"]] == ["Boots"]


def test_all_that_is_wrong_with_a_rule_is_told_at_once_also_what_only_the_programme_can_say() -> None:
    created(name="Shoes", kind="FIXED", value="10")
    wrong = refused(
        "loyaltyRuleCreate", name=" ", kind="MULTIPLIER", value="1", budget=0, effectiveAt="2020-01-01T00:00:00Z",
        conditions={"weekdays": [1, 8], "tags": ["", "new"], "fromOn": "2026-04-02", "untilOn": "2026-04-01",
                    "minimum": "0"},
        caps={"perOrder": 0, "perDay": 5},
    )  # fmt: skip
    assert set(wrong) == {
        "name", "value", "budget", "conditions.weekdays.1", "conditions.tags.0", "conditions.untilOn",
        "conditions.minimum", "caps.perOrder",
    }  # fmt: skip
    assert refused(
        "loyaltyRuleCreate", name="shoes", kind="FIXED", value="1.5", effectiveAt="2025-01-01T00:00:00Z"
    ) == {"value": "INVALID"}
    taken = refused("loyaltyRuleCreate", name="shoes", kind="FIXED", value="1", effectiveAt="2025-01-01T00:00:00Z")
    assert taken == {"name": "TAKEN", "effectiveAt": "INVALID"}


def test_a_rule_of_a_version_that_is_not_the_newest_is_refused() -> None:
    rule_id = created(name="Shoes", kind="FIXED", value="10")
    assert refused("loyaltyRuleUpdate", ruleId=rule_id, value="11", expectedVersion=0) == {
        "expectedVersion": "VERSION_MISMATCH"
    }
    assert refused("loyaltyRuleArchive", ruleId="rul_none") == {"ruleId": "NOT_FOUND"}


def test_no_more_rules_have_budgets_than_a_posting_can_hold() -> None:
    for number in range(5):
        created(name=f"R{number}", kind="FIXED", value="1", budget=10)
    assert refused("loyaltyRuleCreate", name="R5", kind="FIXED", value="1", budget=10) == {"budget": "TOO_MANY"}


def test_programmes_are_defined_by_those_who_may() -> None:
    text = "mutation { loyaltyProgrammeUpdate(input: {graceDays: 1}) { userErrors { code } } }"
    assert codes(answer(text, principal=as_staff("loyalty:read"))) == ["FORBIDDEN"]
    assert codes(answer("{ loyaltyProgramme { newest { version } } }", principal=as_customer(ANN))) == ["FORBIDDEN"]


# --- what a cart would earn


PREVIEW = """query ($order: LoyaltyEarnPreviewInput!, $customer: ID) {
    loyaltyEarnPreview(order: $order, customer: $customer) { points withheld rules { ruleId name points } } }"""
SHOES = {"sku": "s1", "quantity": 2, "unitPrice": "50.00", "category": "shoes"}


def preview(principal: Principal = STAFF, *, customer: str | None = None, now: datetime = LATER, **said: Any) -> Any:
    cart = {"currencyCode": "EUR", "lines": [SHOES]} | said
    return ask(PREVIEW, {"order": cart, "customer": customer}, principal=principal, now=now)["loyaltyEarnPreview"]


@pytest.fixture
def ann(shop: Shop) -> None:
    customer = Customer.of("demo", ANN, now=NOW)
    customer.save()
    statistics = Statistics.of("demo", ANN)
    statistics.recorded_count = 1
    statistics.save()
    head = SegmentsHead.of("demo", ANN)
    head.open = [SegmentState(segment_id="seg_vip", entered_at=NOW, entered_cause="event:e1:order")]
    head.save()


def test_a_cart_is_shown_what_it_would_earn_by_which_rules() -> None:
    shoes = created(name="Shoes", kind="MULTIPLIER", value="2", conditions={"categories": ["shoes"]})
    first = created(name="Welcome", kind="FIXED", value="50", conditions={"firstOrder": True})
    gift = {"sku": "g", "quantity": 1, "unitPrice": "25.00", "giftCard": True}
    gold = global_id("LoyaltyTier", tier(NOW))
    known = created(name="Regulars", kind="FIXED", value="5", conditions={"tiers": [gold]})
    found = preview(lines=[SHOES, {"sku": "t1", "quantity": 1, "unitPrice": "19.90", "discount": "4.90"}, gift])
    assert found == {
        "points": 265, "withheld": None,
        "rules": [
            {"ruleId": None, "name": None, "points": 115},
            {"ruleId": shoes, "name": "Shoes", "points": 100},
            {"ruleId": first, "name": "Welcome", "points": 50},
        ],
    }  # fmt: skip
    assert known not in {rule["ruleId"] for rule in found["rules"]}
    assert preview(pointsSpent=5_000)["points"] == 150
    assert preview(pointsSpent=5_000, total="200.00")["points"] == 200  # they pay for shipping alike
    assert preview(lines=[SHOES, gift | {"quantity": 4}], pointsSpent=5_000)["points"] == 200  # they pay for both alike
    assert preview(currencyCode="USD") == {"points": 0, "withheld": "OTHER_CURRENCY", "rules": []}


@pytest.mark.usefixtures("ann", "outlets")
def test_customers_are_shown_what_they_themselves_would_earn() -> None:
    created(name="VIP", kind="FIXED", value="7", conditions={"segments": [segment()]})
    created(name="Welcome", kind="FIXED", value="50", conditions={"firstOrder": True})
    created(name="Daily", kind="FIXED", value="30", caps={"perDay": 40})
    assert preview()["points"] == 180
    assert preview(as_customer(ANN))["points"] == 137
    assert preview(customer=global_id("Customer", ANN))["points"] == 137
    service.post_for_order(order(LATER, net=100), now=LATER)
    assert preview(as_customer(ANN))["points"] == 117


def test_what_a_budget_has_left_is_all_that_a_cart_is_shown() -> None:
    created(name="Campaign", kind="FIXED", value="100", budget=130)
    service.post_for_order(order(LATER), now=LATER)
    assert [rule["points"] for rule in preview()["rules"]] == [100, 30]


def test_nobody_is_shown_what_another_would_earn() -> None:
    cart = {"currencyCode": "EUR", "lines": [SHOES]}
    asked = answer(PREVIEW, {"order": cart, "customer": global_id("Customer", "cus_2")}, principal=as_customer(ANN))
    assert asked.body["data"] == {"loyaltyEarnPreview": None}


def test_all_that_is_wrong_with_a_cart_is_told_at_once() -> None:
    lines = [{"sku": "s", "quantity": 0, "unitPrice": "1.001"}, {"sku": "s", "quantity": 1, "unitPrice": "-1"}]
    given = answer(PREVIEW, {"order": {"currencyCode": "EUR", "lines": lines, "pointsSpent": -1}})
    assert codes(given) == ["INVALID_INPUT"]
    [error] = given.body["errors"]
    for path in (
        "order.lines.0.unitPrice",
        "order.lines.0.quantity",
        "order.lines.1.unitPrice",
        "order.pointsSpent",
    ):
        assert path in error["message"]


@pytest.mark.parametrize("total", ["99.99", "100.001", "-1"])
def test_all_of_a_cart_costs_no_less_than_its_lines(total: str) -> None:
    [error] = answer(PREVIEW, {"order": {"currencyCode": "EUR", "lines": [SHOES], "total": total}}).body["errors"]
    assert [fault["field"] for fault in error["extensions"]["faults"]] == [["order", "total"]]


def test_of_a_cart_in_no_currency_that_alone_is_told_where_the_client_said_it() -> None:
    lines = [{"sku": "s", "quantity": 1, "unitPrice": "1.00"}]
    [error] = answer(PREVIEW, {"order": {"currencyCode": "XXQ", "lines": lines, "total": "1.00"}}).body["errors"]
    assert [fault["field"] for fault in error["extensions"]["faults"]] == [["order", "currencyCode"]]


def test_staff_read_the_tiers_that_are_to_come_and_edit_what_they_read() -> None:
    changed("loyaltyTierCreate", "__typename", name="Gold", threshold="900", effectiveAt="2026-06-01T00:00:00Z")
    tiers = "version tiers { programmeVersion tiers { name } }"
    found = ask(f"{{ loyaltyProgramme {{ current {{ {tiers} }} newest {{ {tiers} }} }} }}", now=LATER, principal=STAFF)
    newest = {"version": 1, "tiers": {"programmeVersion": 1, "tiers": [{"name": "Gold"}]}}
    assert found["loyaltyProgramme"]["current"] == {"version": 0, "tiers": {"programmeVersion": 0, "tiers": []}}
    assert found["loyaltyProgramme"]["newest"] == newest
    edited = changed(
        "loyaltyTierCreate", "tiers { tiers { name } }", name="Silver", threshold="300", expectedVersion=1, now=LATER
    )
    assert edited == {"tiers": {"tiers": [{"name": "Silver"}, {"name": "Gold"}]}, "userErrors": []}


def test_who_expected_another_version_is_shown_the_one_that_is_stored() -> None:
    rule = created(name="Books", kind="PER_ITEM", value="5")
    mismatch = [{"code": "VERSION_MISMATCH", "field": ["input", "expectedVersion"]}]
    shown = {"programme": {"version": 1}, "userErrors": mismatch}
    assert changed("loyaltyProgrammeUpdate", "programme { version }", graceDays=3, expectedVersion=0) == shown
    assert changed("loyaltyProgrammeWithdraw", "programme { version }", expectedVersion=0) == shown
    assert changed("loyaltyRuleArchive", "programme { version }", ruleId=rule, expectedVersion=0) == shown
    tiers = changed("loyaltyTiersUpdate", "tiers { programmeVersion } effectiveAt", graceDays=3, expectedVersion=0)
    assert tiers["tiers"] == {"programmeVersion": 1}
    assert tiers["effectiveAt"] == "2026-03-10T12:02:00.000000Z"


def test_versions_to_come_are_withdrawn_and_what_is_dated_before_them_is_refused() -> None:
    may, june = "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"
    changed("loyaltyProgrammeUpdate", "__typename", pointsPerUnit="3", effectiveAt=june)
    assert refused("loyaltyProgrammeUpdate", birthdayPoints=5, effectiveAt=may) == {"effectiveAt": "INVALID"}
    withdrawn = changed(
        "loyaltyProgrammeWithdraw", "programme { version pointsPerUnit effectiveAt }", expectedVersion=1
    )
    assert withdrawn["programme"] == {"version": 2, "pointsPerUnit": "1", "effectiveAt": "2026-03-10T12:02:00.000000Z"}
    assert [one["version"] for one in programme()["upcoming"]] == [2]
    assert refused("loyaltyProgrammeUpdate", birthdayPoints=5, effectiveAt=may) == {}
    assert programme(datetime(2026, 7, 1, tzinfo=NOW.tzinfo))["current"]["pointsPerUnit"] == "1"


def test_staff_see_how_much_of_each_budget_is_given_and_left_in_one_request() -> None:
    placed_later = LATER + timedelta(minutes=1)
    rule: Any = {"kind": "FIXED", "value": "30"}
    big, small = (created(name=name, budget=budget, **rule) for name, budget in (("Big", 1_000), ("Small", 40)))
    created(name="Without", **rule)
    service.post_for_order(order(placed_later, order_id="o1"), now=placed_later)
    service.post_for_order(order(placed_later, order_id="o2"), now=placed_later)
    service.post_for_order(order(placed_later, order_id="o1", rev=2, net=0), now=placed_later)
    text = "{ loyaltyProgramme { FIELD } }"
    shown = "newest { rules { ruleId budgetUse { given left } } }"

    def asked(fields: str) -> Any:
        return answer(text.replace("FIELD", fields), now=placed_later).body

    told = asked(shown)
    uses = {one["ruleId"]: one["budgetUse"] for one in told["data"]["loyaltyProgramme"]["newest"]["rules"]}
    assert uses.pop(big) == {"given": 30, "left": 970}
    assert uses.pop(small) == {"given": 10, "left": 30}  # what o2 was given when there was no more
    assert list(uses.values()) == [None]
    without = asked("newest { rules { ruleId } }")["extensions"]
    twice = asked(f"{shown} current {{ rules {{ budgetUse {{ left }} }} }}")["extensions"]
    requests = [one["capacity"]["requests"] for one in (without, told["extensions"], twice)]
    assert [more - requests[0] for more in requests] == [0, 1, 1]
    assert told["extensions"]["cost"]["actual"] <= told["extensions"]["cost"]["requested"]
