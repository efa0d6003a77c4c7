# schema/budget.py
"""What each caller may ask for over time: a bucket of cost points (0045), charged before anything is executed."""

import asyncio
import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Self

from botocore.exceptions import ClientError
from msgspec import Struct

from crm.kernel import buckets
from crm.kernel.buckets import Charge, Size
from crm.kernel.meter import metering
from crm.kernel.table import STORE_ERRORS
from schema.principal import Kind, Principal

logger = logging.getLogger(__name__)

MOST_KNOWN: Final = 4_096
BUSY: Final = frozenset({"ThrottlingException", "ProvisionedThroughputExceededException"})
"""The store takes no more writes of this one item: whoever asks that often is over any limit."""

SIZE = re.compile(r"(?P<kind>[a-z]+)=(?P<most>[1-9]\d*)/(?P<per_second>[1-9]\d*)")


class Known(Struct):
    """What this process knows of a bucket: its state after the last charge, and what that took too much."""

    full_at: int = 0
    back: int = 0


class Budgets:
    """The buckets of all callers. One that the store does not answer for is taken as full: then it answers nothing else
    either, and what is refused for want of a bucket would be lost with it.
    """

    def __init__(self, sizes: Mapping[str, Size]) -> None:
        self._sizes = sizes
        self._known: OrderedDict[tuple[str, str], Known] = OrderedDict()

    @classmethod
    def of(cls, text: str) -> Self | None:
        """From `customer=5000/100 staff=...`, points held and points a second; None for nothing.

        Raises RuntimeError for what is neither, and where a kind of caller is missing.
        """
        if not text:
            return None
        found = [SIZE.fullmatch(word) for word in text.split()]
        sizes = {one["kind"]: Size(int(one["most"]), int(one["per_second"])) for one in found if one}
        missing = [kind.value for kind in Kind if kind.value not in sizes]
        if missing or not all(found):
            raise RuntimeError(f"POINT_BUDGETS must be words such as customer=5000/100; missing: {missing}")
        return cls(sizes)

    async def charge(self, principal: Principal, points: int, *, now: datetime) -> Charge | None:
        """None where the store did not answer. Its own requests are not among those of whoever is being metered."""
        key = _key(principal)
        known = self._known.setdefault(key, Known())
        self._known.move_to_end(key)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        points = max(points, 1)
        if known.full_at <= buckets.microseconds(now):
            known.back = 0
        back = min(known.back, points)
        known.back -= back  # taken by one request only, whatever comes at once
        size = self._sizes[principal.kind]
        try:
            more = {"now": now, "back": back, "full_at": known.full_at}
            charge = await asyncio.to_thread(_charge, key, points, size, **more)
        except STORE_ERRORS as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in BUSY:
                return Charge(known.full_at, 0, 1.0, 1)
            logger.error("a budget could not be charged, and was not: %s", type(error).__name__)  # noqa: TRY400
            return None
        known.full_at = max(known.full_at, charge.full_at)
        known.back += back if charge.wait else 0
        return charge

    def give_back(self, principal: Principal, points: int) -> None:
        """What was charged and not used goes back with the next charge, if that comes before the bucket is full."""
        known = self._known.get(_key(principal))
        if known is not None and points > 0:
            known.back += points

    def shown(self, principal: Principal, charge: Charge) -> dict[str, Any]:
        size = self._sizes[principal.kind]
        return {"left": charge.left, "most": size.most, "perSecond": size.per_second, "requests": charge.requests}


def _charge(key: tuple[str, str], points: int, size: Size, **more: Any) -> Charge:
    with metering():  # of nobody
        return buckets.charge(*key, points, size, **more)


def _key(principal: Principal) -> tuple[str, str]:
    """Whose bucket: of a person or a service, not of a token. What issuers call subjects may be addresses."""
    if principal.customer_id is not None:
        return principal.shop, f"{principal.kind}#{principal.customer_id}"
    digest = hashlib.sha256((principal.subject or "").encode()).hexdigest()[:32]
    return principal.shop, f"{principal.kind}#{digest}"
