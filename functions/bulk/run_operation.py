# functions/bulk/run_operation.py
"""SQS OperationsQueue <- the gateway, and this function itself: do the next step of an operation."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.bulk import service
from crm.kernel import clock
from functions import batches

logger = Logger()


def run_operation(record: SQSRecord) -> None:
    delivery = int(record.attributes.approximate_receive_count or 1)
    operation = service.run(record.body, delivery=delivery, now=clock.now())
    if operation is not None:
        told = {"operation_id": operation.operation_id, "status": operation.status, "rows": int(operation.row_count)}
        logger.info("operation", extra={"shop": operation.shop} | told)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return batches.answer(event, context, run_operation)
