# tests/integration/test_graphql_rewards.py
"""Rewards, redemptions and vouchers, as apps, staff and tills ask for them."""

from typing import Any

import pytest
from msgspec.structs import replace

from crm.customers import service as customers
from crm.kernel.actor import Actor, Role
from crm.kernel.change import Change
from crm.loyalty import service as loyalty
from schema.node import GlobalId, global_id
from schema.principal import Principal
from tests.asking import NOW, SERVICE, STAFF, answer, as_customer, as_staff, ask
from tests.integration.points import tier
from tests.integration.rewards import unused

pytestmark = pytest.mark.usefixtures("outlets")
CLERK = Actor(Role.STAFF, "s1")
CHECKOUT = replace(SERVICE, scopes=frozenset({"loyalty:adjust"}))
MUG = {"name": "A mug", "kind": "PRODUCT", "price": 50, "sku": "mug"}
OFFERS = """query { viewer { loyalty { available rewards {
  rewardId redeemable reasons left
  reward { name kind price sku percent amount { amount currencyCode } limit { count } }
} } } }"""
PAGE = """query { viewer { loyalty {
  redemptions { nodes { id status code points reward { name } orderId endedAt } }
  vouchers { nodes { code } }
} } }"""
REDEMPTION = "redemption { id status code points reward { name price } rewardId } replayed"
ERRORS = """userErrors { __typename code field
  ... on NotEligibleError { reasons } ... on LimitReachedError { limit period againAt }
  ... on InsufficientPointsError { available required } ... on PriceChangedError { points }
  ... on VersionMismatchError { expected actual } }"""


@pytest.fixture
def rich(ann: str) -> Principal:
    """Ann, with a thousand points more."""
    loyalty.adjust("demo", ann, 1_000, reason="A late parcel", actor=CLERK, idempotency_key="k", now=NOW)
    return as_customer(ann)


def asked(text: str, principal: Principal = STAFF, **variables: Any) -> Any:
    return ask(text, variables, principal=principal)


def mutate(name: str, given: dict[str, Any], shown: str, principal: Principal = STAFF) -> Any:
    kind = f"{name[0].upper()}{name[1:]}Input"
    text = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {shown} {ERRORS} }} }}"
    return asked(text, principal, input=given)[name]


def made(**said: Any) -> str:
    done = mutate("loyaltyRewardCreate", MUG | {"name": unused("A mug")} | said, "reward { id version }")
    assert done["userErrors"] == []
    return str(done["reward"]["id"])


def gold() -> str:
    return global_id("LoyaltyTier", tier(NOW))


def plain(reward: str) -> str:
    """The `rewardId` of the reward with this `id`."""
    found = GlobalId.parse(reward)
    assert found is not None
    return found.parts[0]


def redeem(reward: str, principal: Principal, key: str = "r1", **whose: Any) -> Any:
    given = {"rewardId": plain(reward), "idempotencyKey": key, **whose}
    return mutate("loyaltyRewardRedeem", given, REDEMPTION, principal)


def test_a_customer_sees_what_they_may_redeem_and_why_not_the_others(rich: Principal) -> None:
    mug = made(limit={"count": 1, "period": "MONTH"}, stock=3)
    made(name="Off", kind="DISCOUNT", sku=None, amount={"amount": "5.00", "currencyCode": "EUR"}, tiers=[gold()])
    found = asked(OFFERS, rich)["viewer"]["loyalty"]["rewards"]
    offers = sorted(found, key=lambda each: each["reward"]["name"])
    assert [(each["reward"]["name"], each["redeemable"], each["reasons"]) for each in offers] == [
        ("A mug", True, []), ("Off", False, ["TIER"]),
    ]  # fmt: skip
    assert (offers[0]["rewardId"], offers[0]["left"], offers[0]["reward"]["limit"]) == (plain(mug), 3, {"count": 1})
    assert offers[1]["reward"]["amount"] == {"amount": "5.00", "currencyCode": "EUR"}


def test_a_customer_redeems_a_reward_for_a_code_and_takes_it_back(rich: Principal) -> None:
    mug = made()
    before = asked(OFFERS, rich)["viewer"]["loyalty"]["available"]
    done = redeem(mug, rich)
    assert (done["userErrors"], done["replayed"]) == ([], False)
    redemption = done["redemption"]
    assert (redemption["status"], redemption["points"], redemption["rewardId"]) == ("FULFILLED", 50, plain(mug))
    assert redeem(mug, rich) == {"redemption": redemption, "replayed": True, "userErrors": []}
    page = asked(PAGE, rich)["viewer"]["loyalty"]
    assert [each["code"] for each in page["vouchers"]["nodes"]] == [redemption["code"]]
    for replayed in (False, True):
        cancelled = mutate("loyaltyRedemptionCancel", {"redemption": redemption["id"]}, REDEMPTION, rich)
        assert (cancelled["redemption"]["status"], cancelled["replayed"]) == ("CANCELLED", replayed)
    page = asked(PAGE, rich)["viewer"]["loyalty"]
    assert ([each["status"] for each in page["redemptions"]["nodes"]], page["vouchers"]["nodes"]) == (["CANCELLED"], [])
    assert asked(OFFERS, rich)["viewer"]["loyalty"]["available"] == before


def test_the_ledger_says_newest_first_what_points_were_redeemed_for(rich: Principal) -> None:
    redemption = redeem(made(), rich)["redemption"]["id"]
    mutate("loyaltyRedemptionCancel", {"redemption": redemption}, REDEMPTION, rich)
    text = """query { viewer { loyalty { entries(first: 4) {
        nodes { number cause points redemption { id status reward { name } } hold { id } } } } } }"""
    seen = asked(text, rich)["viewer"]["loyalty"]["entries"]["nodes"]
    assert [(one["cause"], one["points"]) for one in seen[:3]] == [
        ("CANCELLED", 50), ("REWARD_GIVEN", 0), ("REWARD", -50),
    ]  # fmt: skip
    assert [one["number"] for one in seen] == sorted((one["number"] for one in seen), reverse=True)
    mug = {"id": redemption, "status": "CANCELLED", "reward": {"name": "A mug"}}
    assert [(one["redemption"], one["hold"]) for one in seen] == [(mug, None)] * 3 + [(None, None)]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"tiers": "gold"}, {"__typename": "NotEligibleError", "code": "NOT_ELIGIBLE", "reasons": ["TIER"]}),
        (
            {"price": 5_000},
            {"__typename": "InsufficientPointsError", "code": "INSUFFICIENT_POINTS", "available": 1_049,
             "required": 5_000},
        ),
        ({"stock": 0}, {"__typename": "OutOfStockError", "code": "OUT_OF_STOCK"}),
    ],
)  # fmt: skip
def test_a_refusal_says_what_stands_against_it(rich: Principal, said: dict[str, Any], error: dict[str, Any]) -> None:
    available = asked(OFFERS, rich)["viewer"]["loyalty"]["available"]
    if "available" in error:
        error |= {"available": available}
    if "tiers" in said:
        said = {"tiers": [gold()]}
    assert redeem(made(**said), rich)["userErrors"] == [error | {"field": ["input", "rewardId"]}]


def test_a_limit_says_when_it_ends(rich: Principal) -> None:
    mug = made(limit={"count": 1, "period": "MONTH"})
    redeem(mug, rich)
    assert redeem(mug, rich, "r2")["userErrors"] == [
        {"__typename": "LimitReachedError", "code": "LIMIT_REACHED", "field": ["input", "rewardId"], "limit": 1,
         "period": "MONTH", "againAt": "2026-03-31T22:00:00.000000Z"},
    ]  # fmt: skip


def test_a_key_with_another_reward_is_refused(rich: Principal) -> None:
    redeem(made(), rich)
    [error] = redeem(made(), rich)["userErrors"]
    assert (error["code"], error["field"]) == ("KEY_REUSED", ["input", "idempotencyKey"])


def test_nobody_redeems_or_cancels_for_another_customer(rich: Principal, ann: str) -> None:
    mug = made()
    redemption = redeem(mug, rich)["redemption"]["id"]
    stranger = as_customer("cus_stranger")
    [error] = redeem(mug, stranger, "r2", customer=global_id("Customer", ann))["userErrors"]
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", "customer"])
    [error] = mutate("loyaltyRedemptionCancel", {"redemption": redemption}, REDEMPTION, stranger)["userErrors"]
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", "redemption"])


def test_staff_redeem_and_cancel_for_a_customer(rich: Principal, ann: str) -> None:
    given = {"customer": global_id("Customer", ann)}
    done = redeem(made(), STAFF, **given)
    assert done["redemption"]["status"] == "FULFILLED"
    [error] = redeem(made(), STAFF, "r2")["userErrors"]
    assert (error["code"], error["field"]) == ("REQUIRED", ["input", "customer"])
    cancelled = mutate("loyaltyRedemptionCancel", {"redemption": done["redemption"]["id"]}, REDEMPTION)
    assert cancelled["redemption"]["status"] == "CANCELLED"


def test_whoever_is_blocked_redeems_nothing(rich: Principal, ann: str) -> None:
    mug = made()
    customers.update("demo", ann, customers.Words(fields={"status": "blocked"}), now=NOW, by=CLERK)
    [error] = redeem(mug, rich)["userErrors"]
    assert error["code"] == "CUSTOMER_BLOCKED"


def test_of_who_is_blocked_it_is_told_that_they_redeem_nothing_and_the_vouchers_they_have_can_be_used(
    rich: Principal, ann: str
) -> None:
    code = redeem(made(), rich)["redemption"]["code"]
    customers.update("demo", ann, customers.Words(fields={"status": "blocked"}), now=NOW, by=CLERK)
    text = "query ($id: ID!) { customer(id: $id) { loyalty { rewards { redeemable reasons } } } }"
    [offer] = asked(text, id=global_id("Customer", ann))["customer"]["loyalty"]["rewards"]
    assert (offer["redeemable"], offer["reasons"]) == (False, ["NOT_SERVED"])
    used = mutate("loyaltyVoucherUse", {"code": code, "idempotencyKey": "u1"}, REDEMPTION)
    assert used["redemption"]["status"] == "USED"


def test_staff_redeem_nothing_for_who_was_merged_into_another(rich: Principal, ann: str) -> None:
    mug = made(stock=1)
    customer = customers.get("demo", ann)
    customer.merged_into = "cus_survivor"
    change = Change(NOW)
    change.revise(customer)
    change.commit()
    [error] = redeem(mug, STAFF, customer=global_id("Customer", ann))["userErrors"]
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", "customer"])
    assert asked("{ loyaltyRewards { left } }")["loyaltyRewards"] == [{"left": 1}]
    head = loyalty.account("demo", ann)
    assert head is not None
    assert loyalty.balances_of(head).held == 0


def test_a_reward_that_costs_something_else_than_was_shown_is_not_redeemed(rich: Principal) -> None:
    mug = made()
    mutate("loyaltyRewardUpdate", {"id": mug, "price": 900}, "reward { id }")
    assert redeem(mug, rich, expectedPoints=50)["userErrors"] == [
        {"__typename": "PriceChangedError", "code": "PRICE_CHANGED", "field": ["input", "expectedPoints"],
         "points": 900},
    ]  # fmt: skip
    assert redeem(mug, rich, expectedPoints=900)["redemption"]["points"] == 900


def test_a_checkout_looks_a_voucher_up_sets_points_aside_uses_it_and_spends_them(rich: Principal, ann: str) -> None:
    code = redeem(made(), rich)["redemption"]["code"]
    found = asked("query ($code: String!) { loyaltyVoucher(code: $code) { status code } }", CHECKOUT, code=code)
    assert found["loyaltyVoucher"] == {"status": "FULFILLED", "code": code}
    given = {"customer": global_id("Customer", ann), "points": 10, "orderId": "o9", "idempotencyKey": "h1"}
    hold = mutate("loyaltyPointsHold", given, "hold { id }", CHECKOUT)["hold"]["id"]
    given = {"code": code, "orderId": "o9", "idempotencyKey": "u1"}
    used = mutate("loyaltyVoucherUse", given, REDEMPTION, CHECKOUT)["redemption"]
    assert (used["status"], used["reward"]) == ("USED", {"name": "A mug", "price": 50})
    spent = mutate("loyaltyPointsCapture", {"hold": hold}, "hold { status captured }", CHECKOUT)["hold"]
    assert spent == {"status": "CAPTURED", "captured": 10}
    for principal in (SERVICE, rich):
        refused = answer('{ loyaltyVoucher(code: "SUMMER") { status } }', principal=principal)
        assert refused.status == 403


def test_a_till_uses_a_voucher_once(rich: Principal) -> None:
    code = redeem(made(), rich)["redemption"]["code"]
    found = asked("query ($code: String!) { loyaltyVoucher(code: $code) { status reward { name } } }", code=code)
    assert found["loyaltyVoucher"] == {"status": "FULFILLED", "reward": {"name": "A mug"}}
    used = mutate("loyaltyVoucherUse", {"code": code.lower(), "orderId": "o9", "idempotencyKey": "u1"}, REDEMPTION)
    assert used["redemption"]["status"] == "USED"
    [error] = mutate("loyaltyVoucherUse", {"code": code, "idempotencyKey": "u2"}, REDEMPTION)["userErrors"]
    assert (error["code"], error["field"]) == ("VOUCHER_USED", ["input", "code"])
    [error] = mutate("loyaltyRedemptionCancel", {"redemption": used["redemption"]["id"]}, REDEMPTION, rich)[
        "userErrors"
    ]
    assert (error["code"], error["field"]) == ("VOUCHER_USED", ["input", "redemption"])
    assert asked('{ loyaltyVoucher(code: "SUMMER") { id } }') == {"loyaltyVoucher": None}


def test_of_staff_only_those_who_may_move_points_see_codes(rich: Principal) -> None:
    redemption = redeem(made(), rich)["redemption"]["id"]
    text = "query ($id: ID!) { node(id: $id) { ... on Redemption { status code } } }"
    refused = answer(text, {"id": redemption}, principal=as_staff("loyalty:read"))
    assert refused.status == 403
    seen = asked(text.replace("code", "points"), as_staff("loyalty:read"), id=redemption)
    assert seen["node"] == {"status": "FULFILLED", "points": 50}
    assert asked(text, as_customer("cus_stranger"), id=redemption)["node"] is None


def test_staff_define_change_and_archive_a_reward(rich: Principal, ann: str) -> None:
    mug = made(stock=5)
    redeem(mug, rich)
    shown = """reward { version stock taken left archivedAt reward { price }
      versions { nodes { version actor { kind } reward { price } } } }"""
    changed = mutate("loyaltyRewardUpdate", {"id": mug, "price": 80, "stock": 9, "expectedVersion": 1}, shown)["reward"]
    assert (changed["version"], changed["stock"], changed["taken"], changed["left"]) == (2, 9, 1, 8)
    assert [each["reward"]["price"] for each in changed["versions"]["nodes"]] == [80, 50]
    again = mutate("loyaltyRewardUpdate", {"id": mug, "price": 70, "expectedVersion": 1}, "reward { version }")
    assert again["reward"] == {"version": 2}
    assert [error["code"] for error in again["userErrors"]] == ["VERSION_MISMATCH"]
    archived = mutate("loyaltyRewardArchive", {"id": mug}, shown)["reward"]
    assert archived["archivedAt"] is not None
    late = mutate("loyaltyRewardUpdate", {"id": mug, "price": 90}, "reward { version }")
    assert (late["reward"], [error["code"] for error in late["userErrors"]]) == (None, ["ARCHIVED"])
    assert asked("{ loyaltyRewards { id } }")["loyaltyRewards"] == []
    archived = asked("{ loyaltyArchivedRewards(first: 1) { nodes { id taken } pageInfo { hasNextPage } } }")
    assert archived["loyaltyArchivedRewards"] == {
        "nodes": [{"id": mug, "taken": 1}],
        "pageInfo": {"hasNextPage": False},
    }
    [error] = redeem(mug, rich, "r2")["userErrors"]
    assert error["reasons"] == ["ARCHIVED"]


def test_staff_see_who_may_redeem_a_reward_before_there_is_one(rich: Principal, ann: str) -> None:
    text = """query ($customer: ID!, $id: ID, $reward: RewardDraftInput) {
      loyaltyRewardPreview(customer: $customer, id: $id, reward: $reward) { redeemable reasons } }"""
    customer = global_id("Customer", ann)
    draft = MUG | {"price": 9_000, "tiers": [gold()]}
    seen = asked(text, customer=customer, reward=draft)["loyaltyRewardPreview"]
    assert seen == {"redeemable": False, "reasons": ["TIER", "INSUFFICIENT_POINTS"]}
    assert asked(text, customer=customer, id=made())["loyaltyRewardPreview"] == {"redeemable": True, "reasons": []}
    for given, fault in (
        ({"reward": {"name": "A mug"}}, "reward.kind"),
        ({"reward": MUG | {"price": -4}}, "reward.price"),
        ({}, "reward: is required where no id is given"),
    ):
        [wrong] = answer(text, {"customer": customer, **given}).body["errors"]
        assert (wrong["extensions"]["code"], fault in wrong["message"]) == ("INVALID_INPUT", True)
    [unknown] = answer(text, {"customer": customer, "reward": MUG | {"tiers": ["gold"]}}).body["errors"]
    assert (unknown["extensions"]["code"], "tiers.0" in unknown["message"]) == ("INVALID_INPUT", True)


def test_many_rewards_cost_a_page_no_more_requests_than_one(rich: Principal) -> None:
    made()
    few = answer(OFFERS, principal=rich).body["extensions"]["capacity"]["requests"]
    for _ in range(5):
        made()
    assert answer(OFFERS, principal=rich).body["extensions"]["capacity"]["requests"] == few
