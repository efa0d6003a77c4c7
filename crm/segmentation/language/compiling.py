# crm/segmentation/language/compiling.py
"""A text, understood in one shop and made a pure function of facts and a moment: once per version of a definition."""

from datetime import datetime

from msgspec import Struct

from crm.segmentation.language.binding import Binder
from crm.segmentation.language.catalogue import Catalogue
from crm.segmentation.language.choosing import settled
from crm.segmentation.language.days import FOREVER
from crm.segmentation.language.facts import Facts
from crm.segmentation.language.mistakes import Mistake, Mistakes
from crm.segmentation.language.parser import parse
from crm.segmentation.language.reading import Reads
from crm.segmentation.language.tree import Query
from crm.segmentation.language.truth import Moment
from crm.segmentation.language.verdicts import Verdict
from crm.segmentation.language.words import Plan
from crm.segmentation.language.writing import written

MEMBER, NO_MEMBER = Verdict(member=True), Verdict(member=False)


class Compiled(Struct, frozen=True):
    """A query that is right. `normalized` is its canonical text."""

    query: Query
    normalized: str
    reads: Reads
    plan: Plan

    def evaluate(self, facts: Facts, now: datetime) -> Verdict:
        return self.at(Moment(facts, now))

    def at(self, moment: Moment) -> Verdict:
        """Who is deleted is in no segment."""
        if moment.facts.hidden:
            return NO_MEMBER
        truth, until, _ = self.plan.stand(moment)
        if until == FOREVER:
            return MEMBER if truth else NO_MEMBER
        return Verdict(truth is True, until)


class Understood(Struct, frozen=True):
    """`compiled` is None where there are mistakes, which are all that is wrong, in the order of the text."""

    mistakes: tuple[Mistake, ...]
    compiled: Compiled | None


def understand(text: str, catalogue: Catalogue, *, itself: str | None = None) -> Understood:
    """Read a query. It may not ask about the segment that it defines (the id `itself`), be it by way of others."""
    mistakes = Mistakes(text)
    parsed = parse(text, mistakes)
    query = settled(parsed.query, catalogue) if parsed.query is not None else None
    binder = Binder(catalogue, mistakes, (itself,) if itself else ())
    plan = binder.bound(query) if query is not None else None
    for subject in parsed.lost:
        binder.look_at(subject)
    if query is None or plan is None or mistakes:
        return Understood(mistakes.in_order(), None)
    return Understood((), Compiled(query, written(query), plan.reads, plan))


def compiled(query: Query, catalogue: Catalogue, *, itself: str | None = None) -> Compiled:
    """As `understand`, of a query that has been understood before. Raises ValueError where that no longer is right."""
    mistakes = Mistakes("")
    plan = Binder(catalogue, mistakes, (itself,) if itself else ()).bound(query)
    if plan is None or mistakes:
        found = ", ".join(sorted({mistake.code for mistake in mistakes.in_order()}))
        raise ValueError(f"the query no longer is right: {found}")
    return Compiled(query, written(query), plan.reads, plan)
