# crm/kernel/buckets.py
"""Leaky buckets of points, one for each caller: each request takes points out, and time puts them back (0045).

Key design (docs/access-patterns.md, AP-90):
    Bucket  pk=SHOP#<shop>#BUCKET#<owner>  sk=BUCKET  `full_at`: when it is full again, in microseconds since 1970

One number is the whole state: what is missing is `full_at` less now, at the rate of refilling. So a charge is one
UpdateItem whose condition holds the limit, however many come at once; there is nothing to read before and nothing to
refill. `expires_at` lets DynamoDB forget a bucket that has been full for an hour, which loses nothing.
"""

from datetime import datetime
from typing import Any, Final, cast

from botocore.exceptions import ClientError
from msgspec import Struct

from crm.kernel.settings import settings
from crm.kernel.table import client, shop_key

SECOND: Final = 1_000_000
KEPT: Final = 3600
TRIES: Final = 4
REFUSED: Final = "ConditionalCheckFailedException"


class Size(Struct, frozen=True):
    """How many points a bucket holds, and how many come back in a second."""

    most: int
    per_second: int

    def time(self, points: int) -> int:
        """How long it takes to refill so many points, in microseconds."""
        return points * SECOND // self.per_second

    def left(self, full_at: int, now: int) -> int:
        return self.most - max(0, -(-(full_at - now) * self.per_second // SECOND))


class Charge(Struct, frozen=True):
    """What became of one: `wait` is how many seconds until as much may be taken, 0 where it was. `taken` is the price,
    without what was owed: less than was asked for where that is more than a bucket holds. `left` is below zero where
    more was owed than there was.
    """

    full_at: int
    left: int
    wait: float
    requests: int
    taken: int = 0


def microseconds(now: datetime) -> int:
    return int(now.timestamp() * SECOND)


def charge(shop: str, owner: str, points: int, size: Size, *, now: datetime, owed: int = 0, full_at: int = 0) -> Charge:
    """AP-90. Take points out of a bucket, unless it has too few: one UpdateItem where `full_at` is what was known of it
    last, and one more where it is not. Who asks for more than a bucket holds gets all of a full one.

    `owed` are points that earlier charges took too few of, and this one takes beside its own: a bucket that was full
    may be below zero afterwards. Below zero they are points that were too many, of which as many go back as are taken
    now. What they were taken from must not have been refilled since, so they go back only where the bucket is not full.
    """
    at, price = microseconds(now), min(points, size.most)
    of_full, of_some = size.time(price + max(owed, 0)), size.time(max(price + owed, 0))
    latest = at + max(size.time(size.most) - of_some, 0)
    owing = full_at > at
    for tries in range(1, TRIES + 1):
        try:
            stored = _take(shop, owner, at, of_some, latest) if owing else _take(shop, owner, at, of_full, None)
        except ClientError as error:
            if error.response["Error"]["Code"] != REFUSED:
                raise
            found = cast("dict[str, Any]", error.response)
            full_at = int(found["Item"]["full_at"]["N"]) if "Item" in found else at
            if full_at > latest:
                return Charge(full_at, size.left(full_at, at), (full_at - latest) / SECOND, tries)
            owing = full_at > at
            continue
        return Charge(stored, size.left(stored, at), 0.0, tries, price)
    # Others took from it between each look and each charge: they are many, and it will be later.
    return Charge(full_at, size.left(full_at, at), 1.0, TRIES)


def _take(shop: str, owner: str, at: int, added: int, latest: int | None) -> int:
    """`latest` is None for a bucket that is full, and else how late it may be full for as much to be taken."""
    values = {":added": added, ":at": at, ":expires": at // SECOND + KEPT}
    if latest is None:
        action, condition = ":at + :added", "attribute_not_exists(full_at) OR full_at <= :at"
    else:
        action, condition = "full_at + :added", "full_at > :at AND full_at <= :latest"
        values |= {":latest": latest}
    answered: dict[str, Any] = client().update_item(
        TableName=settings().crm_table,
        Key={"pk": {"S": f"{shop_key(shop)}#BUCKET#{owner}"}, "sk": {"S": "BUCKET"}},
        UpdateExpression=f"SET full_at = {action}, expires_at = :expires, kind = :kind",
        ConditionExpression=condition,
        ExpressionAttributeValues={name: {"N": str(value)} for name, value in values.items()}
        | {":kind": {"S": "bucket"}},
        ReturnValues="ALL_NEW",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    return int(answered["Attributes"]["full_at"]["N"])
