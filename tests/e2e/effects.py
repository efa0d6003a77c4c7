# tests/e2e/effects.py
"""What an order does, as GraphQL shows it: each effect by its name, so that a test of the wiring can name it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.local_system import ROOT, LocalSystem, eventually
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
WISH: Final = "wishlist.shared"
BONUS: Final = 5
GIVING = """
from datetime import timedelta
from msgspec.structs import replace
from crm.kernel import clock
from crm.kernel.actor import SYSTEM
from crm.loyalty.bonuses.definitions import Bonuses, EventBonus
from crm.loyalty.programmes import defining
given = Bonuses(events=(EventBonus(id="wishes", name="Wishes", event="{wish}", points={bonus}),))
now = clock.now()
defining.edit("{shop}", lambda programme: replace(programme, bonuses=given), actor=SYSTEM, now=now,
              effective_at=now - timedelta(days=1))
"""
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
        told = self.event("order.updated", data | {"placedAt": _earlier(self.system)} | more)
        return told | {"customer": told["customer"] | {"birthDate": f"1990-{_soon(self.system):%m-%d}"}}

    def shares(self) -> dict[str, Any]:
        """What only this shop has a name for."""
        return self.event("custom.recorded", {"name": WISH, "properties": {"sku": "A"}})

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


def birthday_awaited(buyer: Buyer) -> bool:
    """As stored of their account."""
    return _birthday(buyer) is not None


def birthday_been(buyer: Buyer) -> bool:
    """Whether the next is waited for by now, as stored: what GraphQL computes needs no timer."""
    next_at = _birthday(buyer)
    return next_at is not None and next_at > _soon(buyer.system) + timedelta(days=100)


def has_bonus(buyer: Buyer) -> bool:
    entries = buyer.shown().get("loyalty", {}).get("entries", {}).get("nodes", [])
    return [one["points"] for one in entries if one["orderId"] is None] == [BONUS]


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


def give_for_events(system: LocalSystem) -> None:
    """Let the shop's first programme give points for what customers share."""
    script = GIVING.format(shop=SHOP, wish=WISH, bonus=BONUS)
    subprocess.run([sys.executable, "-c", script], env=system.environment, cwd=ROOT, check=True, capture_output=True)


def _birthday(buyer: Buyer) -> datetime | None:
    """When the next begins that the account waits for."""
    if not (shown := buyer.shown()):
        return None
    key = {"pk": {"S": f"SHOP#{buyer.shop}#CUSTOMER#{shown['customerId']}"}, "sk": {"S": "HEAD#LOYALTY"}}
    item = buyer.system.dynamodb.get_item(TableName=buyer.system.table("CrmTable"), Key=key).get("Item", {})
    found = item.get("birthday", {}).get("M", {}).get("next_at", {}).get("S")
    return datetime.fromisoformat(found.replace("+0000", "+00:00")) if found else None


def _soon(system: LocalSystem) -> datetime:
    """A day that comes while tests move the clock by a month."""
    return datetime.now(UTC) + timedelta(seconds=system.clock_offset()) + timedelta(days=10)


def _earlier(system: LocalSystem) -> str:
    return (datetime.now(UTC) + timedelta(seconds=system.clock_offset() - 60)).isoformat()
