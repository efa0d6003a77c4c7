# tests/kept.py
"""What many tests begin with is made once a process and put back for each: moto takes half a second to make it."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeVar

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends

from crm.kernel.settings import settings
from crm.loyalty.programmes import in_force as programmes
from crm.segmentation import in_force

T = TypeVar("T")

_kept: dict[tuple[str, str], tuple[Any, dict[str, Any], list[Any]]] = {}


def kept(name: str, make: Callable[[], T]) -> T:
    """What `make` returns, with all that the tables and the queue of operations hold by it. It is made anew where they
    held something else before.
    """
    tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][settings().aws_region].tables
    queues = sqs_backends[DEFAULT_ACCOUNT_ID][settings().aws_region].queues
    queue = queues[settings().operations_queue_url.rpartition("/")[2]]
    key = name, _image(tables)
    if key not in _kept:
        made = make()
        _kept[key] = made, {each: deepcopy(table.items) for each, table in tables.items()}, deepcopy(queue._messages)
        return made
    result: T
    result, items, messages = _kept[key]
    for each, found in items.items():
        tables[each].items = deepcopy(found)
    queue._messages = deepcopy(messages)
    in_force.forget_cached()
    programmes.forget_cached()
    return result


def stored_items() -> dict[str, Any]:
    """All that both tables hold, to be put back."""
    tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][settings().aws_region].tables
    return {each: deepcopy(table.items) for each, table in tables.items()}


def put_back(items: dict[str, Any]) -> None:
    tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][settings().aws_region].tables
    for each, found in items.items():
        tables[each].items = deepcopy(found)


def _image(tables: Any) -> str:
    """All that is stored."""
    items = (item for table in tables.values() for found in table.items.values() for item in found.values())
    return repr(sorted(json.dumps(item.to_json(), sort_keys=True, default=str) for item in items))
