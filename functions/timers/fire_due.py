# functions/timers/fire_due.py
"""Schedule, every minute: tell the owners of timers that have fallen due. What this run leaves the next one takes."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from crm.kernel import clock, timers

logger = Logger()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001  Lambda's signature
    now = clock.now()
    put = refused = 0
    for shard in range(timers.SHARDS):
        fired = timers.fire(shard, holder=context.aws_request_id, now=now)
        if fired is None:
            logger.warning("another run holds this shard", extra={"shard": shard})
            continue
        put, refused = put + fired.put, refused + fired.refused
    if refused:
        logger.error("the bus refused timers", extra={"refused": refused})
    if put:
        logger.info("timers fired", extra={"put": put})
    return {"put": put, "refused": refused}
