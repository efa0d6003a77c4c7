# tests/integration/test_points_limits.py
"""What limits what is given: caps and budgets after refunds that are forgiven, and how much one transaction holds."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from crm.kernel.change import Change
from crm.kernel.errors import InvalidInputs
from crm.loyalty import claiming, expiry, service
from crm.loyalty.earning import repository
from crm.loyalty.earning.definitions import Caps, Earning, Kind, Rule
from crm.loyalty.earning.models import RuleBudget
from crm.loyalty.expiry import Expiry
from crm.loyalty.ledger import movements, pardons
from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.posting import Ledger, decided, occasion
from crm.loyalty.programme import Programme, Shortfall
from crm.loyalty.programmes.defining import Lifetime, ProgrammeFields, changing
from crm.loyalty.tiers.definitions import Basis, Tier, Tiers
from tests.integration.points import ANN, STAFF, adjust, balances, hold, order, programme, spend

__all__ = ["programme"]
pytestmark = pytest.mark.usefixtures("shop", "programme")

FORGIVING = Programme("EUR", "Europe/Vienna", shortfall=Shortfall.WITHIN_BALANCE)
CAMPAIGNS = tuple(Rule(f"r{n}", f"r{n}", Kind.FIXED, Decimal(80), budget=88) for n in range(5))
MONTHS = 60


def spent(rule_id: str) -> int:
    return sum(repository.get_all_spent("demo", [rule_id])[rule_id].values())


def earned_spent_and_refunded(times: int, now: datetime) -> int:
    """How many points somebody could spend who orders, spends and sends back again and again."""
    total = 0
    for number in range(times):
        name = f"o{number}"
        if earned := service.post_for_order(order(now, order_id=name), now=now).points:
            spend(earned, now, key=name)
            total += earned
        service.post_for_order(order(now, order_id=name, rev=2, net=0), now=now)
    assert balances() == (0, 0, 0)
    return total


def test_what_is_forgiven_goes_back_to_no_budget(now: datetime, programme: list[Programme]) -> None:
    campaign = Rule("r1", "A campaign", Kind.FIXED, Decimal(1000), budget=1000)
    programme.append(replace(FORGIVING, rate=Decimal(0), earning=Earning((campaign,))))
    assert earned_spent_and_refunded(3, now) == 1000
    assert spent("r1") == 1000
    # The order that is edited up again earns what it was forgiven, and draws nothing for it.
    service.post_for_order(order(now, order_id="o0", rev=3), now=now)
    assert (balances(), spent("r1")) == ((0, 0, 0), 1000)


def test_what_is_forgiven_makes_no_room_under_a_cap(now: datetime, programme: list[Programme]) -> None:
    programme.append(replace(FORGIVING, earning=Earning((), Caps(per_customer=100))))
    assert earned_spent_and_refunded(3, now) == 100


def test_what_is_taken_back_goes_back_to_its_budget_and_the_rest_does_not(
    now: datetime, programme: list[Programme]
) -> None:
    campaign = Rule("r1", "A campaign", Kind.FIXED, Decimal(400), budget=1000)
    programme.append(replace(FORGIVING, rate=Decimal(0), earning=Earning((campaign,))))
    service.post_for_order(order(now), now=now)
    spend(300, now)
    service.post_for_order(order(now, rev=2, net=0), now=now)
    assert (balances(), spent("r1")) == ((0, 0, 0), 300)
    service.post_for_order(order(now, rev=3), now=now)
    assert (balances(), spent("r1")) == ((100, 0, 0), 400)


CAMPAIGN = Rule("r1", "A campaign", Kind.FIXED, Decimal(100), budget=800, caps=Caps(per_customer=250))


@pytest.mark.parametrize("first", ["the refunds", "the release"])
def test_what_is_claimed_makes_room_as_if_it_had_come_back_before(
    now: datetime, programme: list[Programme], first: str
) -> None:
    """Of two orders of two months, one of them forgiven in part only."""
    programme.append(replace(FORGIVING, rate=Decimal(0), earning=Earning((CAMPAIGN,))))
    days = {"o1": now, "o2": now + timedelta(days=40)}
    for name, at in days.items():
        service.post_for_order(order(at, order_id=name), now=now + timedelta(days=40))
    now += timedelta(days=40)
    held = hold(180, now).hold

    def refund() -> None:
        for name, at in days.items():
            service.post_for_order(order(at, order_id=name, rev=2, net=0), now=now)

    def release() -> None:
        service.release("demo", ANN, held.hold_id, actor=STAFF, now=now)

    deeds = (refund, release) if first == "the refunds" else (release, refund)
    for deed in deeds:
        deed()
    assert (balances(), spent("r1")) == ((0, 0, 0), 0)
    earned = [service.post_for_order(order(now, order_id=f"n{each}"), now=now).points for each in range(3)]
    assert (earned, spent("r1")) == ([100, 100, 50], 250)


def test_what_the_refund_of_an_order_claims_of_another_makes_room_too(
    now: datetime, programme: list[Programme]
) -> None:
    programme.append(replace(FORGIVING, rate=Decimal(0), earning=Earning((CAMPAIGN,))))
    service.post_for_order(order(now), now=now)
    service.post_for_order(order(now, order_id="o2", points_spent=100), now=now)
    spend(100, now)  # what that has earned
    service.post_for_order(order(now, rev=2, net=0), now=now)
    assert (balances(), spent("r1")) == ((0, 0, 0), 200)
    service.post_for_order(order(now, order_id="o2", rev=2, net=0, points_spent=100), now=now)
    assert (balances(), spent("r1")) == ((0, 0, 0), 100)


def test_what_there_is_no_room_to_give_back_goes_back_with_the_orders_next_revision(
    now: datetime, programme: list[Programme], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "BESIDE", 98)
    programme.append(replace(FORGIVING, rate=Decimal(0), earning=Earning((CAMPAIGN,))))
    service.post_for_order(order(now), now=now)
    held = hold(100, now).hold
    service.post_for_order(order(now, rev=2, net=0), now=now)
    service.release("demo", ANN, held.hold_id, actor=STAFF, now=now)
    assert (balances(), spent("r1")) == ((0, 0, 0), 100)
    service.post_for_order(order(now, rev=3, net=0), now=now)
    assert spent("r1") == 0


def test_an_order_paid_with_the_points_of_sixty_months_at_the_end_of_five_budgets_is_posted_and_refunded(
    now: datetime, programme: list[Programme]
) -> None:
    """More than a transaction holds: then it draws from its own shares only, and gives back to one."""
    points_of_many_months(now)
    programme.append(Programme("EUR", "Europe/Vienna", rate=Decimal(0), earning=Earning(CAMPAIGNS)))
    assert service.post_for_order(order(now, points_spent=10 * MONTHS), now=now).points == 5 * 11 - 10 * MONTHS
    assert [spent(rule.id) for rule in CAMPAIGNS] == [11] * 5
    service.post_for_order(order(now, rev=2, net=0, points_spent=10 * MONTHS), now=now)
    assert balances() == (10 * MONTHS, 0, 0)
    assert [spent(rule.id) for rule in CAMPAIGNS] == [0] * 5


def test_what_was_drawn_of_many_shares_goes_back_with_the_points_of_sixty_months(
    now: datetime, programme: list[Programme]
) -> None:
    programme.append(Programme("EUR", "Europe/Vienna", rate=Decimal(0), earning=Earning(CAMPAIGNS)))
    service.post_for_order(order(now), now=now)
    assert [spent(rule.id) for rule in CAMPAIGNS] == [80] * 5
    points_of_many_months(now)
    service.post_for_order(order(now, rev=2, net=0, points_spent=10 * MONTHS), now=now)
    assert [spent(rule.id) for rule in CAMPAIGNS] == [0] * 5
    assert balances()[0] == 10 * MONTHS
    # All of it is there again, wherever it lies.
    service.post_for_order(order(now, order_id="o2"), now=now)
    assert [spent(rule.id) for rule in CAMPAIGNS] == [80] * 5
    assert RuleBudget.get(RuleBudget.of("demo", "r0", 0).pk, "BUDGET").spent is not None


def test_an_order_with_all_the_holds_it_may_have_and_all_that_may_have_been_forgiven_is_cancelled(
    now: datetime, programme: list[Programme]
) -> None:
    """And the points of sixty months come back, and those that never expire; five budgets and a tier change."""
    programme.append(FORGIVING)
    adjust(10, now)
    programme.append(replace(FORGIVING, rate=Decimal(1), expiry=Expiry(1)))
    forgiven = [f"p{number}" for number in range(pardons.MOST)]
    for order_id in forgiven:
        service.post_for_order(order(now, order_id=order_id), now=now)
    earned = 100 * len(forgiven)
    points_of_many_months(now)
    tiers = Tiers(all=(Tier("s", "Silver", 500),), basis=Basis.SPEND)
    programme.append(
        replace(
            programme[-1],
            rate=Decimal(0),
            earning=Earning(CAMPAIGNS, Caps(per_customer=10_000, per_day=10_000)),
            tiers=tiers,
        )
    )
    service.post_for_order(order(now), now=now)
    kept = 10 + 10 * MONTHS
    whole = earned + 5 * 80 + kept
    for number, points in enumerate((earned + 5 * 80, kept - 10, 10)):
        hold(points, now, key=f"h{number}", order_id="o1")
    assert balances() == (0, 0, whole)
    for order_id in forgiven:
        service.post_for_order(order(now, order_id=order_id, rev=2, net=0), now=now)
    assert balances() == (0, 0, whole)
    cancelled = order(now, rev=2, net=0, status="cancelled")
    assert service.post_for_order(cancelled, now=now).points
    assert [spent(rule.id) for rule in CAMPAIGNS] == [0] * 5
    # Of ten orders three are claimed: the others stay forgiven.
    assert balances() == (kept + 100 * (pardons.MOST - pardons.FEW), 0, 0)


def points_of_many_months(now: datetime) -> None:
    adjust(1, now, key="first")
    spend(1, now, key="first")
    head = service.account("demo", ANN) or LoyaltyAccount.of("demo", ANN)
    for start in range(0, MONTHS, 30):
        book, change = decided(lambda: Ledger("demo", ANN, head, now=now)), Change(now)
        account, entries = book.read, []
        for month in range(start, start + 30):
            when = occasion(f"adjustment:seed{month}:adjust", at=now, now=now, actor=str(STAFF))
            moved = movements.adjust(
                account, 10, pool=expiry.pool_of(now + timedelta(days=31 * (month + 1))), occasion=when
            )
            account = moved.account
            entries.append(moved.entry)
        book.write(change, account, entries)
        change.commit()


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"return_window_days": 28, "expiry": Lifetime(1)}, True),
        ({"return_window_days": 27, "expiry": Lifetime(1)}, False),
        ({"return_window_days": 60}, False),
        ({"return_window_days": 60, "expiry": Lifetime(1, kind=expiry.Kind.INACTIVITY)}, False),
    ],
)
def test_points_that_would_expire_before_they_mature_are_refused(said: dict[str, object], *, refused: bool) -> None:
    decide = changing(ProgrammeFields(**said))  # type: ignore[arg-type]
    if not refused:
        decide(FORGIVING)
        return
    with pytest.raises(InvalidInputs) as refusal:
        decide(FORGIVING)
    assert [fault.path for fault in refusal.value.faults] == ["return_window_days"]


def test_a_window_is_judged_by_the_life_that_points_have_already() -> None:
    living = Programme("EUR", "Europe/Vienna", expiry=Expiry(1))
    with pytest.raises(InvalidInputs):
        changing(ProgrammeFields(return_window_days=40))(living)


def test_a_gift_that_is_taken_back_long_after_it_expired_is_not_taken_a_second_time(now: datetime) -> None:
    given = adjust(100, now)
    service.settle("demo", ANN, now=now + timedelta(days=40))
    cause = given.entry.cause or ""
    service.reverse("demo", ANN, cause, reason="A slip", actor=STAFF, now=now + timedelta(days=80))
    account = service.account("demo", ANN)
    assert account is not None
    assert (balances(), account.owed) == ((0, 0, 0), 0)
