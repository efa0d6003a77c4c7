# functions/segmentation/score_shops.py
"""Schedule, every hour: begin the day of the shops in which one has begun: their RFM bounds, and what is typical of
their segments. What this run leaves the next one takes.
"""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.kernel import clock
from crm.kernel.errors import CrmError
from crm.segmentation import service
from crm.shops import service as shops

logger = Logger()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001  Lambda's signature
    now = clock.now()
    asked = refused = 0
    for shop in shops.list_all():
        try:
            service.begin_day(shop, now=now)
        except CrmError as refusal:
            logger.warning("day not begun", extra={"shop": shop.shop, "code": refusal.code})
            refused += 1
        else:
            asked += 1
    return {"shops": asked, "refused": refused}
