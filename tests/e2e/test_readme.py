# tests/e2e/test_readme.py
"""What the README says to paste, on the running system."""

import json
import re
import time
from datetime import UTC, datetime
from typing import Any

from tests.local_system import ROOT, LocalSystem, eventually

README = (ROOT / "README.md").read_text()
SHOP = "demo"


def found(pattern: str) -> str:
    (text,) = re.findall(pattern, README, re.DOTALL)
    return str(text)


def test_the_event_of_the_readme_is_what_its_query_shows(system: LocalSystem) -> None:
    system.found_shop(SHOP, zone="America/New_York", currency="USD")
    now = datetime.fromtimestamp(time.time() + system.clock_offset(), UTC)
    event = json.loads(found(r"<<EOF\n(.*?)\nEOF\n").replace("$now", now.strftime("%Y-%m-%dT%H:%M:%SZ")))
    query = found(r"```graphql\n(.*?)```")

    def asked() -> Any:
        return system.ask(query, shop=SHOP)

    def ada() -> dict[str, Any]:
        nodes = asked()["customers"]["nodes"]
        return next((node for node in nodes if node["firstName"] == "Ada"), {})

    assert [result["status"] for result in system.post(event, shop=SHOP)] == ["queued"]
    eventually(lambda: ada().get("statistics", {}).get("orderCount") == 1, "the order is counted")
    eventually(lambda: ada()["loyalty"]["available"] == 29, "its points are posted")
    eventually(lambda: bool(ada()["segments"]), "she is in a segment")
    eventually(lambda: bool(ada()["messages"]["nodes"]), "a message was decided on")
    eventually(lambda: any(float(row["value"]) for row in asked()["kpi"]["periods"]), "the day has a revenue")
    assert ada()["orders"]["nodes"][0]["orderId"] == event["data"]["orderId"]
