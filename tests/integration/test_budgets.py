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
from schema.budget import Budgets
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


def charged(budgets: Budgets, principal: Principal, points: int, now: datetime) -> Charge | None:
    return asyncio.run(budgets.charge(principal, points, now=now))


def test_what_was_charged_and_not_used_goes_back_with_the_next_charge(now: datetime) -> None:
    budgets, ann = Budgets(dict.fromkeys(Kind, SIZE)), as_customer("cus_1")
    assert charged(budgets, ann, 80, now) is not None
    budgets.give_back(ann, 30)
    budgets.give_back(ann, 40)
    again = charged(budgets, ann, 20, now)
    assert again is not None
    assert (again.wait, again.left) == (0, 20)  # the 20 came out of the 70
    last = charged(budgets, ann, 20, now)
    assert last is not None
    assert last.left == 20


def test_points_that_went_back_with_a_charge_that_was_refused_go_back_with_the_next(now: datetime) -> None:
    budgets, ann = Budgets(dict.fromkeys(Kind, SIZE)), as_customer("cus_1")
    charged(budgets, ann, 100, now)
    budgets.give_back(ann, 30)
    refused = charged(budgets, ann, 40, now)
    assert refused is not None
    assert refused.wait == pytest.approx(1)  # 10 of the 40 are wanting
    again = charged(budgets, ann, 30, now)
    assert again is not None
    assert (again.wait, again.left) == (0, 0)
    spent = charged(budgets, ann, 1, now)
    assert spent is not None
    assert spent.wait > 0


def test_a_charge_never_puts_more_back_than_it_takes(now: datetime) -> None:
    taken = take(50, now)
    lucky = buckets.charge("demo", "staff#a", 10, SIZE, now=now, back=40, full_at=taken.full_at)
    assert (lucky.wait, lucky.left) == (0, 50)
    budgets, ann = Budgets({kind: Size(10, 10) for kind in Kind}), as_customer("cus_1")
    charged(budgets, ann, 10, now)
    budgets.give_back(ann, 1000)
    for _ in range(3):  # each as dear as ten buckets: taken as a full one, and no more goes back
        full = charged(budgets, ann, 100, now)
        assert full is not None
        assert (full.wait, full.left) == (0, 0)


def test_a_query_gets_back_what_it_did_not_use_and_a_mutation_does_not() -> None:
    by = client("customer=1/1 visitor=1/1 staff=1000/1 service=1/1")
    headers = {"authorization": f"Bearer {token(scope='customers:write customers:read')}"}

    def asked(text: str) -> tuple[int, int]:
        """What is left after the charge, and what it asked for in vain."""
        told = by.post("/graphql", json={"query": text}, headers=headers).json()["extensions"]
        return told["budget"]["left"], told["cost"]["requested"] - told["cost"]["actual"]

    before, unused = asked('mutation { customerCreate(input: {firstName: "A"}) { customer { id } } }')
    assert unused > 2
    after, _ = asked(SHOP)
    assert after < before
    before, unused = asked("{ customers(first: 90) { nodes { id } } }")
    assert unused > 50
    after, _ = asked("{ customers(first: 20) { nodes { id } } }")
    assert after >= before  # all of it came out of what was not used before


def test_what_goes_back_never_fills_a_bucket_that_time_has_filled(now: datetime) -> None:
    budgets, ann = Budgets(dict.fromkeys(Kind, SIZE)), as_customer("cus_1")
    charged(budgets, ann, 100, now)
    budgets.give_back(ann, 100)
    later = now + timedelta(seconds=10)
    full = charged(budgets, ann, 100, later)
    assert full is not None
    assert (full.wait, full.left) == (0, 0)
    empty = charged(budgets, ann, 1, later)
    assert empty is not None
    assert empty.wait > 0


def answering(error: Exception, monkeypatch: pytest.MonkeyPatch) -> Charge | None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(buckets, "_take", fail)
    return charged(Budgets(dict.fromkeys(Kind, SIZE)), STAFF, 1, datetime.fromisoformat("2026-03-10T12:00:00Z"))


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
