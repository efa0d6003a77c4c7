# tests/swift_moto.py
"""moto walks the tree of an update expression a dozen times, works out at each node what to look for, and counts the
clauses below each node anew, which takes a time that grows with their square: most of the time of our tests. This does
the same, asked once a walk.
"""

from typing import Any

from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node  # type: ignore[attr-defined]


def install() -> None:
    DepthFirstTraverser.traverse = _traverse
    validators.ActionCountValidator.traverse = _count


def _count(self: Any, root: Any) -> Any:
    """The clauses below the root are all there are."""
    return self.verify_action_counts(root)


def _traverse(self: DepthFirstTraverser, root: Any) -> Any:
    processors = tuple(self._processing_map().items())
    kinds = self.nodes_to_be_processed()
    before = self.pre_processing_of_child

    def visit(node: Any, place: int) -> Any:
        if not isinstance(node, Node):
            return node
        parent = node.parent
        for number, child in enumerate(node.children or ()):
            before(node, number)
            visit(child, number)
        if isinstance(node, kinds):
            node = next(process(node) for kind, process in processors if isinstance(node, kind))
            node.parent = parent
            if parent:
                parent.children[place] = node
        return node

    return visit(root, -1)
