# tests/faults/loyalty_meetings.py
"""What may meet: movements of an account, and of one that is not there yet, at several moments."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from crm.kernel.timers import Timer, TimerDue
from crm.loyalty import holding, maturing, moving, orders, transferring
from crm.loyalty.bonuses.definitions import Bonuses
from crm.loyalty.earning.definitions import Earning, Kind, Rule
from crm.loyalty.expiry import Expiry
from crm.loyalty.posting import OWNER, SUBJECT
from crm.loyalty.programme import Programme
from tests.faults.loyalty_book import order_told
from tests.faults.loyalty_shop import CURRENCY, ZONE, staff

BEGUN: Final = datetime(2026, 3, 10, 12, tzinfo=UTC)
ANN, BEA = "cus_ann", "cus_bea"
CAMPAIGN: Final = Rule("campaign", "A campaign", Kind.FIXED, Decimal(30), budget=80)
"""Two orders have the whole of it, and a third what is left."""
PROGRAMME: Final = Programme(
    CURRENCY, ZONE, return_window_days=3, expiry=Expiry(1), bonuses=Bonuses(signup=25), earning=Earning((CAMPAIGN,))
)  # fmt: skip
TIMELY: Final = (
    "give", "take", "reverse", "hold", "capture", "release", "order of a hold", "refund", "transfer", "settle",
)  # fmt: skip
"""What settles first whatever time has brought."""
Move = Callable[[], Any]


@dataclass(frozen=True)
class Situation:
    """`prepare` is done first; then any of `moves` may meet, while `programme` is in force; `then` is what time does
    sooner or later, whoever moved what.
    """

    name: str
    prepare: Sequence[Move]
    moves: Mapping[str, Move]
    is_quick: bool = False
    programme: Programme = PROGRAMME
    then: Sequence[Move] = ()


class Moves:
    """Of customers of one shop, at one moment."""

    def __init__(self, shop: str, now: datetime) -> None:
        self._shop, self._now = shop, now
        self._who: dict[str, Any] = {"actor": staff(), "now": now}

    def adjust(self, points: int, key: str = "a", customer: str = ANN) -> Move:
        return lambda: moving.adjust(
            self._shop, customer, points, reason="A slip", idempotency_key=key, **self._who
        )  # fmt: skip

    def reverse(self, key: str) -> Move:
        cause = f"hold:{moving.identity('hld', ANN, key)}:capture"
        return lambda: moving.reverse(self._shop, ANN, cause, reason="Sold out", **self._who)

    def hold(self, points: int, key: str, order_id: str | None = None) -> Move:
        return lambda: holding.hold(
            self._shop, ANN, points, lasts=timedelta(hours=1), order_id=order_id, idempotency_key=key, **self._who
        )

    def capture(self, key: str, points: int | None = None) -> Move:
        return lambda: holding.capture(self._shop, ANN, moving.identity("hld", ANN, key), points=points, **self._who)

    def release(self, key: str) -> Move:
        return lambda: holding.release(self._shop, ANN, moving.identity("hld", ANN, key), **self._who)

    def order(
        self, order_id: str, rev: int = 1, *, refunded: int = 0, spent: int = 0, gross: int = 10_000,
        customer: str = ANN, coupon: Callable[[], str | None] = lambda: None,
    ) -> Move:  # fmt: skip
        def tell() -> Any:
            told = order_told(
                self._shop, customer, order_id, rev=rev, gross=gross, refunded=refunded, points_spent=spent,
                placed_at=BEGUN, at=BEGUN, coupon=coupon(),
            )  # fmt: skip
            return orders.post_for_order(told, now=self._now)

        return tell

    def recorded(self, order_id: str, rev: int) -> Move:
        """Its next revision is stored, and not told of yet."""
        return lambda: order_told(
            self._shop, ANN, order_id, rev=rev, gross=10_000, refunded=0, points_spent=0, placed_at=BEGUN, at=BEGUN
        )

    def transfer(self, one: str, other: str) -> Move:
        return lambda: transferring.transfer(self._shop, one, other, cause=f"merge:{one}", now=self._now)

    def settle(self) -> Move:
        def settle() -> None:
            """However much of it is left for whom."""
            maturing.settle(self._shop, ANN, now=self._now)

        return settle

    def wake(self) -> Move:
        due = TimerDue(self._shop, ANN, OWNER, SUBJECT, BEGUN)
        return lambda: len(maturing.wake(due, now=self._now))

    def timer(self) -> Move:
        """One that is left of somebody who is not there any more."""
        return lambda: Timer.of(self._shop, ANN, OWNER, SUBJECT, BEGUN).save()


def situations(shop: str) -> list[Situation]:
    first = Moves(shop, BEGUN)
    everything = [
        first.adjust(200), first.adjust(50, customer=BEA), first.hold(20, "before"), first.capture("before"),
        first.order("o1"), first.hold(30, "h1"), first.hold(10, "h2", "o2"), first.order("o4"),
        first.hold(10, "h4", "o4"), first.recorded("o4", 7),
    ]  # fmt: skip
    soon, later, late = (Moves(shop, BEGUN + timedelta(hours=hours)) for hours in (0, 96, 960))
    ends = datetime(2026, 4, 10, 22, tzinfo=UTC)
    before, behind, ahead = (Moves(shop, ends + timedelta(seconds=seconds)) for seconds in (-1800, -1, 1))
    clocks = {
        "settle, ahead": ahead.settle(), "settle, behind": behind.settle(),
        "release, behind": behind.release("h5"), "capture, behind": behind.capture("h5", 10),
        "take, behind": behind.adjust(-20, "t"), "reverse, behind": behind.reverse("before"),
        "order of a hold, void, behind": behind.order("o2", 2, refunded=10_000),
        "refund, behind": behind.order("o1", 2, refunded=5_000), "new order, behind": behind.order("o3", gross=3_000),
        "transfer, behind": behind.transfer(ANN, BEA),
    }  # fmt: skip
    matures = datetime(2026, 3, 13, 23, tzinfo=UTC)
    early, timely = (Moves(shop, matures + timedelta(seconds=seconds)) for seconds in (-1, 1))
    maturing_clocks = {
        "settle, ahead": timely.settle(), "no news, behind": early.order("o1", 7),
        "refund, behind": early.order("o1", 2, refunded=5_000), "give, behind": early.adjust(40, "b"),
    }  # fmt: skip
    nobody = {
        "give": first.adjust(50), "give again": first.adjust(50, "b"), "order": first.order("o1"),
        "order 2": first.order("o1", 2, refunded=5_000), "order of nothing": first.order("o1", 3, refunded=10_000),
        "wake": first.wake(), "take over": first.transfer(BEA, ANN),
    }  # fmt: skip
    return [
        Situation("with points", everything, _moves(soon), is_quick=True),
        Situation("nobody", [first.adjust(70, customer=BEA)], nobody, is_quick=True),
        Situation(
            "nobody, with a timer", [first.timer()], {"wake": first.wake(), "give": first.adjust(50)}, is_quick=True
        ),
        Situation("something is due", everything, _moves(later, TIMELY), then=[later.settle()]),
        Situation("all is past", everything, _moves(late, TIMELY), then=[late.settle()]),
        Situation("clocks differ as points mature", [*everything, early.settle()], maturing_clocks),
        Situation("clocks differ as points expire", [*everything, before.hold(30, "h5")], clocks),
    ]


def _moves(at: Moves, names: Iterable[str] | None = None) -> dict[str, Move]:
    every = {
        "give": at.adjust(40, "b"),
        "take": at.adjust(-150, "c"),
        "take too": at.adjust(-110, "d"),
        "reverse": at.reverse("before"),
        "hold": at.hold(130, "h3"),
        "capture": at.capture("h1", 25),
        "release": at.release("h1"),
        "capture for an order": at.capture("h2"),
        "capture for an order that came": at.capture("h4"),
        "no news of that": at.order("o4", 7, spent=0),
        "order of a hold": at.order("o2", spent=10),
        "order of a hold, void": at.order("o2", 2, refunded=10_000),
        "new order": at.order("o3", gross=3_000),
        "another's order": at.order("o9", gross=3_000, customer=BEA),
        "new order of nothing": at.order("o3", 2, gross=3_000, refunded=3_000),
        "refund": at.order("o1", 2, refunded=5_000),
        "no news": at.order("o1", 7),
        "transfer": at.transfer(ANN, BEA),
        "transfer back": at.transfer(BEA, ANN),
        "settle": at.settle(),
    }
    return every if names is None else {name: every[name] for name in names}
