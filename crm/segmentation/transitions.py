# crm/segmentation/transitions.py
"""Which memberships begin and end, and when. Pure: what stands, what is known now, and out comes what changes.

What stands says of each segment when time alone will change it, as exactly as what was known then could say. Such a
flip that has passed before anything newer came about is a transition by time, at its instant, whoever notices it and
however late. So time that passes in one jump and in many steps leaves the same stays.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from crm.segmentation.causes import by_time
from crm.segmentation.language.facts import Fact, Facts
from crm.segmentation.language.reading import Reads
from crm.segmentation.language.truth import Moment
from crm.segmentation.language.verdicts import Verdict

MOST_FOLLOWED: Final = 16
"""Flips that change nothing are followed so far; whoever is behind that many is asked again at the last of them."""

Judge: TypeAlias = Callable[[Moment], Verdict]


class Interval(Struct, frozen=True):
    """One stay in a segment. `begun_in`: the revision of the head with which its beginning was stored; 0: it is new.
    The versions are those of the definition by which it began and ended.
    """

    segment_id: str
    entered_at: datetime
    entered_cause: str
    version: int
    begun_in: int = 0
    left_at: datetime | None = None
    left_cause: str | None = None
    left_version: int = 0


class OpenMembership(Struct, frozen=True):
    """`flips_at`: the instant at which time alone ends it, if no event comes before."""

    segment_id: str
    entered_at: datetime
    entered_cause: str
    flips_at: datetime | None
    version: int = 0
    begun_in: int = 0


class Flip(Struct, frozen=True):
    """When time will change a membership; where it is not `certain`, when that is to be asked again."""

    at: datetime
    certain: bool = True


class Standing(Struct, frozen=True):
    """Where a customer stands. `open` and `flips` by segment; nothing takes effect before `as_of` any more."""

    open: Mapping[str, OpenMembership]
    flips: Mapping[str, Flip]
    as_of: datetime | None = None


class Question(Struct, frozen=True):
    """A segment that is to be asked, and why: the cause at hand may have changed it (`touched`); it has come to mean
    something else by the cause `redefined`; or else it is due. It means what it means since `since`.
    """

    segment_id: str
    version: int
    judge: Judge
    reads: Reads
    since: datetime | None = None
    touched: bool = False
    redefined: str | None = None


class Outcome(Struct, frozen=True):
    """`changed` began or ended; `open` and `flips` are all that stands now."""

    changed: Sequence[Interval]
    open: Mapping[str, OpenMembership]
    flips: Mapping[str, Flip]
    as_of: datetime | None

    @property
    def wakes_at(self) -> datetime | None:
        """When time will next change anything."""
        return min((flip.at for flip in self.flips.values()), default=None)


def newest(facts: Facts, reads: Reads) -> datetime | None:
    """When the newest of the facts that are read came about, as far as they say: of moments before, they say little."""
    times = [at for fact, at in facts.told.items() if fact in reads.facts and fact is not Fact.TOUCHPOINTS]
    for type_, seen in (facts.touchpoints or {}).items():
        if type_ in reads.touchpoints:
            times += [each.occurred_at for each in seen]
    return max(times, default=None)


def settle(
    standing: Standing,
    questions: Collection[Question],
    facts: Facts,
    *,
    cause: str,
    occurred_at: datetime,
    now: datetime,
) -> Outcome:
    """Bring what is asked from where it stands to `now`; what is not asked stays as it is.

    In this order: what time had changed by then; what the segment's new meaning changes, as of that; what `cause`
    changes; what time has changed since. What a cause changes takes effect when it occurred, but not before the newest
    of the facts read came about, nor before the segment meant what it means, nor before what is written already
    (`as_of`), and not in the future. What time changes has the instant itself as its time and in its cause.
    """
    open_ = dict(standing.open)
    flips = dict(standing.flips)
    changed: list[Interval] = []
    moments = _Moments(facts)
    for question in questions:
        asked = _Asked(question, standing, moments, now)
        asked.follow(cause=cause, occurred_at=occurred_at)
        changed += asked.ended
        open_.pop(question.segment_id, None)
        flips.pop(question.segment_id, None)
        flip = asked.next_flip()
        if flip is not None:
            flips[question.segment_id] = flip
        if asked.stay is not None:
            if not asked.stay.begun_in:
                changed.append(asked.stay)
            open_[question.segment_id] = _open(asked.stay, flip)
    times = [at for each in changed for at in (each.entered_at, each.left_at) if at is not None]
    as_of = max([*times, *([standing.as_of] if standing.as_of else [])], default=None)
    return Outcome(changed, open_, flips, as_of)


class _Moments:
    """What is known, looked at from each instant that is asked about; segments share what a moment works out."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._at: dict[datetime, Moment] = {}

    def __getitem__(self, instant: datetime) -> Moment:
        found = self._at.get(instant)
        if found is None:
            found = self._at[instant] = Moment(self.facts, instant)
        return found


class _Asked:
    """One segment, followed through time."""

    def __init__(self, question: Question, standing: Standing, moments: _Moments, now: datetime) -> None:
        self.question = question
        self.moments = moments
        self.now = now
        self.as_of = standing.as_of
        self.flip = standing.flips.get(question.segment_id)
        self.ended: list[Interval] = []
        self.verdict: Verdict | None = None
        self.asked_at = now
        stands = standing.open.get(question.segment_id)
        self.stay = _stay(stands) if stands else None

    def follow(self, *, cause: str, occurred_at: datetime) -> None:
        newest_read = newest(self.moments.facts, self.question.reads)
        starts: list[tuple[datetime, str]] = []
        if self.question.redefined:
            starts.append((self._effective(newest_read), self.question.redefined))
        if self.question.touched:
            starts.append((self._effective(newest_read, occurred_at), cause))
        flip, was_member = self.flip, self.stay is not None
        if flip is not None and flip.at <= self._stood_until(starts):
            if flip.certain and self._is_overtaken(flip.at, newest_read, occurred_at):
                self._become(not was_member, flip.at, by_time(flip.at))
                starts = starts or [(self._effective(newest_read, flip.at), cause)]
            elif not self.question.redefined:
                starts.insert(0, (flip.at, by_time(flip.at)))
        while starts:
            moment, why = starts.pop(0)
            verdict = self._ask(moment)
            self._become(verdict.member, moment, why)
            flips_at = verdict.flips_at
            if flips_at and flips_at <= (starts[0][0] if starts else self.now):
                starts.insert(0, (flips_at, by_time(flips_at)))

    def next_flip(self) -> Flip | None:
        """When the last verdict really changes: what is asked again and stays as it is is no flip."""
        if self.verdict is None:
            return self.flip
        at = self.verdict.flips_at
        for _ in range(MOST_FOLLOWED):
            if at is None:
                return None
            later = self._judge(at)
            if later.member is not self.verdict.member:
                return Flip(at)
            at = later.flips_at
        return Flip(at, certain=False) if at else None

    def _stood_until(self, starts: Sequence[tuple[datetime, str]]) -> datetime:
        """Until when what stood was foretold by what the segment means, or meant."""
        if self.question.redefined and self.question.since:
            return min(self.question.since, self.now)
        return starts[0][0] if starts else self.now

    def _is_overtaken(self, flip_at: datetime, newest_read: datetime | None, occurred_at: datetime) -> bool:
        """Whether what is known or meant now speaks against a flip that came before it was: then it flipped by what was
        known and meant before.
        """
        if self.question.redefined:
            return True
        known = [newest_read, occurred_at] if self.question.touched else [newest_read]
        newer = any(at is not None and at > flip_at for at in known)
        return newer and self._judge(flip_at).member is (self.stay is not None)

    def _effective(self, *at: datetime | None) -> datetime:
        effective = max(filter(None, (*at, self.question.since)), default=self.now)
        effective = min(effective, self.now)
        return max(effective, self.as_of) if self.as_of else effective

    def _ask(self, at: datetime) -> Verdict:
        self.verdict, self.asked_at = self._judge(at), at
        return self.verdict

    def _judge(self, at: datetime) -> Verdict:
        verdict = self.question.judge(self.moments[at])
        if verdict.flips_at and verdict.flips_at <= at:
            raise ValueError(f"{self.question.segment_id} flips at {verdict.flips_at}, which is not after {at}")
        return verdict

    def _become(self, member: bool, at: datetime, why: str) -> None:  # noqa: FBT001  a verdict, not an option
        if member and self.stay is None:
            self.stay = Interval(self.question.segment_id, at, why, self.question.version)
        elif not member and self.stay is not None:
            left = replace(self.stay, left_at=at, left_cause=why, left_version=self.question.version)
            self.ended.append(left)
            self.stay = None


def _stay(stands: OpenMembership) -> Interval:
    return Interval(stands.segment_id, stands.entered_at, stands.entered_cause, stands.version, stands.begun_in)


def _open(stay: Interval, flip: Flip | None) -> OpenMembership:
    flips_at = flip.at if flip and flip.certain else None
    return OpenMembership(stay.segment_id, stay.entered_at, stay.entered_cause, flips_at, stay.version, stay.begun_in)
