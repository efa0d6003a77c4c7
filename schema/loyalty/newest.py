# schema/loyalty/newest.py
"""What payloads show beside a version that is not the stored one."""

from typing import Any

from crm.loyalty import service
from schema.context import Context, stored
from schema.loyalty.programme import LoyaltyProgrammeVersion
from schema.loyalty.tiers import LoyaltyTiers


async def newest_programme(context: Context, _given: object) -> dict[str, Any]:
    version = await stored(service.newest_programme, context.shop, now=context.now)
    return {"programme": LoyaltyProgrammeVersion(item=version, now=context.now)}


async def newest_tiers(context: Context, _given: object) -> dict[str, Any]:
    version = await stored(service.newest_programme, context.shop, now=context.now)
    return {"tiers": LoyaltyTiers(version=version), "effective_at": version.effective_at}
