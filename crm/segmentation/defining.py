# crm/segmentation/defining.py
"""How a shop's segments are defined, renamed and given up."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import asdict

from crm.customers import service as customers
from crm.kernel import ids, texts
from crm.kernel.actor import Actor
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInputs, NotFound, Stale
from crm.segmentation import in_force, repository
from crm.segmentation.language import catalogue as language
from crm.segmentation.language.catalogue import Catalogue, OwnAttribute
from crm.segmentation.language.compiling import understand
from crm.segmentation.language.kinds import folded
from crm.segmentation.models import DYNAMIC, SegmentCatalogue, SegmentDefinition, SegmentVersion
from crm.segmentation.refusals import QueryFault, TooManySegments

MOST_SEGMENTS: Final = 200
LONGEST_NAME: Final = 100
LONGEST_DESCRIPTION: Final = 2_000
LONGEST_URL: Final = 2_000
MOST_GOALS, LONGEST_GOAL = 10, 200
OF_IDS: Final = "seg_"
"""What ids begin with, and no name: queries name segments by either."""
STORED_AS: Final = {"query": "query_text"}
"""PynamoDB's models have a `query` of their own."""
UNSAID: Any = object()


class SegmentFields(Struct, frozen=True):
    """What may be said of a segment; UNSAID leaves a field as it is, None clears it. The last two are its persona."""

    name: str | None = UNSAID
    description: str | None = UNSAID
    query: str | None = UNSAID
    picture_url: str | None = UNSAID
    goals: Sequence[str] | None = UNSAID

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not UNSAID}


class Books(Struct, frozen=True):
    """A shop's segments as an edit finds them: what it writes stands only if no other edit came between."""

    catalogue: SegmentCatalogue
    standing: Mapping[str, SegmentDefinition]
    own: Mapping[str, OwnAttribute]

    def language(self, *, beside: language.Segment | None = None) -> Catalogue:
        """What a query may name; `beside` takes the place of the one with its id."""
        named = {
            each.segment_id: language.Segment(each.segment_id, each.name, in_force.query_of(each))
            for each in self.standing.values()
        }
        if beside is not None:
            named[beside.id] = beside
        return Catalogue(self.catalogue.currency, self.own, named)


def create(shop: str, kind: str, said: SegmentFields, *, actor: Actor, now: datetime) -> SegmentDefinition:
    """Define a segment, in force from now on. Raises InvalidInputs with all that is wrong, TooManySegments, and
    NotFound for an unknown shop.
    """

    def attempt() -> SegmentDefinition:
        books = _books(shop, now=now)
        definition = SegmentDefinition.of(shop, ids.new_id("seg", now))
        definition.segment_kind, definition.created_at, definition.created_by = kind, now, str(actor)
        _set(books, definition, said)
        if len(books.standing) >= MOST_SEGMENTS:
            raise TooManySegments(MOST_SEGMENTS)
        books.catalogue.segment_count = len(books.standing) + 1
        change = Change(now)
        _revise(change, books, definition, actor=actor, now=now, means=True)
        change.commit()
        return definition

    definition = retrying(attempt)
    in_force.forget_cached(shop)
    return definition


def find(shop: str, segment_id: str) -> SegmentDefinition | None:
    """A segment that is not deleted."""
    definition = repository.get_definition(shop, segment_id)
    return None if definition is None or definition.deleted_at is not None else definition


def get(shop: str, segment_id: str) -> SegmentDefinition:
    """Raises NotFound, also for the segment of another shop, and one that is deleted."""
    definition = find(shop, segment_id)
    if definition is None:
        raise NotFound("There is no such segment.", field="id")
    return definition


def list_definitions(shop: str) -> list[SegmentDefinition]:
    """The segments that are not deleted, by name."""
    found = [each for each in repository.list_definitions(shop) if each.deleted_at is None]
    return sorted(found, key=lambda each: (each.folded, each.segment_id))


def _books(shop: str, *, now: datetime) -> Books:
    """The catalogue is read first: whatever is newer than it makes the write that revises it Stale."""
    catalogue = repository.get_catalogue(shop) or in_force.empty(shop, now=now)
    standing = {each.segment_id: each for each in repository.list_definitions(shop) if each.deleted_at is None}
    return Books(catalogue, standing, in_force.own_attributes(customers.attribute_definitions_now(shop, now=now)))


def _set(books: Books, definition: SegmentDefinition, said: SegmentFields) -> None:
    """Raises InvalidInputs with all that is wrong with what is said."""
    given = said.given()
    for name, value in given.items():
        setattr(definition, STORED_AS.get(name, name), list(value or ()) if name == "goals" else value)
    wrong = [
        *_text_faults(definition, given),
        *_name_faults(books, definition),
        *_query_faults(books, definition, given),
    ]
    if wrong:
        raise InvalidInputs(wrong)
    definition.folded = folded(definition.name)


def _text_faults(definition: SegmentDefinition, given: Mapping[str, Any]) -> Iterator[Fault]:
    if given.get("description") is not None:
        yield from texts.faults("description", given["description"], longest=LONGEST_DESCRIPTION)
    if given.get("picture_url") is not None and not _is_address(given["picture_url"]):
        yield Fault("picture_url", "INVALID", f"must be an https address of at most {LONGEST_URL:,} characters")
    if len(definition.goals) > MOST_GOALS:
        yield Fault("goals", "TOO_MANY", f"must be {MOST_GOALS} at most")
    for index, goal in enumerate(definition.goals[:MOST_GOALS]):
        yield from texts.line_faults(f"goals.{index}", goal, longest=LONGEST_GOAL)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        named = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False
    return named and len(text) <= LONGEST_URL and text.isprintable() and " " not in text


def _name_faults(books: Books, definition: SegmentDefinition) -> Iterator[Fault]:
    if definition.name is None:
        yield Fault("name", "REQUIRED", "is required")
        return
    wrong = texts.line_faults("name", definition.name, longest=LONGEST_NAME)
    yield from wrong
    if wrong:
        return
    name = folded(definition.name)
    if name.startswith(OF_IDS):
        yield Fault("name", "RESERVED", f"must not begin with {OF_IDS}, as ids do")
    if any(each.folded == name and each.segment_id != definition.segment_id for each in books.standing.values()):
        yield Fault("name", "TAKEN", "is the name of another segment, whatever its case")


def _query_faults(books: Books, definition: SegmentDefinition, given: Mapping[str, Any]) -> Iterator[Fault]:
    """A query that was right before is not judged again unless it is said anew."""
    if definition.segment_kind != DYNAMIC:
        if definition.query_text is not None:
            yield Fault("query", "INVALID", "may be given of a DYNAMIC segment only")
        return
    if definition.query_text is None:
        yield Fault("query", "REQUIRED", "is required")
        return
    if "query" not in given:
        return
    itself = language.Segment(definition.segment_id, definition.name or "")
    understood = understand(definition.query_text, books.language(beside=itself), itself=definition.segment_id)
    yield from map(QueryFault.of, understood.mistakes)
    definition.normalized = understood.compiled.normalized if understood.compiled else None


def _revise(
    change: Change, books: Books, definition: SegmentDefinition, *, actor: Actor, now: datetime, means: bool
) -> None:
    """Add to `change` the next version of a definition, and of the catalogue; it `means` something else from now on."""
    change.revise(books.catalogue)
    change.revise(definition)
    definition.cause = f"segment:{definition.segment_id}:define:{int(definition.rev)}"
    books.catalogue.cause = definition.cause
    definition.updated_at, definition.updated_by = now, str(actor)
    if means:
        definition.changed_in, definition.changed_at = int(books.catalogue.rev), now
        definition.changed_cause = definition.cause
        if definition.segment_kind == DYNAMIC:
            books.catalogue.refresh_in = int(books.catalogue.rev)
    change.create(SegmentVersion.of(definition), otherwise=Stale())
