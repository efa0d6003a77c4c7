# crm/kernel/meter.py
"""Counts the store requests of one piece of work, through botocore's event hooks.

Units are computed from item sizes as DynamoDB bills them (4 KB a read unit, half where the read may be stale; 1 KB a
write unit, double in a transaction), because the local engine's own read figures are wrong.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import ceil
from threading import Lock
from typing import Any

from msgspec import Struct, field

from crm.kernel.table import client

READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"})


class Meter(Struct):
    requests: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    operations: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Meter") -> None:
        with _counting:
            self.requests += other.requests
            self.read_units += other.read_units
            self.write_units += other.write_units
            for operation, times in other.operations.items():
                self.operations[operation] = self.operations.get(operation, 0) + times


_current: ContextVar[Meter | None] = ContextVar("meter", default=None)
_watched: list[Any] = []
_counting = Lock()


@contextmanager
def metering() -> Iterator[Meter]:
    """Count what is asked of the store inside; threads that are given this context (as `asyncio.to_thread` does) count
    too, and what is counted in one is counted in those around it.
    """
    _watch(client())
    around, meter = _current.get(), Meter()
    token = _current.set(meter)
    try:
        yield meter
    finally:
        _current.reset(token)
        if around is not None:
            around.add(meter)


def _watch(dynamodb: Any) -> None:
    if any(watched is dynamodb for watched in _watched):
        return
    _watched.append(dynamodb)
    dynamodb.meta.events.register("before-parameter-build.dynamodb", _asked)
    dynamodb.meta.events.register("after-call.dynamodb", _answered)


def _asked(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    context["meter"] = (_current.get(), params, model.name)


def _answered(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    meter, params, operation = context.get("meter", (None, {}, ""))
    if meter is None:
        return
    is_read = operation in READS
    meter.add(
        Meter(
            1,
            _read_units(params, parsed) if is_read else 0.0,
            0.0 if is_read else _write_units(params),
            {operation: 1},
        )
    )


def _read_units(params: dict[str, Any], parsed: dict[str, Any]) -> float:
    asked = [params, *(params.get("RequestItems") or {}).values()]
    consistent = any(each.get("ConsistentRead") for each in asked)
    factor = 1.0 if consistent else 0.5
    if "Items" in parsed:  # a query is billed on the sum of its items
        return factor * max(1, ceil(sum(map(_size, parsed["Items"])) / 4096))
    items = [parsed["Item"]] if "Item" in parsed else []
    missing = 0  # of a batch: a key that names nothing is billed as the smallest item
    for name, found in (parsed["Responses"] if isinstance(parsed.get("Responses"), dict) else {}).items():
        items += found
        missing += len(params["RequestItems"][name]["Keys"]) - len(found)
    for left_over in (parsed.get("UnprocessedKeys") or {}).values():
        missing -= len(left_over["Keys"])
    return factor * max(1, missing + sum(ceil(_size(item) / 4096) for item in items))


def _write_units(params: dict[str, Any]) -> float:
    if "TransactItems" in params:
        return 2.0 * sum(ceil(max(1, _size(next(iter(item.values())))) / 1024) for item in params["TransactItems"])
    return float(max(1, ceil(_size(params) / 1024)))


def _size(value: Any) -> int:  # noqa: PLR0911  one answer a type
    """Bytes as DynamoDB counts them: of names and text in UTF-8, of a number half its digits; maps and lists cost three
    more, and one for each thing in them. Of what else a request holds, its text.
    """
    match value:
        case {"S": str(text)} if len(value) == 1:
            return len(text.encode())
        case {"N": str(number)} if len(value) == 1:
            return len(number) // 2 + 1
        case {"SS": members} | {"NS": members} if len(value) == 1:
            return _size(members)
        case {"BOOL": _} | {"NULL": _} if len(value) == 1:
            return 1
        case {"M": dict(members)} if len(value) == 1:
            return 3 + _size(members) + len(members)
        case {"L": list(members)} if len(value) == 1:
            return 3 + _size(members) + len(members)
        case dict():
            return sum(len(str(name).encode()) + _size(member) for name, member in value.items())
        case list() | tuple() | set():
            return sum(map(_size, value))
        case bytes():
            return len(value)
    return len(str(value).encode())
