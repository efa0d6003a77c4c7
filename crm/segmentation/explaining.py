# crm/segmentation/explaining.py
"""Why a customer is in a segment, would be in one, or is not: asked anew, by what is stored at this moment."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from crm.customers import service as customers
from crm.segmentation import drafting, loading
from crm.segmentation.asking import judge_of
from crm.segmentation.in_force import Segment
from crm.segmentation.language.explaining import Explanation, explain
from crm.segmentation.language.facts import Facts
from crm.segmentation.language.mistakes import Mistake
from crm.segmentation.language.truth import Moment

ADDED: Final = "added"
EXCLUDED: Final = "excluded"


class Explained(Struct, frozen=True):
    """`member` is None where there is no telling: the query is wrong. `by_hand` is what somebody's hand did that goes
    before the query: ADDED to a segment without one, or EXCLUDED.
    """

    as_of: datetime
    mistakes: tuple[Mistake, ...] = ()
    member: bool | None = None
    flips_at: datetime | None = None
    by_hand: str | None = None
    explanation: Explanation | None = None


def explain_query(shop: str, customer_id: str, text: str, *, now: datetime) -> Explained:
    """Of a query that need not be any segment's. Raises NotFound for an unknown shop."""
    said, known = drafting.understood(shop, text, now=now)
    if said.compiled is None:
        return Explained(now, said.mistakes)
    snapshot = customers.take_snapshot(shop, customer_id)
    facts = loading.load(snapshot, said.compiled.reads, earliest=now, in_force=known)
    verdict = said.compiled.evaluate(facts, now)
    return Explained(now, (), verdict.member, verdict.flips_at, None, explain(said.compiled, facts, now))


def explain_segment(shop: str, customer_id: str, segment_id: str, *, now: datetime) -> Explained | None:
    """None where there is no such segment. Raises NotFound for an unknown shop."""
    known = drafting.newest(shop, now=now)
    segment = known.segments.get(segment_id)
    if segment is None:
        return None
    if segment.is_broken:
        return Explained(now, drafting.mistakes_of(known, segment_id))
    facts = loading.load(customers.take_snapshot(shop, customer_id), segment.reads, earliest=now, in_force=known)
    verdict = judge_of(segment)(Moment(facts, now))
    explanation = explain(segment.compiled, facts, now) if segment.compiled else None
    return Explained(now, (), verdict.member, verdict.flips_at, _by_hand(segment, facts), explanation)


def _by_hand(segment: Segment, facts: Facts) -> str | None:
    if segment.id in facts.exclusions:
        return EXCLUDED
    return ADDED if segment.id in (facts.memberships or ()) else None
