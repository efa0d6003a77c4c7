# tests/faults/loyalty_conditions.py
"""Each condition in what loyalty commits is taken out in turn, and somebody must miss it: of any two movements, the one
is done in full just before a commit of the other, and they come to what they come to one after the other: in all that
is stored, and in both answers.
"""

import secrets
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from bench.figures import Report
from tests.faults import loyalty_shop
from tests.tampering import Item

(SURVIVING,) = FIGURES = ("loyalty.conditions_surviving",)
SHOP: Final = "points-conditions"
LOYALTY: Final = Path(__file__).parents[2] / "crm" / "loyalty"
MOST_COMMITS: Final = 3
"""Of a movement, before which another comes."""


class Meeting(NamedTuple):
    """Two movements of a situation, by their names, and before which commit of the first the other is done."""

    situation: int
    one: str
    other: str
    commit: int


class Outcome(NamedTuple):
    """What both were told, and all that is stored then."""

    one: Any
    other: Any
    items: list[Item]

    @property
    def turned(self) -> "Outcome":
        return Outcome(self.other, self.one, self.items)


def run(report: Report, sabotage: str) -> None:
    loyalty_shop.found(SHOP)
    from tests.faults.conditions import Watch, places, watching
    from tests.faults.loyalty_book import counting
    from tests.faults.loyalty_meetings import PROGRAMME

    watch = Watch(LOYALTY)
    with watching(watch), counting(PROGRAMME), pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "token_hex", lambda _: "salt")  # so that two runs are alike
        trial = Trial(watch, few=report.quick or bool(sabotage), nobody_comes=bool(sabotage))
        trial.begin()
        missed = 0
        for guard, meetings in sorted(trial.meetings.items()):
            watch.removed = guard
            missing = next((each for each in meetings if not trial.is_as_in_turn(each)), None)
            missed += missing is not None
            print(f"{guard}: {trial.told(missing) if missing else 'MISSED BY NOBODY'}", flush=True)
    unreached = [] if trial.few else sorted(places(LOYALTY) - {guard.place for guard in trial.meetings})
    wrong = [trial.told(each) for each in trial.wrong]
    print(f"killed {missed}/{len(trial.meetings)} conditions; {trial.count} meetings, of which not as in turn with all "
          f"conditions in place: {wrong}; places not reached: {unreached}", flush=True)  # fmt: skip
    surviving = len(trial.meetings) - missed + len(unreached) + len(trial.wrong)
    report.tell(SURVIVING, surviving, n=len(trial.meetings))


class Trial:
    """`meetings`: those in which a condition has a part. `wrong`: those that go wrong with all conditions in place."""

    def __init__(self, watch: Any, *, few: bool, nobody_comes: bool) -> None:
        from tests.faults.loyalty_meetings import situations

        self.few = few
        self._watch, self._nobody_comes = watch, nobody_comes
        self._situations = situations(SHOP)[: 3 if few else None]
        self._prepared: list[list[Item]] = []
        self._in_turn: dict[tuple[int, str, str], Outcome] = {}
        self.meetings: dict[Any, list[Meeting]] = {}
        self.wrong: list[Meeting] = []
        self.count = 0

    def begin(self) -> None:
        """Let all meet, with all conditions in place."""
        for number, situation in enumerate(self._situations):
            _restore([])
            for move in situation.prepare:
                move()
            self._prepared.append(_stored())
            for one, other in product(situation.moves, repeat=2):
                self._meet(number, one, other)

    def _meet(self, situation: int, one: str, other: str) -> None:
        _restore(self._prepared[situation])
        self._watch.begin()
        _done(self._situations[situation].moves[one])
        for commit in range(1, min(self._watch.commits, MOST_COMMITS) + 1):
            meeting = Meeting(situation, one, other, commit)
            self.count += 1
            if not self.is_as_in_turn(meeting):
                self.wrong.append(meeting)
                continue
            for guard in self._watch.seen:
                self.meetings.setdefault(guard, []).append(meeting)

    def is_as_in_turn(self, meeting: Meeting) -> bool:
        situation, one, other, _ = meeting
        in_turn = self._turns(situation, one, other), self._turns(situation, other, one).turned
        return self._at_once(meeting) in in_turn

    def told(self, meeting: Meeting) -> str:
        return f"{self._situations[meeting.situation].name}: {meeting.other} before {meeting.one} ({meeting.commit})"

    def _turns(self, situation: int, one: str, other: str) -> Outcome:
        """One after the other, with all conditions in place."""
        if (situation, one, other) not in self._in_turn:
            removed, self._watch.removed = self._watch.removed, None
            moves = self._situations[situation].moves
            _restore(self._prepared[situation])
            self._watch.begin()
            self._in_turn[situation, one, other] = Outcome(_done(moves[one]), _done(moves[other]), _stored())
            self._watch.removed = removed
        return self._in_turn[situation, one, other]

    def _at_once(self, meeting: Meeting) -> Outcome:
        moves = self._situations[meeting.situation].moves
        told: list[Any] = []
        _restore(self._prepared[meeting.situation])
        rival = None if self._nobody_comes else lambda: told.append(_done(moves[meeting.other]))
        self._watch.begin(rival=rival, before=meeting.commit)
        answer = _done(moves[meeting.one])
        if not told:
            told.append(_done(moves[meeting.other]))
        return Outcome(answer, told[0], _stored())


def _done(move: Callable[[], Any]) -> Any:
    """What somebody was told."""
    from pynamodb.exceptions import PynamoDBException

    from crm.kernel.errors import CrmError
    from crm.loyalty import stored

    try:
        answer = move()
    except (CrmError, PynamoDBException, ValueError, LookupError) as refusal:
        return type(refusal).__name__
    given = getattr(answer, "given", answer)
    if not hasattr(given, "entry"):
        return answer
    hold = getattr(answer, "hold", None)
    return stored.entry_of(given.entry), given.replayed, hold and (hold.status, hold.points, hold.captured)


def _stored() -> list[Item]:
    """All of both customers."""
    from crm.kernel.settings import settings
    from crm.kernel.table import client, customer_key
    from tests.faults.loyalty_meetings import ANN, BEA

    found: list[Item] = []
    for customer_id in (ANN, BEA):
        values = {":pk": {"S": customer_key(SHOP, customer_id)}}
        found += client().query(
            TableName=settings().crm_table, KeyConditionExpression="pk = :pk", ConsistentRead=True,
            ExpressionAttributeValues=values,
        )["Items"]  # fmt: skip
    return found


def _restore(items: list[Item]) -> None:
    from crm.kernel.settings import settings
    from crm.kernel.table import client

    found, wanted = _stored(), [(item["pk"], item["sk"]) for item in items]
    gone = [item for item in found if (item["pk"], item["sk"]) not in wanted]
    writes: list[Any] = [{"DeleteRequest": {"Key": {"pk": item["pk"], "sk": item["sk"]}}} for item in gone]
    writes += [{"PutRequest": {"Item": item}} for item in items if item not in found]
    for start in range(0, len(writes), 25):
        client().batch_write_item(RequestItems={settings().crm_table: writes[start : start + 25]})
