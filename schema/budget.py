# schema/budget.py
"""What each caller may ask for over time: a bucket of cost points (0045), charged before anything is executed."""

import asyncio
import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from math import ceil
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
MOST_OWED: Final = 4
"""Buckets of points, that are owed at most: what an answer was beyond its price keeps nobody waiting for longer."""
BUSY: Final = frozenset({"ThrottlingException", "ProvisionedThroughputExceededException"})
"""The store takes no more writes of this one item: whoever asks that often is over any limit."""

SIZE = re.compile(r"(?P<kind>[a-z]+)=(?P<most>[1-9]\d*)/(?P<per_second>[1-9]\d*)")


class Known(Struct):
    """What this process knows of a bucket: its state after the last charge, and how much too little the charges took;
    below zero, how much too much.
    """

    full_at: int = 0
    owed: int = 0


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
        points, size = max(points, 1), self._sizes[principal.kind]
        if known.full_at <= buckets.microseconds(now):
            known.owed = max(known.owed, 0)  # time has given back what was too much; others may owe beside this
        owed = max(known.owed, -min(points, size.most))
        known.owed -= owed  # by one request only, whatever comes at once
        try:
            more = {"now": now, "owed": owed, "full_at": known.full_at}
            charge = await asyncio.to_thread(_charge, key, points, size, **more)
        except STORE_ERRORS as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in BUSY:
                known.owed += owed
                return Charge(known.full_at, 0, 1.0, 1)
            known.owed += max(owed, 0)  # it may have been written: what went back does not go back again
            logger.error("a budget could not be charged, and was not: %s", type(error).__name__)  # noqa: TRY400
            return None
        known.full_at = max(known.full_at, charge.full_at)
        known.owed += owed if charge.wait else 0
        return charge

    def settle(self, principal: Principal, charge: Charge, used: int, *, gives_back: bool = True) -> None:
        """The next charge takes what was used beyond what this one took. What was taken and not used goes back with it,
        if it comes before the bucket is full, and if this one `gives_back`.
        """
        known, more = self._known.get(_key(principal)), used - charge.taken
        if known is not None and (more > 0 or gives_back):
            known.owed = min(known.owed + more, MOST_OWED * self._sizes[principal.kind].most)

    def shown(self, principal: Principal, charge: Charge) -> dict[str, Any]:
        """What the caller has after a charge, with what the next one will take beside its price or give back."""
        size, known = self._sizes[principal.kind], self._known.get(_key(principal))
        left = charge.left - (known.owed if known else 0)
        return {
            "left": min(max(left, 0), size.most),
            "most": size.most,
            "perSecond": size.per_second,
            "requests": charge.requests,
        }

    def told_to_wait(self, principal: Principal, points: int, charge: Charge) -> tuple[int, str]:
        """For how many whole seconds, and in which words."""
        wait, left = ceil(charge.wait), self.shown(principal, charge)["left"]
        return wait, f"This costs {points} points, and there are {left}: wait {wait} seconds."


def _charge(key: tuple[str, str], points: int, size: Size, **more: Any) -> Charge:
    with metering():  # of nobody
        return buckets.charge(*key, points, size, **more)


def _key(principal: Principal) -> tuple[str, str]:
    """Whose bucket: of a person or a service, not of a token. What issuers call subjects may be addresses."""
    if principal.customer_id is not None:
        return principal.shop, f"{principal.kind}#{principal.customer_id}"
    digest = hashlib.sha256((principal.subject or "").encode()).hexdigest()[:32]
    return principal.shop, f"{principal.kind}#{digest}"
