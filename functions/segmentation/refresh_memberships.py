# functions/segmentation/refresh_memberships.py
"""SQS SegmentationQueue <- DomainBus, what crm/segmentation/touching.py names, `timer.due`, `shop.changed`,
`attribute.defined`: bring the segments of a customer up to date, or begin to bring those of all of a shop's.
"""

from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.customers.events import AttributeDefined
from crm.kernel import clock
from crm.kernel.errors import InvalidInput
from crm.kernel.operations import Operation
from crm.kernel.timers import TimerDue
from crm.segmentation import keeping
from crm.shops.events import ShopChanged
from functions import batches

logger = Logger()

KINDS: Final = {kind.detail_type: kind for kind in keeping.TOUCHED_BY}


def refresh_memberships(record: SQSRecord) -> None:
    event = record.json_body
    detail_type, detail = event["detail-type"], event["detail"]
    if detail_type in KINDS:
        _refresh(KINDS[detail_type].parse(detail))
    elif detail_type == TimerDue.detail_type:
        due = TimerDue.parse(detail)
        _tell(due.shop, keeping.wake(due, now=clock.now()))
    elif detail_type == ShopChanged.detail_type:
        moved = ShopChanged.parse(detail)
        _begun(keeping.shop_changed(moved.shop, now=clock.now()))
    elif detail_type == AttributeDefined.detail_type:
        defined = AttributeDefined.parse(detail)
        _begun(keeping.attribute_changed(defined, now=clock.now()))
    else:
        raise InvalidInput(f"nothing to refresh for {detail_type!r}", field="detail-type")


def _refresh(change: keeping.CustomerEvent) -> None:
    intervals = keeping.refresh(
        change.shop,
        change.customer_id,
        touched=keeping.touched(change),
        cause=change.cause,
        occurred_at=change.occurred_at,
        now=clock.now(),
        replayed=change.replayed,
    )
    _tell(change.shop, intervals)


def _begun(operation: Operation | None) -> None:
    if operation is not None:
        logger.info("operation", extra={"shop": operation.shop, "operation_id": operation.operation_id})


def _tell(shop: str, intervals: list[keeping.Interval]) -> None:
    for interval in intervals:
        told = {"shop": shop, "segment_id": interval.segment_id, "cause": interval.left_cause or interval.entered_cause}
        logger.info("segment left" if interval.left_at else "segment entered", extra=told)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return batches.answer(event, context, refresh_memberships)
