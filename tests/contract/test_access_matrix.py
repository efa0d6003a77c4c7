# tests/contract/test_access_matrix.py
"""Every field x role x tenant, asked of two shops that are alike but for what they say."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from moto import mock_aws
from msgspec.structs import replace

import schema.query
from crm.customers import attribute_definitions
from crm.customers import service as customers
from crm.kernel import aws
from crm.kernel.settings import settings
from crm.kernel.table import Item, connection
from crm.kpis.models import KpiItem
from crm.loyalty.programmes import in_force as programmes
from crm.segmentation import in_force
from crm.shops import service as shops
from schema import order
from schema.customer import queries
from schema.customer.customer import customer_by_key
from schema.plan import Plan
from tests import access_matrix
from tests.access_matrix import CELLS, EDGES, values, wrong_cells
from tests.asking import STAFF
from tests.two_shops import PEOPLE, furnish

UNTOLD = {
    "AttributeDefinition.retiredAt",
    "ConsentEntry.statedAt",
    "KpiFact.entry",
    "KpiFact.refundId",
    "KpiFact.response",
    "LedgerFinding.flaw",
    "LedgerFinding.place",
    "LoyaltyEarnPreview.withheld",
    "Message.reason",
    "Message.reportedAt",
    "Message.settledAt",
    "Operation.ignoredColumns",
    "Operation.resultUrl",
    "Operation.startedAt",
    "Operation.uploadUrl",
    "OperationCost.readUnits",
    "OperationCost.requests",
    "OperationCost.writeUnits",
    "OperationProgress.bytesTotal",
    "OperationProgress.rowsTotal",
    "OrderPoints.withheld",
    "Permission.reason",
    "SegmentLeft.at",
    "SegmentLeft.cause",
    "SegmentLeft.kind",
    "Segment.deletedAt",
    "SegmentExplanation.flipsAt",
    "SegmentExplanationPart.flipsAt",
    "SegmentExplanationPart.parent",
    "SegmentExplanationPart.records",
    "SegmentQueryMistake.code",
    "SegmentQueryMistake.column",
    "SegmentQueryMistake.expected",
    "SegmentQueryMistake.length",
    "SegmentQueryMistake.line",
    "SegmentQueryMistake.message",
    "SegmentQueryMistake.nearest",
    "SegmentQueryMistake.offset",
    "SegmentStay.leftAt",
    "TierAmount.orderCount",
    "TierChange.corrects",
}
"""What is null here for everybody: it comes of a later step of what is there, which is told; or of a wrong
query.
"""

HOLLOW = {
    ("Query.viewer", "Customer"),
    ("TimelineEntryConnection.nodes", "SegmentLeft"),
    ("TimelineEntryEdge.node", "SegmentLeft"),
    ("SegmentLeft.segment", "Segment"),
    ("ListValue.elements", "BooleanValue"),
    ("ListValue.elements", "DateValue"),
    ("ListValue.elements", "NumberValue"),
    ("LedgerVerification.findings", "LedgerFinding"),
    ("Operation.cost", "OperationCost"),
    ("Operation.verification", "LedgerVerification"),
    ("Segment.errors", "SegmentQueryMistake"),
    ("SegmentExplanation.errors", "SegmentQueryMistake"),
    ("SegmentExplanationPart.parts", "SegmentExplanationPart"),
    ("SegmentPreview.errors", "SegmentQueryMistake"),
    ("SegmentStay.leftBy", "SegmentCause"),
    ("TierAmount.spend", "Money"),
}
"""What staff are told nothing by: who is no customer, who has left no segment yet, lists of other elements, mistakes of
queries that are right, parts of a condition, what an import costs, what one found of a ledger, what is wrong with
ledgers that are whole, what counts for tiers where that is points.
"""

ALIKE = {
    ("Attribute.value", "BooleanValue"),
    ("ConsentMoment.permission", "Permission"),
    ("Customer.attributes", "Attribute"),
    ("Customer.consent", "ConsentMoment"),
    ("Customer.identities", "Identity"),
    ("Customer.permission", "Permission"),
    ("CustomerStatistics.totals", "CurrencyTotals"),
    ("LoyaltyAccount.verify", "LedgerVerification"),
    ("Operation.progress", "OperationProgress"),
    ("Query.kpi", "Kpi"),
    ("LoyaltyProgrammeVersion.tiers", "LoyaltyTiers"),
    ("Query.loyaltyTiers", "LoyaltyTiers"),
    ("Query.loyaltyRewardPreview", "RewardPreview"),
    ("Query.segmentTemplates", "SegmentTemplate"),
    ("Query.segmentValueSuggestions", "SegmentSuggestion"),
    ("Query.segmentExplain", "SegmentExplanation"),
    ("Segment.createdBy", "Actor"),
    ("Segment.operation", "Operation"),
    ("SegmentGrowth.periods", "SegmentGrowthPeriod"),
    ("Segment.revenue", "SegmentRevenue"),
    ("SegmentExplanation.parts", "SegmentExplanationPart"),
    ("SegmentMembership.cause", "SegmentCause"),
    ("SegmentStay.enteredBy", "SegmentCause"),
}
"""What says nothing that differs from shop to shop: keys, flags, counts, and what all shops share."""


@pytest.fixture(scope="module", autouse=True)
def _furnished() -> Iterator[None]:
    with mock_aws():
        aws._client.cache_clear()
        connection()
        Item.create_table(wait=True)
        KpiItem.create_table(wait=True)
        shops.forget_cached()
        attribute_definitions.forget_cached()
        in_force.forget_cached()
        programmes.forget_cached()
        aws.sqs_client().create_queue(QueueName=settings().operations_queue_url.rpartition("/")[2])
        region = {"LocationConstraint": settings().aws_region}
        aws.s3_client().create_bucket(Bucket=settings().archive_bucket, CreateBucketConfiguration=region)
        for shop in PEOPLE:
            shops.create(shop, shops.ShopFields(name=shop, zone="Europe/Vienna", currency="EUR", locale="de-AT"))
        furnish()
        yield
        told.cache_clear()
    aws._client.cache_clear()
    shops.forget_cached()
    attribute_definitions.forget_cached()
    in_force.forget_cached()
    programmes.forget_cached()


@lru_cache
def told(role: str) -> dict[Any, Any]:
    return access_matrix.told(role)


def leading(*coordinates: str) -> list[access_matrix.Edge]:
    return [edge for edge in EDGES if edge.coordinate in coordinates]


def test_every_field_is_open_to_those_it_names_and_tells_them_of_nobody_else() -> None:
    assert wrong_cells() == []
    assert CELLS > 5000


def test_the_matrix_asks_for_something_that_is_there() -> None:
    """A field that is null for everybody keeps no secret."""
    known, hollow = set(), set()
    for edge, data in told("staff with all scopes").items():
        here = {part.coordinate for part in edge.parts if any(True for _ in values(part.name, data))}
        known |= here
        if edge.parts and not here:
            hollow.add((edge.coordinate, edge.target))
    assert {part.coordinate for edge in EDGES for part in edge.parts} - known == UNTOLD
    assert hollow == HOLLOW


def test_the_matrix_tells_the_shops_apart() -> None:
    ours, theirs = told("staff with all scopes"), told("staff of another shop")
    alike = {(edge.coordinate, edge.target) for edge in EDGES if edge.parts and ours[edge] == theirs[edge]}
    assert alike == ALIKE | HOLLOW


def test_a_customer_of_another_shop_who_is_found_by_their_address_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def by_key(context: Any, customer_id: str) -> Any:
        context.principal = replace(context.principal, shop="demo")
        return await customer_by_key(context, customer_id)

    monkeypatch.setattr(queries, "customer_by_key", by_key)
    wrong = wrong_cells(leading("Query.customerByIdentifier"))
    assert wrong == [("staff of another shop", "Query.customerByIdentifier", "is told of ada-demo")]


def test_an_order_of_somebody_else_that_a_customer_is_shown_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = order.order_by_key

    async def as_staff(context: Any, order_id: str) -> Any:
        context.principal = replace(STAFF, shop=context.principal.shop)
        return await plain(context, order_id)

    monkeypatch.setattr(order, "order_by_key", as_staff)
    monkeypatch.setattr(schema.query, "order_by_key", as_staff)
    wrong = wrong_cells(leading("Query.order", "Query.orderByNumber", "Query.node", "Query.nodes"))
    of_customers = {"the customer", "another customer", "a customer who is blocked", "a customer who is deleted"}
    for field in ("Query.order", "Query.orderByNumber", "Query.node"):
        assert {role for role, coordinate, _ in wrong if coordinate == field} >= of_customers


def test_a_record_that_somebody_blocked_or_deleted_is_shown_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customers, "takes_part", lambda _: True)
    wrong = wrong_cells(leading("Query.viewer", "Query.customer"))
    assert {role for role, _, _ in wrong} == {"a customer who is blocked", "a customer who is deleted"}


def test_a_rule_that_nobody_is_held_to_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plan, "denied", lambda *_: ())
    wrong = wrong_cells(leading("Query.shop"))
    assert {why for _, _, why in wrong} == {"is let in: 200"}
    assert {("the customer", "Shop.sender"), ("a service", "Query.shop")} <= {(role, field) for role, field, _ in wrong}
