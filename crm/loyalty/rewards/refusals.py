# crm/loyalty/rewards/refusals.py
"""Why a reward is not redeemed, or a voucher not used."""

from collections.abc import Sequence
from datetime import datetime

from crm.kernel.errors import CrmError


class TooManyRewards(CrmError):
    """The shop has as many rewards that are not archived as it may."""

    code = "TOO_MANY_REWARDS"

    def __init__(self, most: int) -> None:
        super().__init__(f"A shop has at most {most} rewards that are not archived.")


class NotEligible(CrmError):
    """The reward is not for this customer, or not now: `reasons` says all that stands against it."""

    code = "NOT_ELIGIBLE"

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"The customer may not redeem it: {', '.join(reasons)}.", field="reward_id")
        self.reasons = tuple(reasons)


class PriceChanged(CrmError):
    """The reward costs something else than who redeems it was told: `points`."""

    code = "PRICE_CHANGED"

    def __init__(self, points: int) -> None:
        super().__init__(f"It costs {points:,} points now.", field="expected_points")
        self.points = points


class LimitReached(CrmError):
    """The customer has redeemed the reward as often as they may in a period; None: again at no time."""

    code = "LIMIT_REACHED"

    def __init__(self, *, limit: int, period: str, again_at: datetime | None) -> None:
        super().__init__("The customer has redeemed it as often as they may.", field="reward_id")
        self.limit = limit
        self.period = period
        self.again_at = again_at


class OutOfStock(CrmError):
    """None of the reward is left."""

    code = "OUT_OF_STOCK"


class RedemptionClosed(CrmError):
    """The redemption was not finished in time: its points, its use and its piece of the stock went back."""

    code = "REDEMPTION_CLOSED"


class VoucherUsed(CrmError):
    """The voucher was used before."""

    code = "VOUCHER_USED"


class VoucherVoid(CrmError):
    """The redemption was cancelled, or the last day of its voucher is over."""

    code = "VOUCHER_VOID"
