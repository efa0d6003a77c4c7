# functions/intake/publish_changes.py
"""DynamoDB stream of the crm table, kinds of crm/intake/changes.py: put what has changed on the domain bus."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.intake import changes
from crm.kernel import clock, publishing
from crm.kernel.stream import Delivery

logger = Logger()


def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    delivery = Delivery(event)
    told = delivery.parsed(lambda record: changes.events_of(record.item(), record.before()))
    refused = publishing.put([domain_event for _, events in told for domain_event in events])
    for notice in (one for _, events in told for one in events if isinstance(one, changes.NOTICES)):
        if notice not in refused:
            said = {"type": notice.detail_type, "shop": notice.shop, "customer_id": notice.customer_id}
            logger.info("notice published", extra=said | {"replayed": notice.replayed})
    delivery.fail(record for record, events in told if any(domain_event in refused for domain_event in events))
    logger.info("changes published", extra=delivery.counts())
    return delivery.settle(source="intake.publish_changes", now=clock.now())
