# schema/loyalty/account.py
"""A customer's points, as clients see them."""

from asyncio import gather
from collections.abc import Sequence
from typing import ClassVar

import strawberry

from crm.loyalty import service
from schema.access import own
from schema.connections import After, Connection, First, paged
from schema.context import Info, Loader, stored
from schema.loaders import timeline_page
from schema.loyalty.entries import EntriesByCustomer, LedgerEntry
from schema.scalars import Points


class BalancesByCustomer(Loader[str, service.Balances]):
    """As they are now, of accounts of which something is due."""

    async def load_many(self, keys: list[str]) -> Sequence[service.Balances | BaseException]:
        asked = (stored(service.balances_at, self.context.shop, key, now=self.context.now) for key in keys)
        return await gather(*asked, return_exceptions=True)


@strawberry.type(description="A customer's points.", directives=own("loyalty:read"))
class LoyaltyAccount:
    HEAD: ClassVar = service.LoyaltyAccount

    customer_id: strawberry.Private[str]
    item: strawberry.Private[service.LoyaltyAccount | None]

    @strawberry.field(description="Points that can be spent now; below zero after a refund of points already spent.")
    async def available(self, info: Info) -> Points:
        return Points((await self._balances(info)).net)

    @strawberry.field(description="Points that were earned and can be spent later, when orders cannot be returned.")
    async def pending(self, info: Info) -> Points:
        return Points((await self._balances(info)).pending)

    @strawberry.field(description="Points that are set aside, and come back unless they are spent.")
    async def held(self, info: Info) -> Points:
        return Points((await self._balances(info)).held)

    @strawberry.field(description="All that orders earned, less what their refunds took back.")
    def lifetime_earned(self) -> Points:
        return Points(int(self.item.lifetime_earned) if self.item else 0)

    @strawberry.field(description="Movements of points, newest first.", directives=[paged()])
    async def entries(self, info: Info, first: First = 20, after: After = None) -> Connection[LedgerEntry] | None:
        return await timeline_page(
            info.context,
            EntriesByCustomer,
            "LoyaltyAccount.entries",
            self.customer_id,
            first=first,
            after=after,
            node=lambda item: LedgerEntry(item=item),
        )

    async def _balances(self, info: Info) -> service.Balances:
        """What is due by now counts, also before its timer has been handled."""
        if self.item is None:
            return service.Balances()
        if not service.is_due(self.item, info.context.now):
            return service.balances_of(self.item)
        return await info.context.loader(BalancesByCustomer).load(self.customer_id)
