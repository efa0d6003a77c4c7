# crm/loyalty/programmes/repository.py
"""Every read of programmes; writes go through a Change."""

from collections.abc import Iterator

from pynamodb.exceptions import DoesNotExist

from crm.kernel import timeline
from crm.loyalty.programmes.models import PREFIX, ProgrammeVersion, version_key

AT_ONCE = 20
"""Versions a request."""


def newest_first(shop: str, *, after: int = 0, before: int | None = None) -> Iterator[ProgrammeVersion]:
    """A shop's versions above `after` and below `before`, read as they are asked for (AP-190)."""
    if before is not None and before <= after + 1:
        return  # DynamoDB refuses a range that ends before it begins
    last = f"{PREFIX}{timeline.LAST}" if before is None else version_key(before - 1)
    keys = ProgrammeVersion.sk.between(version_key(after + 1), last)
    yield from ProgrammeVersion.query(
        ProgrammeVersion.of(shop, 0).pk, keys, consistent_read=True, scan_index_forward=False, page_size=AT_ONCE
    )


def get(shop: str, number: int) -> ProgrammeVersion | None:
    """AP-191."""
    key = ProgrammeVersion.of(shop, number)
    try:
        return ProgrammeVersion.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None
