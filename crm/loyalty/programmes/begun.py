# crm/loyalty/programmes/begun.py
"""The operation that an edit begins where it says something else of tiers (crm/loyalty/tiers/walking.py).

Its id is the version's, so that it can be found by it, and is begun once.
"""

from datetime import datetime
from typing import Final

from crm.kernel import operations
from crm.kernel.actor import Actor
from crm.kernel.change import Change
from crm.kernel.operations import Operation
from crm.loyalty.programme import Programme
from crm.loyalty.programmes.versions import Version

SETTLE: Final = "tiers_settle"
VERSION, FOLLOWS = "version", "follows"
"""Its arguments: the version whose tiers are settled, and the last one before it for which they were; 0: for none."""


def says_else(programme: Programme, before: Programme) -> bool:
    """Whether what accounts keep of tiers, or when it changes, is another thing."""
    if not programme.tiers.all and not before.tiers.all:
        return False
    return (programme.tiers.kept(), programme.zone) != (before.tiers.kept(), before.zone)


def operation_id(version: int) -> str:
    return f"op_tiers_{version:010}"


def operation_of(version: Version) -> str | None:
    """The id of the one that its edit began; None: it began none."""
    return operation_id(version.number) if version.number and version.tiers_in == version.number else None


def begin(
    change: Change, shop: str, version: int, *, follows: int, begins_at: datetime, actor: Actor, now: datetime
) -> Operation:
    """Add it to the edit's `change`. It waits until the version counts; who commits sends it on."""
    arguments = {VERSION: version, FOLLOWS: follows}
    operation = operations.begin(change, operation_id(version), shop, SETTLE, arguments, actor=actor, now=now)
    operation.waits_until = begins_at
    operations.send_on(operation, seconds=operations.IN_CASE)
    return operation
