# functions/kpis/roll_up.py
"""DynamoDB stream of the crm table, kinds Customer, Order, FeedbackResponse, LedgerEntry, SegmentMembership: let what
happened count in the KPIs.
"""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.kernel import clock
from crm.kernel.stream import Delivery
from crm.kpis import service

logger = Logger()


def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    delivery, now = Delivery(event), clock.now()
    told = delivery.parsed(lambda record: service.news(record.item(), record.before(), now=now))
    failed = service.roll_up([news for _, news in told], now=now)
    delivery.fail(told[position][0] for position in failed)
    logger.info("facts rolled up", extra=delivery.counts())
    return delivery.settle(source="kpis.roll_up", now=now)
