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
    tax: int = 0

    @property
    def price(self) -> int:
        return max(0, self.quantity * self.unit_price - self.discount)

    @property
    def value(self) -> int:
        """What counts towards gross; a gift card is money kept for later, not a sale."""
        return 0 if self.gift_card else self.price


class Returned(Struct, frozen=True):
    """Units of a line given back: `amount` is what was paid for them, None their share of the line."""

    line_id: str
    quantity: int
    amount: int | None = None


class Totals(Struct, frozen=True):
    gross: int
    refunded: int
    net: int


class Bill(Struct, frozen=True):
    """What an order costs, its gift cards, taxes and shipping with it, and what of that was given back. Refunds are of
    lines, so shipping never is.
    """

    total: int
    returned: int


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
    by_line = _by_line(returned)
    return [line.value - _refunded(line, line.value, by_line.get(line.line_id, [])) for line in lines]


def bill(lines: Sequence[Line], returned: Iterable[Returned], *, shipping: int) -> Bill:
    """A line's tax goes back as its price does."""
    by_line = _by_line(returned)
    back = 0
    for line in lines:
        part = _refunded(line, line.price, by_line.get(line.line_id, []))
        back += part + (line.tax * part // line.price if line.price else 0)
    return Bill(sum(line.price + line.tax for line in lines) + shipping, back)


def _by_line(returned: Iterable[Returned]) -> dict[str, list[Returned]]:
    found: dict[str, list[Returned]] = {}
    for part in returned:
        found.setdefault(part.line_id, []).append(part)
    return found


def _refunded(line: Line, value: int, parts: Sequence[Returned]) -> int:
    stated = sum(part.amount for part in parts if part.amount is not None)
    units = min(line.quantity, sum(part.quantity for part in parts if part.amount is None))
    return min(value, stated + value * units // line.quantity)
