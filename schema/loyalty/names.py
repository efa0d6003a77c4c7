# schema/loyalty/names.py
"""The segments and tiers that rules and rewards ask for, by their ids."""

from collections.abc import Iterable, Mapping

from crm.segmentation import service as segmentation
from schema.context import Context, stored
from schema.node import GlobalId


def keys(kind: str, ids: Iterable[str]) -> tuple[str, ...]:
    """What ids of this kind name; what is none of them stays as it is, which is the key of nothing."""
    return tuple(_key(kind, each) for each in ids)


async def segments_known(context: Context, asked: Iterable[str]) -> Mapping[str, str] | None:
    """The shop's segments, names by their keys; nothing is read where none is asked for."""
    if not tuple(asked):
        return None
    found = await stored(segmentation.list_definitions, context.shop)
    return {each.segment_id: each.name for each in found}


def _key(kind: str, id: str) -> str:
    found = GlobalId.parse(id)
    return found.parts[0] if found and found.kind == kind else id
