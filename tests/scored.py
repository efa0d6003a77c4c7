# tests/scored.py
"""A shop with the customers of tests/rfm_table.py."""

from collections.abc import Iterable
from datetime import datetime

from crm.customers import service as customers
from crm.customers.service import Words
from crm.kernel.change import Change
from crm.orders.models import CurrencyTotals, Statistics
from crm.segmentation import measuring
from crm.segmentation.measuring import Rfm
from tests.rfm_table import Row


def furnish(shop: str, table: Iterable[Row], *, now: datetime) -> dict[str, str]:
    """Their ids, by their names in the table."""
    return {row.customer: settle(shop, row, now=now) for row in table}


def settle(shop: str, row: Row, *, now: datetime, test: bool = False, currency: str = "EUR") -> str:
    """A customer who has ordered as the row says."""
    told = Words(fields={"first_name": f"No. {row.customer}"})
    customer = customers.create(shop, told, now=now)
    if test:
        customer.test = True
        change = Change(now)
        change.revise(customer)
        change.commit()
    order(shop, customer.customer_id, row, now=now, currency=currency)
    return str(customer.customer_id)


def order(shop: str, customer_id: str, row: Row, *, now: datetime, currency: str = "EUR") -> None:
    """What the orders area writes of such orders."""
    if not row.orders:
        return
    known = customers.take_snapshot(shop, customer_id).head(Statistics) or Statistics.of(shop, customer_id)
    known.order_count = known.recorded_count = row.orders
    known.totals = [CurrencyTotals(currency=currency, orders=row.orders, gross=row.spent, net=row.spent)]
    known.first_order_at = known.last_order_at = row.last_order_at
    known.cause = f"test:{row.customer}:order"
    change = Change(now)
    change.revise(known)
    change.commit()


def score(shop: str, customer_id: str, *, now: datetime) -> Rfm | None:
    return measuring.rfm_of(customers.take_snapshot(shop, customer_id), now=now)


def by_hand(row: Row) -> Rfm:
    return Rfm(row.group, row.recency, row.frequency, row.monetary)
