# crm/loyalty/tiers/record.py
"""What the account keeps of a tier, as values and as it is stored."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from msgspec import Struct

from crm.loyalty.models import FoldedPart, LoyaltyAccount, OrderEarning, OverridePart, TierPart
from crm.loyalty.tiers.amounts import NOTHING, Amounts
from crm.loyalty.tiers.fold import State
from crm.loyalty.tiers.models import QualifyingDay, QualifyingMonth


class Override(Struct, frozen=True):
    """Instead of what the days come to, until then."""

    tier: str
    until: datetime


class Kept(Struct, frozen=True, kw_only=True):
    """What somebody's tier was when it was last worked out: since when, until the morning of which day if nothing more
    comes, and which it is then. `folded`: what the days came to some time ago, to go on from. `fell`: the newest change
    by which a tier ended, and when. `given`: the number of the change by which there is an `override`.
    """

    tier: str | None = None
    name: str | None = None
    since: date | None = None
    ends_on: date | None = None
    ends_after: str | None = None
    rules: str = ""
    number: int = 0
    changed_at: datetime | None = None
    settled_on: date | None = None
    joined_on: date | None = None
    noticed_on: date | None = None
    fell: int | None = None
    fell_on: date | None = None
    override: Override | None = None
    given: int | None = None
    folded: State | None = None


class Counted(Struct, frozen=True):
    """What an order counts, on the day on which it was placed."""

    day: date
    amounts: Amounts


def kept_of(head: LoyaltyAccount) -> Kept:
    part: TierPart | None = head.tier
    if part is None:
        return Kept()
    override, folded = part.override, part.folded
    return Kept(
        tier=part.tier_id,
        name=part.name,
        since=_day(part.since_on),
        ends_on=_day(part.ends_on),
        ends_after=part.ends_after,
        rules=part.rules,
        number=int(part.number),
        changed_at=part.changed_at,
        settled_on=_day(part.settled_on),
        joined_on=_day(part.joined_on),
        noticed_on=_day(part.noticed_on),
        fell=None if part.fell is None else int(part.fell),
        fell_on=_day(part.fell_on),
        override=Override(override.tier_id, override.until) if override else None,
        given=int(override.number) if override and override.number is not None else None,
        folded=_state(folded) if folded else None,
    )


def put_kept(head: LoyaltyAccount, kept: Kept) -> None:
    part = TierPart(
        tier_id=kept.tier,
        name=kept.name,
        since_on=_text(kept.since),
        ends_on=_text(kept.ends_on),
        ends_after=kept.ends_after,
        rules=kept.rules,
        number=kept.number,
        changed_at=kept.changed_at,
        settled_on=_text(kept.settled_on),
        joined_on=_text(kept.joined_on),
        noticed_on=_text(kept.noticed_on),
        fell=kept.fell,
        fell_on=_text(kept.fell_on),
    )
    if kept.override:
        part.override = OverridePart(tier_id=kept.override.tier, until=kept.override.until, number=kept.given)
    if state := kept.folded:
        part.folded = FoldedPart(
            day=state.day.isoformat(), tier_id=state.tier, since_on=_text(state.since), carried=state.carried,
            until_on=_text(state.until), least=state.least, least_until_on=_text(state.least_until),
        )  # fmt: skip
    head.tier = part


def counted_of(earning: OrderEarning) -> Counted | None:
    if earning.counted_on is None:
        return None
    amounts = Amounts(int(earning.counted_points), int(earning.counted_spend), int(earning.counted_orders))
    return Counted(date.fromisoformat(earning.counted_on), amounts)


def put_counted(earning: OrderEarning, counted: Counted | None) -> None:
    amounts = counted.amounts if counted else NOTHING
    earning.counted_on = counted.day.isoformat() if counted else None
    earning.counted_points, earning.counted_spend = amounts.points, amounts.spend
    earning.counted_orders = amounts.orders


def days_of(months: Iterable[QualifyingMonth]) -> dict[date, Amounts]:
    parts: list[QualifyingDay] = [part for month in months for part in month.days]
    return {
        date.fromisoformat(part.day): Amounts(int(part.points), int(part.spend), int(part.orders)) for part in parts
    }


def month_of(day: date) -> str:
    return day.isoformat()[:7]


def put_days(item: QualifyingMonth, days: Mapping[date, Amounts]) -> None:
    item.days = [
        QualifyingDay(day=day.isoformat(), points=each.points, spend=each.spend, orders=each.orders)
        for day, each in sorted(days.items())
        if each != NOTHING
    ]


def _state(part: FoldedPart) -> State:
    return State(
        date.fromisoformat(part.day), part.tier_id, _day(part.since_on), part.carried, _day(part.until_on),
        part.least, _day(part.least_until_on),
    )  # fmt: skip


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
