# schema/segment/explanation.py
"""Why a customer is in a segment, or is not."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry
from msgspec import Struct

from crm.segmentation import querying
from schema.access import signed_in, staff
from schema.connections import about, priced
from schema.context import Context, Info, stored
from schema.customer.record import visible_record
from schema.node import key_of
from schema.segment.by_hand import SegmentHand
from schema.segment.query_text import SegmentFact, SegmentQueryMistake

USUAL = 8
"""Parts of a query."""
HISTORIES = 5
"""Points for what may have to be read of the customer besides the snapshot."""


@strawberry.enum(description="Whether something is so: of what is not known, nothing can be said (docs/segments.md).")
class SegmentTruth(Enum):
    TRUE = strawberry.enum_value("true", description="It is so.")
    FALSE = strawberry.enum_value("false", description="It is not.")
    UNKNOWN = strawberry.enum_value("unknown", description="What it depends on is not known of the customer.")

    @classmethod
    def of(cls, truth: bool | None) -> "SegmentTruth":  # noqa: FBT001  the language's own three
        return cls.UNKNOWN if truth is None else cls.TRUE if truth else cls.FALSE


@strawberry.enum(description="What a part of a query is.")
class SegmentPartKind(Enum):
    AND = strawberry.enum_value("and", description="All of its parts are to be true.")
    OR = strawberry.enum_value("or", description="One of its parts is to be true.")
    NOT = strawberry.enum_value("not", description="Its one part is to be false.")
    CONDITION = strawberry.enum_value("condition", description="A condition; of one that asks a segment, that query.")


class Placed(Struct, frozen=True):
    """A part and its place among all of them; `parts` are the places of those that it is made of."""

    index: int
    parent: int | None
    depth: int
    part: querying.Explanation
    parts: tuple[int, ...]


@strawberry.type(description="A part of a query, and what it is of the customer.", directives=signed_in())
class SegmentExplanationPart:
    placed: strawberry.Private[Placed]
    all: strawberry.Private[tuple[Placed, ...]]

    @strawberry.field(description="Its place among the explanation's `parts`, from 0.")
    def index(self) -> int:
        return self.placed.index

    @strawberry.field(description="The `index` of the part that it is part of; null of the whole query.")
    def parent(self) -> int | None:
        return self.placed.parent

    @strawberry.field(description="How many parts it lies within; 0 of the whole query.")
    def depth(self) -> int:
        return self.placed.depth

    @strawberry.field(description="What it is.")
    def kind(self) -> SegmentPartKind:
        return SegmentPartKind(self.placed.part.kind)

    @strawberry.field(description="The part as it is written canonically.")
    def text(self) -> str:
        return self.placed.part.text

    @strawberry.field(description="Whether it is so now.")
    def truth(self) -> SegmentTruth:
        return SegmentTruth.of(self.placed.part.truth)

    @strawberry.field(
        description=(
            "Of a condition: what is known of what it asks about, for people (`3 orders of 250.00 EUR`); null where "
            "that is unknown, and of what joins others."
        )
    )
    def value(self) -> str | None:
        return self.placed.part.value

    @strawberry.field(description="The kinds of facts behind it.", directives=[about(2)])
    def facts(self) -> list[SegmentFact]:
        return [SegmentFact(fact) for fact in self.placed.part.facts]

    @strawberry.field(
        description=(
            "What orders, touchpoints and carts that it counted are called by their events; of `segment(…)`, its id."
        )
    )
    def records(self) -> list[str]:
        return list(self.placed.part.records)

    @strawberry.field(description="Until when time alone does not change `truth`; null: for good.")
    def flips_at(self) -> datetime | None:
        return self.placed.part.flips_at

    @strawberry.field(description="The parts it is made of, for a tree as deep as one asks.", directives=[about(3)])
    def parts(self) -> list["SegmentExplanationPart"]:
        return [SegmentExplanationPart(placed=self.all[index], all=self.all) for index in self.placed.parts]


@strawberry.type(description="Why a customer is in a segment, or is not.", directives=staff("segments:read"))
class SegmentExplanation:
    found: strawberry.Private[querying.Explained]

    @strawberry.field(
        description="All that is wrong with the query; without anything else then.", directives=[about(2)]
    )
    def errors(self) -> list[SegmentQueryMistake]:
        return [SegmentQueryMistake(item=mistake) for mistake in self.found.mistakes]

    @strawberry.field(description="Whether the customer is a member; null where the query is wrong.")
    def member(self) -> bool | None:
        return self.found.member

    @strawberry.field(description="As of when.")
    def as_of(self) -> datetime:
        return self.found.as_of

    @strawberry.field(description="When time alone will change `member`; null: never.")
    def flips_at(self) -> datetime | None:
        return self.found.flips_at

    @strawberry.field(description="What somebody's hand did that goes before the query; null: nothing.")
    def by_hand(self) -> SegmentHand | None:
        return SegmentHand(self.found.by_hand) if self.found.by_hand else None

    @strawberry.field(
        description=(
            "The query and all its parts, each before those it is made of: a list to indent by `depth`. Empty of a "
            "segment without a query, and of a query that is wrong."
        ),
        directives=[about(USUAL)],
    )
    def parts(self) -> list[SegmentExplanationPart]:
        parts = placed(self.found.explanation)
        return [SegmentExplanationPart(placed=each, all=parts) for each in parts]


@strawberry.input(description="A segment, or a query that need not be one's: exactly one.", one_of=True)
class SegmentChoiceInput:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="A segment's `id`.")
    query: strawberry.Maybe[str] = strawberry.field(description="A query, as it was typed.")


@strawberry.type
class SegmentExplanationQuery:
    @strawberry.field(
        description=(
            "Why a customer is in a segment, or would be in one with this query, or is not; null where there is no "
            "such customer or segment to be seen."
        ),
        directives=[*staff("customers:read"), priced(HISTORIES)],
    )
    async def segment_explain(
        self,
        info: Info,
        segment: Annotated[SegmentChoiceInput, strawberry.argument(description="Exactly one of its fields.")],
        customer: Annotated[strawberry.ID, strawberry.argument(description="The customer's `id`.")],
    ) -> SegmentExplanation | None:
        context = info.context
        key = key_of("Customer", customer, field="customer")
        if key is None or await visible_record(context, key[0]) is None:
            return None
        found = await _explained(context, segment, key[0])
        return SegmentExplanation(found=found) if found else None


async def _explained(context: Context, segment: SegmentChoiceInput, customer_id: str) -> querying.Explained | None:
    shop, now = context.shop, context.now
    if segment.query is not None:
        return await stored(querying.explain_query, shop, customer_id, segment.query.value, now=now)
    assert segment.id is not None
    key = key_of("Segment", segment.id.value, field="segment.id")
    return await stored(querying.explain_segment, shop, customer_id, key[0], now=now) if key else None


def placed(whole: querying.Explanation | None) -> tuple[Placed, ...]:
    """All parts, each before those that it is made of."""
    found: list[Placed] = []

    def place(part: querying.Explanation, parent: int | None, depth: int) -> int:
        index = len(found)
        found.append(Placed(index, parent, depth, part, ()))
        below = tuple(place(each, index, depth + 1) for each in part.parts)
        found[index] = Placed(index, parent, depth, part, below)
        return index

    if whole is not None:
        place(whole, None, 0)
    return tuple(found)
