# crm/orders/totals.py
"""What an order is worth. Pure: lines and refunds in, whole minor units out.

The money words of docs/glossary.md: gross = Σ lines (quantity x unit price - discount), without tax, shipping and gift
cards; net = gross - refunded value, zero when cancelled.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct


class Line(Struct, frozen=True):
    line_id: str
    quantity: int
    unit_price: int
    discount: int = 0
    gift_card: bool = False

    @property
    def value(self) -> int:
        """What counts towards gross; a gift card is money kept for later, not a sale."""
        return 0 if self.gift_card else max(0, self.quantity * self.unit_price - self.discount)


class Returned(Struct, frozen=True):
    """Units of a line given back: `amount` is what was paid for them, None their share of the line."""

    line_id: str
    quantity: int
    amount: int | None = None


class Totals(Struct, frozen=True):
    gross: int
    refunded: int
    net: int


def totals(lines: Sequence[Line], returned: Iterable[Returned], *, cancelled: bool) -> Totals:
    """Sum an order and all its refunds, whatever the order in which they came.

    A line's refunds never exceed its value. Units without an amount share the line's value by rounding down over all
    of them together, so that partial refunds of all units give back exactly the whole.
    """
    gross = sum(line.value for line in lines)
    refunded = gross - sum(nets(lines, returned))
    return Totals(gross, refunded, 0 if cancelled else gross - refunded)


def nets(lines: Sequence[Line], returned: Iterable[Returned]) -> list[int]:
    """What is left of each line's value, in the order of the lines."""
    by_line: dict[str, list[Returned]] = {}
    for part in returned:
        by_line.setdefault(part.line_id, []).append(part)
    return [line.value - _refunded(line, by_line.get(line.line_id, [])) for line in lines]


def _refunded(line: Line, parts: Sequence[Returned]) -> int:
    stated = sum(part.amount for part in parts if part.amount is not None)
    units = min(line.quantity, sum(part.quantity for part in parts if part.amount is None))
    return min(line.value, stated + line.value * units // line.quantity)
