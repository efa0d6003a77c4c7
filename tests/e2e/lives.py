# tests/e2e/lives.py
"""One customer of a shop through years: what is told of them, what is done, and what the bus is told of it."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from infra.local.tokens import token
from tests.e2e.effects import PATIENCE, rests
from tests.local_system import ROOT, LocalSystem, eventually

ZONE: Final = ZoneInfo("Europe/Vienna")
TIMER: Final = "timer.due"
TOLD: Final = ("points.posted", "points.expiring", "tier.changed", "tier.downgrade_upcoming", TIMER)

Said = dict[str, Any]


@dataclass
class Life:
    """Of whom the shop calls `name`, from the next 1 March on; so no day of it depends on today's."""

    system: LocalSystem
    shop: str
    name: str
    heard: list[Said] = field(default_factory=list)
    """All that the domain bus was told of the shop, and by nobody here."""
    tellings: int = 0

    def begins(self) -> None:
        self.system.listen(self.shop, {"detail-type": TOLD, "detail": {"shop": [self.shop]}})
        now = self.now()
        self.year = now.year + (now.date() >= now.date().replace(month=3, day=1))
        self.comes_to(3, 1)

    def now(self) -> datetime:
        return (datetime.now(UTC) + timedelta(seconds=self.system.clock_offset())).astimezone(ZONE)

    def at(self, month: int, day: int, hour: int = 0, *, years: int = 0) -> datetime:
        return datetime(self.year + years, month, day, hour, tzinfo=ZONE)

    def comes_to(self, month: int, day: int, *, years: int = 0) -> None:
        """It is noon of that day."""
        self.system.move_clock((self.at(month, day, 12, years=years) - self.now()).total_seconds())

    def hears(self, kind: str, times: int) -> None:
        """So often the bus has been told that by now. Then another minute passes, and whatever fell due by now is told
        again: delivery is at least once.
        """
        eventually(lambda: len(self.told(kind)) >= times, f"{kind}: {times}", seconds=PATIENCE)
        self.system.move_clock("PT1M")
        timers = [event for event in self.heard if event["detail-type"] == TIMER]
        self.system.put_again(*timers)
        rests(self.system)
        self._listen()
        self.heard = [event for event in self.heard if event["detail-type"] != TIMER]

    def tells(self, kind: str, data: Said, *, customer: bool = True) -> None:
        """What happens now is told, twice."""
        self.tellings += 1
        event = {
            "id": f"{self.name}-{self.tellings}",
            "type": kind,
            "version": 1,
            "shop": self.shop,
            "source": "e2e",
            "occurredAt": self.now().isoformat(),
            "data": data,
        }
        if customer:
            event["customer"] = {"externalId": self.name}
        self.system.post(event, event, shop=self.shop)
        rests(self.system)

    def orders(self, order_id: str, *, quantity: int, price: str) -> None:
        lines = [{"id": "1", "sku": "A", "quantity": quantity, "unitPrice": price}]
        said = {"orderId": order_id, "version": 1, "status": "placed", "currency": "EUR", "lines": lines}
        self.tells("order.updated", said | {"placedAt": self.now().isoformat()})

    def does(self, mutation: str, said: Said, shows: str = "", *, themselves: bool = False) -> Any:
        """What a mutation shows, of staff unless it is the customer's own."""
        kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
        query = f"mutation($said: {kind}) {{ {mutation}(input: $said) {{ {shows} userErrors {{ code message }} }} }}"
        bearer = None
        if themselves:
            bearer = token(self.system.instance.url, "customer", self.shop, customer_id=self.shown("customerId"))
        answer = self.system.ask(query, shop=self.shop, token=bearer, said=said)[mutation]
        assert answer["userErrors"] == [], answer
        return answer

    def shown(self, field: str) -> Any:
        query = f"""query($value: String!) {{
            customerByIdentifier(identifier: {{external: {{source: "e2e", value: $value}}}}) {{ {field} }} }}"""
        customer = self.system.ask(query, shop=self.shop, value=self.name)["customerByIdentifier"]
        return customer[field.split(" ", 1)[0]]

    def points(self) -> tuple[int, int]:
        """Available and pending."""
        shown = self.shown("loyalty { available pending }")
        return shown["available"], shown["pending"]

    def told(self, kind: str) -> list[Said]:
        """What the bus was told so, the first to happen first; what is as old, the first in the ledger. Nothing twice:
        each telling has an id.
        """
        self._listen()
        found = [event["detail"] for event in self.heard if event["detail-type"] == kind]
        assert len({told["id"] for told in found}) == len(found), found
        return sorted(found, key=lambda told: (datetime.fromisoformat(told["occurredAt"]), told.get("number")))

    def hour_of(self, instant: str) -> datetime:
        return datetime.fromisoformat(instant).astimezone(ZONE).replace(minute=0, second=0, microsecond=0)

    def verified(self, folder: Path) -> subprocess.CompletedProcess[str]:
        """By an operator, against what was published."""
        published = folder / "published.jsonl"
        published.write_text("\n".join(json.dumps(told) for told in self.told("points.posted")))
        self.system.instance.announce()
        command = [sys.executable, "-m", "infra.local.verify", "--shop", self.shop, "--against", str(published)]
        where = self.system.environment | {"CRM_STATE_DIR": str(self.system.folder)}
        return subprocess.run(command, cwd=ROOT, env=where, capture_output=True, text=True, check=False)

    def _listen(self) -> None:
        self.heard += self.system.heard(self.shop)
