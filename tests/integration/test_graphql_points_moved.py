# tests/integration/test_graphql_points_moved.py
"""Points set aside, spent, given and taken back over GraphQL."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from crm.customers import service as customers
from crm.customers.models import Customer
from crm.kernel.actor import Actor, Role
from crm.kernel.change import Change
from crm.loyalty import service as loyalty
from crm.loyalty.rewards import service as rewards
from schema.node import global_id
from schema.principal import Principal
from tests.asking import NOW, SERVICE, STAFF, answer, as_customer, as_staff, ask, codes
from tests.integration.rewards import redeem, reward
from tests.shop_events import order
from tests.shop_history import happened, recorded

CHECKOUT = replace(SERVICE, scopes=frozenset({"loyalty:adjust"}))
REFUSALS = """userErrors { __typename code field message ... on InsufficientPointsError { available required }
    ... on TooManyHoldsError { nextEndsAt } }"""
ENTRY = "entry { id points balanceAfter } replayed"
HELD = "hold { id status points captured endsAt orderId }"


def move(mutation: str, given: dict[str, Any], principal: Principal = STAFF, *, later: timedelta = timedelta()) -> Any:
    kind = mutation[0].upper() + mutation[1:]
    account = "" if principal.kind == "service" else "account { available held }"
    held = "" if mutation in {"loyaltyPointsAdjust", "loyaltyEntryReverse"} else HELD
    text = f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ {held} {ENTRY} {account} {REFUSALS} }} }}"
    return ask(text, {"input": given}, principal=principal, now=NOW + later)[mutation]


def hold(principal: Principal, points: int = 12, key: str = "k1", **given: Any) -> Any:
    return move("loyaltyPointsHold", {"points": points, "idempotencyKey": key, **given}, principal)


def adjust(ann: str, points: int, key: str = "k1", **given: Any) -> Any:
    said = {"customer": global_id("Customer", ann), "points": points, "reason": "A late parcel", "idempotencyKey": key}
    return move("loyaltyPointsAdjust", said | given)


def refusal(told: Any) -> tuple[str, list[str]]:
    """The one there is; nothing was done."""
    [error] = told["userErrors"]
    assert (told["entry"], told["account"], told["replayed"]) == (None, None, False)
    return error["code"], error["field"]


def available(ann: str) -> int:
    return int(loyalty.balances_at("demo", ann, now=NOW).net)


# --- taking part


def test_who_takes_part_since_their_first_points_is_told_so(ann: str) -> None:
    text = """mutation ($input: LoyaltyEnrollInput!) { loyaltyEnroll(input: $input) {
        entry { points } account { enrolledAt } replayed userErrors { code field } } }"""
    for principal, given in ((as_customer(ann), {}), (STAFF, {"customer": global_id("Customer", ann)})):
        told = ask(text, {"input": given}, principal=principal, now=NOW)["loyaltyEnroll"]
        assert (told["replayed"], told["userErrors"]) == (True, [])
        assert told["account"]["enrolledAt"] < "2026-03-10"
    bob = happened("order.placed", order("b1"), customer={"externalId": "bob"})
    told = ask(text, {"input": {}}, principal=as_customer(bob), now=NOW)["loyaltyEnroll"]
    assert (told["replayed"], told["account"]) == (False, {"enrolledAt": "2026-03-10T12:00:00.000000Z"})
    theirs = ask(text, {"input": {"customer": global_id("Customer", bob)}}, principal=as_customer(ann), now=NOW)
    assert theirs["loyaltyEnroll"]["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "customer"]}]


# --- customers, of their own


def test_a_customer_sets_points_aside_and_spends_some_of_them(ann: str) -> None:
    told = hold(as_customer(ann), orderId="o7", minutes=15)
    assert told["userErrors"] == []
    assert told["hold"] | {"id": ""} == {
        "id": "", "status": "OPEN", "points": 12, "captured": 0, "endsAt": "2026-03-10T12:15:00.000000Z",
        "orderId": "o7",
    }  # fmt: skip
    assert (told["entry"]["points"], told["entry"]["balanceAfter"], told["replayed"]) == (-12, 18, False)
    assert told["account"] == {"available": 18, "held": 12}

    given = {"hold": told["hold"]["id"], "points": 5}
    spent = move("loyaltyPointsCapture", given, as_customer(ann))
    assert (spent["hold"]["status"], spent["hold"]["captured"]) == ("CAPTURED", 5)
    assert (spent["account"], spent["replayed"]) == ({"available": 25, "held": 0}, False)
    again = move("loyaltyPointsCapture", given, as_customer(ann))
    assert again == spent | {"replayed": True}
    released = move("loyaltyPointsRelease", {"hold": told["hold"]["id"]}, as_customer(ann))
    assert refusal(released) == ("HOLD_CLOSED", ["input", "hold"])


def test_what_is_let_go_comes_back_once(ann: str) -> None:
    held = {"hold": hold(as_customer(ann))["hold"]["id"]}
    first, again = (move("loyaltyPointsRelease", held, as_customer(ann)) for _ in range(2))
    assert (first["hold"]["status"], first["account"]) == ("RELEASED", {"available": 30, "held": 0})
    assert again == first | {"replayed": True}


def test_a_retry_holds_nothing_twice_and_a_key_is_not_used_for_something_else(ann: str) -> None:
    first, again = hold(as_customer(ann)), hold(as_customer(ann))
    assert again == first | {"replayed": True}
    assert refusal(hold(as_customer(ann), 13)) == ("KEY_REUSED", ["input", "idempotencyKey"])
    assert available(ann) == 18


def test_one_hold_too_many_is_refused_with_when_the_next_ends(ann: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.loyalty.holding.MOST_HOLDS", 2)
    for minutes in (40, 20):
        hold(as_customer(ann), 1, f"k{minutes}", minutes=minutes)
    [error] = hold(as_customer(ann), 1)["userErrors"]
    assert (error["__typename"], error["code"], error["field"]) == ("TooManyHoldsError", "TOO_MANY_HOLDS", [])
    assert error["nextEndsAt"] == "2026-03-10T12:20:00.000000Z"


def test_more_than_can_be_spent_is_refused_with_how_much_there_is(ann: str) -> None:
    hold(as_customer(ann), 25)
    told = hold(as_customer(ann), 6, "k2")
    assert told["userErrors"] == [
        {
            "__typename": "InsufficientPointsError", "code": "INSUFFICIENT_POINTS", "field": ["input", "points"],
            "message": "6 points are needed, 5 can be spent.", "available": 5, "required": 6,
        }
    ]  # fmt: skip


def test_a_hold_whose_time_is_over_is_closed(ann: str) -> None:
    held = {"hold": hold(as_customer(ann), minutes=5)["hold"]["id"]}
    late = move("loyaltyPointsCapture", held, as_customer(ann), later=timedelta(minutes=5))
    assert refusal(late) == ("HOLD_CLOSED", ["input", "hold"])
    let_go = move("loyaltyPointsRelease", held, as_customer(ann), later=timedelta(minutes=5))
    assert (let_go["hold"]["status"], let_go["account"], let_go["replayed"]) == (
        "EXPIRED", {"available": 30, "held": 0}, True,
    )  # fmt: skip


def test_nobody_moves_points_of_somebody_else(ann: str) -> None:
    bob = happened("order.placed", order("b1"), customer={"externalId": "bob"})
    recorded("b1")
    theirs = hold(as_customer(bob))["hold"]["id"]
    for_bob = hold(as_customer(ann), customer=global_id("Customer", bob))
    assert refusal(for_bob) == ("NOT_FOUND", ["input", "customer"])
    for mutation in ("loyaltyPointsCapture", "loyaltyPointsRelease"):
        assert refusal(move(mutation, {"hold": theirs}, as_customer(ann))) == ("NOT_FOUND", ["input", "hold"])
    assert available(bob) == 8


@pytest.mark.parametrize("mutation", ["loyaltyPointsAdjust", "loyaltyEntryReverse"])
def test_customers_give_themselves_nothing(mutation: str, ann: str) -> None:
    kind = mutation[0].upper() + mutation[1:]
    text = f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ replayed }} }}"
    assert codes(answer(text, {"input": {}}, principal=as_customer(ann)))[0] in {"FORBIDDEN", "BAD_USER_INPUT"}
    given = {"customer": "x", "points": 1, "reason": "x", "idempotencyKey": "x"}
    given = given if mutation == "loyaltyPointsAdjust" else {"entry": "x", "reason": "x"}
    assert codes(answer(text, {"input": given}, principal=as_customer(ann))) == ["FORBIDDEN"]
    assert codes(answer(text, {"input": given}, principal=as_staff("loyalty:read", "loyalty:write"))) == ["FORBIDDEN"]


# --- staff and services


def test_a_checkout_holds_and_captures_for_a_customer(ann: str) -> None:
    assert [error["code"] for error in hold(CHECKOUT)["userErrors"]] == ["REQUIRED"]
    told = hold(CHECKOUT, customer=global_id("Customer", ann))
    assert told["entry"]["balanceAfter"] == 18
    spent = move("loyaltyPointsCapture", {"hold": told["hold"]["id"]}, CHECKOUT)
    assert (spent["hold"]["captured"], spent["userErrors"]) == (12, [])
    text = 'mutation { loyaltyPointsHold(input: {points: 1, idempotencyKey: "k"}) { replayed } }'
    assert codes(answer(text, principal=SERVICE)) == ["FORBIDDEN"]


def test_what_a_checkout_holds_is_not_the_customers_to_let_go_or_spend(ann: str) -> None:
    told = hold(CHECKOUT, customer=global_id("Customer", ann), orderId="o9")
    held = {"hold": told["hold"]["id"]}
    for mutation in ("loyaltyPointsRelease", "loyaltyPointsCapture"):
        assert refusal(move(mutation, held, as_customer(ann))) == ("HOLD_NOT_YOURS", ["input", "hold"])
    assert move("loyaltyPointsCapture", held, CHECKOUT)["hold"]["captured"] == 12
    theirs = hold(as_customer(ann), key="k2")["hold"]["id"]
    assert move("loyaltyPointsRelease", {"hold": theirs}, CHECKOUT)["hold"]["status"] == "RELEASED"


def test_staff_give_and_take_points_and_undo_it(ann: str) -> None:
    given = adjust(ann, 20)
    assert (given["account"]["available"], given["replayed"]) == (50, False)
    assert adjust(ann, 20) == given | {"replayed": True}
    assert refusal(adjust(ann, 20, reason="Another")) == ("KEY_REUSED", ["input", "idempotencyKey"])
    undone = {"entry": given["entry"]["id"], "reason": "It was on time"}
    first, again = (move("loyaltyEntryReverse", undone) for _ in range(2))
    assert (first["entry"]["points"], first["account"]["available"]) == (-20, 30)
    assert again == first | {"replayed": True}
    assert adjust(ann, -10, "k2")["account"]["available"] == 20
    assert [error["available"] for error in adjust(ann, -21, "k3")["userErrors"]] == [20]


def test_what_an_order_did_is_not_undone_by_hand(ann: str) -> None:
    entries = "query ($id: ID!) { customer(id: $id) { loyalty { entries(first: 1) { nodes { id cause } } } } }"
    [entry] = ask(entries, {"id": global_id("Customer", ann)})["customer"]["loyalty"]["entries"]["nodes"]
    assert entry["cause"] == "ORDER"
    told = move("loyaltyEntryReverse", {"entry": entry["id"], "reason": "x"})
    assert refusal(told) == ("NOT_REVERSIBLE", ["input", "entry"])
    missing = global_id("LedgerEntry", ann, "adjustment:none:adjust")
    assert refusal(move("loyaltyEntryReverse", {"entry": missing, "reason": "x"})) == ("NOT_FOUND", ["input", "entry"])


def test_what_a_reward_cost_is_not_undone_beside_its_voucher(ann: str) -> None:
    redeemed = redeem(reward(NOW, price=10), NOW, customer_id=ann).redemption
    for step in ("hold", "capture"):
        entry = global_id("LedgerEntry", ann, f"hold:{redeemed.redemption_id}:{step}")
        told = move("loyaltyEntryReverse", {"entry": entry, "reason": "x"})
        assert refusal(told) == ("NOT_REVERSIBLE", ["input", "entry"])
        assert "loyaltyRedemptionCancel" in told["userErrors"][0]["message"]
    assert available(ann) == 20


UNDOABLE = """query ($id: ID!) { node(id: $id) { ... on LedgerEntry {
    reversible reversedBy { id cause reversible } hold { captured } redemption { status } } } }"""


def test_a_till_that_spent_by_mistake_is_put_right_by_staff_whole_and_once(ann: str) -> None:
    told = hold(CHECKOUT, customer=global_id("Customer", ann))
    spent = move("loyaltyPointsCapture", {"hold": told["hold"]["id"], "points": 7}, CHECKOUT)["entry"]
    before = ask(UNDOABLE, {"id": spent["id"]})["node"]
    assert (before["reversible"], before["reversedBy"]) == (True, None)
    undone = [move("loyaltyEntryReverse", {"entry": spent["id"], "reason": "Wrong customer"}) for _ in range(2)]
    assert [(one["entry"]["points"], one["replayed"]) for one in undone] == [(7, False), (7, True)]
    after = ask(UNDOABLE, {"id": spent["id"]})["node"]
    assert after == before | {
        "reversible": False,
        "reversedBy": {"id": undone[0]["entry"]["id"], "cause": "CORRECTED", "reversible": False},
    }
    assert available(ann) == 30
    assert loyalty.verify("demo", ann).findings == []


def test_what_a_reward_cost_is_told_as_undone_once_its_redemption_is_cancelled(ann: str) -> None:
    redeemed = redeem(reward(NOW, price=10), NOW, customer_id=ann).redemption
    spent = {"id": global_id("LedgerEntry", ann, f"hold:{redeemed.redemption_id}:capture")}
    assert ask(UNDOABLE, spent)["node"] == {
        "reversible": False, "reversedBy": None, "hold": None, "redemption": {"status": "FULFILLED"},
    }  # fmt: skip
    rewards.cancel("demo", ann, redeemed.redemption_id, actor=Actor(Role.STAFF, "s1"), now=NOW)
    cancelled = ask(UNDOABLE, spent)["node"]
    assert (cancelled["reversedBy"]["cause"], cancelled["redemption"]["status"]) == ("CANCELLED", "CANCELLED")


def test_nothing_is_no_adjustment(ann: str) -> None:
    [error] = adjust(ann, 0)["userErrors"]
    assert (error["field"], error["message"]) == (["input", "points"], "must not be 0")
    [error] = adjust(ann, -(10**12))["userErrors"]
    assert error["message"] == "must be -1,000,000,000 to 1,000,000,000"


def merge(ann: str) -> None:
    customer = customers.get("demo", ann)
    customer.merged_into = "cus_survivor"
    change = Change(NOW)
    change.revise(customer)
    change.commit()


def test_nobody_gives_points_to_who_is_not_there_is_deleted_or_merged(ann: str) -> None:
    held = hold(as_customer(ann))["hold"]["id"]
    nobody = adjust("cus_none", 1)
    assert refusal(nobody) == ("NOT_FOUND", ["input", "customer"])
    assert loyalty.account("demo", "cus_none") is None
    merge(ann)
    assert refusal(adjust(ann, 1, "k2")) == ("NOT_FOUND", ["input", "customer"])
    customers.delete("demo", ann, now=NOW)
    assert refusal(adjust(ann, 1, "k3")) == ("NOT_FOUND", ["input", "customer"])
    assert refusal(move("loyaltyPointsCapture", {"hold": held})) == ("NOT_FOUND", ["input", "customer"])
    assert available(ann) == 18


@pytest.mark.parametrize("mutation", ["loyaltyPointsCapture", "loyaltyPointsRelease"])
def test_a_checkout_ends_the_hold_of_who_is_merged_meanwhile_and_the_customer_does_not(ann: str, mutation: str) -> None:
    held = hold(as_customer(ann))["hold"]["id"]
    merge(ann)
    assert refusal(move(mutation, {"hold": held}, as_customer(ann)))[0] in {"NOT_FOUND", "CUSTOMER_BLOCKED"}
    told = move(mutation, {"hold": held}, CHECKOUT)
    assert (told["userErrors"], told["hold"]["points"]) == ([], 12)
    assert told["hold"]["status"] in {"CAPTURED", "RELEASED"}


def test_staff_still_move_points_of_who_is_blocked(ann: str) -> None:
    customers.update("demo", ann, customers.Words(fields={"status": "blocked"}), now=NOW)
    assert adjust(ann, 1)["account"]["available"] == 31


def test_who_is_barred_between_the_look_and_the_write_moves_nothing(ann: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = customers.get

    def overtaken(shop: str, customer_id: str, *, themselves: bool = False) -> Customer:
        customer = seen(shop, customer_id, themselves=themselves)
        monkeypatch.undo()
        customers.update("demo", ann, customers.Words(fields={"status": "blocked"}), now=NOW + timedelta(days=1))
        return customer

    monkeypatch.setattr(customers, "get", overtaken)
    assert refusal(hold(as_customer(ann))) == ("CUSTOMER_BLOCKED", [])
    assert available(ann) == 30
