# crm/segmentation/defining.py
"""How a shop's segments are defined, renamed and given up."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from crm.customers.events import AttributeDefined
from crm.kernel import clock, ids
from crm.kernel.actor import SYSTEM, Actor
from crm.kernel.errors import Fault, InvalidInputs, NotFound, VersionMismatch
from crm.kernel.operations import Operation
from crm.kernel.said import UNSAID, Said
from crm.segmentation import definition_faults, in_force, repository
from crm.segmentation.books import Books, edit
from crm.segmentation.definition_faults import LONGEST_NAME
from crm.segmentation.language import catalogue as language
from crm.segmentation.language import references
from crm.segmentation.language.compiling import understand
from crm.segmentation.language.kinds import folded
from crm.segmentation.language.parser import MOST_CHARACTERS
from crm.segmentation.language.renaming import canonical, renamed
from crm.segmentation.models import DYNAMIC, SegmentDefinition
from crm.segmentation.refusals import QueryFault, SegmentNamed, TooManySegments
from crm.shops import service as shops

MOST_SEGMENTS: Final = 200
MOST_RENAMED: Final = 45
"""Queries that one rename rewrites: two writes each, in one transaction."""
LARGEST_RENAMED: Final = 1_500_000
"""In bytes of UTF-8, each written twice: a transaction holds 4 MB."""
STORED_AS: Final = {"query": "query_text"}
"""PynamoDB's models have a `query` of their own."""


class SegmentFields(Said, frozen=True):
    """What may be said of a segment; UNSAID leaves a field as it is, None clears it. The last two are its persona."""

    name: str | None = UNSAID
    description: str | None = UNSAID
    query: str | None = UNSAID
    picture_url: str | None = UNSAID
    goals: Sequence[str] | None = UNSAID

    def given(self) -> dict[str, Any]:
        """By the names under which they are stored."""
        return {
            STORED_AS.get(name, name): list(value or ()) if name == "goals" else value
            for name, value in super().given().items()
        }


class Edited(Struct, frozen=True):
    """`operation` brings memberships up to the edit; None where it changes none. `changed`: whether anything is another
    than it was.
    """

    definition: SegmentDefinition
    operation: Operation | None
    changed: bool = True


def create(shop: str, kind: str, said: SegmentFields, *, actor: Actor, now: datetime) -> Edited:
    """Define a segment, in force from now on. Raises InvalidInputs with all that is wrong, TooManySegments, and
    NotFound for an unknown shop.
    """

    def decide(books: Books) -> SegmentDefinition:
        return _add(books, kind, said)

    return Edited(*edit(shop, decide, actor=actor, now=now))


def update(
    shop: str,
    segment_id: str,
    said: SegmentFields,
    *,
    actor: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> Edited:
    """Change what is said; where nothing is another, the version stays. Another query is in force from now on. Another
    name is put in its place in queries that use the old one.

    Raises InvalidInputs with all that is wrong, NotFound, and VersionMismatch.
    """

    def decide(books: Books) -> tuple[SegmentDefinition, bool]:
        definition = books.get(segment_id)
        _expect(definition, expected_version)
        before, stood, meant = books.language(), _said(definition), definition.normalized
        _set(books, definition, said)
        if _said(definition) == stood:
            return definition, False
        means = definition.normalized != meant
        renaming = _rename(books, definition, before)
        if wrong := [*_rename_faults(renaming), *(_broken_by(books, definition, before) if means else ())]:
            raise InvalidInputs(wrong)
        books.revise(definition, "define" if means else "describe", means=means)
        for each in renaming:
            books.revise(each, "rename")
        if means:
            books.refresh()
        return definition, True

    (definition, changed), operation = edit(shop, decide, actor=actor, now=now)
    return Edited(definition, operation, changed)


def delete(shop: str, segment_id: str, *, actor: Actor, now: datetime, expected_version: int | None = None) -> Edited:
    """Give a segment up: nobody is a member from now on, and who has been one stays in history.

    Raises SegmentNamed where others ask about it, or rules or rewards of loyalty do; NotFound, and VersionMismatch.
    """
    from crm.loyalty.rewards import (
        service as rewards,  # who refreshes memberships deletes none, and loads it not (0075)
    )

    asking = rewards.asking_for_segment(shop, segment_id, now=now)

    def decide(books: Books) -> SegmentDefinition:
        definition = books.get(segment_id)
        _expect(definition, expected_version)
        catalogue = books.language()
        naming = {
            each.segment_id: each.name
            for each in books.standing.values()
            if (query := catalogue.segments[each.segment_id].query) is not None
            and segment_id in references.named(query, catalogue)
        }
        if naming or asking:
            raise SegmentNamed(naming, rules=asking.rules, rewards=asking.rewards)
        definition.deleted_at = now
        # What it was, its versions say: what stays is read with every edit.
        definition.query_text = definition.normalized = definition.description = definition.picture_url = None
        definition.goals = []
        books.revise(definition, "delete", means=True)
        books.refresh(only_members_of=segment_id)
        return definition

    return Edited(*edit(shop, decide, actor=actor, now=now))


def duplicate(shop: str, segment_id: str, *, actor: Actor, now: datetime, name: str | None = None) -> Edited:
    """Define another segment by what this one says, without those whom hands have put into it or taken out. Without a
    name, it has the same with the first number that is free. Raises as `create` does.
    """

    def decide(books: Books) -> SegmentDefinition:
        like = books.get(segment_id)
        called = name if name is not None else _free_name(books, like.name)
        said = SegmentFields(called, like.description, like.query_text, like.picture_url, like.goals)
        return _add(books, like.segment_kind, said)

    return Edited(*edit(shop, decide, actor=actor, now=now))


def recompute(shop: str, segment_id: str, *, actor: Actor, now: datetime) -> Edited:
    """Ask a segment about all customers anew, as if it were defined now. Raises NotFound."""

    def decide(books: Books) -> SegmentDefinition:
        definition = books.get(segment_id)
        books.revise(definition, "recompute", means=True)
        books.refresh()
        return definition

    return Edited(*edit(shop, decide, actor=actor, now=now))


def shop_changed(shop: str, *, now: datetime) -> Operation | None:
    """Let queries be understood in the zone and currency that the shop has now; None where they are.

    Raises NotFound.
    """

    def decide(books: Books) -> None:
        known, catalogue = shops.get(shop), books.catalogue
        if catalogue.rev == 0 or (catalogue.zone, catalogue.currency) == (known.zone, known.currency):
            return
        catalogue.zone, catalogue.currency = known.zone, known.currency
        catalogue.shop_changed_in, catalogue.shop_changed_at = books.version, now
        catalogue.shop_changed_cause = f"shop:{shop}:update:{int(known.rev)}"
        books.move(catalogue.shop_changed_cause)
        books.refresh()

    return edit(shop, decide, actor=SYSTEM, now=now)[1]


def attribute_changed(event: AttributeDefined, *, now: datetime) -> Operation | None:
    """Let queries be understood by what one of the shop's own attributes is now; None where none names it, or they are.

    Raises NotFound.
    """

    def decide(books: Books) -> None:
        catalogue = books.catalogue
        stored = catalogue.attributes.get(event.key)
        queries = map(in_force.query_of, books.standing.values())
        if not any(query is not None and event.key in in_force.own_named(query) for query in queries):
            return
        if stored is not None and stored[0] >= event.rev:
            return
        catalogue.attributes = {
            **catalogue.attributes, event.key: [event.rev, books.version, clock.text(now), event.cause],
        }  # fmt: skip
        books.move(event.cause)
        books.refresh()

    return edit(event.shop, decide, actor=SYSTEM, now=now)[1]


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


def _add(books: Books, kind: str, said: SegmentFields) -> SegmentDefinition:
    definition = SegmentDefinition.of(books.shop, ids.new_id("seg", books.now))
    definition.segment_kind, definition.created_at, definition.created_by = kind, books.now, str(books.actor)
    _set(books, definition, said)
    if len(books.standing) >= MOST_SEGMENTS:
        raise TooManySegments(MOST_SEGMENTS)
    books.revise(definition, "define", means=True)
    if kind == DYNAMIC:
        books.refresh()
    return definition


def _expect(definition: SegmentDefinition, version: int | None) -> None:
    if version is not None and definition.rev != version:
        raise VersionMismatch(expected=version, actual=int(definition.rev))


def _said(definition: SegmentDefinition) -> list[Any]:
    return [getattr(definition, STORED_AS.get(name, name)) for name in SegmentFields.__struct_fields__]


def _set(books: Books, definition: SegmentDefinition, said: SegmentFields) -> None:
    """Raises InvalidInputs with all that is wrong."""
    given = said.given()
    for name, value in given.items():
        setattr(definition, name, value)
    others = {each.folded for each in books.standing.values() if each.segment_id != definition.segment_id}
    wrong = [
        *definition_faults.of_texts(definition, others),
        *_query_faults(books, definition, new="query_text" in given),
    ]
    if wrong:
        raise InvalidInputs(wrong)
    definition.folded = folded(definition.name)


def _query_faults(books: Books, definition: SegmentDefinition, *, new: bool) -> Iterator[Fault]:
    """A query that was right before is not judged again unless it is said anew."""
    text = definition.query_text
    if definition.segment_kind != DYNAMIC:
        if text is not None:
            yield Fault("query", "INVALID", "may be given of a DYNAMIC segment only")
    elif text is None:
        yield Fault("query", "REQUIRED", "is required")
    elif new:
        itself = language.Segment(definition.segment_id, definition.name or "")
        understood = understand(text, books.language(beside=itself), itself=itself.id)
        yield from map(QueryFault.of, understood.mistakes)
        definition.normalized = understood.compiled.normalized if understood.compiled else None


def _broken_by(books: Books, definition: SegmentDefinition, before: language.Catalogue) -> Iterator[Fault]:
    """Segments that name this one ask all that it asks; there is a limit to that, which is theirs."""
    after = books.language()
    for each in references.dependents(definition.segment_id, after):
        if in_force.compiled_in(before, each) is not None and in_force.compiled_in(after, each) is None:
            yield Fault("query", "TOO_MANY", "makes a segment that names this one ask too many conditions, or too deep")
            return


def _rename(books: Books, definition: SegmentDefinition, before: language.Catalogue) -> list[SegmentDefinition]:
    """Put a segment's name where queries name it by the one that it had; which those are."""
    if folded(before.segments[definition.segment_id].name) == definition.folded:
        return []
    found = []
    for each in books.standing.values():
        text = each.query_text and renamed(each.query_text, before, definition.segment_id, definition.name)
        if text:
            each.query_text, each.normalized = text, canonical(text, before)
            found.append(each)
    return found


def _rename_faults(renamed_in: list[SegmentDefinition]) -> Iterator[Fault]:
    size = sum(len(text.encode()) for each in renamed_in for text in (each.query_text, each.normalized))
    if len(renamed_in) > MOST_RENAMED or size > LARGEST_RENAMED:
        yield Fault("name", "TOO_MANY", f"stands in more than {MOST_RENAMED} queries: let them name the id")
    if any(len(each.query_text) > MOST_CHARACTERS for each in renamed_in):
        yield Fault("name", "TOO_LONG", "makes a query that names this segment too long")


def _free_name(books: Books, name: str) -> str:
    taken = {each.folded for each in books.standing.values()}
    for number in range(2, MOST_SEGMENTS + 3):
        ending = f" ({number})"
        found = name[: LONGEST_NAME - len(ending)] + ending
        if folded(found) not in taken:
            return found
    raise ValueError("more names than segments")
