# tests/faults/loyalty_conditions.py
"""Each condition in what loyalty commits is taken out in turn, and somebody must miss it: of any two movements, the one
is done in full just before a commit of the other, and they come to what they come to in turn: in all that is stored,
and in both answers.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
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
DRAWN: Final = tuple(f"{'3' * 11}{letter}" for letter in "344667799CCDDFFGGHH")
"""Codes of vouchers, so that each time one is drawn first that is taken."""
MOST_COMMITS: Final = 3
"""Of a movement, before which another comes."""


class Meeting(NamedTuple):
    """Two movements of a situation, by their names, and before which commit of the first the other is done."""

    situation: int
    one: str
    other: str
    commit: int


class Interrupted(BaseException):
    """Whoever worked for a movement has died."""


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
    from crm.kernel import ids
    from crm.loyalty.redemptions import codes
    from tests.faults.conditions import Watch, places, watching

    watch = Watch(LOYALTY)
    with watching(watch), pytest.MonkeyPatch.context() as patch:
        # So that two runs are alike.
        patch.setattr(secrets, "token_hex", lambda _: "salt")
        patch.setattr(ids, "new_id", lambda prefix, at: f"{prefix}_of_{at:%H%M}")
        trial = Trial(watch, few=report.quick or bool(sabotage), nobody_comes=bool(sabotage))
        patch.setattr(codes, "new", lambda: next(trial.drawn))
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
        from tests.faults import (
            loyalty_claim_meetings,
            loyalty_meetings,
            loyalty_reward_meetings,
            loyalty_tier_meetings,
        )

        self.few = few
        self._watch, self._nobody_comes = watch, nobody_comes
        rooms = loyalty_meetings, loyalty_claim_meetings, loyalty_reward_meetings, loyalty_tier_meetings
        several = [each for room in rooms for each in room.situations(SHOP)]
        self._situations = [each for each in several if each.is_quick] if few else several
        self._founded = self._there = _stored()
        self._prepared: list[list[Item]] = []
        self._known: dict[Any, Outcome] = {}
        self.drawn = iter(DRAWN)
        self.meetings: dict[Any, list[Meeting]] = {}
        self.wrong: list[Meeting] = []
        self.count = 0

    def begin(self) -> None:
        """Let all meet, with all conditions in place."""
        for number, situation in enumerate(self._situations):
            self._restore(self._founded)
            with self._counting(number):
                for move in situation.prepare:
                    move()  # what is refused would leave nothing to meet
            self._there = _stored()
            self._prepared.append(self._there)
            for one in situation.moves:
                commits = min(self._commits(number, one), MOST_COMMITS)
                for other, commit in product(situation.moves, range(1, commits + 1)):
                    self._meet(Meeting(number, one, other, commit))

    def _commits(self, situation: int, one: str) -> int:
        with self._whole(situation):
            self._done(situation, self._situations[situation].moves[one])
            return int(self._watch.commits)

    def _meet(self, meeting: Meeting) -> None:
        self.count += 1
        if not self.is_as_in_turn(meeting):
            self.wrong.append(meeting)
            return
        for guard in self._watch.seen:  # of the two at once, which were the last
            self.meetings.setdefault(guard, []).append(meeting)

    def is_as_in_turn(self, meeting: Meeting) -> bool:
        """Whoever was first is: before a first commit that is the other, whatever was read before. What is done in
        several commits comes to what it would, had it been interrupted before this one and begun anew after the other.
        """
        situation, one, other, commit = meeting
        first = self._turns(situation, other, one).turned
        if commit == 1:
            return self._at_once(meeting) == first
        begun_anew = self._begun_anew(meeting)
        found = self._at_once(meeting)
        if found == first:
            return True
        told = found.one in (begun_anew.one, first.one, self._turns(situation, one, other).one)
        return told and found._replace(one=None) == begun_anew._replace(one=None)

    def told(self, meeting: Meeting) -> str:
        return f"{self._situations[meeting.situation].name}: {meeting.other} before {meeting.one} ({meeting.commit})"

    def _turns(self, situation: int, one: str, other: str) -> Outcome:
        """One after the other, with all conditions in place."""
        key = (situation, one, other, 0)
        if key not in self._known:
            moves = self._situations[situation].moves
            with self._whole(situation):
                self._known[key] = Outcome(
                    self._done(situation, moves[one]), self._done(situation, moves[other]), self._left(situation)
                )  # fmt: skip
        return self._known[key]

    def _begun_anew(self, meeting: Meeting) -> Outcome:
        """One, interrupted before a commit; the other; and the one again, with all conditions in place."""
        if meeting not in self._known:
            situation, one, other, commit = meeting
            moves = self._situations[situation].moves
            with self._whole(situation):
                self._watch.begin(rival=_interrupt, before=commit)
                with suppress(Interrupted):
                    self._done(situation, moves[one])
                self._watch.begin()
                told = self._done(situation, moves[other])
                self._known[meeting] = Outcome(self._done(situation, moves[one]), told, self._left(situation))
        return self._known[meeting]

    @contextmanager
    def _whole(self, situation: int) -> Iterator[None]:
        """From the beginning, with all conditions in place."""
        removed, self._watch.removed = self._watch.removed, None
        self._restore(self._prepared[situation])
        self._watch.begin()
        yield
        self._watch.removed = removed

    def _at_once(self, meeting: Meeting) -> Outcome:
        situation, one, other, commit = meeting
        moves = self._situations[situation].moves
        told: list[Any] = []
        self._restore(self._prepared[situation])
        rival = None if self._nobody_comes else lambda: told.append(self._done(situation, moves[other]))
        self._watch.begin(rival=rival, before=commit)
        answer = self._done(situation, moves[one])
        if not told:
            told.append(self._done(situation, moves[other]))
        return Outcome(answer, told[0], self._left(situation))

    def _left(self, situation: int) -> list[Item]:
        """All that is stored, once time has done what was due: who comes last has that done, and who is refused not."""
        with self._watch.aside():
            for move in self._situations[situation].then:
                self._done(situation, move)
        self._there = _stored()
        return _alike(self._there)

    def _restore(self, items: list[Item]) -> None:
        """So that the table has these, and none of those that were found there last."""
        _replace(self._there or _stored(), items)
        self._there, self.drawn = [], iter(DRAWN)

    def _done(self, situation: int, move: Callable[[], Any]) -> Any:
        with self._counting(situation):
            return _done(move)

    def _counting(self, situation: int) -> AbstractContextManager[None]:
        from tests.faults.loyalty_book import counting

        return counting(self._situations[situation].programme)


def _interrupt() -> None:
    raise Interrupted


def _done(move: Callable[[], Any]) -> Any:
    """What somebody was told."""
    from pynamodb.exceptions import PynamoDBException

    from crm.kernel.errors import CrmError
    from crm.loyalty import stored

    try:
        answer = move()
    except (CrmError, PynamoDBException, ValueError, LookupError) as refusal:
        return type(refusal).__name__
    if redemption := getattr(answer, "redemption", None):
        return redemption.redemption_id, redemption.status, answer.replayed
    if definition := getattr(answer, "definition", None):
        return int(definition.rev), definition.archived_at, answer.stock.left
    given = getattr(answer, "given", answer)
    if not hasattr(given, "entry"):
        return answer
    hold = getattr(answer, "hold", None)
    return stored.entry_of(given.entry), given.replayed, hold and (hold.status, hold.points, hold.captured)


def _stored() -> list[Item]:
    """All of both customers, their vouchers, what the shop has defined, and the shop."""
    from crm.kernel.table import customer_key, shop_key
    from crm.loyalty.redemptions.models import Voucher, rewards_key
    from tests.faults.loyalty_meetings import ANN, BEA

    own = customer_key(SHOP, ANN), customer_key(SHOP, BEA), rewards_key(SHOP), shop_key(SHOP)
    found = [item for key in own for item in _of(key)]
    codes = {item["code"]["S"] for item in found if item["kind"]["S"] == "Redemption" and "code" in item}
    return found + [item for code in sorted(codes) for item in _of(Voucher.of(SHOP, code).pk)] + _budgets()


def _budgets() -> list[Item]:
    from crm.kernel.settings import settings
    from crm.kernel.table import client
    from crm.loyalty.earning import budgets
    from crm.loyalty.earning.models import RuleBudget
    from tests.faults.loyalty_meetings import CAMPAIGN

    shares = [RuleBudget.of(SHOP, CAMPAIGN.id, share) for share in range(budgets.SHARES)]
    keys = [{"pk": {"S": share.pk}, "sk": {"S": share.sk}} for share in shares]
    asked = {settings().crm_table: {"Keys": keys, "ConsistentRead": True}}
    items: list[Item] = client().batch_get_item(RequestItems=asked)["Responses"][settings().crm_table]
    return items


def _of(key: str) -> list[Item]:
    from crm.kernel.settings import settings
    from crm.kernel.table import client

    items: list[Item] = client().query(
        TableName=settings().crm_table, KeyConditionExpression="pk = :pk", ConsistentRead=True,
        ExpressionAttributeValues={":pk": {"S": key}},
    )["Items"]  # fmt: skip
    return items


def _alike(items: list[Item]) -> list[Item]:
    """Without what is drawn: a voucher's code is told by whose it is."""
    text = json.dumps(items, sort_keys=True)
    for item in items:
        if item["kind"]["S"] == "Redemption" and "code" in item:
            text = text.replace(item["code"]["S"], f"code of {item['redemption_id']['S']}")
    return sorted(json.loads(text), key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def _replace(found: list[Item], items: list[Item]) -> None:
    from crm.kernel.settings import settings
    from crm.kernel.table import client
    from crm.shops import service as shops

    wanted = {_key(item) for item in items}
    writes: list[Any] = [
        {"DeleteRequest": {"Key": {"pk": item["pk"], "sk": item["sk"]}}} for item in found if _key(item) not in wanted
    ]
    writes += [{"PutRequest": {"Item": item}} for item in items if item not in found]
    shops.forget_cached()
    for start in range(0, len(writes), 25):
        client().batch_write_item(RequestItems={settings().crm_table: writes[start : start + 25]})


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]
