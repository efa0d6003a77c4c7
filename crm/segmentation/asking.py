# crm/segmentation/asking.py
"""Which of a shop's segments are to be asked about a customer: no others than those whose answer may be another now."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct

from crm.segmentation.in_force import InForce, Segment
from crm.segmentation.language.compiling import NO_MEMBER
from crm.segmentation.language.facts import Fact, Facts
from crm.segmentation.language.reading import NOTHING as READS_NOTHING
from crm.segmentation.language.reading import Reads
from crm.segmentation.language.truth import Moment
from crm.segmentation.language.verdicts import Verdict
from crm.segmentation.touching import Touched
from crm.segmentation.transitions import Judge, Question, Standing


class Judged(Struct, frozen=True):
    """How somebody was looked at last: by which version of the catalogue (None: never), and whether hidden then."""

    version: int | None = None
    hidden: bool = False


def is_read(in_force: InForce, touched: Touched) -> bool:
    """Whether what was touched can change anything in this shop. A profile can always: whoever is deleted leaves."""
    if not in_force.segments:
        return False
    return Fact.PROFILE in touched.facts or any(touched.touches(each.reads) for each in in_force.segments.values())


def questions(
    standing: Standing,
    judged: Judged,
    in_force: InForce,
    *,
    touched: Touched,
    segments: Collection[str] = (),
    hidden: bool,
    added_at: datetime | None,
    now: datetime,
    without: Collection[str] = (),
) -> list[Question]:
    """In the order of the catalogue, then those that stand and are in it no more.

    Of whom nothing is known yet, or who was hidden, everything is asked, and the cause at hand is what made it so;
    but whoever was there before a segment meant what it means came into it by that. `segments` are asked whatever was
    touched, but not those `without` which it is. Of one that is broken members only are asked about, and whether
    something else than its query takes them out.
    """
    anew = judged.version is None or (judged.hidden and not hidden)
    found: list[Question] = []
    for segment in in_force.segments.values():
        if segment.id in without:
            continue
        if segment.is_broken and not (segment.id in standing.open and (hidden or segment.id in segments)):
            continue
        stands = segment.id in standing.open or segment.id in standing.flips
        if hidden and not stands:
            continue
        redefined = None
        if segment.compiled is not None and (judged.version is None or not (anew or hidden)):
            redefined = _redefined(segment, judged, added_at=added_at)
        is_touched = hidden or (anew and not redefined) or touched.touches(segment.reads) or segment.id in segments
        flip = standing.flips.get(segment.id)
        if redefined or is_touched or (flip is not None and flip.at <= now):
            found.append(
                Question(
                    segment.id,
                    segment.version,
                    judge_of(segment),
                    segment.reads,
                    segment.meaning.at,
                    touched=is_touched,
                    redefined=redefined,
                )
            )
    for segment_id, membership in standing.open.items():
        meant = in_force.gone.get(segment_id)
        if meant is not None and segment_id not in without:
            version = membership.version
            found.append(Question(segment_id, version, _nobody, READS_NOTHING, meant.at, redefined=meant.cause))
    return found


def _redefined(segment: Segment, judged: Judged, *, added_at: datetime | None) -> str | None:
    """By what it has come to mean something else since somebody was looked at, or recorded: by an edit, where there was
    one since; else by what is drawn on schedule, which came upon whoever was in it and whoever was not.
    """
    for meaning in (segment.edited, segment.meaning):
        if judged.version is None:
            is_newer = added_at is not None and added_at < meaning.at
        else:
            is_newer = meaning.version > judged.version
        if is_newer:
            return meaning.cause
    return None


def reads_of(asked: list[Question]) -> Reads:
    """What has to be known to answer them."""
    found = READS_NOTHING
    for question in asked:
        found = found | question.reads
    return found


def judge_of(segment: Segment) -> Judge:
    """Who is hidden is in no segment, and nobody is in one that they were taken out of by hand. Else whoever is in one
    that is broken stays, and nobody else is asked about it.
    """
    compiled, segment_id = segment.compiled, segment.id

    def judge(moment: Moment) -> Verdict:
        facts = moment.facts
        if facts.hidden or segment_id in facts.exclusions:
            return NO_MEMBER
        if segment.is_broken:
            return Verdict(member=True)
        if compiled is None:
            return Verdict(segment_id in _by_hand(facts))
        return compiled.at(moment)

    return judge


def _by_hand(facts: Facts) -> frozenset[str]:
    return facts.memberships or frozenset()


def _nobody(_: Moment) -> Verdict:
    return NO_MEMBER
