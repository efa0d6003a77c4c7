# crm/kernel/change.py
"""Writes that happen together or not at all."""

import random
import time
from collections.abc import Callable
from datetime import datetime
from enum import IntEnum
from typing import Any, TypeVar

from msgspec import Struct
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from crm.kernel import clock, correlation
from crm.kernel.errors import CrmError, Stale
from crm.kernel.table import Correlated, Published, Stored, Synced, connection

T = TypeVar("T")
Key = tuple[str, str, str]

MOST_WRITES = 100  # DynamoDB's limit for one transaction
ATTEMPTS = 5
FIRST_WAIT, LONGEST_WAIT = 0.025, 0.8  # seconds; each wait is drawn between nothing and its bound (full jitter)
PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
PASSING_ERRORS = frozenset({
    "TransactionInProgressException", "ThrottlingException", "ProvisionedThroughputExceededException",
    "RequestLimitExceeded", "InternalServerError", "ServiceUnavailable",
})  # fmt: skip


class PartlyDone(CrmError):
    """Some of several causes had their effect before; nothing was written. Decide again without those."""

    code = "PARTLY_DONE"

    def __init__(self, done: list[Stored]) -> None:
        super().__init__("some of these causes had their effect before")
        self.done = done


class Verb(IntEnum):
    """In the order in which PynamoDB sends them, whatever the order they were added in: DynamoDB's cancellation
    reasons come by position.
    """

    CHECK = 0
    DELETE = 1
    PUT = 2
    UPDATE = 3


class Write(Struct, frozen=True):
    verb: Verb
    item: Stored
    add: Callable[[TransactWrite], None]
    meaning: CrmError | None
    """What its failed condition means; None: this is the change's cause, and it is there already."""


class Held(Struct, frozen=True):
    """That a change is held to the revision of an item that was `read`: by a `check` alone, or by the write of it."""

    item: Published
    read: int
    check: Write | None = None


class Change:
    """Gathers conditioned writes, also across areas; the outermost use case commits once.

    Each write says what its failed condition means, so that positional cancellation reasons are read in one place. What
    an item holds at the commit is what is written, not what it held when it was added.
    """

    def __init__(self, now: datetime | None = None) -> None:
        """`now`: when it is recorded. What apps keep a copy of (Synced) cannot be written without."""
        self._now = now
        self._writes: list[Write] = []
        self._held: dict[Key, Held] = {}

    def __len__(self) -> int:
        return len(self._writes)

    def not_before(self, instant: datetime) -> None:
        """What is added from here on is recorded then at the earliest: this clock may be behind another's."""
        self._now = max(self._now or instant, instant)

    def once(self, item: Stored) -> None:
        """Add the item whose key is the cause of this change: if it exists, all of it has happened before."""
        condition = type(item).sk.does_not_exist()
        self._put(item, condition, None)

    def once_more(self, item: Stored, *, when: Condition) -> None:
        """Add the next state of an item that stands for one of this change's causes: where the condition fails, that
        cause had its effect before, or a later one had. Attributes this code does not know are left as they are.
        """
        self._update(item, lambda: _all_of(item), when, None)

    def create(self, item: Stored, *, otherwise: CrmError) -> None:
        """Add an item that must not exist yet."""
        self._put(item, type(item).sk.does_not_exist(), otherwise)

    def revise(self, item: Published) -> None:
        """Add the next revision of an item that was read (or made new, with `rev` 0), unless somebody else's came
        first: then the commit raises Stale. Attributes this code does not know are left as they are. Whoever relies on
        it `unchanged` is held to it by this; raises Stale where they read another revision.
        """
        read, item.rev = int(item.rev), int(item.rev) + 1
        if (held := self._held_at(item, read)) and held.check:
            self._writes = [write for write in self._writes if write is not held.check]
        self._held[_key(item)] = Held(item, read)
        if read:
            self.write(item, when=type(item).rev == read, otherwise=Stale())
        else:
            self._update(item, lambda: _said(item), type(item).sk.does_not_exist(), Stale())

    def write(self, item: Stored, *, when: Condition | None, otherwise: CrmError) -> None:
        """Add all attributes of an item, as an update: a put would drop attributes that this code does not know."""
        self._update(item, lambda: _all_of(item), when, otherwise)

    def update(self, item: Stored, actions: list[Action], *, when: Condition | None, otherwise: CrmError) -> None:
        if isinstance(item, Synced):
            raise TypeError(f"a {type(item).__name__} is written whole, so that its place in `changes` is")
        self._update(item, lambda: [*actions, *_correlating(item)], when, otherwise)

    def tell_again(self, item: Synced) -> None:
        """Apps that keep a copy are told of the item as if it had changed now; it says what it said."""
        kind: Any = type(item)
        self._mark(item)
        moved = [kind.changed_key.set(item.changed_key)]
        self._add(
            Verb.UPDATE, item, lambda write: write.update(item, actions=moved, condition=kind.sk.exists()), Stale()
        )

    def check(self, item: Stored, *, when: Condition, otherwise: CrmError) -> None:
        """Add a condition on an item that this change relies on and does not write."""
        kind = type(item)
        pk, sk = item.pk, item.sk
        self._add(Verb.CHECK, item, lambda write: write.condition_check(kind, pk, sk, condition=when), otherwise)

    def unchanged(self, item: Published) -> None:
        """Add the condition that an item that was read (or found missing: `rev` 0) is still as it was; once, whoever
        else relies on it. Raises Stale where they read another revision.
        """
        kind, read = type(item), int(item.rev)
        if self._held_at(item, read) is None:
            self.check(item, when=kind.rev == read if read else kind.sk.does_not_exist(), otherwise=Stale())
            self._held[_key(item)] = Held(item, read, self._writes[-1])

    def delete(self, item: Stored, *, when: Condition | None, otherwise: CrmError) -> None:
        self._add(Verb.DELETE, item, lambda write: write.delete(item, condition=when), otherwise)

    def commit(self) -> bool:
        """Write everything and return True; return False where its cause had its effect before.

        Conflicts and throttles are retried at most five times with full jitter. Raises the refusal of the first other
        condition that failed, and PartlyDone where some but not all of several causes had their effect. A validation
        error is a bug and is never retried.
        """
        if not self._writes:
            return True
        if len(self._writes) > MOST_WRITES:
            raise ValueError(f"{len(self._writes)} writes are more than one transaction holds ({MOST_WRITES})")
        keys = {_key(write.item) for write in self._writes}
        if len(keys) < len(self._writes):
            raise ValueError("two writes to one item in one change")
        writes = sorted(self._writes, key=lambda write: write.verb)
        for attempt in range(ATTEMPTS + 1):
            try:
                with TransactWrite(connection=connection().connection) as transaction:
                    for write in writes:
                        write.add(transaction)
            except TransactWriteError as error:
                if _passes(error) and attempt < ATTEMPTS:
                    wait_before(attempt)
                    continue
                return _judged(error, writes)
            return True
        raise AssertionError("the last attempt returns or raises")

    def _held_at(self, item: Published, read: int) -> Held | None:
        """What holds this change to the item. An item that is revised says its next revision already."""
        held = self._held.get(_key(item))
        if held and held.item is not item and held.read != read:
            raise Stale
        return held

    def _mark(self, item: Stored) -> None:
        if isinstance(item, Synced):
            if self._now is None:
                raise ValueError(f"a {type(item).__name__} needs the time at which it is recorded")
            item.changed_key = f"{clock.text(self._now)}#{item.sk}"

    def _update(
        self, item: Stored, actions: Callable[[], list[Action]], when: Condition | None, meaning: CrmError | None
    ) -> None:
        # An update that creates an item leaves out the discriminator, and then no query finds it.
        kind: Any = type(item).kind

        def add(transaction: TransactWrite) -> None:
            transaction.update(item, actions=[*actions(), kind.set(type(item))], condition=when)

        self._mark(item)
        self._add(Verb.UPDATE, item, add, meaning)

    def _put(self, item: Stored, condition: Condition, meaning: CrmError | None) -> None:
        self._mark(item)
        self._add(Verb.PUT, item, lambda write: write.save(_correlated(item), condition=condition), meaning)

    def _add(self, verb: Verb, item: Stored, add: Callable[[TransactWrite], None], meaning: CrmError | None) -> None:
        self._writes.append(Write(verb, item, add, meaning))


def retrying(attempt: Callable[[], T], *, attempts: int = 8) -> T:
    """Run a read-decide-write until its write stands: one that was overtaken (Stale) reads and decides again.

    Raises Stale when it was overtaken every time; whoever delivers the event will bring it again.
    """
    for number in range(attempts - 1):
        try:
            return attempt()
        except Stale:
            wait_before(number)
    return attempt()


def wait_before(attempt: int) -> None:
    """Wait a random time below a bound that doubles with each attempt."""
    time.sleep(random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**attempt)))  # noqa: S311  spreads load, keeps no secret


def _key(item: Stored) -> Key:
    return item.pk, item.sk, type(item).Meta.table_name


def _correlated(item: Stored) -> Stored:
    if isinstance(item, Correlated):
        item.correlation_id = correlation.current()
    return item


def _correlating(item: Stored) -> list[Action]:
    """Of a part of a published item, whose cause is among its actions. A receipt that others bring up to date, or a
    timer, stays its own writer's.
    """
    found, attribute = correlation.current(), Published.correlation_id
    if not isinstance(item, Published):
        return []
    return [attribute.remove() if found is None else attribute.set(found)]


def _all_of(item: Stored) -> list[Action]:
    """What it says, and that it says nothing else."""
    attributes = type(item).get_attributes()
    return [*_said(item), *(attributes[name].remove() for name in attributes if getattr(item, name) is None)]


def _said(item: Stored) -> list[Action]:
    _correlated(item)
    attributes = type(item).get_attributes()
    return [
        attributes[name].set(value)
        for name in attributes
        if name not in {"pk", "sk", "kind"} and (value := getattr(item, name)) is not None
    ]


def _passes(error: TransactWriteError) -> bool:
    codes = {reason.code for reason in error.cancellation_reasons if reason is not None}
    if codes:
        return codes <= PASSING  # beside a failed condition or a bug, waiting changes nothing
    return error.cause_response_code in PASSING_ERRORS


def _judged(error: TransactWriteError, writes: list[Write]) -> bool:
    failed = [
        write
        for write, reason in zip(writes, error.cancellation_reasons, strict=False)
        if reason is not None and reason.code == "ConditionalCheckFailed"
    ]
    done = [write.item for write in failed if write.meaning is None]
    if done:
        if len(done) < sum(1 for write in writes if write.meaning is None):
            raise PartlyDone(done) from error
        return False
    for write in failed:
        if write.meaning is not None:
            raise write.meaning from error
    raise error
