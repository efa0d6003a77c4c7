# tests/e2e/effects.py
"""What an order does, as GraphQL shows it: each effect by its name, so that a test of the wiring can name it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.local_system import LocalSystem, eventually
from tests.usual_segments import LATELY

SHOP: Final = "e2e"
ZONE_DAYS = 2
PATIENCE: Final = 60
CUSTOMER = """query($value: String!) {
  customerByIdentifier(identifier: {external: {source: "e2e", value: $value}}) {
    customerId firstName statistics { orderCount totals { net { amount } } }
    segments { segment { name } } loyalty { available entries { nodes { points orderId } } }
    orders { nodes { orderId version net { amount } } } feedback { nodes { score } }
    messages { nodes { template status reason } } touchpoints { nodes { type } } } }"""
KPI = """query($name: KpiName!, $from: Date!, $to: Date!, $currency: CurrencyCode) {
  kpi(name: $name, from: $from, to: $to, grain: YEAR, currency: $currency) { periods { numerator } } }"""
CONSENTS = [{"channel": "email", "purpose": "marketing", "state": "granted"}]

_numbers = count(1)


@dataclass(frozen=True)
class Buyer:
    """Somebody new in the shop, who orders for 20.00 a time in a currency that nobody else pays in."""

    system: LocalSystem
    name: str
    currency: str = "EUR"
    shop: str = SHOP

    def says_yes(self) -> dict[str, Any]:
        return self.event("customer.updated", {"consents": CONSENTS})

    def order(self, order_id: str, version: int = 1, **more: Any) -> dict[str, Any]:
        lines = [{"id": "1", "sku": "A", "quantity": 2, "unitPrice": "10.00"}]
        data = {"orderId": order_id, "version": version, "status": "placed", "currency": self.currency, "lines": lines}
        return self.event("order.updated", data | {"placedAt": _earlier(self.system)} | more)

    def looks_around(self) -> list[dict[str, Any]]:
        """They look at something before anybody knows who they are, and then somebody does."""
        visitor = {"anonymousId": f"visitor-{self.name}"}
        seen = self.event("product.viewed", {"sku": "A"}, customer=visitor)
        return [seen, self.event("customer.updated", {}, customer={"externalId": self.name} | visitor)]

    def event(self, kind: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
        who = {"externalId": self.name, "email": f"{self.name}@e2e.example.com", "emailVerified": True}
        return {
            "id": f"{self.name}-{next(_numbers)}",
            "type": kind,
            "version": 1,
            "shop": self.shop,
            "source": "e2e",
            "occurredAt": _earlier(self.system),
            "customer": who | {"firstName": "Ada"},
            "data": data,
        } | more

    def shown(self) -> dict[str, Any]:
        """The customer's page; empty while there is none."""
        found = self.system.ask(CUSTOMER, shop=self.shop, value=self.name)["customerByIdentifier"]
        return found or {}

    def segments(self) -> set[str]:
        return {stay["segment"]["name"] for stay in self.shown().get("segments", [])}

    def kpi(self, name: str = "orders") -> float:
        """Of the orders in the buyer's currency, over the days around now."""
        today = (datetime.now(UTC) + timedelta(seconds=self.system.clock_offset())).date()
        days = {"from": str(today - timedelta(days=ZONE_DAYS)), "to": str(today + timedelta(days=ZONE_DAYS))}
        found = self.system.ask(KPI, shop=self.shop, name=name.upper(), currency=self.currency, **days)["kpi"]
        return sum(float(period["numerator"]) for period in found["periods"])


def counted(buyer: Buyer) -> bool:
    return bool(buyer.shown() and buyer.shown()["statistics"]["orderCount"] == 1)


def in_segment(buyer: Buyer) -> bool:
    return LATELY in buyer.segments()


def has_points(buyer: Buyer) -> bool:
    return bool(buyer.shown() and buyer.shown()["loyalty"]["available"] == 20)


def in_kpi(buyer: Buyer) -> bool:
    return buyer.kpi() == 1


def message_decided(buyer: Buyer) -> bool:
    return bool(buyer.shown() and buyer.shown()["messages"]["nodes"])


def message_sent(buyer: Buyer) -> bool:
    return [one["status"] for one in buyer.shown().get("messages", {}).get("nodes", [])] == ["SENT"]


def visitor_joined(buyer: Buyer) -> bool:
    return [one["type"] for one in buyer.shown().get("touchpoints", {}).get("nodes", [])] == ["product.viewed"]


def suppressed(buyer: Buyer, address: str) -> bool:
    """Whether nothing is sent to an e-mail address any more, whoever's it is."""
    query = "query($address: String!) { suppression(channel: EMAIL, address: $address) { suppressed } }"
    found = buyer.system.ask(query, shop=buyer.shop, address=address)["suppression"]
    return bool(found and found["suppressed"])


def compared(buyer: Buyer) -> bool:
    """Whether the shop's customers are compared as of its present day, as stored."""
    system = buyer.system
    today = (datetime.now(UTC) + timedelta(seconds=system.clock_offset())).astimezone(ZoneInfo("Europe/Vienna")).date()
    drawn = system.dynamodb.query(
        TableName=system.table("CrmTable"),
        KeyConditionExpression="pk = :pk AND begins_with(sk, :rfm)",
        ExpressionAttributeValues={":pk": {"S": f"SHOP#{SHOP}#SEGMENTS"}, ":rfm": {"S": "RFM#"}},
    )
    return any(item["scored_on"]["S"] == today.isoformat() for item in drawn["Items"])


EFFECTS: Final[dict[str, Callable[[Buyer], bool]]] = {
    "statistics": counted,
    "segment": in_segment,
    "points": has_points,
    "kpi": in_kpi,
    "message": message_sent,
}


def wait_for(buyer: Buyer, *effects: Callable[[Buyer], bool]) -> None:
    for effect in effects:
        eventually(partial(effect, buyer), effect.__name__, seconds=PATIENCE)


def rests(system: LocalSystem) -> None:
    eventually(system.settled, "nothing waits any more", seconds=PATIENCE)


def _earlier(system: LocalSystem) -> str:
    return (datetime.now(UTC) + timedelta(seconds=system.clock_offset() - 60)).isoformat()
