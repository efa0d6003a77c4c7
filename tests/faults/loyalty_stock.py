# tests/faults/loyalty_stock.py
"""More customers than there are pieces of a reward: each asks until somebody says yes or no."""

from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import Final

from bench.figures import Report
from tests.faults import loyalty_shop
from tests.faults.loyalty_shop import final
from tests.faults.racing import overlap, race

(REDEEMED,) = FIGURES = ("loyalty.stock_redeemed",)
SHOP: Final = "points-stock"
CUSTOMERS, STOCK, PRICE = 40, 15, 100
YES, NO = "yes", "OutOfStock"


def run(report: Report, sabotage: str) -> None:
    from crm.loyalty.rewards import service as rewards

    loyalty_shop.found(SHOP)
    now = datetime.now(UTC)
    people = [f"cus_{number}" for number in range(CUSTOMERS)]
    for customer_id in people:
        loyalty_shop.customer(SHOP, customer_id, now=now)
        loyalty_shop.give(SHOP, customer_id, PRICE, now=now)
    reward_id = loyalty_shop.reward(SHOP, PRICE, now=now, stock=STOCK)
    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    made: list[int] = []

    def redeem(customer_id: str) -> str:
        key = {"actor": loyalty_shop.staff(), "idempotency_key": "mine", "now": now}
        answer, attempts = final(lambda: rewards.redeem(SHOP, customer_id, reward_id, **key))
        made.append(attempts)
        return answer if isinstance(answer, str) else YES

    attempts = race([partial(redeem, customer_id) for customer_id in people])
    told, most = Counter(attempt.outcome for attempt in attempts), overlap(attempts)
    winners = [who for who, attempt in zip(people, attempts, strict=True) if attempt.outcome == YES]
    left = rewards.get(SHOP, reward_id)[1].left
    print(f"{dict(told)} in {sum(made)} attempts, {max(made)} of one at most; {most} at work at one moment; "
          f"{left} pieces left", flush=True)  # fmt: skip
    wrong = [who for who in people if not _is_right(who, has_one=who in winners)]
    is_right = not wrong and left == STOCK - told[YES] and set(told) == {YES, NO}
    report.tell(REDEEMED, told[YES] if is_right and most >= CUSTOMERS // 8 else float("nan"), n=CUSTOMERS)


def _is_right(customer_id: str, *, has_one: bool) -> bool:
    """A voucher and no points, or the points and no voucher."""
    from crm.loyalty import service as loyalty
    from crm.loyalty.rewards import service as rewards

    redemptions = rewards.list_redemptions(SHOP, customer_id, before=None, limit=5)
    account = loyalty.account(SHOP, customer_id)
    assert account is not None
    found = [bool(one.code) for one in redemptions], int(account.available), int(account.held)
    expected = ([True], 0, 0) if has_one else ([], PRICE, 0)
    if found != expected:
        print(f"{customer_id}: {expected} expected, {found} found", flush=True)
    return found == expected and loyalty_shop.is_sound(SHOP, customer_id)
