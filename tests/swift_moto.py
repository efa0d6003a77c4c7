# tests/swift_moto.py
"""moto as fast as it can be: most of the time of our tests is spent in it.

It walks the tree of an update expression a dozen times, works out at each node what to look for, and counts the clauses
below each node anew, which takes a time that grows with their square: here all is asked once a walk. For each item of a
transaction it copies the whole table, so as to put it back where the transaction fails: here the items that it names.
It looks each part of each value up in the shapes of DynamoDB's answers: here values are as they are told.
"""

from copy import copy, deepcopy
from types import SimpleNamespace
from typing import Any, Final

from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node  # type: ignore[attr-defined]

_serialize: Final = BaseJSONSerializer._serialize
_write: Final = DynamoDBBackend.transact_write_items


def install() -> None:
    DepthFirstTraverser.traverse = _traverse
    validators.ActionCountValidator.traverse = _count
    BaseJSONSerializer._serialize = _value  # type: ignore[assignment, method-assign]
    setattr(models, "copy", SimpleNamespace(copy=copy, deepcopy=_but_tables))  # noqa: B010
    DynamoDBBackend.transact_write_items = _transact  # type: ignore[method-assign]


def _value(self: BaseJSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
    if shape.name == "AttributeValue" and not value.keys() & {"B", "BS"}:
        serialized[key] = value
    else:
        _serialize(self, serialized, value, shape, key)


def _but_tables(what: Any) -> Any:
    return what if isinstance(what, Table) else deepcopy(what)


def _transact(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    touched = [_stood(self, *one.popitem()) for one in map(dict, transact_items) if one]
    records = {name: len(table.stream_shard.items) for name, table in self.tables.items() if table.stream_shard}
    try:
        _write(self, transact_items)
    except Exception:
        for table, (partition, sort), item in touched:
            if item is not None:
                table.items[partition][sort] = item
            else:
                table.items[partition].pop(sort, None)
        for name, count in records.items():
            del self.tables[name].stream_shard.items[count:]  # type: ignore[union-attr]
        raise


def _stood(backend: DynamoDBBackend, _: str, asked: dict[str, Any]) -> tuple[Table, Any, Any]:
    """The item that an action of a transaction names, as it is before it."""
    table = backend.get_table(asked["TableName"])
    keys = backend.get_keys_value(table, asked.get("Key") or asked["Item"])
    return table, keys, deepcopy(table.get_item(*keys))


def _count(self: Any, root: Any) -> Any:
    """The clauses below the root are all there are."""
    return self.verify_action_counts(root)


def _traverse(self: DepthFirstTraverser, root: Any) -> Any:
    processors = tuple(self._processing_map().items())
    sought = self.nodes_to_be_processed()
    before = self.pre_processing_of_child
    by_kind: dict[type, Any] = {}

    def sort(kind: type) -> Any:
        """Whether its like has children, and what is to be done with it."""
        is_sought = issubclass(kind, sought)
        process = next(process for each, process in processors if issubclass(kind, each)) if is_sought else None
        by_kind[kind] = found = issubclass(kind, Node), process
        return found

    def visit(node: Any, place: int) -> Any:
        kind = type(node)
        is_node, process = by_kind.get(kind) or sort(kind)
        if not is_node:
            return node
        parent = node.parent
        for number, child in enumerate(node.children or ()):
            before(node, number)
            visit(child, number)
        if process is not None:
            node = process(node)
            node.parent = parent
            if parent:
                parent.children[place] = node
        return node

    return visit(root, -1)
