# tests/faults/loyalty_budget.py
"""A campaign that may give 1,000 points, and 64 who would earn more in all; then some give theirs back while others
come: however they meet, no more is given than there is.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Final

from bench.figures import Report
from tests.faults import loyalty_shop
from tests.faults.loyalty_shop import CURRENCY, ZONE, final
from tests.faults.racing import Attempt, overlap, race

(OVERSPENT,) = FIGURES = ("loyalty.budget_overspent",)
SHOP: Final = "points-budget"
EARNERS, GIVEN, BUDGET = 64, 30, 1_000
RULE: Final = "campaign"


def run(report: Report, sabotage: str) -> None:
    from crm.loyalty.earning.definitions import Earning, Kind, Rule
    from crm.loyalty.programme import Programme
    from tests.faults.loyalty_book import counting

    loyalty_shop.found(SHOP)
    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    rule = Rule(RULE, "A campaign", Kind.FIXED, Decimal(GIVEN), budget=BUDGET)
    programme = Programme(CURRENCY, ZONE, rate=Decimal(0), earning=Earning((rule,)))
    most = above = 0
    with counting(programme):
        for what, calls in (
            ("they come", _told(range(EARNERS), rev=1)),
            ("some give back, others come", [*_told(range(20), rev=2), *_told(range(100, 100 + EARNERS), rev=1)]),
        ):
            attempts = race(calls)
            above = max(above, _above(what, attempts))
            most = max(most, overlap(attempts))
    people = [f"cus_{number}" for number in (*range(EARNERS), *range(100, 100 + EARNERS))]
    is_right = all(loyalty_shop.is_sound(SHOP, each) for each in people if _earned(each))
    report.tell(OVERSPENT, above if is_right and most >= EARNERS // 8 else float("nan"), n=2 * EARNERS + 20)


def _told(numbers: Iterable[int], *, rev: int) -> list[partial[str]]:
    """Each customer's order; its second revision is refunded whole."""
    return [partial(_tell, number, rev) for number in numbers]


def _tell(number: int, rev: int) -> str:
    from crm.loyalty import service as loyalty
    from tests.faults.loyalty_book import order_told

    now = datetime.now(UTC)
    order = order_told(
        SHOP, f"cus_{number}", f"o{number}", rev=rev, gross=5_000, refunded=5_000 * (rev - 1), points_spent=0,
        placed_at=now, at=now,
    )  # fmt: skip
    answer, attempts = final(lambda: loyalty.post_for_order(order, now=now))
    return f"{answer if isinstance(answer, str) else answer.points} in {attempts}"


def _above(what: str, attempts: list[Attempt]) -> int:
    """Points given beyond the budget, by what customers have; or by its shares, each against its own part."""
    from crm.loyalty.earning import budgets, repository

    spent = repository.get_all_spent(SHOP, [RULE])[RULE]
    given = sum(_earned(f"cus_{number}") for number in (*range(EARNERS), *range(100, 100 + EARNERS)))
    print(f"{what}: {dict(Counter(attempt.outcome for attempt in attempts))} (points in attempts); {given} given, "
          f"shares {sorted(spent.items())}", flush=True)  # fmt: skip
    beyond = sum(max(0, points - budgets.share_of(BUDGET, share)) for share, points in spent.items())
    return max(0, given - BUDGET, beyond, abs(given - sum(spent.values())))


def _earned(customer_id: str) -> int:
    from crm.loyalty import service as loyalty

    account = loyalty.account(SHOP, customer_id)
    return int(account.lifetime_earned) if account else 0
