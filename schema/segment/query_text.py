# schema/segment/query_text.py
"""What a query says, before it is a segment's: what is wrong with it, and what it reads."""

from enum import Enum
from typing import Annotated, Any

import strawberry

from crm.segmentation import querying
from crm.segmentation.querying import FactKind
from schema.access import signed_in

QueryText = Annotated[
    str, strawberry.argument(description="In the language of segments (docs/segments.md), as it was typed.")
]


def _of(fact: FactKind) -> Any:
    return strawberry.enum_value(fact.value, description=querying.ORIGINS[fact])


@strawberry.enum(description="What queries read of customers, each kind from one place.")
class SegmentFact(Enum):
    ACQUISITION = _of(FactKind.ACQUISITION)
    ATTRIBUTES = _of(FactKind.ATTRIBUTES)
    CARTS = _of(FactKind.CARTS)
    CONSENT = _of(FactKind.CONSENT)
    FEEDBACK = _of(FactKind.FEEDBACK)
    IDENTITY = _of(FactKind.IDENTITY)
    LAST_ORDER = _of(FactKind.LAST_ORDER)
    LAST_SEEN = _of(FactKind.LAST_SEEN)
    LOYALTY = _of(FactKind.LOYALTY)
    MEMBERSHIPS = _of(FactKind.MEMBERSHIPS)
    ORDERS = _of(FactKind.ORDERS)
    PREDICTIONS = _of(FactKind.PREDICTIONS)
    PROFILE = _of(FactKind.PROFILE)
    RFM = _of(FactKind.RFM)
    STATISTICS = _of(FactKind.STATISTICS)
    TOUCHPOINTS = _of(FactKind.TOUCHPOINTS)


@strawberry.type(
    description=(
        "Something that is wrong with a query, and where. Places count characters (Unicode code points): of a text "
        "with emoji, JavaScript's `Array.from(text)` rather than `text`."
    ),
    directives=signed_in(),
)
class SegmentQueryMistake:
    item: strawberry.Private[querying.Mistake]

    @strawberry.field(description="What to switch on; docs/segments.md lists every code.")
    def code(self) -> str:
        return self.item.code.value

    @strawberry.field(description="What is wrong, for whoever writes the query.")
    def message(self) -> str:
        return self.item.message

    @strawberry.field(description="Where it begins, from 0.")
    def offset(self) -> int:
        return self.item.offset

    @strawberry.field(description="How long what is wrong is; 0 where something is missing.")
    def length(self) -> int:
        return self.item.length

    @strawberry.field(description="The line in which it begins, from 1.")
    def line(self) -> int:
        return self.item.line

    @strawberry.field(description="Where in that line, from 1.")
    def column(self) -> int:
        return self.item.column

    @strawberry.field(description="What may stand there instead; empty where that cannot be listed.")
    def expected(self) -> list[str]:
        return list(self.item.expected)

    @strawberry.field(
        description=(
            "What was probably meant: put it in the place of the `length` characters from `offset` on. Null where "
            "nothing is near that fits there."
        )
    )
    def nearest(self) -> str | None:
        return self.item.nearest
