# crm/loyalty/rewards/reward.py
"""What can be redeemed for points, and what is wrong with a reward that nobody could redeem. Pure."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from msgspec import Struct, convert, to_builtins
from msgspec.structs import asdict

from crm.kernel import texts
from crm.kernel.errors import Fault
from crm.kernel.money import Money, is_currency
from crm.kernel.said import UNSAID, Said
from crm.loyalty.moving import MOST_POINTS
from crm.loyalty.rewards.limits import Limit

LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_SKU, LONGEST_ID = 200, 2_000, 200, 100
MOST_NAMED = 50
"""Segments, or tiers, of one reward."""
MOST_PIECES, MOST_MINOR = 10**9, 10**12
ALL = 100
LONGEST_VOUCHER = 3650


class RewardKind(StrEnum):
    DISCOUNT = "DISCOUNT"
    """Money, or a share, off an order: `amount` or `percent`."""
    PRODUCT = "PRODUCT"
    """An article of the shop: `sku`."""
    SHIPPING = "SHIPPING"
    """An order that is sent free of charge."""
    CUSTOM = "CUSTOM"
    """Whatever the description says."""


VALUES = {RewardKind.DISCOUNT: {"amount", "percent"}, RewardKind.PRODUCT: {"sku"}}
"""Which values a reward of a kind may have."""


class Reward(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`price` in points. `stock`: how many there are in all; None: any number. Who may redeem it: members of any of
    `segments` who are in any of `tiers`; none named: everybody. It may be redeemed from `valid_from` until just before
    `valid_until`, and its voucher be used to the end of the day so many `voucher_days` later; None: without end.
    """

    name: str
    kind: RewardKind
    price: int
    description: str | None = None
    amount: Money | None = None
    percent: Decimal | None = None
    sku: str | None = None
    stock: int | None = None
    limit: Limit | None = None
    segments: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    voucher_days: int | None = None

    @classmethod
    def read(cls, document: Any) -> Self:
        return convert(document, cls)

    def document(self) -> Any:
        """As it is stored."""
        return to_builtins(self)


class RewardFields(Said, frozen=True, kw_only=True):
    """What may be said of a reward; UNSAID leaves a field as it is, None clears it."""

    name: str | None = UNSAID
    kind: RewardKind | None = UNSAID
    price: int | None = UNSAID
    description: str | None = UNSAID
    amount: Money | None = UNSAID
    percent: Decimal | None = UNSAID
    sku: str | None = UNSAID
    stock: int | None = UNSAID
    limit: Limit | None = UNSAID
    segments: tuple[str, ...] | None = UNSAID
    tiers: tuple[str, ...] | None = UNSAID
    valid_from: datetime | None = UNSAID
    valid_until: datetime | None = UNSAID
    voucher_days: int | None = UNSAID

    @property
    def named_segments(self) -> tuple[str, ...]:
        return () if self.segments is UNSAID else self.segments or ()

    def given(self) -> dict[str, Any]:
        """Lists without repeats, and the name without spaces around it, in which no two should differ."""
        given = super().given()
        lists: dict[str, Any] = {
            name: tuple(dict.fromkeys(given[name] or ())) for name in ("segments", "tiers") if name in given
        }
        trimmed = {"name": given["name"].strip()} if given.get("name") else {}
        return {**given, **lists, **trimmed}


def understood(reward: Reward | None, said: RewardFields) -> tuple[Reward | None, list[Fault]]:
    """The reward as it is once that is said, and all that is wrong with it then. What another kind had is forgotten
    where the kind is said anew.
    """
    fields = asdict(reward) if reward else {}
    given = said.given()
    if reward and given.get("kind") not in {None, reward.kind}:
        fields |= dict.fromkeys({"amount", "percent", "sku"} - VALUES.get(given["kind"], set()))
    fields |= given
    missing = [Fault(name, "REQUIRED", "is required") for name in ("name", "kind", "price") if fields.get(name) is None]
    wrong = [*missing, *_faults(fields)]
    return (None if wrong else Reward(**fields)), wrong


def faults(said: RewardFields) -> list[Fault]:
    """What is wrong with what is said of a reward, whatever is stored of it."""
    return list(_faults({name: value for name, value in said.given().items() if name != "kind"}))


def _faults(fields: dict[str, Any]) -> Iterator[Fault]:
    if (name := fields.get("name")) is not None:
        yield from texts.line_faults("name", name, longest=LONGEST_NAME)
    if (description := fields.get("description")) is not None:
        yield from texts.faults("description", description, longest=LONGEST_DESCRIPTION)
    yield from _numbers(fields)
    yield from _values(fields)
    if (kind := fields.get("kind")) is not None:
        yield from _unfit(kind, fields)
    for name in ("segments", "tiers"):
        named = fields.get(name) or ()
        if len(named) > MOST_NAMED or not all(0 < len(each) <= LONGEST_ID for each in named):
            yield Fault(name, "INVALID", f"must be {MOST_NAMED} ids at most")
    begins, ends = fields.get("valid_from"), fields.get("valid_until")
    if begins and ends and ends <= begins:
        yield Fault("valid_until", "INVALID", "must be after it begins")


def _numbers(fields: dict[str, Any]) -> Iterator[Fault]:
    ranges = {"price": (1, MOST_POINTS), "stock": (0, MOST_PIECES), "voucher_days": (1, LONGEST_VOUCHER)}
    for name, (least, most) in ranges.items():
        if (number := fields.get(name)) is not None and not least <= number <= most:
            yield Fault(name, "INVALID", f"must be {least} to {most:,}")
    limit: Limit | None = fields.get("limit")
    if limit is not None and not 1 <= limit.count <= MOST_PIECES:
        yield Fault("limit.count", "INVALID", f"must be 1 to {MOST_PIECES:,}")


def _values(fields: dict[str, Any]) -> Iterator[Fault]:
    amount, percent, sku = fields.get("amount"), fields.get("percent"), fields.get("sku")
    if amount is not None and not is_currency(amount.currency):
        yield Fault("amount.currency_code", "INVALID", "must be an ISO 4217 currency such as EUR")
    elif amount is not None and not 0 < amount.minor <= MOST_MINOR:
        yield Fault("amount.amount", "INVALID", f"must be more than 0, {MOST_MINOR:,} of the least unit at most")
    if percent is not None and not (percent.is_finite() and 0 < percent <= ALL and percent == round(percent, 2)):
        yield Fault("percent", "INVALID", "must be more than 0 to 100, with two decimals at most")
    if sku is not None:
        yield from texts.line_faults("sku", sku, longest=LONGEST_SKU)


def _unfit(kind: RewardKind, fields: dict[str, Any]) -> Iterator[Fault]:
    """What does not go with the kind."""
    values = {name: fields.get(name) for name in ("amount", "percent", "sku")}
    for name, value in values.items():
        if value is not None and name not in VALUES.get(kind, set()):
            yield Fault(name, "INVALID", f"may not be given of a {kind}")
    if kind is RewardKind.PRODUCT and values["sku"] is None:
        yield Fault("sku", "REQUIRED", f"is required of a {kind}")
    if kind is RewardKind.DISCOUNT and values["amount"] is None and values["percent"] is None:
        yield Fault("amount", "REQUIRED", "must be given, or a percentage")
    if kind is RewardKind.DISCOUNT and values["amount"] is not None and values["percent"] is not None:
        yield Fault("percent", "INVALID", "may not be given beside an amount")
