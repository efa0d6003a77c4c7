# tests/faults/loyalty_claim_meetings.py
"""What may meet where points were forgiven because they were spent, and where one customer was merged into another."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from msgspec.structs import replace

from crm.customers.service import Customer
from crm.kernel.change import Change, retrying
from crm.loyalty import absorbing, service
from crm.loyalty.earning.definitions import Caps, Earning, Kind, Rule
from crm.loyalty.programme import Programme, Shortfall
from crm.loyalty.tiers.definitions import Tier, Tiers
from tests.faults.loyalty_meetings import ANN, BEA, BEGUN, CAMPAIGN, PROGRAMME, Move, Moves, Situation
from tests.faults.loyalty_shop import CURRENCY, ZONE

FORGIVING: Final = Programme(
    CURRENCY, ZONE, shortfall=Shortfall.WITHIN_BALANCE,
    earning=Earning((CAMPAIGN, Rule("always", "Always", Kind.FIXED, Decimal(5)))),
)  # fmt: skip
ONCE: Final = replace(CAMPAIGN, caps=Caps(per_customer=40))
"""One order has most of it, and whoever has another only what is left, whose ever it is."""
MERGING: Final = replace(PROGRAMME, tiers=Tiers(all=(Tier("silver", "Silver", 100),)), earning=Earning((ONCE,)))


class MergeMoves:
    def __init__(self, shop: str) -> None:
        self._shop, self._now = shop, BEGUN

    def profile(self, customer_id: str, merged_into: str | None = None) -> Move:
        def write() -> None:
            change, item = Change(self._now), Customer.of(self._shop, customer_id, now=self._now)
            item.merged_into = merged_into
            change.revise(item)
            change.commit()

        return write

    def absorb(self) -> Move:
        return lambda: service.absorb(self._shop, BEA, ANN, cause="merge:m1", now=self._now)

    def mark(self, absorbed: str, survivor: str) -> Move:
        """The first that a merge does. Nothing follows: of two that lead into each other it would never end."""
        marked = partial(absorbing._mark, self._shop, absorbed, survivor, cause=f"merge:{absorbed}", now=self._now)
        return lambda: retrying(marked)


def situations(shop: str) -> list[Situation]:
    at, later, merging = Moves(shop, BEGUN), Moves(shop, BEGUN + timedelta(hours=96)), MergeMoves(shop)
    forgiven = [at.order("o1"), at.hold(60, "h1"), at.hold(30, "h2"), at.order("o1", 2, refunded=10_000)]
    coming_back = {
        "release": at.release("h1"), "capture": at.capture("h1", 10), "release too": at.release("h2"),
        "no news": at.order("o1", 7, refunded=10_000), "edit up": at.order("o1", 3, gross=10_000, refunded=5_000),
        "order": at.order("o2", gross=3_000), "paid with it": at.order("o3", gross=3_000, spent=10),
        "give": at.adjust(40, "b"),
    }  # fmt: skip
    two = [
        merging.profile(ANN), merging.profile(BEA, ANN), at.adjust(50), at.adjust(70, customer=BEA),
        at.order("o1", customer=BEA),
    ]  # fmt: skip
    merged = {
        "absorb": merging.absorb(), "give": at.adjust(40, "b"), "take": at.adjust(-20, "c"),
        "give to who is gone": at.adjust(30, "d", customer=BEA), "order": at.order("o2", gross=12_000),
        "order of who is gone": at.order("o3", gross=12_000, customer=BEA),
        "refund": at.order("o1", 2, refunded=5_000, customer=BEA),
    }  # fmt: skip
    spends = [merging.profile(ANN), merging.profile(BEA, ANN), at.order("o1", customer=BEA), merging.absorb()]
    survivor_pays = {
        "refund of who is gone": at.order("o1", 2, refunded=10_000, customer=BEA), "take": at.adjust(-100, "c"),
        "give": at.adjust(40, "b"), "hold": at.hold(60, "h1"),
        "order of who is gone": at.order("o3", gross=3_000, spent=10, customer=BEA), "absorb": merging.absorb(),
    }  # fmt: skip
    return [
        Situation("forgiven", forgiven, coming_back, programme=FORGIVING),
        Situation("merging", two, merged, programme=MERGING, then=[merging.absorb()]),
        Situation(
            "merged, and mature", [*two, merging.absorb()], {**merged, "settle": later.settle()}, programme=MERGING,
            then=[merging.absorb(), later.settle()],
        ),
        Situation(
            "each into the other", two,
            {"bea into ann": merging.mark(BEA, ANN), "ann into bea": merging.mark(ANN, BEA)}, programme=MERGING,
        ),
        Situation("merged, and refunded", spends, survivor_pays, programme=FORGIVING, then=[merging.absorb()]),
    ]  # fmt: skip
