# tests/faults/segments_oracle.py
"""Random queries about customers at random moments: what the engine says, against an oracle that reads raw events.

The oracle (segments_judge.py, over segments_known.py and segments_calendar.py) shares no code with the engine. Half of
the moments lie within a second of one at which time changes the verdict, found by the oracle alone.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from bench.figures import Report
from tests.faults import segments_people as people
from tests.faults import segments_stored as stored
from tests.faults.segments_judge import Judge, Truth, kilometres_to_nearest
from tests.faults.segments_known import Known, known
from tests.faults.segments_people import NOW, Told
from tests.faults.segments_queries import NEVER_UNKNOWN, SEGMENTS, Writer, subjects
from tests.faults.segments_turning import turning_points
from tests.faults.segments_written import Call, Compare, Holds, Join, Not, Query, text

if TYPE_CHECKING:
    from crm.segmentation.language.catalogue import Catalogue
    from crm.segmentation.language.facts import Facts

DIFFERENCES, EARLY, MEMBERS, OTHERS, SPURIOUS = FIGURES = (
    "segments.oracle_differences",
    "segments.oracle_early_changes",
    "segments.oracle_members_share",
    "segments.oracle_others_share",
    "segments.spurious_wakes",
)
QUERIES, MOMENTS, AT_FLIPS = 2_000, 10, 9
ENDS: Final = NOW + timedelta(days=1_100)
LATER: Final = timedelta(days=365 * 30)
"""How far beyond a moment is looked where the engine says that time changes nothing any more."""
INSTANT, SECOND = timedelta(microseconds=1), timedelta(seconds=1)
MOST_POINTS, LOOKED_AT, REDRAWN, MOST_STILL = 16, 8, 40, 7
SHARE: Final = 20
WORKERS: Final = 2
NEVER: Final = Compare("customer_added_date", "IS NULL")


@dataclass
class Tally:
    """`wakes`: verdicts that name an instant; `early`: those that changed before it."""

    verdicts: int = 0
    members: int = 0
    near: int = 0
    wakes: int = 0
    spurious: int = 0
    differences: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    heard: Counter[tuple[str, Truth]] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        self.verdicts += other.verdicts
        self.members += other.members
        self.near += other.near
        self.wakes += other.wakes
        self.spurious += other.spurious
        self.differences += other.differences
        self.early += other.early
        self.heard += other.heard


@dataclass(frozen=True)
class Subject:
    """A customer: what was told of them, what the oracle knows by that, and what the engine does."""

    told: Told
    known: Known
    facts: "Facts"


@dataclass(frozen=True)
class Job:
    """A worker's share of the queries, `begins` being the number of the first. `as_read`: for each the facts are loaded
    that it reads, and no others; else all that there are.
    """

    seed: str
    begins: int
    count: int
    sabotage: str
    as_read: bool = False


@dataclass(frozen=True)
class Trial:
    """`catalogues` by shop."""

    subjects: Sequence[Subject]
    catalogues: Mapping[str, "Catalogue"]

    def judged(self, job: Job) -> Tally:
        """What a worker does."""
        draw = random.Random(job.seed)
        writer = Writer(draw)
        tally = Tally()
        for number in range(job.count):
            names = subjects()
            query = self._lively(writer, names[(job.begins + number) % len(names)], draw)
            if job.sabotage == "oracle_members_share":
                query = Join("AND", (query, NEVER))
            if job.sabotage == "oracle_others_share":
                query = Join("OR", (query, Not(NEVER)))
            self._judge(query, draw, tally, as_read=job.as_read)
        return tally

    def _lively(self, writer: Writer, name: str, draw: random.Random) -> Query:
        """One that time changes for most of the customers, if such a one is found soon."""
        judge = Judge(SEGMENTS, Counter())
        queries = (each for each in writer.queries(name) if not any(_too_close(each, on.known) for on in self.subjects))
        for query in islice(queries, REDRAWN):
            still = 0
            for subject in self.subjects:
                still += not any(_flips(judge, query, subject.known, draw, most=LOOKED_AT))
                if still > MOST_STILL:
                    break
            else:
                return query
        return next(queries)

    def _judge(self, query: Query, draw: random.Random, tally: Tally, *, as_read: bool) -> None:
        from crm.segmentation.language.compiling import understand

        judge, looking = Judge(SEGMENTS, tally.heard), Judge(SEGMENTS, Counter())
        said = text(query)
        understood = {shop: understand(said, catalogue) for shop, catalogue in self.catalogues.items()}
        for subject in self.subjects:
            who = subject.known
            compiled = understood[who.shop.name].compiled
            if compiled is None:
                tally.differences.append(f"{said}: {understood[who.shop.name].mistakes}")
                return
            facts = subject.facts
            if as_read:
                facts = stored.loaded(subject.told, who.customer_id, compiled.reads)
            flips = list(_flips(looking, query, who, draw, most=MOST_POINTS))
            for now in _moments(flips, draw):
                member = judge.is_member(query, who, now)
                verdict = compiled.evaluate(facts, now)
                tally.verdicts += 1
                tally.members += member
                tally.near += any(abs(now - flip) <= SECOND for flip in flips)
                place = f"{who.shop.zone} {who.customer_id} {now}: {said}"
                if verdict.member is not member:
                    tally.differences.append(f"{place}: {verdict.member}, and the oracle says {member}")
                    continue
                ends = verdict.flips_at or now + LATER
                probes = [
                    ends - INSTANT,
                    min(ends - INSTANT, now + (ends - now) * draw.random()),
                    *(f for f in flips if now < f < ends),
                ]
                if ends <= now or any(looking.is_member(query, who, probe) is not member for probe in probes):
                    tally.early.append(f"{place}: {member} until {verdict.flips_at}")
                if verdict.flips_at is not None:
                    tally.wakes += 1
                    tally.spurious += looking.is_member(query, who, verdict.flips_at) is member


def run(report: Report, sabotage: str) -> None:
    if sabotage in {name.rpartition(".")[2] for name in FIGURES}:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    count = QUERIES // 10 if report.quick or sabotage else QUERIES
    trial = _trial(report.seed)
    tally = Tally()
    as_read = len(subjects())
    tally.add(trial.judged(Job(f"{report.seed}:read", 0, as_read, sabotage, as_read=True)))
    shares = range(as_read, count, SHARE)
    jobs = [Job(f"{report.seed}:{begins}", begins, min(SHARE, count - begins), sabotage) for begins in shares]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("fork")) as workers:
        for part in workers.map(trial.judged, jobs):
            tally.add(part)
    _tell(report, tally, count)


def _tell(report: Report, tally: Tally, count: int) -> None:
    for line in [*tally.differences[:10], *tally.early[:10]]:
        print(line)
    print(f"{count} queries, {len(people.SHOPS) * people.PER_SHOP} customers: {tally.verdicts} verdicts, "
          f"{tally.near / tally.verdicts:.1%} of them within a second of a flip", flush=True)  # fmt: skip
    print(f"{'judged':32}{'true':>9}{'false':>9}{'unknown':>9}")
    missed = []
    for name in subjects():
        truths: list[Truth] = [True, False] if name in NEVER_UNKNOWN else [True, False, None]
        print(f"{name:32}" + "".join(f"{tally.heard[name, truth]:>9}" for truth in truths))
        missed += [f"{name} {truth}" for truth in truths if not tally.heard[name, truth]]
    if missed:
        print(f"never judged: {', '.join(missed)}", flush=True)
    tried = (report.quick or not missed) and tally.near * 2 >= tally.verdicts
    found = len(tally.differences)
    report.tell(DIFFERENCES, found if tried or found else float("nan"), n=tally.verdicts)
    report.tell(EARLY, len(tally.early), n=tally.verdicts)
    report.tell(MEMBERS, tally.members / tally.verdicts, n=tally.verdicts)
    report.tell(OTHERS, 1 - tally.members / tally.verdicts, n=tally.verdicts)
    report.tell(SPURIOUS, tally.spurious / max(1, tally.wakes), n=tally.wakes)


def _too_close(query: Query, who: Known) -> bool:
    """Whether a place lies near the distance that is asked: the earth is no sphere, and the formulas are two."""
    match query:
        case Not(part):
            return _too_close(part, who)
        case Join(_, parts):
            return any(_too_close(part, who) for part in parts)
        case Holds(Call(name="customer_within_distance") as call):
            nearest, asked = kilometres_to_nearest(call, who), float(str(call.given[2].values[0]))
            return nearest is not None and abs(nearest - asked) < asked / 100
    return False


def _flips(judge: Judge, query: Query, who: Known, draw: random.Random, *, most: int) -> Iterator[datetime]:
    """Instants at which time changes the verdict."""
    points = turning_points(query, who, SEGMENTS, NOW, ENDS)
    for point in sorted(draw.sample(points, min(len(points), most))):
        if judge.is_member(query, who, point - INSTANT) is not judge.is_member(query, who, point):
            yield point


def _moments(flips: Sequence[datetime], draw: random.Random) -> Iterator[datetime]:
    """Nearly all at flips where there are any, since for many there is none."""
    near = AT_FLIPS if flips else 0
    for number in range(MOMENTS):
        if number < near:
            away = draw.choice([-SECOND * draw.random(), -INSTANT, timedelta(), INSTANT, SECOND * draw.random()])
            yield max(NOW, draw.choice(flips) + away)
        else:
            yield NOW + (ENDS - NOW) * draw.random() ** 3


def _trial(seed: int) -> Trial:
    everybody = people.everybody(seed)
    ids = stored.take_in(everybody)
    everything = stored.everything_read()
    subjects_ = []
    for told in everybody:
        customer_id = ids[told.shop.name, told.name]
        subjects_.append(Subject(told, known(told, customer_id), stored.loaded(told, customer_id, everything)))
    return Trial(subjects_, {shop.name: stored.in_force(shop).catalogue for shop in people.SHOPS})
