# crm/loyalty/previewing.py
"""What a cart would earn, if it were ordered now. Nothing is held for it: a budget may be empty by then."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from crm.customers.service import SegmentsHead, Snapshot, segments_before
from crm.kernel import ids
from crm.kernel.errors import Fault
from crm.kernel.money import is_currency
from crm.kernel.table import whose
from crm.loyalty import repository
from crm.loyalty.bonuses.eligibility import is_member
from crm.loyalty.earning import granting
from crm.loyalty.earning.granting import Basket, Context, Earned, Line
from crm.loyalty.earning.limits import Limits
from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.programme import Withheld
from crm.loyalty.programmes import in_force
from crm.loyalty.programmes.versions import Version
from crm.loyalty.tiers import reading as tiers
from crm.orders.service import Statistics

MOST_LINES: Final = 500
MOST_MINOR: Final = 10**15
MOST_UNITS: Final = 10**6
LONGEST_WORD: Final = 200


class CartLine(Struct, frozen=True):
    """As an order line: amounts are minor units, `discount` that of the whole line."""

    sku: str
    quantity: int
    unit_price: int
    discount: int = 0
    category: str | None = None
    tags: frozenset[str] = frozenset()
    gift_card: bool = False

    @property
    def net(self) -> int:
        return max(0, self.quantity * self.unit_price - self.discount)


class Cart(Struct, frozen=True):
    """`points_spent`: points that are to pay for it. `total`: what all of it costs, with taxes and shipping; None: what
    its lines do.
    """

    currency: str
    lines: Sequence[CartLine]
    channel: str | None = None
    points_spent: int = 0
    total: int | None = None

    @property
    def price(self) -> int:
        return sum(line.net for line in self.lines)


class Previewed(Struct, frozen=True):
    """What it would earn, by which version of the programme."""

    earned: Earned
    names: dict[str, str]
    version: int


def preview(shop: str, cart: Cart, snapshot: Snapshot | None, *, now: datetime) -> Previewed:
    """By the programme that counts now, in the context that the customer whose `snapshot` it is would order in; without
    one, as somebody of whom nothing is known. Caps and budgets count as they are now. Raises NotFound for an unknown
    shop.
    """
    account = snapshot.head(LoyaltyAccount) if snapshot else None
    tier = tiers.had_before(shop, snapshot.customer_id, account, now, now=now) if snapshot and account else None
    return by(in_force.version(shop, at=now, now=now), shop, cart, snapshot, tier=tier, now=now)


def by(
    version: Version, shop: str, cart: Cart, snapshot: Snapshot | None, *, tier: str | None, now: datetime
) -> Previewed:
    """As `preview`, by a version that need not count, nor be stored, for somebody who has that tier."""
    programme = version.programme
    goods = tuple(_line(line) for line in cart.lines if not line.gift_card)
    basket = Basket(cart.currency, goods, cart.channel, total=cart.price if cart.total is None else cart.total)
    account = snapshot.head(LoyaltyAccount) if snapshot else None
    context = _context(snapshot, tier, now)
    customer_id = snapshot.customer_id if snapshot else ids.new_id("cus", now)
    survivors = [whose(each.pk)[1] for each in repository.list_survivors(shop, account)] if account else []
    limits = Limits(shop, customer_id, customer_id, programme, placed_at=now, given=(), drawn=(), survivors=survivors)
    if not is_member(programme, account.enrolled_at if account else None, at=now):
        return Previewed(Earned(0, Withheld.NOT_ENROLLED), {}, version.number)
    rooms = limits.with_budgets(granting.most(programme, basket, context, points_spent=cart.points_spent))
    earned = granting.earned(programme, basket, context, points_spent=cart.points_spent, rooms=rooms)
    return Previewed(earned, {rule.id: rule.name for rule in programme.earning.rules}, version.number)


def faults(cart: Cart) -> list[Fault]:
    """What is wrong with a cart, at paths below it. Pure."""
    found = []
    if not is_currency(cart.currency):
        found.append(Fault("currency_code", "INVALID", "must be an ISO 4217 currency such as EUR"))
    if not 0 <= cart.points_spent <= MOST_MINOR:
        found.append(Fault("points_spent", "INVALID", "must be 0 or more"))
    if cart.total is not None and not cart.price <= cart.total <= MOST_MINOR:
        found.append(Fault("total", "INVALID", "must be what its lines cost, or more"))
    if not 1 <= len(cart.lines) <= MOST_LINES:
        found.append(Fault("lines", "INVALID", f"must be 1 to {MOST_LINES}"))
    for at, line in enumerate(cart.lines[:MOST_LINES]):
        if not 1 <= line.quantity <= MOST_UNITS:
            found.append(Fault(f"lines.{at}.quantity", "INVALID", f"must be 1 to {MOST_UNITS:,}"))
        for name, amount in (("unit_price", line.unit_price), ("discount", line.discount)):
            if not 0 <= amount <= MOST_MINOR:
                found.append(Fault(f"lines.{at}.{name}", "INVALID", "must be 0 or more"))
    return found


def _line(line: CartLine) -> Line:
    return Line(line.net, line.quantity, line.category, line.sku, line.tags)


def _context(snapshot: Snapshot | None, tier: str | None, now: datetime) -> Context:
    if snapshot is None:
        return Context(now, first=True)
    statistics, segments = snapshot.head(Statistics), snapshot.head(SegmentsHead)
    return Context(
        now,
        first=statistics is None or not statistics.recorded_count,
        tier=tier,
        segments=tuple(segments_before(segments, now)),
    )
