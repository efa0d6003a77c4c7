# tests/integration/test_graphql_redemptions.py
"""What staff find of redemptions and vouchers, and how often the store is asked for it."""

from typing import Any

import pytest

from crm.kernel.actor import Actor, Role
from crm.loyalty import service as loyalty
from crm.loyalty.rewards import service as rewards
from crm.orders.events import OrderRecorded
from crm.orders.models import Order
from schema.node import global_id
from tests.asking import NOW, answer, as_customer, as_staff, ask
from tests.integration.rewards import unused
from tests.shop_events import deliver, placed

pytestmark = pytest.mark.usefixtures("outlets")
CLERK = Actor(Role.STAFF, "s1")


def given(customer_id: str, points: int = 1_000) -> str:
    loyalty.adjust("demo", customer_id, points, reason="A late parcel", actor=CLERK, idempotency_key="k", now=NOW)
    return customer_id


@pytest.fixture
def rich(ann: str) -> str:
    return given(ann)


def reward(**said: Any) -> str:
    fields = {"name": unused("A mug"), "kind": rewards.RewardKind.CUSTOM, "price": 10, **said}
    made = rewards.create("demo", rewards.RewardFields(**fields), actor=CLERK, now=NOW)
    return str(made.definition.reward_id)


def redeemed(customer_id: str, reward_id: str, key: str = "r1") -> rewards.Redemption:
    return rewards.redeem("demo", customer_id, reward_id, actor=CLERK, idempotency_key=key, now=NOW).redemption


def told(customer_id: str, order_id: str, coupon: str | None) -> None:
    item = Order.of("demo", customer_id, order_id)
    item.status, item.currency, item.coupon, item.version, item.rev = "placed", "EUR", coupon, 1, 1
    item.gross = item.net = 5_000
    item.refunded, item.placed_on, item.cause = 0, str(NOW.date()), f"event:{order_id}:order"
    item.placed_at = item.occurred_at = NOW
    item.save()
    loyalty.post_for_order(OrderRecorded.of(item), now=NOW)


def many(count: int) -> list[str]:
    """Customers who have ordered, by their ids."""
    deliver(*(placed(f"many-{n}", customer={"externalId": f"many-{n}"}) for n in range(count)))
    nodes = ask("{ customers(first: 50) { nodes { customerId } } }")["customers"]["nodes"]
    return [node["customerId"] for node in nodes]


REDEMPTIONS = """query ($id: ID!, $after: String) { node(id: $id) { ... on RewardDefinition { taken redeemed
  redemptions(first: 2, after: $after) { nodes { status customer { customerId } } pageInfo { endCursor hasNextPage } }
} } }"""


def test_staff_see_who_has_redeemed_a_reward_page_by_page_and_how_many_did_also_without_a_stock(rich: str) -> None:
    mug = reward()
    people = [given(each) for each in many(3) if each != rich][:3]
    for each in (rich, *people):
        redemption = redeemed(each, mug)
    rewards.cancel("demo", redemption.customer_id, redemption.redemption_id, actor=CLERK, now=NOW)
    found: list[tuple[str, str]] = []
    after, more = None, True
    while more:
        seen = ask(REDEMPTIONS, {"id": global_id("RewardDefinition", mug), "after": after})["node"]
        assert (seen["taken"], seen["redeemed"]) == (0, 3)
        page = seen["redemptions"]
        found += [(one["customer"]["customerId"], one["status"]) for one in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert sorted(found) == sorted([
        *((each, "FULFILLED") for each in (rich, *people[:2])), (people[2], "CANCELLED"),
    ])  # fmt: skip


REFUSED = """{ loyaltyRefusedVouchers { nodes { orderId reason placedAt
  redemption { rewardId customer { customerId } } } } }"""
MOMENTS = """query ($id: ID!, $kinds: [TimelineKind!]) { customer(id: $id) { timeline(kinds: $kinds) { nodes { kind
  ... on VoucherUsed { redemption { orderId } } ... on VoucherRefused { refused { orderId reason } } } } } }"""


def test_an_order_that_names_a_used_voucher_is_found_by_staff_and_in_both_customers_timelines(rich: str) -> None:
    bea = next(each for each in many(1) if each != rich)
    mug = reward()
    code = redeemed(rich, mug).code
    told(rich, "theirs", code)
    told(bea, "late", code)
    assert ask(REFUSED)["loyaltyRefusedVouchers"]["nodes"] == [
        {
            "orderId": "late", "reason": "USED_BEFORE", "placedAt": "2026-03-10T12:00:00.000000Z",
            "redemption": {"rewardId": mug, "customer": {"customerId": rich}},
        }
    ]  # fmt: skip
    kinds = ["VOUCHER_USED", "VOUCHER_REFUSED"]
    seen = [
        ask(MOMENTS, {"id": global_id("Customer", each), "kinds": kinds})["customer"]["timeline"]["nodes"]
        for each in (rich, bea)
    ]
    assert seen == [
        [{"kind": "VOUCHER_USED", "redemption": {"orderId": "theirs"}}],
        [{"kind": "VOUCHER_REFUSED", "refused": {"orderId": "late", "reason": "USED_BEFORE"}}],
    ]
    hers = ask("{ viewer { timeline { nodes { kind } } } }", principal=as_customer(bea))["viewer"]["timeline"]["nodes"]
    assert hers
    assert "VOUCHER_REFUSED" not in {each["kind"] for each in hers}
    assert answer(REFUSED, principal=as_staff("orders:read")).status == 403


# --- how often the store is asked


def taken_and_paid(query: str, **asked: Any) -> tuple[int, int]:
    body = answer(query, asked.pop("variables", {}), **asked).body
    assert "errors" not in body, body
    return body["extensions"]["capacity"]["requests"], body["extensions"]["cost"]["requested"]


def test_the_rewards_of_a_page_of_customers_are_read_once_for_all_of_them(rich: str) -> None:
    for _ in range(3):
        reward()
    count = len(many(5))
    page = f"{{ customers(first: {count}) {{ nodes {{ id FIELD }} }} }}"
    plain, _ = taken_and_paid(page.replace("FIELD", "loyalty { lifetimeEarned }"))
    offered = page.replace("FIELD", "loyalty { lifetimeEarned rewards { redeemable left } }")
    taken_and_paid(offered)  # the programme, once read, is known
    requests, paid = taken_and_paid(offered)
    # The heads that they are judged by; the shop's rewards; and what each of them has redeemed.
    assert requests - plain == 2 + count
    assert requests <= paid


def test_any_number_of_rewards_by_their_ids_take_one_request_and_their_counts_one_for_six(rich: str) -> None:
    made = [reward() for _ in range(5)]
    rewards.archive("demo", made[0], actor=CLERK, now=NOW)
    ids = [global_id("RewardDefinition", each) for each in [*made, *made, "rwd_none"]]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on RewardDefinition { version FIELD } } }"
    few, _ = taken_and_paid(query.replace("FIELD", ""), variables={"ids": ids})
    counted, _ = taken_and_paid(query.replace("FIELD", "redeemed"), variables={"ids": ids})
    assert (few, counted) == (1, 2)
    nodes = ask(query.replace("FIELD", "id"), {"ids": ids})["nodes"]
    assert [node and node["id"] for node in nodes] == [*ids[:-1], None]


def test_a_page_of_vouchers_takes_two_requests_however_many_were_used(rich: str) -> None:
    page = "{ viewer { loyalty { vouchers(first: 2) { nodes { code } } } } }"
    redeemed(rich, reward(), "kept")
    few = taken_and_paid(page, principal=as_customer(rich))
    spent = reward(price=1)
    for n in range(8):
        code = redeemed(rich, spent, f"r{n}").code or ""
        rewards.use_voucher("demo", code, actor=CLERK, idempotency_key="u", now=NOW)
    assert taken_and_paid(page, principal=as_customer(rich)) == few
    assert few[0] == 3  # their heads, what can be used, and the redemptions
    assert few[0] <= few[1]


@pytest.mark.parametrize(
    ("listed", "of_each"),
    [("redemptions { nodes { status } }", rewards.SHARDS), ("versions { nodes { version } }", 1)],
)
def test_what_lists_of_rewards_take_is_paid_for_however_many_rewards_there_are(
    rich: str, listed: str, of_each: int
) -> None:
    for _ in range(3):
        reward()
    requests, paid = taken_and_paid(f"{{ loyaltyRewards {{ {listed} }} }}")
    assert requests == 1 + 3 * of_each
    assert paid >= 1 + rewards.MOST_REWARDS * of_each
