# tests/integration/test_earning.py
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from crm.customers.service import SegmentsHead, SegmentState
from crm.kernel import clock
from crm.kernel.errors import NotFound
from crm.loyalty import repository as ledger_repository
from crm.loyalty import service
from crm.loyalty.earning import repository
from crm.loyalty.earning.definitions import Caps, Conditions, Earning, Kind, Rule
from crm.loyalty.models import OrderEarning
from crm.loyalty.programme import Programme
from crm.orders.events import OrderRecorded
from crm.orders.models import Order, OrderLine, Refund, RefundLine
from crm.orders.worth import worth
from crm.segmentation.stays import SegmentMembership
from tests.integration.points import ANN, BEA, balances, order, programme

__all__ = ["programme"]
pytestmark = pytest.mark.usefixtures("shop")

CHEAP = Programme(currency="EUR", zone="Europe/Vienna", rate=Decimal(0))
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _tables(programme: list[Programme]) -> None:
    """The programme of these tests is the one that is put in `programme`."""


def rule(kind: Kind = Kind.FIXED, value: int = 100, id_: str = "r1", **said: Any) -> Rule:
    budget, caps = said.pop("budget", None), said.pop("caps", Caps())
    return Rule(id_, id_, kind, Decimal(value), Conditions(**said), caps, budget)


def counting(programme: list[Programme], *rules: Rule, **others: Any) -> None:
    programme.append(replace(CHEAP, earning=Earning(rules, **others)))


def told(rev: int, now: datetime, *, refunded: int = 0, order_id: str = "o1", category: str = "shoes") -> OrderRecorded:
    """An order of two pairs of shoes at 50 euros, and of a shirt at 20, as the store has it."""
    item = Order.of("demo", ANN, order_id)
    item.rev, item.version, item.status, item.currency, item.channel = rev, 1, "placed", "EUR", "web"
    item.placed_at = item.occurred_at = now
    item.placed_on, item.cause = now.date().isoformat(), f"event:e{rev}:order"
    item.lines = [
        OrderLine(line_id="1", sku="s1", category=category, quantity=2, unit_price=5_000),
        OrderLine(line_id="2", sku="t1", category="shirts", quantity=1, unit_price=2_000),
    ]
    if refunded:
        lines = [RefundLine(line_id="1", quantity=refunded)]
        given = Refund(refund_id="r1", refunded_at=now, refunded_on="", currency="EUR", event_id="e9", lines=lines)
        item.refunds = [given]
    value = worth(item)
    item.gross, item.refunded, item.net = value.gross, value.refunded, value.net
    item.save()
    return OrderRecorded.of(item)


def earning(order_id: str = "o1", customer_id: str = ANN) -> OrderEarning:
    return ledger_repository.get_for_order("demo", customer_id, order_id)[1]


def shares(order_id: str = "o1", customer_id: str = ANN) -> dict[str, int]:
    return {each.rule: int(each.points) for each in earning(order_id, customer_id).given}


def spent(rule_id: str = "r1") -> int:
    """Of a budget, all shares together."""
    return sum(repository.get_all_spent("demo", [rule_id])[rule_id].values())


def test_rules_about_goods_go_by_the_lines_that_are_kept(programme: list[Programme], now: datetime) -> None:
    counting(
        programme, rule(Kind.PER_UNIT, 2, "a", categories=("shoes",)), rule(Kind.PER_ITEM, 5, "b", channels=("web",))
    )
    service.post_for_order(told(1, now), now=now)
    assert shares() == {"a": 200, "b": 15}
    service.post_for_order(told(2, now, refunded=1), now=now)
    assert shares() == {"a": 100, "b": 10}
    assert balances() == (110, 0, 0)


def test_an_order_that_is_newer_than_what_is_told_is_settled_as_it_is(
    programme: list[Programme], now: datetime
) -> None:
    counting(programme, rule(Kind.PER_UNIT, 2, categories=("shoes",)))
    first = told(1, now)
    second = told(2, now, refunded=2)
    service.post_for_order(first, now=now)
    assert (int(earning().order_rev), shares(), balances()) == (2, {}, (0, 0, 0))
    service.post_for_order(second, now=now)
    assert balances() == (0, 0, 0)
    with pytest.raises(NotFound):
        service.post_for_order(order(now, order_id="gone"), now=now)


def test_segments_are_those_of_an_instant_before_and_of_the_first_posting(
    programme: list[Programme], now: datetime
) -> None:
    counting(
        programme,
        *(rule(id_=name, segments=(f"seg_{name}",)) for name in ("open", "same", "left", "since", "never")),
    )  # fmt: skip
    head = SegmentsHead.of("demo", ANN)
    entered = {"seg_open": now - HOUR, "seg_same": now}
    head.open = [
        SegmentState(segment_id=segment, entered_at=at, entered_cause="event:e0:order")
        for segment, at in entered.items()
    ]
    head.save()
    for segment, left_at in (("seg_left", now + HOUR), ("seg_since", now - HOUR / 2)):
        stay = SegmentMembership.of("demo", ANN, segment, now - HOUR, "event:e0:order", begun_in=1)
        stay.end(left_at, "event:e1:order", 1)
        stay.save()
    service.post_for_order(order(now), now=now + 2 * HOUR)
    assert shares() == {"open": 100, "left": 100}
    head.open = []
    head.save()
    service.post_for_order(order(now, rev=2, net=9_000), now=now + 3 * HOUR)
    assert shares() == {"open": 100, "left": 100}


def test_a_customer_is_given_no_more_in_a_day_than_a_rule_may_and_refunds_make_room(
    programme: list[Programme], now: datetime
) -> None:
    counting(programme, rule(Kind.PER_UNIT, 1, caps=Caps(per_day=150)))
    for number in (1, 2, 3):
        service.post_for_order(order(now, order_id=f"o{number}"), now=now)
    assert [shares(f"o{number}") for number in (1, 2, 3)] == [{"r1": 100}, {"r1": 50}, {}]
    service.post_for_order(order(now, rev=2, net=2_000), now=now)
    assert (shares("o1"), shares("o3"), balances()) == ({"r1": 20}, {}, (70, 0, 0))
    service.post_for_order(order(now, rev=2, order_id="o3"), now=now)
    assert (shares("o3"), balances()) == ({"r1": 80}, (150, 0, 0))
    next_day = now + timedelta(hours=12)  # another day in Vienna
    service.post_for_order(order(next_day, order_id="o4"), now=next_day)
    assert shares("o4") == {"r1": 100}


def test_a_customer_is_given_no_more_ever_than_all_rules_may(programme: list[Programme], now: datetime) -> None:
    counting(programme, rule(id_="a"), rule(id_="b"), caps=Caps(per_customer=250))
    for number in (1, 2, 3):
        service.post_for_order(order(now + timedelta(days=40 * number), order_id=f"o{number}"), now=now)
    assert [shares(f"o{number}") for number in (1, 2, 3)] == [{"a": 100, "b": 100}, {"a": 50}, {}]


def test_who_gave_is_counted_also_where_the_balance_does_not_move(programme: list[Programme], now: datetime) -> None:
    counting(
        programme,
        rule(Kind.PER_UNIT, 1, "a", categories=("shoes",), caps=Caps(per_customer=500)),
        rule(Kind.PER_UNIT, 1, "b", categories=("boots",)),
    )
    service.post_for_order(told(1, now), now=now)
    service.post_for_order(told(2, now, category="boots"), now=now)
    assert (shares(), balances()) == ({"b": 100}, (100, 0, 0))
    [ever] = repository.get_counts("demo", ANN, ["ever"]).values()
    assert ever.counts == {"ever": {"a": 0}}


@pytest.fixture
def overtaken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], object]]]:
    """What is put in here happens between what is read of a budget or of counts and the write."""
    meanwhile: list[Callable[[], object]] = []
    for name in ("get_spent", "get_counts"):
        read = getattr(repository, name)

        def and_be_overtaken(*asked: Any, read: Callable[..., Any] = read) -> Any:
            answer = read(*asked)
            if meanwhile:
                meanwhile.pop()()
            return answer

        monkeypatch.setattr(repository, name, and_be_overtaken)
    yield meanwhile
    assert meanwhile == []


def test_two_orders_of_a_customer_at_once_are_given_no_more_together_than_a_rule_may(
    programme: list[Programme], now: datetime, overtaken: list[Callable[[], object]]
) -> None:
    counting(programme, rule(caps=Caps(per_day=150)))
    overtaken.append(lambda: service.post_for_order(order(now, order_id="o2"), now=now))
    service.post_for_order(order(now), now=now)
    assert (shares("o2"), shares("o1"), balances()) == ({"r1": 100}, {"r1": 50}, (150, 0, 0))


def test_what_another_order_is_given_meanwhile_is_counted_also_by_one_that_moves_no_balance(
    programme: list[Programme], now: datetime, overtaken: list[Callable[[], object]]
) -> None:
    counting(
        programme,
        rule(Kind.PER_UNIT, 1, "a", categories=("shoes",), caps=Caps(per_customer=500)),
        rule(Kind.PER_UNIT, 1, "b", categories=("boots",)),
    )
    service.post_for_order(told(1, now), now=now)
    overtaken.append(lambda: service.post_for_order(told(1, now, order_id="o2"), now=now))
    service.post_for_order(told(2, now, category="boots"), now=now)
    [ever] = repository.get_counts("demo", ANN, ["ever"]).values()
    assert ever.counts == {"ever": {"a": 100}}


# --- budgets


def of(customer_id: str, now: datetime, order_id: str, **said: Any) -> OrderRecorded:
    return replace(order(now, order_id=order_id, **said), customer_id=customer_id)


def test_a_budget_gives_what_it_has_and_takes_back_what_is_refunded(programme: list[Programme], now: datetime) -> None:
    counting(programme, rule(budget=250))
    for number in range(1, 5):
        service.post_for_order(of(f"cus_{number}", now, f"o{number}"), now=now)
    assert [shares(f"o{n}", f"cus_{n}").get("r1", 0) for n in range(1, 5)] == [100, 100, 50, 0]
    assert spent() == 250
    service.post_for_order(of("cus_1", now, "o1", rev=2, net=0), now=now)
    assert (spent(), shares("o1", "cus_1")) == (150, {})
    service.post_for_order(of("cus_4", now, "o4", rev=2), now=now)
    assert (spent(), shares("o4", "cus_4")) == (250, {"r1": 100})


def test_where_the_budget_of_one_campaign_ends_orders_are_posted_by_the_next_beneath_the_cap_of_all(
    programme: list[Programme], now: datetime
) -> None:
    counting(
        programme, rule(id_="a", value=80, budget=160), rule(id_="b", value=80, budget=80), caps=Caps(per_order=80)
    )
    cart = service.Cart("EUR", (service.CartLine("s1", 1, 10_000),))
    found = []
    for number in range(4):
        shown = service.earn_preview("demo", cart, None, now=now).earned
        service.post_for_order(of(f"cus_{number}", now, f"o{number}"), now=now)
        found.append(shares(f"o{number}", f"cus_{number}"))
        assert {each.rule: each.points for each in shown.given} == found[-1]
    assert found == [{"a": 80}, {"a": 80}, {"b": 80}, {}]
    assert (spent("a"), spent("b")) == (160, 80)


def test_a_campaign_that_is_empty_leaves_customers_what_they_have_without_it(
    programme: list[Programme], now: datetime
) -> None:
    standing, campaign = rule(Kind.MULTIPLIER, 2, "standing"), rule(Kind.MULTIPLIER, 3, "campaign", budget=250)
    programme.append(replace(CHEAP, rate=Decimal(1), earning=Earning((standing, campaign))))
    cart, found = service.Cart("EUR", (service.CartLine("s1", 1, 10_000),)), []
    for number in range(3):
        shown = service.earn_preview("demo", cart, None, now=now).earned
        service.post_for_order(of(f"cus_{number}", now, f"o{number}"), now=now)
        found.append(shares(f"o{number}", f"cus_{number}"))
        assert {each.rule: each.points for each in shown.given} == found[-1]
    assert found == [
        {"base": 100, "campaign": 200}, {"base": 100, "campaign": 50, "standing": 50}, {"base": 100, "standing": 100},
    ]  # fmt: skip
    service.post_for_order(of("cus_1", now, "o1", rev=2, net=4_000), now=now)
    assert shares("o1", "cus_1") == {"base": 40, "campaign": 50}
    service.post_for_order(of("cus_1", now, "o1", rev=3, net=0), now=now)
    assert (shares("o1", "cus_1"), spent("campaign")) == ({}, 200)


def test_what_an_order_holds_of_a_budget_goes_back_to_where_it_came_from(
    programme: list[Programme], now: datetime
) -> None:
    counting(programme, rule(budget=80))  # ten a share
    service.post_for_order(order(now), now=now)
    held = {int(each.share): int(each.points) for each in earning().drawn}
    assert held == dict.fromkeys(range(8), 10)
    service.post_for_order(order(now, rev=2, net=0), now=now)
    assert (earning().drawn, spent()) == ([], 0)


@pytest.mark.parametrize("budget", [100, 130])
def test_a_budget_that_others_draw_from_meanwhile_is_never_overspent(
    budget: int, programme: list[Programme], now: datetime, overtaken: list[Callable[[], object]]
) -> None:
    counting(programme, rule(budget=budget))
    overtaken.append(lambda: service.post_for_order(of(BEA, now, "o2"), now=now))
    service.post_for_order(order(now), now=now)
    assert (shares("o2", BEA), shares().get("r1", 0), spent()) == ({"r1": 100}, budget - 100, budget)


def test_a_rule_without_a_budget_asks_about_none_and_one_with_asks_its_own_share_first(
    programme: list[Programme], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[list[str], int]] = []
    read = repository.get_spent

    def reading(shop: str, rules: list[str], shares: list[int]) -> dict[str, dict[int, int]]:
        asked.append((rules, len(shares)))
        return read(shop, rules, shares)

    monkeypatch.setattr(repository, "get_spent", reading)
    counting(programme, rule())
    service.post_for_order(order(now), now=now)
    assert asked == []
    counting(programme, rule(budget=8_000))
    service.post_for_order(order(now, order_id="o2"), now=now)
    service.post_for_order(order(now, order_id="o2", rev=2, net=8_000), now=now)
    assert asked == [(["r1"], 1)]
    asked.clear()
    counting(programme, *(rule(id_=name, budget=budget) for name, budget in (("a", 8_000), ("b", 80), ("c", 80))))
    service.post_for_order(order(now, order_id="o3"), now=now)
    assert asked == [(["a", "b", "c"], 1), (["b", "c"], 7)]  # of all of them at once


def test_the_day_is_that_on_which_the_order_was_placed(programme: list[Programme], now: datetime) -> None:
    counting(programme, rule(caps=Caps(per_day=100)))
    service.post_for_order(order(now), now=now)
    service.post_for_order(order(now - timedelta(days=30), order_id="o2"), now=now)
    assert (shares("o1"), shares("o2")) == ({"r1": 100}, {"r1": 100})
    months = repository.get_counts("demo", ANN, [clock.text(now)[:7], clock.text(now - timedelta(days=30))[:7]])
    assert [list(item.counts) for item in months.values()] == [["2026-03-10"], ["2026-02-08"]]
