# crm/kpis/facts.py
"""The facts that KPIs are made of, as values."""

from datetime import date, datetime
from typing import ClassVar

from msgspec import Struct

ORDER, REFUND, ANSWER, POINTS = "order", "refund", "answer", "points"
ENTRY, EXIT = "segment_entry", "segment_exit"
KINDS = (ORDER, REFUND, ANSWER, POINTS)
"""Those that KPIs are made of."""


class FactKey(Struct, frozen=True):
    """Names a fact for good; the same fact corrected has the same key."""

    shop: str
    kind: str
    id: str


class Fact(Struct, frozen=True, kw_only=True):
    """Something that happened, as of revision `rev` of the record that says so. `day` is shop-local."""

    of_tests: ClassVar[bool] = False
    """Whether it counts of test customers, too."""

    key: FactKey
    customer_id: str
    rev: int
    at: datetime
    day: date


class OrderFact(Fact, frozen=True, kw_only=True):
    """Amounts are minor units of `currency`, as of the money words in docs/glossary.md."""

    currency: str
    cancelled: bool
    gross: int
    net: int


class RefundFact(Fact, frozen=True, kw_only=True):
    """One refund of an order. `amount`: by how much it reduced the order's net, in minor units."""

    currency: str
    cancelled: bool
    """The order was cancelled: then it and its refunds count nowhere."""
    amount: int


class AnswerFact(Fact, frozen=True, kw_only=True):
    """An answer to a survey. `group`: promoter, passive or detractor; None where it is no recommendation score."""

    group: str | None


class PointsFact(Fact, frozen=True, kw_only=True):
    """A movement of points. `outstanding`: by how much it changes what all customers have, pending and held included,
    less what they owe.
    """

    issued: int = 0
    redeemed: int = 0
    expired: int = 0
    adjusted: int = 0
    outstanding: int = 0


class EntryFact(Fact, frozen=True, kw_only=True):
    """That a customer's stay in a segment began. A segment has as many members as are listed: test customers, too."""

    of_tests: ClassVar[bool] = True

    segment_id: str


class ExitFact(Fact, frozen=True, kw_only=True):
    """That it ended."""

    of_tests: ClassVar[bool] = True

    segment_id: str
