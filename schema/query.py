# schema/query.py
"""What can be asked: each noun file brings its own root fields."""

from asyncio import gather
from typing import Annotated, Final, cast

import strawberry

from crm.kernel.errors import InvalidInput
from schema.access import own
from schema.attribute import AttributeQuery, definition_by_key
from schema.connections import MOST_FIRST, as_many_as, priced
from schema.context import Context, Info
from schema.customer.customer import customer_by_key
from schema.customer.queries import CustomerQuery
from schema.feedback import response_by_key
from schema.kpi import KpiQuery
from schema.loyalty.entries import entry_by_key
from schema.loyalty.holds import hold_by_key
from schema.loyalty.preview import LoyaltyEarnPreviewQuery
from schema.loyalty.programme import LoyaltyProgrammeQuery
from schema.loyalty.programme_preview import LoyaltyProgrammePreviewQuery
from schema.loyalty.refused_vouchers import RefusedVoucherQuery
from schema.loyalty.reward_definitions import RewardQuery, reward_by_key
from schema.loyalty.rewards import redemption_by_key
from schema.loyalty.tiers import TierQuery, tier_by_key
from schema.message import message_by_key
from schema.node import GlobalId, Node, parsed
from schema.operation import OperationQuery, operation_by_key
from schema.order import OrderQuery, order_by_key
from schema.principal import Kind
from schema.segment.by_key import segment_by_key
from schema.segment.explanation import SegmentExplanationQuery
from schema.segment.overlap import SegmentOverlapQuery
from schema.segment.preview import SegmentPreviewQuery
from schema.segment.queries import SegmentQuery
from schema.segment.rfm import RfmQuery
from schema.segment.suggestions import SegmentSuggestionQuery
from schema.segment.templates import SegmentTemplateQuery
from schema.shop import Shop, ShopQuery
from schema.suppression import SuppressionQuery

SCOPES: Final = {
    "AttributeDefinition": "customers:read",
    "Customer": "customers:read",
    "FeedbackResponse": "feedback:read",
    "LedgerEntry": "loyalty:read",
    "LoyaltyTier": "loyalty:read",
    "Message": "messages:read",
    "Operation": None,
    "Order": "orders:read",
    "PointsHold": "loyalty:read",
    "Redemption": "loyalty:read",
    "RewardDefinition": "loyalty:read",
    "Segment": "segments:read",
    "Shop": None,
}
"""What staff need to learn of an object that it exists."""


def _may_fetch(context: Context, kind: str) -> bool:
    if context.principal.kind is Kind.CUSTOMER:
        return kind not in {"RewardDefinition", "Segment"}
    scope = SCOPES.get(kind)
    return scope is None or scope in context.principal.scopes


async def node_by_id(context: Context, info: Info, id: str, *, field: str = "id") -> Node | None:  # noqa: PLR0911  one answer a kind
    """None for whatever does not exist, is another shop's, or is not the caller's to see. Raises InvalidInput for what
    is no id.
    """
    found = parsed(id, field=field)
    if not _may_fetch(context, found.kind):
        return None
    match found:
        case GlobalId("Customer", (customer_id,)):
            return await customer_by_key(context, customer_id)
        case GlobalId("Order", (order_id,)):
            return await order_by_key(context, order_id)
        case GlobalId(_, (customer_id, key)):
            return await _of_customer(context, found.kind, customer_id, key)
        case GlobalId("LoyaltyTier" | "RewardDefinition", (key,)):
            return await (tier_by_key if found.kind == "LoyaltyTier" else reward_by_key)(context, key)
        case GlobalId("AttributeDefinition", (key,)):
            return await definition_by_key(context, key)
        case GlobalId("Segment", (segment_id,)):
            return await segment_by_key(context, segment_id)
        case GlobalId("Operation", (operation_id,)):
            return await operation_by_key(context, operation_id)
        case GlobalId("Shop", (shop,)) if shop == context.shop:
            return await Shop.current(info)
    return None


async def _of_customer(context: Context, kind: str, customer_id: str, key: str) -> Node | None:
    """What hangs on a customer."""
    match kind:
        case "Message":
            return await message_by_key(context, customer_id, key)
        case "FeedbackResponse":
            return await response_by_key(context, customer_id, key)
        case "LedgerEntry":
            return await entry_by_key(context, customer_id, key)
        case "PointsHold":
            return await hold_by_key(context, customer_id, key)
        case "Redemption":
            return await redemption_by_key(context, customer_id, key)
    return None


@strawberry.type(description="What can be asked.")
class Query(
    AttributeQuery,
    CustomerQuery,
    OrderQuery,
    RewardQuery,
    RefusedVoucherQuery,
    SegmentQuery,
    SegmentExplanationQuery,
    SegmentOverlapQuery,
    SegmentPreviewQuery,
    SegmentSuggestionQuery,
    SegmentTemplateQuery,
    RfmQuery,
    LoyaltyEarnPreviewQuery,
    LoyaltyProgrammeQuery,
    LoyaltyProgrammePreviewQuery,
    KpiQuery,
    TierQuery,
    ShopQuery,
    SuppressionQuery,
    OperationQuery,
):
    @strawberry.field(
        description="Any object by its `id`; null where there is none to be seen. What is no id at all is refused.",
        directives=own(None),
    )
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The object's id.")]
    ) -> Node | None:
        return await node_by_id(info.context, info, id)

    @strawberry.field(
        description="Several objects by their ids, in the order asked for; each as `node` has it.",
        directives=[*own(None), as_many_as("ids", most=MOST_FIRST), priced(1)],
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="The objects' ids, 100 at most.")],
    ) -> list[Node | None]:
        if len(ids) > MOST_FIRST:
            raise InvalidInput(f"must be {MOST_FIRST} at most", field="ids")
        asked = [node_by_id(info.context, info, each, field=f"ids.{index}") for index, each in enumerate(ids)]
        # A refusal stands for its own item: null, with an error beside it.
        return cast("list[Node | None]", await gather(*asked, return_exceptions=True))
