# tests/judges/demo.py
"""A running Rapport with a shop to judge it by: customers, orders, refunds, answers, and all that follows of them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.local_system import ROOT, LocalSystem, eventually, running
from tests.moving import Mover
from tests.operations import ONCE, Ask, made, meaning

SHOP: Final = "demo"
ORDERED_DAYS_AGO: Final = (40, 12, 1)
EMAIL: Final = "ann@example.com"
CONSENTS: Final = [{"channel": "email", "purpose": "marketing", "state": "granted", "source": "checkout"}]
KNOWN: Final = """query ($email: EmailAddress!) {
  customerByIdentifier(identifier: { email: $email }) {
    id customerId loyalty { available } segments { enteredAt } messages { nodes { id } } orders { nodes { id } }
  }
}"""

REWARD: Final = """mutation {
  loyaltyRewardCreate(input: { name: "A sticker", kind: CUSTOM, price: 1 }) { reward { id } }
}"""


@dataclass(frozen=True)
class Demo:
    url: str
    words: dict[str, str]
    """What placeholders in the variables of example operations stand for."""
    tokens: dict[str, str]
    """By the audience of an operation."""
    staff: Ask
    customer: Ask

    def renewed(self) -> dict[str, str]:
        """Its words for another judge: what the last one has used up is there again."""
        return made(self.words, self.staff, self.customer, of=ONCE)


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    with running(folder) as system:
        system.found_shop(SHOP)
        _score(system)
        now = datetime.now(UTC)
        for name in ("Ben", "Cleo", "Ann"):  # Ann last: the newest customer is the first of a list
            results = system.post(*history(name, now), shop=SHOP)
            assert {result["status"] for result in results} == {"queued"}, results
        eventually(lambda: _followed(system), "all that follows of Ann's orders", seconds=60)
        known = _known(system)
        moved = Mover(system, SHOP).started("customersImport", "judged", "email,first_name\n,Nobody\n")
        order = known["orders"]["nodes"][-1]["id"]
        segments = [each["id"] for each in system.ask("{ segments { id } }", shop=SHOP)["segments"]]
        reward = system.ask(REWARD, shop=SHOP)["loyaltyRewardCreate"]["reward"]["id"]
        words = meaning(
            customer=known["id"], order=order, email=EMAIL, shop=SHOP, now=now, moved=moved,
            segments=(segments[0], segments[1]), reward=reward,
        )  # fmt: skip
        asked = {"kind": "customer", "shop": SHOP, "customerId": known["customerId"]}
        tokens = {
            "apps": _token(system, "/_local/token", asked),
            "visitors": _token(system, "/v1/visitors", {"shop": SHOP}),
            "staff": system.token("staff", SHOP),
        }
        staff, customer = partial(system.ask, shop=SHOP), partial(system.ask, shop=SHOP, token=tokens["apps"])
        words = made(words, staff, customer)
        yield Demo(system.instance.url, words, tokens, staff, customer)


def _score(system: LocalSystem) -> None:
    """Let the bounds of RFM scores be drawn, before anybody looks: a gateway knows for a minute that there are none."""
    command = [sys.executable, "-m", "infra.segments", "score", "--shop", SHOP, "--occasion", "judged"]
    subprocess.run(command, env=system.environment, cwd=ROOT, check=True, capture_output=True)


def _token(system: LocalSystem, path: str, asked: dict[str, str]) -> str:
    answer = system.http.post(f"{system.instance.url}{path}", json=asked).raise_for_status()
    return str(answer.json()["token"])


def _known(system: LocalSystem) -> dict[str, Any]:
    found: dict[str, Any] = system.ask(KNOWN, shop=SHOP, email=EMAIL)["customerByIdentifier"] or {}
    return found


def _followed(system: LocalSystem) -> bool:
    known = _known(system)
    return bool(known and known["loyalty"]["available"] and known["segments"] and known["messages"]["nodes"]) and len(
        known["orders"]["nodes"]
    ) == len(ORDERED_DAYS_AGO)


def history(name: str, now: datetime) -> list[dict[str, Any]]:
    """The events of a customer of that name, as the shop would send them: three orders, one given back in part."""
    who = {
        "externalId": name.lower(),
        "email": f"{name.lower()}@example.com",
        "emailVerified": True,
        "firstName": name,
        "lastName": "Example",
        "locale": "en",
    }

    def event(key: str, kind: str, data: dict[str, Any], at: datetime) -> dict[str, Any]:
        envelope = {"id": f"{name}-{key}", "type": kind, "version": 1, "shop": SHOP, "source": "webshop"}
        return envelope | {"occurredAt": at.isoformat(), "customer": who, "data": data}

    events = [event("consents", "customer.updated", {"consents": CONSENTS}, now - timedelta(days=41))]
    for number, days in enumerate(ORDERED_DAYS_AGO, start=1):
        at = now - timedelta(days=days)
        line = {"id": "1", "sku": "CD-17", "title": "Goldberg Variations", "quantity": 2, "unitPrice": "14.90"}
        order = {"orderId": f"{name}-{number}", "version": 1, "status": "placed", "currency": "EUR"}
        order |= {"placedAt": at.isoformat(), "lines": [line], "channel": "web", "shipping": "4.90"}
        events.append(event(f"order-{number}", "order.placed", order, at))
    given_back: dict[str, Any] = {"refundId": "r-1", "orderId": f"{name}-1", "currency": "EUR", "reason": "damaged"}
    given_back |= {"lines": [{"lineId": "1", "quantity": 1}]}
    events.append(event("refund", "refund.created", given_back, now - timedelta(days=35)))
    answer = {"score": 9, "comment": "Quick, and well packed.", "orderId": f"{name}-1"}
    events.append(event("answer", "feedback.received", answer, now - timedelta(days=30)))
    return events
