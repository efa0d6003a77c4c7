# tests/contract/test_template_sufficient.py
"""A function is allowed every call it makes, and no call on a table that it does not make.

A shop's day goes through the real handlers as the template wires them, with every call to AWS noted, and the calls of
each function are held against its role. What no laptop enforces is found here and not on AWS.
"""

import importlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.client import BaseClient

from api.app import create_app
from crm.customers import attribute_definitions
from crm.customers import service as customers
from crm.customers.service import AttributeFields
from crm.intake.event_types import EVENT_TYPES
from crm.intake.examples import example
from crm.kernel import aws, clock
from crm.kernel.actor import SYSTEM
from crm.kernel.settings import settings
from crm.kernel.table import client
from crm.loyalty import service as loyalty
from crm.loyalty.programmes import in_force as programmes
from crm.segmentation import backfill, in_force, known_texts, loading
from crm.segmentation import service as segmentation
from crm.segmentation.language.facts import Fact, Facts
from crm.segmentation.service import SegmentFields
from crm.shops import service as shops
from crm.shops.service import ShopFields
from schema.node import global_id
from schema.principal import SCOPES
from tests import bulk
from tests.contract.stack import (
    allowed,
    filtered_kinds,
    mappings,
    name_in,
    of_type,
    role_of,
    targets,
)
from tests.segments import define
from tests.tokens import authenticator, token
from tests.web import Client

FUNCTIONS = of_type("AWS::Lambda::Function")
RULES = of_type("AWS::Events::Rule")

OF_OBJECTS = dict.fromkeys(
    ("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"), "s3:PutObject"
) | {"GetObject": "s3:GetObject", "HeadObject": "s3:GetObject", "ListParts": "s3:ListMultipartUploadParts"}

PIECE = "moto.s3.models.S3_UPLOAD_PART_MIN_SIZE"

Calls = dict[str, set[tuple[str, str]]]

READERS = {"RefreshMembershipsFunction", "RunOperationFunction", "GatewayFunction"}
"""The functions that ask anything of customers which their heads do not say."""
ASKING = {
    Fact.ATTRIBUTES: "attributes.size > 40",
    Fact.CARTS: "checkout_abandoned(60, since: -12m)",
    Fact.LAST_ORDER: "last_order_channel = 'pos'",
    Fact.LAST_SEEN: "last_seen_channel = 'app'",
    Fact.LOYALTY: "loyalty_points > 0",
    Fact.ORDERS: "orders_placed(count_min: 2, since: -30d)",
    Fact.RFM: "rfm_recency >= 4",
    Fact.TOUCHPOINTS: "event('product.viewed', count_min: 2, since: -30d)",
}
"""A segment for each kind of fact that is not a head of the profile."""


def resources_of(service: str, operation: str, asked: dict[str, Any], function: str) -> Iterator[tuple[str, str]]:
    """(action, resource) of a call, as `allowed` writes them."""
    tables = {settings().crm_table: "CrmTable.Arn", settings().kpi_table: "KpiTable.Arn"}
    match service, operation:
        case "dynamodb", "TransactWriteItems":
            for write in asked["TransactItems"]:
                ((verb, one),) = write.items()
                yield f"dynamodb:{verb.removesuffix('Item')}Item", tables[one["TableName"]]
        case "dynamodb", "BatchGetItem":
            yield from (("dynamodb:BatchGetItem", tables[table]) for table in asked["RequestItems"])
        case "dynamodb", _:
            index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
            yield f"dynamodb:{operation}", tables[asked["TableName"]] + index
        case "sqs", "SendMessage" | "SendMessageBatch":
            yield "sqs:SendMessage", named_by(function, asked["QueueUrl"])
        case "events", "PutEvents":
            yield from (("events:PutEvents", named_by(function, entry["EventBusName"])) for entry in asked["Entries"])
        case "s3", _ if operation in OF_OBJECTS:
            yield OF_OBJECTS[operation], f"{named_by(function, asked['Bucket'])}/{asked['Key']}"
        case "sesv2", "SendEmail":
            yield "ses:SendEmail", "SenderIdentityArns"
            by = "arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:configuration-set"
            yield "ses:SendEmail", f"{by}/{named_by(function, asked['ConfigurationSetName']).removesuffix('.Arn')}"
        case _:
            raise AssertionError(f"{function} calls {service}.{operation}, which no role is known to allow")


def named_by(function: str, value: str) -> str:
    """The resource that the template puts in the variable in which a function has found a value."""
    for variable, given in FUNCTIONS[function]["Environment"]["Variables"].items():
        if getattr(settings(), variable.lower(), None) == value:
            return f"{name_in(given)}.Arn"
    raise AssertionError(f"the template gives {function} no variable for {value}")


SCREENS = [
    """{ customer(id: "WHO") {
        identities { value } statistics { orderCount } segments { segment { name } } loyalty { available }
        orders { nodes { orderId } } feedback { nodes { score } } messages { nodes { status } }
    } }""",
    '{ customer(id: "WHO") { timeline { nodes { at } } changes { hasMore } } }',
    "{ customers(first: 2) { nodes { email orders { nodes { orderId } } } } }",
    '{ customerByIdentifier(identifier: {email: "ada@example.com"}) { id } }',
    "{ shop { name } segments { name memberCount status members { nodes { enteredAt } } } }",
    *(
        f"""{{ segmentExplain(segment: {{query: "{query}"}}, customer: "WHO") {{ member }}
            segmentPreview(query: "{query}") {{ estimatedCount }} }}"""
        for query in ASKING.values()
    ),
    '{ kpi(name: NET_REVENUE, from: "2026-03-01", to: "2026-03-31") { periods { value } } }',
    '{ kpiFacts(name: NET_REVENUE, day: "2026-03-01") { nodes { numerator } } }',
]
CHANGES = [
    'mutation { customerCreate(input: {email: "cy@example.com"}) { userErrors { code } } }',
    'mutation { customerUpdate(input: {id: "WHO", email: "ada@example.net"}) { userErrors { code } } }',
    'mutation { customerTagsAdd(input: {id: "WHO", tags: ["vip"]}) { userErrors { code } } }',
    """mutation { feedbackSubmit(input: {customer: "WHO", order: "ORDER", score: 9, idempotencyKey: "k1"}) {
        userErrors { code }
    } }""",
    """mutation { segmentCreate(input: {name: "All", query: "number_of_orders >= 0"}) {
        segment {
            memberCount growth(from: "2026-03-01", to: "2026-03-02") { periods { members } } typicalTraits { members }
            operation { id } byHand { nodes { at } } left { nodes { leftAt } }
        }
        userErrors { code }
    } }""",
    'mutation { shopUpdate(input: {name: "Demo 2"}) { userErrors { code } } }',
]


class Day:
    """The functions, wired as the template says, with the calls they make."""

    def __init__(self) -> None:
        self.calls: Calls = defaultdict(set)
        self.loaded: dict[str, set[Fact]] = defaultdict(set)
        self.running: str | None = None
        self.published: list[dict[str, Any]] = []

    @property
    def ada(self) -> str:
        """The global id of the customer in the examples."""
        found = customers.find("demo", "external", "4711", source="shopify")
        assert found is not None
        return global_id("Customer", found)

    @property
    def order(self) -> str:
        return global_id("Order", "1001")

    def note(self, service: str, operation: str, asked: dict[str, Any]) -> None:
        if self.running is not None:
            self.calls[self.running].update(resources_of(service, operation, asked, self.running))
            if operation == "PutEvents":
                self.published += asked["Entries"]

    def note_facts(self, asked: Iterable[Fact], facts: Facts) -> None:
        """What has been read of somebody. Without bounds there are no scores."""
        if self.running is not None and not facts.hidden:
            self.loaded[self.running].update(set(asked) - (set() if facts.rfm else {Fact.RFM}))

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        module, _, name = FUNCTIONS[function]["Handler"].rpartition(".")
        handler: Callable[..., Any] = getattr(importlib.import_module(module), name)
        for cached in (shops, attribute_definitions, in_force, known_texts, programmes):
            cached.forget_cached()  # each function runs in containers of its own
        self.running = function
        try:
            return handler(event, SimpleNamespace(aws_request_id="r-1", function_name=function))
        finally:
            self.running = None

    def deliver(self, queue: str, bodies: list[Any], *, fails: bool = False) -> None:
        (function,) = (
            name_in(mapping["FunctionName"])
            for mapping in mappings(of="AWS::SQS::Queue").values()
            if name_in(mapping["EventSourceArn"]) == queue
        )
        for place, body in enumerate(bodies):
            record = {"messageId": str(place), "body": json.dumps(body), "messageAttributes": {}}
            more = {"eventSource": "aws:sqs", "attributes": {"ApproximateReceiveCount": "1"}}
            answer = self.invoke(function, {"Records": [record | more]})
            assert bool(answer["batchItemFailures"]) == fails, (function, body)

    def stream(self) -> None:
        """Let both stream functions read every item as it is now, and its queues' functions what they publish."""
        images = client().scan(TableName=settings().crm_table)["Items"]
        for mapping in mappings(of="AWS::DynamoDB::Table").values():
            kinds = filtered_kinds(mapping)
            records = [
                {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(place), "NewImage": image}}
                for place, image in enumerate(images)
                if image["kind"]["S"] in kinds
            ]
            assert self.invoke(name_in(mapping["FunctionName"]), {"Records": records}) == {"batchItemFailures": []}
        self.hand_over()

    def hand_over(self) -> None:
        """Deliver what is on the domain bus to the queues whose rules match it."""
        entries, self.published = self.published, []
        for entry in entries:
            detail = json.loads(entry["Detail"])
            event = {"detail-type": entry["DetailType"], "source": entry["Source"], "detail": detail}
            for name, target in targets():
                pattern = RULES[name].get("EventPattern", {})
                owners = pattern.get("detail", {}).get("owner", [detail.get("owner")])
                if entry["DetailType"] in pattern.get("detail-type", ()) and detail.get("owner") in owners:
                    self.deliver(name_in(target["Arn"]), [event])

    def run_operations(self) -> None:
        """Until there is nothing left to do."""
        while tasks := bulk.tasks():
            self.deliver("OperationsQueue", [json.loads(task["Body"]) for task in tasks])

    def score(self) -> None:
        """Let the day of the shop begin, and its customers be compared."""
        self.invoke("ScoreShopsFunction", {})
        self.run_operations()

    def visit(self) -> None:
        """Let staff look at everything and change what they may."""
        web = Client(create_app(authenticator=authenticator()))
        headers = {"authorization": f"Bearer {token(scope=' '.join(SCOPES))}"}
        self.running = "GatewayFunction"
        for text in (*SCREENS, *CHANGES):
            answer = web.post(
                "/graphql", json={"query": text.replace("WHO", self.ada).replace("ORDER", self.order)}, headers=headers
            ).json()
            assert "errors" not in answer, (text, answer["errors"])
            assert '"code"' not in json.dumps(answer), answer
        assert web.post("/v1/events", json=example("order.paid"), headers=headers).status_code == 202
        assert web.get(f"/v1/events/{example('order.paid')['id']}", headers=headers).status_code == 200
        self.running = None

    def move_the_shop(self) -> None:
        """Let a shop with a segment have its days elsewhere, which is then brought to its customers."""
        said = SegmentFields("New", query="customer_added_date = today")
        segmentation.create("demo", segmentation.DYNAMIC, said, actor=SYSTEM, now=clock.now())
        bulk.tasks()
        before = shops.get("demo")
        after = shops.update("demo", ShopFields(zone="Asia/Tokyo"))
        images = {"NewImage": after.to_dynamodb_dict(), "OldImage": before.to_dynamodb_dict()}
        record = {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": "1"} | images}
        assert self.invoke("PublishChangesFunction", {"Records": [record]}) == {"batchItemFailures": []}
        self.hand_over()
        tasks = bulk.tasks()
        assert len(tasks) == 1
        self.deliver("OperationsQueue", [json.loads(task["Body"]) for task in tasks])
        shops.update("demo", ShopFields(zone=before.zone))

    def hold_points(self, now: datetime) -> None:
        """Let some be set aside until time lets them go."""
        customer_id = customers.find("demo", "external", "4711", source="shopify")
        assert customer_id is not None
        given: dict[str, Any] = {"actor": SYSTEM, "idempotency_key": "k1", "now": now}
        loyalty.adjust("demo", customer_id, 10, reason="A late parcel", **given)
        loyalty.hold("demo", customer_id, 1, lasts=timedelta(hours=1), **given)

    def move_in_and_out(self) -> None:
        """Let staff import customers and orders, and export them."""
        for name in ("customersImport", "ordersImport", "customersExport", "ordersExport"):
            given: dict[str, Any] = {}
            if name in IMPORTED:
                given = {"source": "shopify", "asOf": "2026-03-01T00:00:00Z", "format": "JSONL"}
            self.running = "GatewayFunction"
            operation = bulk.asked_for(name, **given)
            self.running = None
            if name in IMPORTED:
                events = [event | {"shop": "demo"} for event in IMPORTED[name]]
                bulk.uploaded("\n".join(map(json.dumps, events)), name, **given)
                self.running = "GatewayFunction"
                assert bulk.change("importStart", id=operation["id"])["userErrors"] == []
                self.running = None
            self.run_operations()
            done = bulk.seen(operation["id"])
            assert (done["status"], done["progress"]["refused"]) == ("DONE", 0), bulk.results(done)


@pytest.fixture
def day(segments: None, outlets: None, monkeypatch: pytest.MonkeyPatch) -> Day:
    now = clock.parse(example("order.placed")["data"]["placedAt"]) + timedelta(days=2)  # a first order is thanked for
    day, call, load = Day(), BaseClient._make_api_call, loading.load  # type: ignore[attr-defined]
    customers.define_attribute("demo", "size", AttributeFields(name="Size", type="number"), now=now)
    for fact, query in ASKING.items():
        define(fact, query, now=now)
    bulk.tasks()

    def noted(self: Any, operation: str, asked: dict[str, Any]) -> Any:
        day.note(self.meta.service_model.service_name, operation, asked)
        return call(self, operation, asked)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)

    def loaded(snapshot: Any, reads: Any, **given: Any) -> Facts:
        facts = load(snapshot, reads, **given)
        day.note_facts(reads.facts, facts)
        return facts

    monkeypatch.setattr(loading, "load", loaded)
    monkeypatch.setattr(clock, "now", lambda: now)
    for limit in (f"{bulk.files.__name__}.MOST_BYTES", f"{bulk.files.__name__}.LEAST_BYTES", PIECE):
        monkeypatch.setattr(limit, 1)  # results are sent in pieces
    aws.ses_client().create_email_identity(EmailIdentity="shop@example.com")
    first = ("customer.updated", "order.placed")
    day.deliver("IntakeQueue", [example(name) for name in first])
    day.stream()
    day.stream()
    day.score()
    day.deliver("IntakeQueue", [example(name) for name in EVENT_TYPES if name not in first])
    day.deliver("IntakeQueue", [moved(), of_nobody_who_agreed(), of_no_shop()])
    day.deliver("IntakeQueue", [of_a_visitor(), who_the_visitor_was("4711", hour=10)])
    day.stream()
    day.deliver("IntakeQueue", [who_the_visitor_was("4712", hour=9)])
    day.stream()
    for function in ("PublishChangesFunction", "RollUpFunction"):
        assert day.invoke(function, {"Records": [UNREADABLE]}) == {"batchItemFailures": []}
    day.move_the_shop()
    day.visit()
    day.move_in_and_out()
    day.hold_points(now)
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=120))
    day.invoke("FireDueFunction", {})
    day.hand_over()
    day.score()
    return day


CLEO = {"externalId": "4713", "email": "cleo@example.com", "emailVerified": True}
IMPORTED = {
    "customersImport": [
        example("customer.updated") | {"id": "evt-cleo", "customer": CLEO},
        example("customer.updated")
        | {
            "id": "evt-cleo-moved",
            "occurredAt": "2026-03-02T09:30:00+01:00",
            "customer": CLEO | {"email": "cleo@example.org", "anonymousId": "vis_2"},
        },
        example("customer.updated")
        | {
            "id": "evt-cleo-again",
            "occurredAt": "2026-03-01T08:30:00+01:00",
            "customer": {"externalId": "4713", "anonymousId": "vis_2"},
        },
    ],
    "ordersImport": [
        example("refund.created")
        | {"id": "evt-cleo-refund", "data": example("refund.created")["data"] | {"orderId": "1003"}},
        example("order.placed")
        | {"id": "evt-cleo-order", "customer": CLEO, "data": example("order.placed")["data"] | {"orderId": "1003"}},
    ],
}
UNREADABLE = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "NewImage": {"kind": {"S": "Order"}}}}


def moved() -> dict[str, Any]:
    """The customer has another address, and turns out to be a test."""
    envelope = example("customer.updated")
    who = envelope["customer"] | {"email": "ada@example.org", "phone": "+436601234567", "test": True}
    return envelope | {"id": "evt-moved", "occurredAt": "2026-03-02T09:30:00+01:00", "customer": who}


def of_nobody_who_agreed() -> dict[str, Any]:
    """A first order of somebody who has not said whether they want mail: there will be a second look."""
    envelope = example("order.placed")
    who = {"externalId": "4712", "email": "bea@example.com", "emailVerified": True}
    return envelope | {"id": "evt-bea", "customer": who, "data": envelope["data"] | {"orderId": "1002"}}


def of_a_visitor() -> dict[str, Any]:
    return example("product.viewed") | {"id": "evt-visitor", "customer": {"anonymousId": "vis_1"}}


def who_the_visitor_was(external_id: str, *, hour: int) -> dict[str, Any]:
    who = {"externalId": external_id, "anonymousId": "vis_1"}
    at = f"2026-03-01T{hour:02}:30:00+01:00"
    return example("customer.updated") | {"id": f"evt-was-{external_id}", "customer": who, "occurredAt": at}


def of_no_shop() -> dict[str, Any]:
    return {"detail-type": "x", "source": "shop", "detail": example("customer.updated") | {"shop": 7}}


def test_a_function_may_make_every_call_it_makes_and_on_tables_no_other(day: Day) -> None:
    assert set(day.calls) == set(FUNCTIONS) - {"AddClaimsFunction"}  # which calls nobody
    assert not refused(day.calls), "\n".join(map(str, refused(day.calls)))
    assert not idle(day.calls), "\n".join(map(str, idle(day.calls)))


def test_whoever_judges_segments_reads_every_kind_of_fact_in_that_day(day: Day) -> None:
    assert set(day.loaded) == READERS
    assert set(loading.HISTORIES) <= set(ASKING)
    assert {function: set(ASKING) - read for function, read in day.loaded.items()} == {key: set() for key in READERS}


def test_a_walk_goes_on_when_nobody_who_judges_segments_can_have_older_definitions() -> None:
    longest = max(int(FUNCTIONS[function]["Timeout"]) for function in READERS)
    assert in_force.FRESH_FOR + timedelta(seconds=longest) <= backfill.LET_GO


def refused(calls: Calls) -> list[tuple[str, str, str]]:
    """What a role does not allow its function, which calls it."""
    return sorted(
        (function, action, resource)
        for function, made in calls.items()
        for action, resource in made
        if not any(action == given and fnmatchcase(resource, on) for given, on in allowed(role_of(function)))
    )


def idle(calls: Calls) -> list[tuple[str, str, str]]:
    """What a role allows its function on a table, and the day has not seen it call."""
    return sorted(
        (function, action, resource)
        for function, made in calls.items()
        for action, resource in allowed(role_of(function)) - made
        if action.startswith("dynamodb:") and "Table.Arn" in resource and "/stream/" not in resource
    )
