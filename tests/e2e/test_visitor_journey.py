# tests/e2e/test_visitor_journey.py
"""From a device on which nobody has signed in to the timeline of the customer who then does."""

from infra.local.tokens import token
from tests.e2e.effects import PATIENCE, SHOP, Buyer
from tests.local_system import LocalSystem, eventually

TIMELINE = """query($value: String!) { customerByIdentifier(identifier: {external: {source: "e2e", value: $value}}) {
    customerId timeline(kinds: [TOUCHPOINT]) { nodes { ... on TouchpointSeen {
        touchpoint { touchpointId type } } } } } }"""


def test_what_was_done_before_signing_in_is_on_the_timeline_of_who_signs_in(system: LocalSystem) -> None:
    buyer = Buyer(system, "newcomer")
    system.post(buyer.event("customer.updated", {}), shop=SHOP)
    eventually(lambda: bool(buyer.shown()), "they are a customer", seconds=PATIENCE)
    customer_id = system.ask(TIMELINE, shop=SHOP, value=buyer.name)["customerByIdentifier"]["customerId"]

    device = system.http.post(f"{system.instance.url}/v1/visitors", json={"shop": SHOP}).raise_for_status().json()
    seen = buyer.event("product.viewed", {"sku": "A"}, customer=None)
    assert [one["status"] for one in system.post(seen, shop=SHOP, bearer=device["token"])] == ["queued"]

    signed_in = token(system.instance.url, "customer", SHOP, customer_id=customer_id)
    visit = buyer.event("visit.started", {"channel": "app"}, customer={"anonymousId": device["visitorId"]})
    assert [one["status"] for one in system.post(visit, shop=SHOP, bearer=signed_in)] == ["queued"]

    def on_the_timeline() -> dict[str, str]:
        nodes = system.ask(TIMELINE, shop=SHOP, value=buyer.name)["customerByIdentifier"]["timeline"]["nodes"]
        return {node["touchpoint"]["type"]: node["touchpoint"]["touchpointId"] for node in nodes}

    eventually(lambda: len(on_the_timeline()) == 2, "what they looked at is theirs", seconds=PATIENCE)
    assert on_the_timeline() == {
        "product.viewed": f"app.{device['visitorId']}.{seen['id']}",
        "visit.started": f"app.{customer_id}.{visit['id']}",
    }
