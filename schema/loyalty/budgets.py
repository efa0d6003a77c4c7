# schema/loyalty/budgets.py
"""What budgets of rules have given, as staff see it."""

from collections.abc import Mapping, Sequence

import strawberry

from crm.loyalty import service
from schema.access import staff
from schema.context import Context, Loader, stored
from schema.scalars import Points


@strawberry.type(description="What has become of a rule's budget.", directives=staff("loyalty:read"))
class LoyaltyBudgetUse:
    given: Points = strawberry.field(
        description="What orders were given of it, by whatever version of the rule, less what refunds gave back."
    )
    left: Points = strawberry.field(description="What they can still be given; 0 where there is no more.")


class SpentByRule(Loader[str, Mapping[int, int]]):
    """By the rule's id: what each share of its budget has given."""

    async def load_many(self, keys: list[str]) -> Sequence[Mapping[int, int]]:
        found = await stored(service.budgets_spent, self.context.shop, keys)
        return [found[key] for key in keys]


async def budget_use(context: Context, rule: service.Rule) -> LoyaltyBudgetUse | None:
    if rule.budget is None:
        return None
    use = service.budget_use(rule.budget, await context.loader(SpentByRule).load(rule.id))
    return LoyaltyBudgetUse(given=Points(use.given), left=Points(use.left))
