# functions/loyalty/post_points.py
"""SQS LoyaltyQueue <- DomainBus `order.recorded`: post the points that an order earns, or gives back."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.kernel import clock
from crm.kernel.errors import InvalidInput
from crm.loyalty import service
from crm.orders.events import OrderRecorded
from functions import batches

logger = Logger()


def post_points(record: SQSRecord) -> None:
    event = record.json_body
    if event["detail-type"] != OrderRecorded.detail_type:
        raise InvalidInput(f"nothing to post for {event['detail-type']!r}", field="detail-type")
    order = OrderRecorded.parse(event["detail"])
    posted = service.post_for_order(order, now=clock.now())
    if posted.points or posted.withheld:
        told = {"shop": order.shop, "order_id": order.order_id, "rev": order.rev, "cause": order.cause}
        logger.info("points posted", extra=told | {"points": posted.points, "withheld": posted.withheld})


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return batches.answer(event, context, post_points)
