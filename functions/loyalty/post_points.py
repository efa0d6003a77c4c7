# functions/loyalty/post_points.py
"""SQS LoyaltyQueue <- DomainBus `order.recorded`, `customer.recorded`, `touchpoint.recorded`, `timer.due`: post the
points that an order earns, spends or gives back, what else earns some, those that mature, come back or
expire, and the tiers that follow from them.
"""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.customers.events import CustomerRecorded
from crm.kernel import clock
from crm.kernel.errors import InvalidInput
from crm.kernel.timers import TimerDue
from crm.loyalty import service
from crm.orders.events import OrderRecorded
from crm.touchpoints.events import TouchpointRecorded
from functions import batches

logger = Logger()


def post_points(record: SQSRecord) -> None:
    event = record.json_body
    match event["detail-type"]:
        case OrderRecorded.detail_type:
            _post(OrderRecorded.parse(event["detail"]))
        case CustomerRecorded.detail_type:
            _hear(CustomerRecorded.parse(event["detail"]))
        case TouchpointRecorded.detail_type:
            _give(TouchpointRecorded.parse(event["detail"]))
        case TimerDue.detail_type:
            _wake(TimerDue.parse(event["detail"]))
        case unknown:
            raise InvalidInput(f"nothing to post for {unknown!r}", field="detail-type")


def _post(order: OrderRecorded) -> None:
    posted = service.post_for_order(order, now=clock.now())
    if posted.points or posted.withheld:
        told = {"shop": order.shop, "order_id": order.order_id, "rev": order.rev, "cause": order.cause}
        logger.info("points posted", extra=told | {"points": posted.points, "withheld": posted.withheld})


def _hear(customer: CustomerRecorded) -> None:
    service.heard_of_birthday(customer.shop, customer.customer_id, now=clock.now())


def _give(event: TouchpointRecorded) -> None:
    for given in service.give_for_event(event, now=clock.now()):
        if given.points or given.unearned:
            told = {"shop": event.shop, "cause": given.cause, "points": given.points, "unearned": given.unearned}
            logger.info("bonus", extra=told)


def _wake(due: TimerDue) -> None:
    if due.subject == service.TIER:
        for change in service.wake_tier(due, now=clock.now()):
            said = {"shop": due.shop, "cause": change.cause, "tier_id": change.after_id, "why": change.why}
            logger.info("tier changed by time", extra=said)
        return
    for entry in service.wake(due, now=clock.now()):
        told = {"shop": due.shop, "cause": entry.cause, "movement": entry.movement, "points": entry.points}
        logger.info("points moved by time", extra=told)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return batches.answer(event, context, post_points)
