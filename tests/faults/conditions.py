# tests/faults/conditions.py
"""The conditions in what an area commits, watched at `Change`: which there are, one of them taken out, and somebody who
comes just before a commit.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from pynamodb.expressions.condition import And, Condition

from crm.kernel import change
from crm.kernel.change import Change, Verb

CONDITIONED: Final = {
    "once", "once_more", "create", "revise", "write", "update", "check", "unchanged", "delete", "set_to",
}  # fmt: skip
VALUE: Final = re.compile(r"\{'\w+': (?:'[^']*'|[^{}]*)\}")


class Place(NamedTuple):
    """A function of the area."""

    module: str
    function: str


class Guard(NamedTuple):
    """One of the conditions that must all hold for an item to be written, values left out."""

    place: Place
    verb: str
    item: str
    said: str

    def __str__(self) -> str:
        return f"{self.place.module}:{self.place.function} {self.verb} {self.item} if {self.said}"


@dataclass
class Watch:
    """`rival` is called before that commit of those counted since `begin`; what it commits itself is not counted."""

    area: Path
    seen: set[Guard] = field(default_factory=set)
    removed: Guard | None = None
    rival: Callable[[], None] | None = None
    before: int = 0
    commits: int = 0

    def begin(self, *, rival: Callable[[], None] | None = None, before: int = 0) -> None:
        self.seen, self.commits, self.rival, self.before = set(), 0, rival, before

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is done inside is not watched, and has all conditions in place."""
        kept = self.seen, self.removed, self.rival, self.before, self.commits
        self.begin()
        self.removed = None
        yield
        self.seen, self.removed, self.rival, self.before, self.commits = kept

    def coming(self) -> None:
        self.commits += 1
        if self.rival is not None and self.commits == self.before:
            rival, self.rival, commits = self.rival, None, self.commits
            rival()
            self.commits = commits

    def left(self, place: Place, verb: Verb, item: type, condition: Condition | None) -> Condition | None:
        """The condition without the one that is taken out."""
        kept = None
        for term in terms(condition):
            guard = Guard(place, verb.name.lower(), item.__name__, VALUE.sub("?", repr(term)))
            self.seen.add(guard)
            if guard != self.removed:
                kept = term if kept is None else kept & term
        return kept


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Inside, nobody waits before trying again."""
    add, commit = Change._add, Change.commit

    def adding(self: Change, verb: Verb, item: Any, write: Any, meaning: Any) -> None:
        place = _place(watch.area)
        watched = write if place is None else lambda transaction: write(_Watched(transaction, watch, place))
        add(self, verb, item, watched, meaning)

    def committing(self: Change) -> bool:
        watch.coming()
        return commit(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Change, "_add", adding)
        patch.setattr(Change, "commit", committing)
        patch.setattr(change, "wait_before", lambda _: None)
        yield


class _Watched:
    """A transaction of PynamoDB's."""

    def __init__(self, transaction: Any, watch: Watch, place: Place) -> None:
        self._transaction, self._watch, self._place = transaction, watch, place

    def save(self, item: Any, condition: Any = None) -> None:
        self._transaction.save(item, condition=self._left(Verb.PUT, type(item), condition))

    def update(self, item: Any, actions: Any, condition: Any = None) -> None:
        self._transaction.update(item, actions=actions, condition=self._left(Verb.UPDATE, type(item), condition))

    def delete(self, item: Any, condition: Any = None) -> None:
        self._transaction.delete(item, condition=self._left(Verb.DELETE, type(item), condition))

    def condition_check(self, kind: type, pk: str, sk: str, condition: Any) -> None:
        left = self._left(Verb.CHECK, kind, condition)
        if left is not None:
            self._transaction.condition_check(kind, pk, sk, condition=left)

    def _left(self, verb: Verb, kind: type, condition: Condition | None) -> Condition | None:
        return self._watch.left(self._place, verb, kind, condition)


def terms(condition: Condition | None) -> Iterator[Condition]:
    """Those that must all hold."""
    if isinstance(condition, And):
        for each in condition.values:
            yield from terms(each)
    elif condition is not None:
        yield condition


def places(area: Path) -> set[Place]:
    """The functions of an area that add a condition to a change, as their code reads."""
    found = set()
    for path in area.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef) and any(map(_is_conditioned, _own(function))):
                found.add(Place(str(path.relative_to(area)), function.name))
    return found


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function, and in none within it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef):
            yield child
            yield from _own(child)


def _is_conditioned(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CONDITIONED):
        return False
    of = node.func.value
    unconditioned = any(each.arg == "when" and _is_none(each.value) for each in node.keywords)
    return isinstance(of, ast.Name) and of.id in {"change", "timers"} and not unconditioned


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _place(area: Path) -> Place | None:
    """Who of the area is adding to a change: the innermost."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code is not Watch.coming.__code__:  # behind it are others
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(area):
            return Place(str(path.relative_to(area)), frame.f_code.co_name)
        frame = frame.f_back  # type: ignore[assignment]
    return None
