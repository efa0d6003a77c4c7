# crm/kernel/money.py
"""Money as integer minor units of one currency. Never a float; currencies are never added."""

from decimal import Decimal, InvalidOperation
from typing import Self

from msgspec import Struct

from crm.kernel.currencies import MINOR_DIGITS
from crm.kernel.errors import InvalidInput


class Money(Struct, frozen=True):
    """`minor` units (cents, or whole yen) of an ISO 4217 currency."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, amount: str, currency: str, *, field: str | None = None) -> Self:
        """Read a decimal text. Raises InvalidInput for an unknown currency or more digits than it has."""
        return cls(minor_units(amount, currency, field=field), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in whole units, with exactly the currency's digits."""
        return Decimal(self.minor).scaleb(-MINOR_DIGITS[self.currency])

    def __add__(self, other: Self) -> Self:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added")
        return type(self)(self.minor + other.minor, self.currency)


def is_currency(code: str) -> bool:
    return code in MINOR_DIGITS


def minor_units(amount: str, currency: str, *, field: str | None = None) -> int:
    """Whole minor units of a decimal text. Raises InvalidInput where it is no number or is finer than the currency."""
    if currency not in MINOR_DIGITS:
        raise InvalidInput("must be an amount of an ISO 4217 currency", field=field)
    try:
        scaled = Decimal(amount).scaleb(MINOR_DIGITS[currency])
        whole = int(scaled)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise InvalidInput("must be an amount such as 12.90", field=field) from error
    if scaled != whole:
        raise InvalidInput(f"must have at most {MINOR_DIGITS[currency]} decimals, as its currency has", field=field)
    return whole
