# schema/segment/in_force.py
"""What is known of all of a shop's segments at once: how they stand, and how many members each has."""

from collections.abc import Sequence

from crm.kpis import service as kpis
from crm.segmentation import service
from schema.context import Context, Loader, stored


class MemberCountBySegment(Loader[str, int]):
    """All in one batch read."""

    async def load_many(self, keys: list[str]) -> Sequence[int]:
        counts = await stored(kpis.member_counts, self.context.shop, keys)
        return [counts[key] for key in keys]


class InForceByShop(Loader[str, service.InForce]):
    """As the segments were at most a minute ago."""

    async def load_many(self, keys: list[str]) -> Sequence[service.InForce]:
        return [await stored(service.current, shop, now=self.context.now) for shop in keys]


class NewestByShop(Loader[str, service.InForce]):
    """As the segments are: one request more."""

    async def load_many(self, keys: list[str]) -> Sequence[service.InForce]:
        return [await stored(service.newest, shop, now=self.context.now) for shop in keys]


class ReadyByShop(Loader[str, int]):
    """The last version of the shop's segments for which all customers have been looked at."""

    async def load_many(self, keys: list[str]) -> Sequence[int]:
        return [await stored(service.ready_in, shop) for shop in keys]


async def in_force(context: Context) -> service.InForce:
    return await context.loader(InForceByShop).load(context.shop)


async def status_of(context: Context, known: service.Segment) -> service.Status:
    return known.status(await context.loader(ReadyByShop).load(context.shop))


async def newest(context: Context) -> service.InForce:
    return await context.loader(NewestByShop).load(context.shop)
