# schema/loyalty/orders.py
"""What orders earn, as clients see it."""

from asyncio import gather
from collections.abc import Sequence
from enum import Enum

import strawberry
from msgspec import Struct

from crm.loyalty import service
from schema.access import own, signed_in
from schema.connections import about
from schema.context import Context, Info, Loader, stored
from schema.scalars import Points


@strawberry.enum(description="Why an order earns nothing, whatever it is worth.")
class PointsWithheld(Enum):
    OTHER_CURRENCY = strawberry.enum_value(
        "OTHER_CURRENCY", description="It is in another currency than the programme, and no rate is agreed."
    )
    NOT_ENROLLED = strawberry.enum_value(
        "NOT_ENROLLED",
        description="Its customer did not take part when it was placed, and the programme waits for them to ask.",
    )


class Share(Struct, frozen=True):
    """What a rule gives, and what it is called."""

    rule: str
    name: str | None
    points: int


@strawberry.type(description="What one rule gives to an order.", directives=signed_in())
class LoyaltyRuleShare:
    share: strawberry.Private[Share]

    @strawberry.field(description="Its `ruleId`; null where it is the programme's `pointsPerUnit`.")
    def rule_id(self) -> str | None:
        return None if self.share.rule == service.BASE_RULE else self.share.rule

    @strawberry.field(description="What the shop calls the rule.")
    def name(self) -> str | None:
        return self.share.name

    @strawberry.field(description="How many.")
    def points(self) -> Points:
        return Points(self.share.points)


@strawberry.type(
    description="What an order earns as it stands: refunds and cancellation taken off.", directives=own("loyalty:read")
)
class OrderPoints:
    item: strawberry.Private[service.OrderEarning]

    @strawberry.field(description="Points; they are in the customer's account.")
    def earned(self) -> Points:
        return Points(int(self.item.posted))

    @strawberry.field(description="Why there are none; null where nothing stands against them.")
    def withheld(self) -> PointsWithheld | None:
        return PointsWithheld(self.item.withheld) if self.item.withheld else None

    @strawberry.field(description="By which rules, as it stands.", directives=[about(2)])
    async def rules(self, info: Info) -> list[LoyaltyRuleShare]:
        given: Sequence[service.GivenPart] = self.item.given
        version = int(self.item.programme_version or 0)
        names = await info.context.loader(RuleNamesByVersion).load(version) if given else {}
        return [LoyaltyRuleShare(share=Share(one.rule, names.get(one.rule), int(one.points))) for one in given]


class RuleNamesByVersion(Loader[int, dict[str, str]]):
    """What rules were called in versions of the programme. A process keeps the newest, and reads others by number."""

    async def load_many(self, keys: list[int]) -> Sequence[dict[str, str]]:
        return await gather(*(stored(self._names, key) for key in keys))

    def _names(self, number: int) -> dict[str, str]:
        programme = service.programme_version(self.context.shop, number, now=self.context.now)
        return {rule.id: rule.name for rule in programme.earning.rules}


class EarningByOrder(Loader[tuple[str, str], service.OrderEarning | None]):
    """By customer and order id."""

    async def load_many(self, keys: list[tuple[str, str]]) -> Sequence[service.OrderEarning | None]:
        found = await stored(service.earnings, self.context.shop, keys)
        return [found.get(key) for key in keys]


async def points_of(context: Context, customer_id: str, order_id: str) -> OrderPoints | None:
    item = await context.loader(EarningByOrder).load((customer_id, order_id))
    return OrderPoints(item=item) if item else None
