# tests/faults/loyalty_conditions.py
"""Each condition in what loyalty commits is taken out in turn, and somebody must miss it: of any two movements, the one
is done in full just before a commit of the other, and they come to what they come to in turn: in all that is stored,
and in both answers.
"""

import json
import secrets
from collections.abc import Callable
from itertools import cycle, product
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from bench.figures import Report
from tests.faults import loyalty_shop
from tests.tampering import Item

(SURVIVING,) = FIGURES = ("loyalty.conditions_surviving",)
SHOP: Final = "points-conditions"
LOYALTY: Final = Path(__file__).parents[2] / "crm" / "loyalty"
DRAWN: Final = cycle(f"{'3' * 11}{letter}" for letter in "34679CDFGH" for _ in range(2))
"""Codes of vouchers: each twice, so that some are drawn that are taken."""
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
    from crm.kernel import ids
    from crm.loyalty.redemptions import codes
    from tests.faults.conditions import Watch, places, watching
    from tests.faults.loyalty_book import counting
    from tests.faults.loyalty_meetings import PROGRAMME

    watch = Watch(LOYALTY)
    with watching(watch), counting(PROGRAMME), pytest.MonkeyPatch.context() as patch:
        # So that two runs are alike.
        patch.setattr(secrets, "token_hex", lambda _: "salt")
        patch.setattr(ids, "new_id", lambda prefix, _: f"{prefix}_drawn")
        patch.setattr(codes, "new", lambda: next(DRAWN))
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
        from tests.faults import loyalty_meetings, loyalty_reward_meetings

        self.few = few
        self._watch, self._nobody_comes = watch, nobody_comes
        several = [*loyalty_meetings.situations(SHOP), *loyalty_reward_meetings.situations(SHOP)]
        self._situations = [each for each in several if each.is_quick] if few else several
        self._founded = _stored()
        self._prepared: list[list[Item]] = []
        self._in_turn: dict[tuple[int, str, str], Outcome] = {}
        self.meetings: dict[Any, list[Meeting]] = {}
        self.wrong: list[Meeting] = []
        self.count = 0

    def begin(self) -> None:
        """Let all meet, with all conditions in place."""
        for number, situation in enumerate(self._situations):
            _restore(self._founded)
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
        """Whoever was first is: before a first commit that is the other, whatever was read before."""
        situation, one, other, commit = meeting
        found, first = self._at_once(meeting), self._turns(situation, other, one).turned
        if commit == 1:
            return found == first
        # Of what is done in several commits the ledger tells the parts among the other's: not in turn, and right.
        return _without_ledger(found) in [_without_ledger(each) for each in (first, self._turns(situation, one, other))]

    def told(self, meeting: Meeting) -> str:
        return f"{self._situations[meeting.situation].name}: {meeting.other} before {meeting.one} ({meeting.commit})"

    def _turns(self, situation: int, one: str, other: str) -> Outcome:
        """One after the other, with all conditions in place."""
        if (situation, one, other) not in self._in_turn:
            removed, self._watch.removed = self._watch.removed, None
            moves = self._situations[situation].moves
            _restore(self._prepared[situation])
            self._watch.begin()
            self._in_turn[situation, one, other] = Outcome(_done(moves[one]), _done(moves[other]), _alike(_stored()))
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
        return Outcome(answer, told[0], _alike(_stored()))


def _without_ledger(outcome: Outcome) -> list[Item]:
    """What is left, of an account its balances."""
    balances = ("pk", "available", "pending", "held", "owed")
    return [
        {name: item[name] for name in balances if name in item} if item["kind"]["S"] == "LoyaltyAccount" else item
        for item in outcome.items
        if item["kind"]["S"] != "LedgerEntry"
    ]


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


def _restore(items: list[Item]) -> None:
    from crm.kernel.settings import settings
    from crm.kernel.table import client
    from crm.shops import service as shops

    found, wanted = _stored(), [(item["pk"], item["sk"]) for item in items]
    gone = [item for item in found if (item["pk"], item["sk"]) not in wanted]
    writes: list[Any] = [{"DeleteRequest": {"Key": {"pk": item["pk"], "sk": item["sk"]}}} for item in gone]
    writes += [{"PutRequest": {"Item": item}} for item in items if item not in found]
    shops.forget_cached()
    for start in range(0, len(writes), 25):
        client().batch_write_item(RequestItems={settings().crm_table: writes[start : start + 25]})
