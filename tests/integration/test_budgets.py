# tests/integration/test_budgets.py
"""What a caller may ask for over time."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from msgspec.structs import replace

from api.app import create_app
from crm.kernel import buckets
from crm.kernel.buckets import Charge, Size
from crm.kernel.settings import settings
from schema.budget import MOST_OWED, Budgets
from schema.principal import Kind, Principal
from tests.asking import STAFF, as_customer
from tests.shop_events import placed
from tests.tokens import authenticator, token
from tests.web import Client

SIZE = Size(100, 10)
SMALL = "customer=100/10 visitor=100/10 staff=5/1 service=100/10"
SHOP = "{ shop { name } }"

pytestmark = pytest.mark.usefixtures("shop")


def take(points: int, now: datetime, *, owner: str = "staff#a", full_at: int = 0) -> Charge:
    return buckets.charge("demo", owner, points, SIZE, now=now, full_at=full_at)


def client(budgets: str = SMALL) -> Client:
    return Client(create_app(replace(settings(), point_budgets=budgets), authenticator=authenticator()))


def post(by: Client, **claims: Any) -> Any:
    return by.post("/graphql", json={"query": SHOP}, headers={"authorization": f"Bearer {token(**claims)}"})


def test_a_bucket_gives_what_it_holds_and_then_says_how_long_to_wait(now: datetime) -> None:
    first = take(60, now)
    assert (first.left, first.wait, first.requests) == (40, 0, 1)
    refused = take(60, now)
    assert (refused.left, refused.wait) == (40, 2.0)
    early = now + timedelta(seconds=1.9)
    assert take(60, early).wait == pytest.approx(0.1)
    assert take(60, now + timedelta(seconds=2)).wait == 0


def test_a_bucket_fills_up_with_time_and_never_runs_over(now: datetime) -> None:
    take(100, now)
    later = now + timedelta(days=1)
    assert take(100, later).wait == 0
    assert take(1, later).wait > 0


def test_a_charge_is_one_request_where_the_last_state_is_known(now: datetime) -> None:
    first = take(10, now)
    assert take(10, now, full_at=first.full_at).requests == 1
    assert take(10, now).requests == 2  # another process, which knew of nothing
    assert take(10, now + timedelta(hours=1), full_at=first.full_at).requests == 1


def test_who_asks_for_more_than_a_bucket_holds_gets_all_of_a_full_one(now: datetime) -> None:
    assert take(1000, now).left == 0
    assert take(1000, now + timedelta(seconds=9)).wait == pytest.approx(1)


@pytest.mark.parametrize("seed", range(5))
def test_no_order_of_requests_gets_more_than_the_bucket_and_what_came_back(now: datetime, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  of no secret
    at, taken, known = now, 0, 0
    for _ in range(60):
        at += timedelta(milliseconds=draw.choice([0, 0, 50, 400, 3000]))
        points = draw.randint(1, 60)
        charge = take(points, at, full_at=draw.choice([0, known]))
        known = charge.full_at
        taken += 0 if charge.wait else points
        assert taken <= SIZE.most + (at - now).total_seconds() * SIZE.per_second
    assert taken > SIZE.most


def test_a_clock_that_is_fast_gains_no_more_than_it_is_fast(now: datetime) -> None:
    take(100, now)
    fast = now + timedelta(seconds=2)
    assert [take(10, at).wait == 0 for at in (fast, now, fast, now, fast)] == [True, False, True, False, False]


def test_each_caller_has_a_bucket_of_their_own_whatever_their_token() -> None:
    by = client()
    codes = [post(by).status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]
    assert post(by, exp=2**33).status_code == 429  # another token of the same person
    assert post(by, sub="u2").status_code == 200
    assert post(by, shop="other").status_code == 200
    assert post(by, kind="customer", customer_id="cus_1").status_code == 200


def test_who_is_throttled_is_told_for_how_long_and_nothing_is_executed() -> None:
    by = client("customer=1/1 visitor=1/1 staff=1/1 service=1/1")
    given = post(by)
    assert given.json()["extensions"]["budget"] == {"left": 0, "most": 1, "perSecond": 1, "requests": 1}
    assert given.json()["extensions"]["capacity"]["requests"] == 1  # the query's own
    refused = post(by)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    (error,) = refused.json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["retryAfter"]) == ("THROTTLED", 1)
    assert "data" not in refused.json()
    told = refused.json()["extensions"]
    assert told["cost"] == {"requested": 1}
    assert told["budget"] == {"left": 0, "most": 1, "perSecond": 1, "requests": 1}


def test_what_is_refused_anyway_costs_nothing() -> None:
    by = client("customer=1/1 visitor=1/1 staff=1/1 service=1/1")
    headers = {"authorization": f"Bearer {token()}"}
    assert by.post("/graphql", json={"query": "{ nothing }"}, headers=headers).status_code == 200
    assert post(by).status_code == 200


@pytest.mark.usefixtures("outlets")
def test_each_event_has_its_price_at_the_other_door() -> None:
    by = client("customer=1/1 visitor=1/1 staff=1/1 service=30/1")
    headers = {"authorization": f"Bearer {token(kind='service', scope='events:write')}"}
    events = [placed(f"o{number}") for number in range(3)]
    assert by.post("/v1/events", json=events, headers=headers).status_code == 202
    refused = by.post("/v1/events", json=events[:2], headers=headers)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "20")
    assert refused.json()["errors"][0]["extensions"] == {"code": "THROTTLED", "retryAfter": 20}


def charged(budgets: Budgets, principal: Principal, points: int, now: datetime) -> Charge:
    charge = asyncio.run(budgets.charge(principal, points, now=now))
    assert charge is not None
    return charge


def spend(budgets: Budgets, principal: Principal, points: int, used: int, now: datetime) -> dict[str, Any]:
    """What the caller is told of a budget that had enough."""
    charge = charged(budgets, principal, points, now)
    assert charge.wait == 0
    budgets.settle(principal, charge, used)
    return budgets.shown(principal, charge)


def test_what_was_charged_and_not_used_goes_back_with_the_next_charge(now: datetime) -> None:
    budgets, ann = Budgets(dict.fromkeys(Kind, SIZE)), as_customer("cus_1")
    spend(budgets, ann, 80, 10, now)
    again = charged(budgets, ann, 20, now)
    assert (again.wait, again.left) == (0, 20)  # the 20 came out of the 70
    assert charged(budgets, ann, 20, now).left == 20


def test_points_that_went_back_with_a_charge_that_was_refused_go_back_with_the_next(now: datetime) -> None:
    budgets, ann = Budgets(dict.fromkeys(Kind, SIZE)), as_customer("cus_1")
    spend(budgets, ann, 100, 70, now)
    assert charged(budgets, ann, 40, now).wait == pytest.approx(1)  # 10 of the 40 are wanting
    again = charged(budgets, ann, 30, now)
    assert (again.wait, again.left) == (0, 0)
    assert charged(budgets, ann, 1, now).wait > 0


def test_no_more_goes_back_than_was_taken(now: datetime) -> None:
    """Of what is dearer than a bucket, a bucket is taken: what its price was beyond that nobody has paid."""
    budgets, ann = Budgets(dict.fromkeys(Kind, SIZE)), as_customer("cus_1")
    assert spend(budgets, ann, 1000, 60, now)["left"] == 40
    assert charged(budgets, ann, 1000, now).wait == pytest.approx(6)
    assert spend(budgets, ann, 40, 40, now)["left"] == 0
    assert charged(budgets, ann, 1, now).wait > 0


def test_a_charge_never_puts_more_back_than_it_takes(now: datetime) -> None:
    taken = take(50, now)
    lucky = buckets.charge("demo", "staff#a", 10, SIZE, now=now, owed=-40, full_at=taken.full_at)
    assert (lucky.wait, lucky.left) == (0, 50)


def test_what_was_used_beyond_the_price_is_owed_with_the_next_charge(now: datetime) -> None:
    budgets, ann = Budgets(dict.fromkeys(Kind, SIZE)), as_customer("cus_1")
    assert spend(budgets, ann, 10, 80, now)["left"] == 20  # 90 in the store, of which 70 are owed
    assert charged(budgets, ann, 30, now).wait == pytest.approx(1)
    assert spend(budgets, ann, 20, 20, now)["left"] == 0
    assert charged(budgets, ann, 1, now).wait > 0


def test_who_owes_more_than_a_bucket_holds_waits_for_a_full_one_and_then_for_the_rest(now: datetime) -> None:
    budgets, ann = Budgets(dict.fromkeys(Kind, SIZE)), as_customer("cus_1")
    assert spend(budgets, ann, 1, 241, now)["left"] == 0
    full = now + timedelta(seconds=0.1)
    again = charged(budgets, ann, 1, full)
    assert (again.wait, again.left) == (0, 100 - 1 - 240)
    assert charged(budgets, ann, 1, full).wait == pytest.approx(14.2)
    assert charged(budgets, ann, 1, full + timedelta(seconds=14.2)).wait == 0


def test_what_is_owed_is_owed_also_when_time_has_filled_the_bucket_and_up_to_a_limit(now: datetime) -> None:
    budgets, ann = Budgets(dict.fromkeys(Kind, SIZE)), as_customer("cus_1")
    spend(budgets, ann, 1, 100_000, now)
    later = charged(budgets, ann, 1, now + timedelta(days=1))
    assert (later.wait, later.left) == (0, SIZE.most - 1 - MOST_OWED * SIZE.most)
    other = Budgets(dict.fromkeys(Kind, SIZE))
    assert charged(other, ann, 1, now + timedelta(days=1)).wait > 0  # in any process


def test_what_a_mutation_uses_beyond_its_price_is_owed_too(now: datetime) -> None:
    budgets, ann = Budgets(dict.fromkeys(Kind, SIZE)), as_customer("cus_1")
    charge = charged(budgets, ann, 10, now)
    budgets.settle(ann, charge, 4, gives_back=False)
    assert budgets.shown(ann, charge)["left"] == 90
    budgets.settle(ann, charge, 15, gives_back=False)
    assert budgets.shown(ann, charge)["left"] == 85


@pytest.mark.parametrize("seed", range(5))
def test_no_order_of_requests_uses_more_than_the_bucket_and_what_came_back(now: datetime, seed: int) -> None:
    """Of prices beyond the bucket too, of answers beyond their prices, and by several processes. What is still owed in
    the end has been used and not taken.
    """
    draw, ann = random.Random(seed), as_customer("cus_1")  # noqa: S311  of no secret
    processes = [Budgets(dict.fromkeys(Kind, SIZE)) for _ in range(3)]
    at, used, refused = now, 0, 0
    for _ in range(120):
        at += timedelta(milliseconds=draw.choice([0, 0, 50, 400, 3000]))
        price, budgets = draw.choice([1, 20, 60, 1000]), draw.choice(processes)
        charge = charged(budgets, ann, price, at)
        if charge.wait:
            refused += 1
            continue
        answer = draw.randint(0, charge.taken * 5 // 4)
        budgets.settle(ann, charge, answer)
        used += answer
        owed = sum(max(known.owed, 0) for each in processes for known in each._known.values())
        debt = max(0, -charge.left)
        assert used - owed - debt <= SIZE.most + (at - now).total_seconds() * SIZE.per_second
    assert used > 3 * SIZE.most
    assert refused > 0


def test_what_is_left_is_told_with_what_goes_back() -> None:
    by = client("customer=1/1 visitor=1/1 staff=1000/1 service=1/1")
    headers = {"authorization": f"Bearer {token(scope='customers:write customers:read')}"}
    told = by.post("/graphql", json={"query": "{ customers(first: 90) { nodes { id } } }"}, headers=headers).json()
    cost = told["extensions"]["cost"]
    assert cost["requested"] > 90
    assert told["extensions"]["budget"]["left"] == 1000 - cost["actual"]


def test_a_query_gets_back_what_it_did_not_use_and_a_mutation_does_not() -> None:
    by = client("customer=1/1 visitor=1/1 staff=1000/1 service=1/1")
    headers = {"authorization": f"Bearer {token(scope='customers:write customers:read')}"}

    def asked(text: str) -> tuple[int, dict[str, int]]:
        """What is left after it, and what it cost."""
        told = by.post("/graphql", json={"query": text}, headers=headers).json()["extensions"]
        return told["budget"]["left"], told["cost"]

    created, cost = asked('mutation { customerCreate(input: {firstName: "A"}) { customer { id } } }')
    assert cost["actual"] < cost["requested"]
    assert created == 1000 - cost["requested"]
    for first in (90, 20, 90):
        before = created
        created, cost = asked(f"{{ customers(first: {first}) {{ nodes {{ id }} }} }}")
        assert before - created <= cost["actual"]  # less where a second has gone by


def test_what_goes_back_never_fills_a_bucket_that_time_has_filled(now: datetime) -> None:
    budgets, ann = Budgets(dict.fromkeys(Kind, SIZE)), as_customer("cus_1")
    assert spend(budgets, ann, 100, 0, now)["left"] == 100
    later = now + timedelta(seconds=10)
    full = charged(budgets, ann, 100, later)
    assert (full.wait, full.left) == (0, 0)
    assert charged(budgets, ann, 1, later).wait > 0


def answering(error: Exception, monkeypatch: pytest.MonkeyPatch) -> Charge | None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(buckets, "_take", fail)
    now = datetime.fromisoformat("2026-03-10T12:00:00Z")
    return asyncio.run(Budgets(dict.fromkeys(Kind, SIZE)).charge(STAFF, 1, now=now))


def test_while_the_store_does_not_answer_nobody_is_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answering(ConnectTimeoutError(endpoint_url="x"), monkeypatch) is None


def test_who_asks_more_often_than_one_item_can_be_written_is_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")
    charge = answering(busy, monkeypatch)
    assert charge is not None
    assert charge.wait == 1


@pytest.mark.parametrize("text", ["customer=1/1", "customer=a/b", f"{SMALL} visitor", f"{SMALL} staff=0/1"])
def test_budgets_that_make_no_sense_stop_the_gateway_from_starting(text: str) -> None:
    with pytest.raises(RuntimeError, match="POINT_BUDGETS"):
        Budgets.of(text)


def test_what_was_asked_for_and_is_not_there_costs_what_the_store_was_asked() -> None:
    from schema.node import global_id

    by = client("customer=100/1 visitor=100/1 staff=1000/1 service=100/1")
    headers = {"authorization": f"Bearer {token(scope='orders:read')}"}
    ids = [global_id("Order", f"o{number}") for number in range(40)]
    body = {"query": "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", "variables": {"ids": ids}}
    statuses = []
    for _ in range(40):
        answered = by.post("/graphql", json=body, headers=headers)
        statuses.append(answered.status_code)
        if answered.status_code == 200:
            extensions = answered.json()["extensions"]
            assert extensions["cost"]["actual"] >= extensions["capacity"]["requests"]
    assert statuses.count(200) <= 1 + 1000 // 40
    assert 429 in statuses
