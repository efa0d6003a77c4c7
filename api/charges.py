# api/charges.py
"""What is charged at doors other than GraphQL's, and before a document is known."""

from api.answers import BadRequest
from crm.kernel import clock
from schema.budget import Budgets
from schema.principal import Principal


async def charge(budgets: Budgets | None, principal: Principal, points: int) -> None:
    """Raises BadRequest (429) for whoever has too few."""
    charged = await budgets.charge(principal, points, now=clock.now()) if budgets else None
    if budgets and charged is not None and charged.wait > 0:
        wait, message = budgets.told_to_wait(principal, points, charged)
        raise BadRequest(429, "THROTTLED", message, headers={"retry-after": str(wait)})
