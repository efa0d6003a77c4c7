# crm/loyalty/programmes/parts.py
"""What a programme says one by one, each under a name: its rules, its bonuses for events. One is added, changed and
archived by an edit of the programme. None is ever taken out: what it has given goes on being told of, and counted.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain
from typing import Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from crm.kernel.actor import Actor
from crm.kernel.errors import Fault, InvalidInputs, NotFound
from crm.kernel.said import Said
from crm.kernel.texts import name_key
from crm.loyalty.bonuses.definitions import EventBonus
from crm.loyalty.earning.definitions import Rule
from crm.loyalty.ledger.refusals import Archived
from crm.loyalty.programme import Programme
from crm.loyalty.programmes.defining import Decide, edit
from crm.loyalty.programmes.versions import Version

Part = TypeVar("Part", Rule, EventBonus)
Judge = Callable[[Programme, Part | None, Part], Iterable[Fault]]
"""What is wrong with a part of a programme as it was (None: it is new) and would be, but for its name and how many
there are.
"""


class Edited(Struct, Generic[Part], frozen=True):
    """A part, and the version of the programme that says it."""

    part: Part
    version: Version


class Parts(Struct, Generic[Part], frozen=True, kw_only=True):
    """All parts of one kind, which are called `noun` and `nouns`; at most so many that are not archived. `of` a
    programme they are these, and `put` into it others in their place.
    """

    noun: str
    nouns: str
    most: int
    of: Callable[[Programme], tuple[Part, ...]]
    put: Callable[[Programme, tuple[Part, ...]], Programme]

    def edit(
        self, shop: str, part_id: str, decide: Decide, *, actor: Actor, now: datetime, **when: Any
    ) -> Edited[Part]:
        """`when` is that of `programmes.defining.edit`, whose refusals this raises, too."""
        version = edit(shop, decide, actor=actor, now=now, **when)
        return Edited(self._find(version.programme, part_id), version)

    def archive(self, shop: str, part_id: str, *, actor: Actor, now: datetime, **when: Any) -> Edited[Part]:
        """Let a part give nothing any more; once, however often it is asked for. Raises NotFound."""
        return self.edit(shop, part_id, self.archiving(part_id, now=now), actor=actor, now=now, **when)

    def adding(self, part: Part, judge: Judge[Part]) -> Decide:
        """A part behind the others. Raises InvalidInputs with all that is wrong."""

        def decide(programme: Programme) -> Programme:
            added = _trimmed(part)
            self._judge(programme, None, added, judge)
            return self.put(programme, tuple(chain(self.of(programme), [added])))

        return decide

    def changing(self, part_id: str, said: Said, judge: Judge[Part]) -> Decide:
        """Raises InvalidInputs with all that is wrong, NotFound, and Archived."""

        def decide(programme: Programme) -> Programme:
            before = self._find(programme, part_id)
            if before.archived_at is not None:
                raise Archived(f"The {self.noun} is archived.", field=f"{self.noun}_id")
            after = _trimmed(replace(before, **said.given()))
            self._judge(programme, before, after, judge)
            return self._instead(programme, before, after)

        return decide

    def archiving(self, part_id: str, *, now: datetime) -> Decide:
        """Raises NotFound."""

        def decide(programme: Programme) -> Programme:
            before = self._find(programme, part_id)
            if before.archived_at is not None:
                return programme
            return self._instead(programme, before, replace(before, archived_at=now))

        return decide

    def _judge(self, programme: Programme, before: Part | None, after: Part, judge: Judge[Part]) -> None:
        others = [each for each in self.of(programme) if each.archived_at is None and each.id != after.id]
        wrong = [*judge(programme, before, after)]
        if any(name_key(each.name) == name_key(after.name) for each in others):
            wrong.append(Fault("name", "TAKEN", f"must not be the name of another {self.noun}"))
        if len(others) >= self.most:
            wrong.append(Fault("", "TOO_MANY", f"must leave {self.most} {self.nouns} at most: archive some"))
        if wrong:
            raise InvalidInputs(wrong)

    def _find(self, programme: Programme, part_id: str) -> Part:
        for each in self.of(programme):
            if each.id == part_id:
                return each
        raise NotFound(f"There is no such {self.noun}.", field=f"{self.noun}_id")

    def _instead(self, programme: Programme, before: Part, after: Part) -> Programme:
        return self.put(programme, tuple(after if each is before else each for each in self.of(programme)))


def _trimmed(part: Part) -> Part:
    """Its name without spaces around it, in which no two should differ."""
    return replace(part, name=part.name.strip())
