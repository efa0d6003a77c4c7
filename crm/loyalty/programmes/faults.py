# crm/loyalty/programmes/faults.py
"""What is wrong with what is said of a programme, but for its parts: each part's room judges its own. Pure."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from crm.kernel import clock
from crm.kernel.errors import Fault
from crm.kernel.money import is_currency
from crm.loyalty.bonuses.definitions import LONGEST_NOTICE_DAYS, MOST_POINTS
from crm.loyalty.earning import faults as earning
from crm.loyalty.earning.definitions import Caps
from crm.loyalty.expiry import LONGEST_MONTHS, Kind
from crm.loyalty.programme import Programme
from crm.loyalty.tiers.definitions import Basis

MOST_DAYS: Final = 400
SHORTEST_MONTH: Final = 28
MOST_VALUE: Final = 1000


def of_fields(said: Mapping[str, Any]) -> list[Fault]:
    """Of the fields of `defining.ProgrammeFields` that are said."""
    return [fault for name, value in said.items() if name in JUDGES for fault in JUDGES[name](name, value)]


def of_change(programme: Programme, said: Mapping[str, Any]) -> list[Fault]:
    """Thresholds are numbers of the currency where tiers count spend: those of the archived too, by which those who
    have them are judged.
    """
    tiers = programme.tiers
    if (
        not tiers.all
        or tiers.basis is not Basis.SPEND
        or said.get("currency", programme.currency) == programme.currency
    ):
        return []
    return [Fault("currency", "INVALID", "must stay what it is once there are tiers that count spend")]


def of_times(programme: Programme) -> list[Fault]:
    """Points have a time in which they can be spent, also those of a February."""
    expiry = programme.expiry
    if expiry is None or expiry.kind is Kind.INACTIVITY:
        return []
    if programme.return_window_days < SHORTEST_MONTH * expiry.months:
        return []
    return [Fault("return_window_days", "INVALID", "must be over before points expire")]


def _of_currency(name: str, code: str) -> list[Fault]:
    return [] if is_currency(code) else [Fault(name, "INVALID", "must be an ISO 4217 currency such as EUR")]


def _of_zone(name: str, zone: str) -> list[Fault]:
    return [] if clock.is_zone(zone) else [Fault(name, "INVALID", "must be an IANA time zone such as Europe/Berlin")]


def _of_rate(name: str, rate: Decimal) -> list[Fault]:
    return earning.of_number(name, rate, most=MOST_VALUE, none=True)


def _of_share(name: str, share: Decimal) -> list[Fault]:
    return earning.of_number(name, share, most=1, none=True)


def _of_lifetime(name: str, lifetime: Any) -> list[Fault]:
    if lifetime is None or 0 < lifetime.months <= LONGEST_MONTHS:
        return []
    return [Fault(f"{name}.months", "INVALID", f"must be 1 to {LONGEST_MONTHS}")]


def _of_caps(name: str, caps: Caps) -> list[Fault]:
    return [Fault(f"{name}.{fault.path}", fault.code, fault.message) for fault in earning.of_caps(caps)]


def _between(least: int, most: int, unit: str) -> Callable[[str, int | None], list[Fault]]:
    """Null is no limit, where it may be said."""

    def judge(name: str, number: int | None) -> list[Fault]:
        if number is None or least <= number <= most:
            return []
        return [Fault(name, "INVALID", f"must be {least} to {most:,} {unit}")]

    return judge


JUDGES: Final[Mapping[str, Callable[[str, Any], list[Fault]]]] = {
    "currency": _of_currency,
    "zone": _of_zone,
    "points_per_unit": _of_rate,
    "point_value": lambda name, value: earning.of_number(name, value, most=MOST_VALUE),
    "breakage": _of_share,
    "return_window_days": _between(0, MOST_DAYS, "days"),
    "expiry": _of_lifetime,
    "most_owed": _between(0, earning.MOST_POINTS, "points"),
    "grace_days": _between(0, MOST_DAYS, "days"),
    "notice_days": _between(1, LONGEST_NOTICE_DAYS, "days"),
    "signup_points": _between(0, MOST_POINTS, "points"),
    "birthday_points": _between(0, MOST_POINTS, "points"),
    "caps": _of_caps,
}
