# tests/unit/bulk/test_lines.py
from crm.bulk import lines
from crm.consent.models import ConsentHead, ConsentState
from crm.customers.models import Customer
from crm.intake import parsing
from tests.asking import NOW


def test_more_consents_than_an_event_may_say_are_said_by_several() -> None:
    """Those of channels as a whole come first."""
    customer, head = Customer.of("demo", "cus_1", now=NOW), ConsentHead.of("demo", "cus_1")
    topics = [f"t{number}" for number in range(118)]
    head.states = [
        ConsentState(channel="email", purpose="marketing", topic=topic, state="denied", source="form", occurred_at=NOW)
        for topic in (*topics, None)
    ]
    events = [line.event for line in lines.customer_lines(customer, head)]
    assert [(event["type"], len(event["data"]["consents"])) for event in events] == [
        ("customer.updated", 50), ("consent.updated", 50), ("consent.updated", 19)
    ]  # fmt: skip
    said = [consent.get("topic") for event in events for consent in event["data"]["consents"]]
    assert said[0] is None
    assert sorted(said[1:]) == sorted(topics)
    for event in events:
        parsing.parse(parsing.written({"id": "x", "shop": "demo"} | event), now=NOW, imported=True)
