# crm/segmentation/books.py
"""A shop's segments as an edit finds them, and how an edit becomes one transaction."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from crm.customers import service as customers
from crm.kernel import operations
from crm.kernel.actor import Actor
from crm.kernel.change import Change, retrying
from crm.kernel.errors import NotFound, Stale
from crm.kernel.operations import Operation
from crm.segmentation import in_force, repository
from crm.segmentation.language import catalogue as language
from crm.segmentation.language.catalogue import Catalogue
from crm.segmentation.language.facts import Fact
from crm.segmentation.models import SegmentCatalogue, SegmentDefinition, SegmentVersion
from crm.shops import service as shops

REFRESH: Final = "segments_refresh"
"""The operation that brings customers' memberships up to what an edit means."""
VERSION, SEGMENT = "version", "segment"
"""Its arguments: for which version of the catalogue; the segment whose members are all that it looks at, if any."""

T = TypeVar("T")


class Books:
    """One edit: it stands only if no other came between what it has read and what it writes.

    `version` is the one that the catalogue has once it stands.
    """

    def __init__(self, shop: str, *, actor: Actor, now: datetime) -> None:
        """Raises NotFound for an unknown shop."""
        self.shop, self.actor, self.now = shop, actor, now
        self.change = Change(now)
        # First: whatever is newer than the catalogue makes the write that revises it Stale.
        self.catalogue = repository.get_catalogue(shop) or self._new(shop)
        self.version = int(self.catalogue.rev) + 1
        self.standing = {each.segment_id: each for each in repository.list_definitions(shop) if each.deleted_at is None}
        self.own = in_force.own_attributes(customers.attribute_definitions_now(shop, now=now))
        self._moved = False
        self._walk: dict[str, str] | None = None

    def _new(self, shop: str) -> SegmentCatalogue:
        """Until there is one, nobody hears that the shop has moved: it is to be where it was read to be."""
        known = shops.get(shop)
        self.change.unchanged(known)
        return in_force.empty(known)

    def get(self, segment_id: str) -> SegmentDefinition:
        """Raises NotFound."""
        if segment_id not in self.standing:
            raise NotFound("There is no such segment.", field="id")
        return self.standing[segment_id]

    def language(self, *, beside: language.Segment | None = None) -> Catalogue:
        """What a query may name; `beside` takes the place of the one with its id."""
        named = {
            each.segment_id: language.Segment(each.segment_id, each.name, in_force.query_of(each))
            for each in self.standing.values()
        }
        if beside is not None:
            named[beside.id] = beside
        return Catalogue(self.catalogue.currency, self.own, named)

    def revise(self, definition: SegmentDefinition, effect: str, *, means: bool = False) -> None:
        """Add a definition's next version; it `means` something else from now on."""
        self.change.revise(definition)
        definition.cause = f"segment:{definition.segment_id}:{effect}:{int(definition.rev)}"
        definition.updated_at, definition.updated_by = self.now, str(self.actor)
        if means:
            definition.changed_in, definition.changed_at = self.version, self.now
            definition.changed_cause = definition.cause
        self.move(definition.cause)
        self.change.create(SegmentVersion.of(definition), otherwise=Stale())

    def move(self, cause: str) -> None:
        """Add the catalogue's next version: what else is set of it is so from now on."""
        self.catalogue.cause, self._moved = cause, True

    def score(self, version: int) -> None:
        """Let scores be those by RFM thresholds of this version, which the caller adds to `change`."""
        self.catalogue.rfm_version = version
        self.catalogue.rfm_changed_in, self.catalogue.rfm_changed_at = self.version, self.now
        self.move(f"rfm:{version}:score")
        known = in_force.build(self.shop, self.catalogue, list(self.standing.values()), own=self.own)
        if any(Fact.RFM in segment.reads.facts for segment in known.segments.values()):
            self.refresh()

    def refresh(self, *, only_members_of: str | None = None) -> None:
        """Let memberships be brought up to what this edit means, those of all customers unless it says whose."""
        if only_members_of is None:
            self.catalogue.refresh_in = self.version
            self._walk = {}
        else:
            self._walk = {SEGMENT: only_members_of}

    def commit(self, operation_id: str) -> Operation | None:
        """Raises Stale."""
        if not self._moved:
            return None
        if self.catalogue.refresh_in == self.version:
            self.catalogue.refreshed_by = operation_id
        self.change.revise(self.catalogue)
        if self._walk is None:
            self.change.commit()
            return None
        operation = operations.begin(
            self.change, operation_id, self.shop, REFRESH, {VERSION: self.version, **self._walk},
            actor=self.actor, now=self.now,
        )  # fmt: skip
        operations.send_on(operation, seconds=operations.IN_CASE)
        self.change.commit()
        return operation


def edit(shop: str, decide: Callable[[Books], T], *, actor: Actor, now: datetime) -> tuple[T, Operation | None]:
    """Let `decide` edit a shop's segments, and put what it decides in force; beside it the operation that brings
    memberships up to that, where there is one. Raises what it raises.
    """
    operation_id = operations.new_id(now)

    def attempt() -> tuple[T, Operation | None]:
        books = Books(shop, actor=actor, now=now)
        decided = decide(books)
        return decided, books.commit(operation_id)

    decided, operation = retrying(attempt)
    in_force.forget_cached(shop)
    if operation is not None:
        operations.send_on(operation)
    return decided, operation
