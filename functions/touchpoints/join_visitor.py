# functions/touchpoints/join_visitor.py
"""SQS JoinsQueue <- DomainBus `visitor.identified`: bring what a visitor did to the customer they turned out to be."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.kernel import clock
from crm.kernel.errors import InvalidInput
from crm.touchpoints import service
from crm.touchpoints.events import VisitorIdentified
from functions import batches

logger = Logger()


def join_visitor(record: SQSRecord) -> None:
    event = record.json_body
    if event["detail-type"] != VisitorIdentified.detail_type:
        raise InvalidInput(f"nobody to join for {event['detail-type']!r}", field="detail-type")
    identified = VisitorIdentified.parse(event["detail"])
    brought = service.settle(identified.shop, identified.visitor_id, now=clock.now())
    told = {"shop": identified.shop, "customer_id": identified.customer_id, "cause": identified.cause}
    logger.info("visitor joined", extra=told | {"touchpoints": brought})


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return batches.answer(event, context, join_visitor)
