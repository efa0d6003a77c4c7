# crm/kpis/facts.py
"""The facts that KPIs are made of, as values."""

from dataclasses import dataclass
from datetime import date, datetime

ORDER, REFUND, ANSWER = "order", "refund", "answer"
KINDS = (ORDER, REFUND, ANSWER)


@dataclass(frozen=True)
class FactKey:
    """Names a fact for good; the same fact corrected has the same key."""

    shop: str
    kind: str
    id: str


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that happened, as of revision `rev` of the record that says so. `day` is shop-local."""

    key: FactKey
    customer_id: str
    rev: int
    at: datetime
    day: date


@dataclass(frozen=True, kw_only=True)
class OrderFact(Fact):
    """Amounts are minor units of `currency`, as of the money words in docs/glossary.md."""

    currency: str
    cancelled: bool
    gross: int
    net: int


@dataclass(frozen=True, kw_only=True)
class RefundFact(Fact):
    """One refund of an order. `amount`: by how much it reduced the order's net, in minor units."""

    currency: str
    cancelled: bool
    """The order was cancelled: then it and its refunds count nowhere."""
    amount: int


@dataclass(frozen=True, kw_only=True)
class AnswerFact(Fact):
    """An answer to a survey. `group`: promoter, passive or detractor; None where it is no recommendation score."""

    group: str | None
