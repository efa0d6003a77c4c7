# schema/loyalty/reward_inputs.py
"""What is said of rewards, and asked of them."""

from datetime import datetime
from typing import Any, Final

import strawberry

from crm.kernel.errors import Fault, InvalidInput
from crm.kernel.money import Money, is_currency
from crm.kernel.operations import key_faults
from crm.loyalty.rewards import service
from schema.forms import said
from schema.loyalty.names import keys
from schema.loyalty.owners import KEY, WHOSE, owner_faults
from schema.loyalty.reward_words import RewardPeriod
from schema.loyalty.rewards import RewardKind
from schema.node import id_faults
from schema.principal import Principal
from schema.scalars import CurrencyCode, DecimalText, Points

NAME: Final = "What people call it: one line, and another than every other reward's that is not archived."
DESCRIPTION: Final = "What it is, in the shop's words; 2,000 characters at most."
PRICE: Final = "What it costs; at least 1."
AMOUNT: Final = "Of a `DISCOUNT` that is money: how much, in the programme's currency."
PERCENT: Final = "Of a `DISCOUNT` that is a share: more than 0, 100 at most, two decimals."
SKU: Final = "Of a `PRODUCT`: which article, as the shop calls it."
STOCK: Final = "How many there are in all, those that were taken too: as many at least. Null: any number."
LIMIT: Final = "How often one customer may redeem it; null: as often as they like."
SEGMENTS: Final = "Whoever is in one of these may redeem it, by `id`; none: everybody."
TIERS: Final = "Whoever has one of these may redeem it, by `id`; none: everybody."
VALID_FROM: Final = "The first instant at which it can be redeemed; null: from now on."
VALID_UNTIL: Final = (
    "The first instant at which it cannot be redeemed any more, of a new one still to come; null: without end."
)
VOUCHER_DAYS: Final = "To the end of which day after that of redeeming it a voucher can be used; null: without end."
EXPECTED: Final = "Refuse where the stored version is another."


@strawberry.input(description="An amount of money.")
class RewardAmountInput:
    amount: DecimalText = strawberry.field(description="In whole units, no finer than the currency.")
    currency_code: CurrencyCode = strawberry.field(description="The currency.")


@strawberry.input(description="How often one customer may redeem a reward.")
class RewardLimitInput:
    count: int = strawberry.field(description="So often.")
    period: RewardPeriod = strawberry.field(
        default=RewardPeriod.EVER, description="In each such period of the programme's zone; weeks begin on Monday."
    )


@strawberry.input(description="What is said of a reward: what is left out stays, or is as of a new one.")
class RewardDraftInput:
    name: strawberry.Maybe[str] = strawberry.field(description=NAME)
    kind: strawberry.Maybe[RewardKind] = strawberry.field(description="What it is.")
    price: strawberry.Maybe[Points] = strawberry.field(description=PRICE)
    description: strawberry.Maybe[str | None] = strawberry.field(description=DESCRIPTION)
    amount: strawberry.Maybe[RewardAmountInput | None] = strawberry.field(description=AMOUNT)
    percent: strawberry.Maybe[DecimalText | None] = strawberry.field(description=PERCENT)
    sku: strawberry.Maybe[str | None] = strawberry.field(description=SKU)
    stock: strawberry.Maybe[int | None] = strawberry.field(description=STOCK)
    limit: strawberry.Maybe[RewardLimitInput | None] = strawberry.field(description=LIMIT)
    segments: strawberry.Maybe[list[strawberry.ID]] = strawberry.field(description=SEGMENTS)
    tiers: strawberry.Maybe[list[strawberry.ID]] = strawberry.field(description=TIERS)
    valid_from: strawberry.Maybe[datetime | None] = strawberry.field(description=VALID_FROM)
    valid_until: strawberry.Maybe[datetime | None] = strawberry.field(description=VALID_UNTIL)
    voucher_days: strawberry.Maybe[int | None] = strawberry.field(description=VOUCHER_DAYS)

    def fields(self) -> service.RewardFields:
        """Raises InvalidInput for an amount that is none."""
        return service.RewardFields(
            **{name: _meant(name, value) for name, value in said(self).items() if name in FIELDS}
        )


FIELDS: Final = frozenset(service.RewardFields.__struct_fields__)


@strawberry.input(description="A new reward.")
class LoyaltyRewardCreateInput:
    name: str = strawberry.field(description=NAME)
    kind: RewardKind = strawberry.field(description="What it is.")
    price: Points = strawberry.field(description=PRICE)
    description: str | None = strawberry.field(default=None, description=DESCRIPTION)
    amount: RewardAmountInput | None = strawberry.field(default=None, description=AMOUNT)
    percent: DecimalText | None = strawberry.field(default=None, description=PERCENT)
    sku: str | None = strawberry.field(default=None, description=SKU)
    stock: int | None = strawberry.field(default=None, description=STOCK)
    limit: RewardLimitInput | None = strawberry.field(default=None, description=LIMIT)
    segments: list[strawberry.ID] = strawberry.field(default_factory=list, description=SEGMENTS)
    tiers: list[strawberry.ID] = strawberry.field(default_factory=list, description=TIERS)
    valid_from: datetime | None = strawberry.field(default=None, description=VALID_FROM)
    valid_until: datetime | None = strawberry.field(default=None, description=VALID_UNTIL)
    voucher_days: int | None = strawberry.field(default=None, description=VOUCHER_DAYS)

    def fields(self) -> service.RewardFields:
        return service.RewardFields(**{name: _meant(name, getattr(self, name)) for name in FIELDS})

    def faults(self, _asker: Principal, now: datetime) -> list[Fault]:
        said, wrong = _judged({name: getattr(self, name) for name in FIELDS})
        return [*wrong, *service.faults_of_new(said, now=now, but={fault.path for fault in wrong})]


@strawberry.input(description="What changes about a reward: what is left out stays.")
class LoyaltyRewardUpdateInput(RewardDraftInput):
    id: strawberry.ID = strawberry.field(description="Which reward.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        fields, wrong = _judged({name: value for name, value in said(self).items() if name in FIELDS})
        return [*id_faults(self.id), *wrong, *service.faults_of_update(fields)]


@strawberry.input(description="A reward that nobody is to redeem any more.")
class LoyaltyRewardArchiveInput:
    id: strawberry.ID = strawberry.field(description="Which reward.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return id_faults(self.id)


@strawberry.input(description="A reward that a customer redeems.")
class LoyaltyRewardRedeemInput:
    customer: strawberry.ID | None = strawberry.field(default=None, description=WHOSE)
    reward_id: str = strawberry.field(description="Which, by `rewardId`.")
    expected_points: Points | None = strawberry.field(
        default=None, description="What its customer was shown that it costs: refuse where that is not so any more."
    )
    idempotency_key: str = strawberry.field(description=KEY)

    def faults(self, asker: Principal, _now: datetime) -> list[Fault]:
        return [
            *owner_faults(self.customer, asker),
            *key_faults(self.idempotency_key),
        ]


@strawberry.input(description="A redemption that is to be taken back.")
class LoyaltyRedemptionCancelInput:
    redemption: strawberry.ID = strawberry.field(
        description="Which, by `id`. It can be cancelled once: asking again tells what was done."
    )

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return id_faults(self.redemption, "redemption")


@strawberry.input(description="A voucher that is used at a checkout or a till.")
class LoyaltyVoucherUseInput:
    code: str = strawberry.field(description="Its code, however it is typed.")
    order_id: str | None = strawberry.field(
        default=None,
        description="The shop's own id of the order it is for, which need not be known yet. Where none is said, the "
        "order that names the code as its coupon is the one.",
    )
    idempotency_key: str = strawberry.field(description="Repeat it to retry safely; it is the voucher's for good.")

    def faults(self, _asker: Principal, _now: datetime) -> list[Fault]:
        return service.faults_of_use(self.order_id, self.idempotency_key)


def _judged(given: dict[str, Any]) -> tuple[service.RewardFields, list[Fault]]:
    """What is said, without what means nothing, and what that is."""
    said, wrong = {}, []
    for name, value in given.items():
        try:
            said[name] = _meant(name, value)
        except InvalidInput as error:
            wrong += [Fault(error.field or name, "INVALID", str(error))]
    return service.RewardFields(**said), wrong


def _meant(name: str, value: Any) -> Any:
    match value:
        case RewardAmountInput():
            part = "amount" if is_currency(value.currency_code) else "currency_code"
            return Money.parse(format(value.amount, "f"), value.currency_code, field=f"{name}.{part}")
        case RewardLimitInput():
            return service.Limit(value.count, service.Period(str(value.period.value)))
        case RewardKind():
            return service.RewardKind(str(value.value))
        case list() if name == "segments":
            return keys("Segment", value)
        case list() if name == "tiers":
            return keys("LoyaltyTier", value)
    return value
