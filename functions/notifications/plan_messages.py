# functions/notifications/plan_messages.py
"""SQS NotificationsQueue <- DomainBus `order.recorded`, `timer.due`: decide who is sent what."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.kernel import clock
from crm.kernel.errors import InvalidInput
from crm.kernel.timers import TimerDue
from crm.notifications import service
from crm.orders.events import OrderRecorded
from functions import batches

logger = Logger()


def plan_messages(record: SQSRecord) -> None:
    event = record.json_body
    match event["detail-type"]:
        case OrderRecorded.detail_type:
            message = service.plan_thank_you(OrderRecorded.parse(event["detail"]), now=clock.now())
        case TimerDue.detail_type:
            message = service.reconsider(TimerDue.parse(event["detail"]), now=clock.now())
        case other:
            raise InvalidInput(f"nothing to plan for {other!r}", field="detail-type")
    if message:
        told = {"shop": message.shop, "customer_id": message.customer_id, "template": message.template}
        logger.info("message decided", extra=told | {"status": message.status, "reason": message.reason})


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return batches.answer(event, context, plan_messages)
