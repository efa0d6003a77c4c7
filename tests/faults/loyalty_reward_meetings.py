# tests/faults/loyalty_reward_meetings.py
"""What may meet about rewards: redemptions of the last pieces, what ends them, and whoever defines them."""

from datetime import datetime, timedelta
from typing import Any

from crm.customers.service import Customer
from crm.customers.standing import BLOCKED, DELETED
from crm.kernel.change import Change, retrying
from crm.loyalty import maturing, moving, service
from crm.loyalty.posting import decided
from crm.loyalty.redemptions import repository as redemptions
from crm.loyalty.rewards import redeeming
from crm.loyalty.rewards import service as rewards
from crm.loyalty.rewards.limits import Limit
from crm.loyalty.rewards.models import RewardCatalogue
from crm.shops import service as shops
from tests.faults import loyalty_shop
from tests.faults.loyalty_meetings import ANN, BEA, BEGUN, Move, Moves, Situation
from tests.faults.loyalty_shop import staff

PRICE, PIECES = 50, 3
LATER = BEGUN + timedelta(minutes=20)
"""When what was interrupted is let go."""


class RewardMoves:
    def __init__(self, shop: str, now: datetime) -> None:
        self._shop, self._now = shop, now
        self._who: dict[str, Any] = {"actor": staff(), "now": now}

    def customer(self, customer_id: str) -> Move:
        return lambda: loyalty_shop.customer(self._shop, customer_id, now=self._now)

    def becomes(self, status: str) -> Move:
        """Staff say so."""

        def change() -> str:
            profile = Customer.get(Customer.of(self._shop, ANN, now=self._now).pk, "HEAD#PROFILE", consistent_read=True)
            written, profile.status = Change(self._now), status
            written.revise(profile)
            written.commit()
            return status

        return lambda: retrying(change)

    def create(self, name: str = "A mug") -> Move:
        said = rewards.RewardFields(
            name=name, kind=rewards.RewardKind.PRODUCT, price=PRICE, sku="mug", stock=PIECES, limit=Limit(9)
        )
        return lambda: rewards.create(self._shop, said, **self._who)

    def update(self, name: str, stock: int = PIECES) -> Move:
        said = rewards.RewardFields(name=name, stock=stock)
        return lambda: rewards.update(self._shop, self._reward(), said, **self._who)

    def archive(self) -> Move:
        return lambda: rewards.archive(self._shop, self._reward(), **self._who)

    def redeem(self, key: str, customer_id: str = ANN) -> Move:
        return lambda: rewards.redeem(
            self._shop, customer_id, self._reward(), idempotency_key=key, **self._who
        )  # fmt: skip

    def begin(self, key: str) -> Move:
        """A redemption that is interrupted."""

        def begin() -> None:
            asked = redeeming.Asked(
                self._shop, ANN, _id(key), self._reward(), str(staff()), themselves=False, expected_points=None
            )
            decided(lambda: redeeming._begin(asked, now=self._now))

        return begin

    def cancel(self, key: str, *, themselves: bool = False) -> Move:
        return lambda: rewards.cancel(self._shop, ANN, _id(key), themselves=themselves, **self._who)

    def use(self, key: str, by: str) -> Move:
        return lambda: rewards.use_voucher(self._shop, self._code(key), idempotency_key=by, **self._who)

    def order(self, order_id: str, key: str) -> Move:
        """One that names a voucher as its coupon."""
        return Moves(self._shop, self._now).order(order_id, coupon=lambda: self._code(key))

    def settle(self) -> Move:
        def settle() -> None:
            """However much of it is left for whom."""
            maturing.settle(self._shop, ANN, now=self._now)

        return settle

    def enrol(self) -> Move:
        return lambda: service.enroll(self._shop, ANN, **self._who).replayed

    def programme(self, grace_days: int) -> Move:
        said = service.ProgrammeFields(grace_days=grace_days)
        return lambda: service.update_programme(self._shop, said, **self._who).number

    def move(self, zone: str) -> Move:
        """The shop goes elsewhere."""
        return lambda: int(shops.update(self._shop, shops.ShopFields(zone=zone)).rev)

    def almost_all(self) -> Move:
        """There is room for one reward more."""

        def count() -> None:
            catalogue = RewardCatalogue.of(self._shop)
            catalogue.reward_count = rewards.MOST_REWARDS - 1
            catalogue.save()

        return count

    def _code(self, key: str) -> str:
        found = redemptions.get_redemption(self._shop, ANN, _id(key))
        return str(found.code) if found and found.code else "CDFG34679HJK"

    def _reward(self) -> str:
        return f"rwd_of_{BEGUN:%H%M}"


def situations(shop: str) -> list[Situation]:
    at, later = RewardMoves(shop, BEGUN), RewardMoves(shop, LATER)
    points = Moves(shop, BEGUN)
    prepare = [
        at.customer(ANN), at.customer(BEA), points.adjust(200), points.adjust(200, customer=BEA), at.create(),
        at.redeem("r"), at.begin("interrupted"),
    ]  # fmt: skip
    defining = {
        "create": at.create(), "rename": at.update("A cup"), "rename again": at.update("A glass"),
        "more": at.update("A", 9), "archive": at.archive(), "programme": at.programme(10),
        "programme too": at.programme(20), "move": at.move("Europe/London"), "another is a cup": later.create("A cup"),
    }  # fmt: skip
    newcomers = {
        "order": points.order("o1"), "another order": points.order("o2"), "take part": at.enrol(),
        "are blocked": at.becomes(BLOCKED), "give": points.adjust(50),
    }  # fmt: skip
    overdue = {
        "settle": later.settle(), "go on": later.redeem("interrupted"), "redeem": later.redeem("n"),
        "cancel what is interrupted": later.cancel("interrupted"),
    }  # fmt: skip
    vouchers = {
        "use": at.use("r", "u1"), "cancel": at.cancel("r"), "order with it": at.order("o1", "r"),
        "another order with it": at.order("o2", "r"), "are blocked": at.becomes(BLOCKED),
    }  # fmt: skip
    return [
        Situation("newcomers", [at.customer(ANN)], newcomers),
        Situation("rewards", prepare, _moves(at) | {"give": points.adjust(40, "b"), "take": points.adjust(-90, "s")}),
        Situation("rewards, later", prepare, overdue),
        Situation("vouchers", prepare, vouchers),
        Situation("the last piece", prepare, {"redeem": at.redeem("n"), "no more": at.update("A mug", 2)}),
        Situation("definitions", [at.create()], defining),
        Situation(
            "room for one reward", [at.almost_all()], {"create": at.create(), "create too": later.create("A cup")}
        ),
        Situation(
            "nothing is defined",
            [],
            {
                "create": at.create(),
                "create at once": at.create("A cup"),
                "create again": later.create(),
                "programme": at.programme(9),
                "move": at.move("UTC"),
            },
        ),
    ]


def _moves(at: RewardMoves) -> dict[str, Move]:
    return {
        "redeem": at.redeem("n"),
        "redeem too": at.redeem("m"),
        "another redeems": at.redeem("n", BEA),
        "go on": at.redeem("interrupted"),
        "cancel": at.cancel("r"),
        "cancel it themselves": at.cancel("r", themselves=True),
        "cancel what is interrupted": at.cancel("interrupted"),
        "use": at.use("r", "u1"),
        "use too": at.use("r", "u2"),
        "are blocked": at.becomes(BLOCKED),
        "are deleted": at.becomes(DELETED),
        "settle": at.settle(),
    }


def _id(key: str) -> str:
    return moving.identity("rdn", ANN, key)
