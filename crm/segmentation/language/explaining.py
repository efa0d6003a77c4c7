# crm/segmentation/language/explaining.py
"""Why somebody is in a segment, or is not: each part of its query with what it is of them, and what that rests on."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from crm.segmentation.language.compiling import Compiled
from crm.segmentation.language.days import FOREVER
from crm.segmentation.language.facts import Facts
from crm.segmentation.language.tree import And, Not, Or, Query
from crm.segmentation.language.truth import Moment, Truth
from crm.segmentation.language.words import Evidence, Plan
from crm.segmentation.language.writing import written


class PartKind(StrEnum):
    """What a part of a query is."""

    AND = "and"
    OR = "or"
    NOT = "not"
    CONDITION = "condition"


class Explanation(Struct, frozen=True):
    """`text` is the part as it is written canonically. `truth` is true, false, or None for unknown, and stays so until
    `flips_at` (None: for good). `value` is what is known of what a condition asks about, as a text for people; None
    where that is unknown, and of parts that join others. `facts` are the kinds of facts behind it, `records` the ids of
    those that were counted. Of a segment that is asked, `parts` is its query.
    """

    text: str
    truth: Truth
    flips_at: datetime | None
    value: str | None
    facts: tuple[str, ...]
    records: tuple[str, ...]
    parts: "tuple[Explanation, ...]"
    kind: PartKind = PartKind.CONDITION


def explain(compiled: Compiled, facts: Facts, now: datetime) -> Explanation:
    """Of the whole query; whether the customer is deleted, and so in no segment, is not its business."""
    return _explained(compiled.plan, Moment(facts, now))


def _explained(plan: Plan, moment: Moment) -> Explanation:
    truth, *turns = plan.stand(moment)
    until = min(turns)
    condition = plan.condition
    found = condition.evidence(moment) if condition else Evidence(None)
    parts = (condition.asks,) if condition and condition.asks else plan.parts
    return Explanation(
        text=written(plan.query),
        truth=truth,
        flips_at=None if until == FOREVER else until,
        value=found.value,
        facts=tuple(sorted(plan.reads.facts)),
        records=found.ids,
        parts=tuple(_explained(part, moment) for part in parts),
        kind=_kind(plan.query),
    )


def _kind(query: Query) -> PartKind:
    match query:
        case And():
            return PartKind.AND
        case Or():
            return PartKind.OR
        case Not():
            return PartKind.NOT
    return PartKind.CONDITION
