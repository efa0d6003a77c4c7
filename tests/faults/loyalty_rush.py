# tests/faults/loyalty_rush.py
"""Too many for too few points, and too many with one key: each asks until somebody says yes or no."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from bench.figures import Report
from tests.faults import loyalty_shop
from tests.faults.loyalty_shop import final
from tests.faults.racing import overlap, race

SUCCEEDING, EFFECTS, ANSWERS, REUSED = FIGURES = (
    "loyalty.redeemers_succeeding",
    "loyalty.key_effects_wrong",
    "loyalty.key_answers_differing",
    "loyalty.keys_reused",
)
SHOP: Final = "points-rush"
REDEEMERS, PRICE, POINTS = 64, 10, 300
KEYS, CALLERS, AT_ONCE, ACCOUNTS = 500, 8, 8, 25
MOST: Final = 7
"""Points of one call."""
GIVEN: Final = 100_000
MINE: Final = "cus_rush"
YES, NO, OTHERWISE = "yes", "no", "something else"


class Asked(NamedTuple):
    """One of the calls with a key: what it says, and with which other body it is tried afterwards."""

    customer_id: str
    call: Callable[..., Any]
    points: int


def run(report: Report, sabotage: str) -> None:
    loyalty_shop.found(SHOP)
    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    if report.wants(SUCCEEDING):
        _redeem(report)
    if report.wants(EFFECTS, ANSWERS, REUSED):
        _repeat(report)


def _redeem(report: Report) -> None:
    from crm.loyalty import service as loyalty
    from crm.loyalty.rewards import service as rewards

    now = datetime.now(UTC)
    loyalty_shop.customer(SHOP, MINE, now=now)
    loyalty_shop.give(SHOP, MINE, POINTS, now=now)
    reward_id = loyalty_shop.reward(SHOP, PRICE, now=now)
    made: list[int] = []

    def redeem(number: int) -> str:
        key = {"actor": loyalty_shop.staff(), "idempotency_key": f"r{number}", "now": now}
        answer, attempts = final(lambda: rewards.redeem(SHOP, MINE, reward_id, **key))
        made.append(attempts)
        return answer if isinstance(answer, str) else YES

    attempts = race([partial(redeem, number) for number in range(REDEEMERS)])
    outcomes, most = Counter(attempt.outcome for attempt in attempts), overlap(attempts)
    left = loyalty.balances_at(SHOP, MINE, now=now)
    print(f"{dict(outcomes)} in {sum(made)} attempts, {max(made)} of one at most; {most} at work at one moment; "
          f"{left.available} points left", flush=True)  # fmt: skip
    given = loyalty_shop.vouchers(SHOP, MINE)
    is_right = left.available == POINTS - PRICE * outcomes[YES] and left.held == 0 and len(given) == outcomes[YES]
    is_right = loyalty_shop.is_sound(SHOP, MINE) and is_right
    tried = most >= REDEEMERS // 8 and set(outcomes) == {YES, "InsufficientPoints"}
    report.tell(SUCCEEDING, outcomes[YES] if is_right and tried else float("nan"), n=REDEEMERS)


def _repeat(report: Report) -> None:
    """Several keys at a time, so that one account's keys are in each other's way, too."""
    now = datetime.now(UTC)
    count = KEYS // 10 if report.quick else KEYS
    for number in range(ACCOUNTS):
        loyalty_shop.customer(SHOP, f"cus_key{number}", now=now)
        loyalty_shop.give(SHOP, f"cus_key{number}", GIVEN, now=now)
    prices = [loyalty_shop.reward(SHOP, price, now=now) for price in range(1, MOST + 2)]
    asked = {f"k{number}": _asked(number, prices, now) for number in range(count)}
    answers: dict[str, list[Any]] = {key: [] for key in asked}
    made: list[int] = []

    def ask(key: str) -> str:
        answer, attempts = final(partial(asked[key].call, asked[key].points, key=key))
        made.append(attempts)
        answers[key].append(answer)
        return YES

    most = 0
    for start in range(0, count, AT_ONCE):
        keys = list(asked)[start : start + AT_ONCE]
        most = max(most, overlap(race([partial(ask, key) for key in keys for _ in range(CALLERS)])))
    print(f"{count} keys, {CALLERS} callers each: {sum(map(len, answers.values()))} answers in {sum(made)} attempts; "
          f"{most} at work at one moment", flush=True)  # fmt: skip
    accounts = sorted({each.customer_id for each in asked.values()})
    wrong = sum(_effects_wrong(customer_id, list(asked.values())) for customer_id in accounts)
    differing = sum(map(_differing, answers.values()))
    told = {EFFECTS: (wrong, count), ANSWERS: (differing, count * CALLERS), REUSED: (_reused(asked), count)}
    for figure, (value, n) in told.items():
        if report.wants(figure):
            report.tell(figure, value if most >= CALLERS else float("nan"), n=n)


def _asked(number: int, prices: list[str], now: datetime) -> Asked:
    """Gifts, debits, redemptions and holds, in turn. `prices`: the rewards that cost 1 point, 2 points, and so on."""
    from crm.loyalty import service as loyalty
    from crm.loyalty.rewards import service as rewards

    customer_id = f"cus_key{number // 2 % ACCOUNTS}"
    who = {"actor": loyalty_shop.staff(), "now": now}

    def move(points: int, *, key: str) -> Any:
        match number % 4:
            case 0:
                return loyalty.adjust(SHOP, customer_id, points, reason="A gift", idempotency_key=key, **who)
            case 1:
                return loyalty.adjust(SHOP, customer_id, -points, reason="A slip", idempotency_key=key, **who)
            case 2:
                return rewards.redeem(SHOP, customer_id, prices[points - 1], idempotency_key=key, **who)
            case _:
                return loyalty.hold(
                    SHOP, customer_id, points, lasts=timedelta(days=1), idempotency_key=key, **who
                )  # fmt: skip

    return Asked(customer_id, move, 1 + number % MOST)


def _effects_wrong(customer_id: str, asked: list[Asked]) -> int:
    """Effects too many or too few of an account; 1 more where its ledger, or what it comes to, is not right."""
    from crm.loyalty import service as loyalty

    mine = [(number % 4, each.points) for number, each in enumerate(asked) if each.customer_id == customer_id]
    account = loyalty.account(SHOP, customer_id)
    assert account is not None
    held = sum(points for kind, points in mine if kind == 3)
    given = sum(points if kind == 0 else -points for kind, points in mine)
    is_right = (int(account.available), int(account.held)) == (GIVEN + given, held)
    is_right = loyalty_shop.is_sound(SHOP, customer_id) and is_right
    redeemed = [points for kind, points in mine if kind == 2]
    effects, given_for = int(account.number) - 1, loyalty_shop.vouchers(SHOP, customer_id)
    entries = len(mine) + len(redeemed)  # a redemption is two: a hold, and its capture
    return abs(effects - entries) + int(not is_right or sorted(given_for) != sorted(redeemed))


def _differing(answers: list[Any]) -> int:
    """Those that are not the first's, but for `replayed`, which one of them denies."""
    said = [_said(answer) for answer in answers]
    first = sum(not _replayed(answer) for answer in answers)
    others: list[bool] = [each != said[0] for each in said]
    return sum(others) + abs(first - 1) + (CALLERS - len(said))


def _said(answer: Any) -> Any:
    from crm.loyalty import stored

    if isinstance(answer, str):
        return answer
    if redemption := getattr(answer, "redemption", None):
        return redemption.redemption_id, redemption.status, redemption.code, int(redemption.points)
    item = getattr(answer, "given", answer).entry
    hold = getattr(answer, "hold", None)
    held = hold and (hold.hold_id, hold.status, int(hold.points), hold.ends_at)
    return stored.entry_of(item), int(item.points), int(item.balance_after), held


def _replayed(answer: Any) -> bool:
    return isinstance(answer, str) or bool(getattr(answer, "given", answer).replayed)


def _reused(asked: dict[str, Asked]) -> int:
    """Another body with a key that was used: those that were not refused for it."""

    def ask(key: str) -> bool:
        answer, _ = final(partial(asked[key].call, asked[key].points + 1, key=key))
        return bool(answer == "KeyReused")

    with ThreadPoolExecutor(CALLERS) as callers:
        return sum(not refused for refused in callers.map(ask, asked))
