# tests/faults/in_process.py
"""The domain in this process, on an emulator of its own; what reads the environment is imported once that runs."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from infra.local import resources
from infra.local.emulator import Emulator
from infra.local.instance import Instance
from infra.local.wiring import Wiring

TRIES = 5
"""As often as a queue would deliver a message."""


@contextmanager
def emulator() -> Iterator[Instance]:
    """An emulator with all resources; the environment, also of processes started inside, names them."""
    with tempfile.TemporaryDirectory(prefix="rapport-faults-") as folder:
        emulated = Emulator(Path(folder) / "emulator")
        emulated.start()
        try:
            instance = Instance(Path(folder), 0, emulated.endpoint)
            wiring = Wiring.read(endpoint=emulated.endpoint)
            resources.create(wiring, emulated.endpoint)
            os.environ.update(instance.environment(wiring), POWERTOOLS_LOG_LEVEL="CRITICAL")
            os.environ["DEAD_LETTERS_URL"] = wiring.function("RollUpFunction").environment["DEAD_LETTERS_URL"]
            from api.local import make_keys  # it reads the environment

            make_keys(instance.key, instance.jwks)
            yield instance
        finally:
            emulated.stop()


@cache
def _join() -> None:
    from crm.kernel.table import connection

    connection()


def found_shop(shop: str, *, zone: str, currency: str) -> None:
    from crm.shops import service as shops
    from tests.segments import define_usual

    _join()
    fields = shops.ShopFields(name=f"Shop {shop}", zone=zone, currency=currency, locale="de-AT", sender="a@example.com")
    with contextlib.suppress(shops.ShopExists):
        shops.create(shop, fields)
        define_usual(shop=shop, now=datetime.now(UTC))


def ingest(event: dict[str, Any]) -> bool:
    """Deliver an event until it has had its effect, as often as its queue would; False where it would be given up."""
    from botocore.exceptions import BotoCoreError, ClientError
    from pynamodb.exceptions import PynamoDBException

    from crm.intake import service
    from crm.kernel.errors import Stale

    for _ in range(TRIES):
        try:
            service.apply(json.dumps(event), now=datetime.now(UTC))
        except (Stale, PynamoDBException, ClientError, BotoCoreError):
            continue
        return True
    return False


def let_follow(shop: str, order_ids: Sequence[str]) -> None:
    """Everything that follows from orders: segments, points, a message, KPIs; and from answers, KPIs."""
    from crm.customers import service as customers
    from crm.feedback import service as feedback
    from crm.kpis import service as kpis
    from crm.loyalty import service as loyalty
    from crm.notifications import service as notifications
    from crm.orders import service as orders
    from crm.orders.events import OrderRecorded
    from crm.segmentation import keeping

    now = datetime.now(UTC)
    for order_id in order_ids:
        order = orders.get(shop, order_id)
        told = OrderRecorded.of(order)
        loyalty.post_for_order(told, now=now)
        notifications.plan_thank_you(told, now=now)
        touched = keeping.touched(told)
        keeping.refresh(
            shop, order.customer_id, touched=touched, cause=told.cause, occurred_at=told.occurred_at, now=now
        )
        answers = feedback.responses(shop, order.customer_id, limit=10)
        kpis.roll_up([kpis.news(item, None, now=now) for item in (order, *answers)], now=now)
        customers.get(shop, order.customer_id)
