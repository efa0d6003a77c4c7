# functions/notifications/deliver_message.py
"""SQS DeliveriesQueue <- DomainBus `message.planned`: send a message through SES, at most once."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.kernel import clock
from crm.kernel.errors import InvalidInput
from crm.notifications import service
from crm.notifications.events import MessagePlanned
from functions import batches

logger = Logger()


def deliver_message(record: SQSRecord) -> None:
    event = record.json_body
    if event["detail-type"] != MessagePlanned.detail_type:
        raise InvalidInput(f"nothing to deliver for {event['detail-type']!r}", field="detail-type")
    message = service.deliver(MessagePlanned.parse(event["detail"]), now=clock.now())
    told = {"shop": message.shop, "customer_id": message.customer_id, "template": message.template}
    logger.info("message delivered", extra=told | {"status": message.status, "reason": message.reason})


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return batches.answer(event, context, deliver_message)
