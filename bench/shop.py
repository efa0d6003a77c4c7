# bench/shop.py
"""A shop with customers to measure on, made through the doors that events take."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tests.faults import in_process

SHOP: Final = "bench"
ZONE, CURRENCY = "Europe/Vienna", "EUR"
EARLIER: Final = datetime.now(UTC) - timedelta(hours=1)
CONSENTS: Final = [{"channel": "email", "purpose": "marketing", "state": "granted"}]


def found() -> None:
    in_process.found_shop(SHOP, zone=ZONE, currency=CURRENCY)


def order(number: int, *, customer: int) -> dict[str, Any]:
    """An order.placed of two lines, an hour ago."""
    lines = [
        {"id": str(line), "sku": f"S{line}", "title": "A thing", "quantity": line, "unitPrice": "12.50"}
        for line in (1, 2)
    ]
    data = {
        "orderId": f"o{number}",
        "version": 1,
        "status": "placed",
        "currency": CURRENCY,
        "placedAt": EARLIER.isoformat(),
    }
    return event(f"e{number}", "order.placed", customer, data | {"lines": lines})


def profile(customer: int) -> dict[str, Any]:
    return event(f"p{customer}", "customer.updated", customer, {"consents": CONSENTS})


def event(event_id: str, kind: str, customer: int, data: dict[str, Any]) -> dict[str, Any]:
    who = {"externalId": f"c{customer}", "email": f"c{customer}@bench.example.com", "firstName": "Ann"}
    return {
        "id": event_id,
        "type": kind,
        "version": 1,
        "shop": SHOP,
        "source": "webshop",
        "occurredAt": EARLIER.isoformat(),
        "customer": who,
        "data": data,
    }


def customer(number: int) -> Any:
    """The stored profile."""
    from crm.customers import service as customers

    customer_id = customers.find(SHOP, "external", f"c{number}", source="webshop")
    assert customer_id is not None
    return customers.get(SHOP, customer_id)


def global_id(profile: Any) -> str:
    from schema.node import global_id as id_of

    return str(id_of("Customer", profile.customer_id))


def staff_token() -> str:
    from api.local import sign
    from crm.kernel.settings import settings
    from schema.principal import Kind

    return sign(Kind.STAFF, SHOP, key=Path(settings().require("crm_local_key")).read_text())
