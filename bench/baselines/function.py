# bench/baselines/function.py
"""A minimal Powertools + PynamoDB function: a batch of SQS records, one `get` each."""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

logger = Logger(service="baseline")
processor = BatchProcessor(event_type=EventType.SQS)


class Customer(Model):
    class Meta:
        table_name = os.environ["CRM_TABLE"]
        region = "eu-west-1"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    first_name = UnicodeAttribute(null=True)


def take(record: SQSRecord) -> None:
    found = Customer.get(record.json_body["pk"], "HEAD#PROFILE")
    logger.info("customer", extra={"found": found.first_name is not None})


def handler(event: dict[str, Any], context: Any) -> Any:
    return process_partial_response(event=event, record_handler=take, processor=processor, context=context)
