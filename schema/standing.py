# schema/standing.py
"""Whether a customer's token still counts: asked once at every door by which customers change or tell anything."""

from crm.customers import service
from schema.context import stored
from schema.principal import Kind, Principal


async def refuse_barred(principal: Principal) -> None:
    """Raises CustomerBlocked for the token of a customer who takes no part; costs one read of their profile.

    What one may not see is another matter (`visible_record`); one who does not exist is left to what they ask for.
    """
    if principal.kind is Kind.CUSTOMER:
        assert principal.customer_id is not None  # tokens of customers name them
        await stored(service.check_standing, principal.shop, principal.customer_id)
