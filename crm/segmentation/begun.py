# crm/segmentation/begun.py
"""Operations that Rapport begins by itself, each once for an occasion, which is its id."""

from datetime import datetime
from typing import Any

from crm.kernel import operations
from crm.kernel.actor import SYSTEM
from crm.kernel.change import Change, retrying
from crm.kernel.operations import QUEUED, Operation


def once(shop: str, operation_id: str, name: str, arguments: dict[str, Any], *, now: datetime) -> Operation:
    """The operation of this id, which may have been begun before; one that no step of was done is sent on."""

    def attempt() -> Operation:
        known = operations.find(shop, operation_id)
        if known is not None:
            return known
        change = Change(now)
        operation = operations.begin(change, operation_id, shop, name, arguments, actor=SYSTEM, now=now)
        change.commit()
        return operation

    operation = retrying(attempt)
    if operation.status == QUEUED:
        operations.send_on(operation)
    return operation
