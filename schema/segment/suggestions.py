# schema/segment/suggestions.py
"""What an editor offers while a query is written."""

from enum import Enum
from typing import Annotated, Final

import strawberry

from crm.segmentation import querying
from schema.access import signed_in, staff
from schema.connections import DEFAULT_FIRST, First, ListSize, page_size, priced
from schema.context import Context, Info, stored

LOOKING: Final = 5
"""Points for looking at what customers have, which is remembered for some minutes."""

Written = Annotated[
    str | None,
    strawberry.argument(description="The query as it is written so far, also behind the cursor."),
]
Offset = Annotated[
    int | None,
    strawberry.argument(description="Where the cursor is, in characters (code points) from 0; null: at the end."),
]


@strawberry.enum(description="What a suggestion is.")
class SegmentSuggestionKind(Enum):
    ATTRIBUTE = strawberry.enum_value("attribute", description="What is known of a customer.")
    FUNCTION = strawberry.enum_value("function", description="A function, with its opening parenthesis.")
    ARGUMENT = strawberry.enum_value("argument", description="An argument of the function, with its colon.")
    OPERATOR = strawberry.enum_value("operator", description="An operator that goes with what stands before it.")
    KEYWORD = strawberry.enum_value("keyword", description="What joins conditions.")
    VALUE = strawberry.enum_value("value", description="A value, with its quotes.")


@strawberry.type(description="What may stand in a query at the cursor.", directives=signed_in())
class SegmentSuggestion:
    item: strawberry.Private[querying.Suggestion]

    @strawberry.field(description="Put it in the place of the `length` characters from `offset` on.")
    def text(self) -> str:
        return self.item.text

    @strawberry.field(description="What it is.")
    def kind(self) -> SegmentSuggestionKind:
        return SegmentSuggestionKind(self.item.kind)

    @strawberry.field(description="Where what it is put in the place of begins, in characters from 0.")
    def offset(self) -> int:
        return self.item.span.offset

    @strawberry.field(description="How long what it is put in the place of is, in characters.")
    def length(self) -> int:
        return self.item.span.length

    @strawberry.field(description="What it means; null where it says so itself.")
    def description(self) -> str | None:
        return self.item.description or None

    @strawberry.field(
        description="Of attributes, functions and arguments: what kind of value it has, such as `date` or `amount`."
    )
    def type(self) -> str | None:
        return self.item.type or None

    @strawberry.field(description="Of attributes and functions: a condition with it.")
    def example(self) -> str | None:
        return self.item.example or None


def _sized() -> ListSize:
    return ListSize(slicing_arguments=["first"])


@strawberry.type
class SegmentSuggestionQuery:
    @strawberry.field(
        description=(
            "What may be named, compared or joined at the cursor, what begins like the word there first. Without a "
            "`query`, all attributes and functions there are, the shop's own too."
        ),
        directives=[*staff("segments:read"), _sized()],
    )
    async def segment_filter_suggestions(
        self, info: Info, query: Written = "", offset: Offset = None, first: First = DEFAULT_FIRST
    ) -> list[SegmentSuggestion]:
        size, text = page_size(first), query or ""
        found = querying.filters_at(text, _place(text, offset), await _may_be_named(info.context))
        return [SegmentSuggestion(item=each) for each in found[:size]]

    @strawberry.field(
        description=(
            "The values that may stand at the cursor, those that begin like what is there first: choices, usual days, "
            "types of events, segments' names, what the shop's customers have for tags, places, languages and sources, "
            f"where at least {querying.SHARED_BY} of those looked at share it, and what it sells, by the orders of "
            "some of them, as found out each day: SKUs, categories, product tags and channels. A form asks with what "
            "it would write: `customer_tags CONTAINS 'vi`."
        ),
        directives=[*staff("segments:read"), _sized(), priced(LOOKING)],
    )
    async def segment_value_suggestions(
        self, info: Info, query: Written = "", offset: Offset = None, first: First = DEFAULT_FIRST
    ) -> list[SegmentSuggestion]:
        size, text, context = page_size(first), query or "", info.context
        known = await stored(querying.known_texts, context.shop, now=context.now)
        found = querying.values_at(text, _place(text, offset), await _may_be_named(context), known)
        return [SegmentSuggestion(item=each) for each in found[:size]]


async def _may_be_named(context: Context) -> querying.Catalogue:
    return await stored(querying.may_be_named, context.shop, now=context.now)


def _place(text: str, offset: int | None) -> int:
    return len(text) if offset is None else max(0, min(offset, len(text)))
