# tests/unit/loyalty/tokens.py
"""What the ledger must come to, by a model that shares nothing with it: every point is a token of its own, and time
touches each. Slow, wasteful, and easy to believe.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

VIENNA = ZoneInfo("Europe/Vienna")
FAR = datetime.max.replace(tzinfo=UTC)
WAITING = 7_000
"""Years later than anything happens, by the month in which they were earned: points that wait for their customer."""


@dataclass(eq=False)
class Token:
    """`where`: pending, open, held, spent, expired or gone. `taken`: the step at which it was last set aside or spent;
    `paid`: that at which it was spent on an order.
    """

    ends: datetime
    where: str
    matures: datetime | None = None
    order: str | None = None
    spent_on: str | None = None
    had_grace: bool = False
    taken: int = 0
    paid: int = 0

    @property
    def kind(self) -> tuple[datetime, bool]:
        return self.ends, self.had_grace


@dataclass
class Order:
    rev: int = 0
    earned: int = 0
    forgiven: int = 0
    spent: int = 0
    short: int = 0
    captured: int = 0
    said: bool = False
    stands: dict[str, Any] | None = None
    first: tuple[datetime, datetime] | None = None
    ends: set[datetime] = field(default_factory=set)


@dataclass
class Pardon:
    """At which step how many points of which order (or of a gift) were forgiven."""

    step: int
    points: int
    order: str | None


@dataclass
class Hold:
    tokens: list[Token]
    ends: datetime
    order: str | None


def midnight_after(instant: datetime, *, days: int = 0, months: int = 0) -> datetime:
    """The end of the day that lies so far ahead in Vienna. Months only from days that every month has."""
    day = instant.astimezone(VIENNA).date() + timedelta(days=days)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = {2: 29 if year % 4 == 0 else 28, 4: 30, 6: 30, 9: 30, 11: 30}.get(month + 1, 31)
    day = day.replace(year=year, month=month + 1, day=min(day.day, last)) + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=VIENNA).astimezone(UTC)


class Tokens:
    """Every unit of currency earns a point; a point pays for a hundredth of one. Points live for `months`, or, where
    they `wait` for it, for so long after their customer last earned or spent.
    """

    def __init__(
        self, now: datetime, *, months: int, window: int, policy: str, most_owed: int | None, waits: bool = False
    ) -> None:
        self.waits, self.idle_at = waits, FAR
        self.now, self.months, self.window, self.policy, self.most_owed = now, months, window, policy, most_owed
        self.tokens: list[Token] = []
        self.owed = 0
        self.orders: dict[str, Order] = {}
        self.holds: dict[str, Hold] = {}
        self.spendings: dict[str, list[Token]] = {}
        self.steps = 0
        self.pardons: list[Pardon] = []

    def count(self, where: str) -> int:
        return sum(token.where == where for token in self.tokens)

    @property
    def balances(self) -> tuple[int, int, int, int]:
        return self.count("open"), self.count("pending"), self.count("held"), self.owed

    @property
    def open(self) -> dict[datetime, int]:
        found: dict[datetime, int] = {}
        for token in self._open():
            found[token.ends] = found.get(token.ends, 0) + 1
        return found

    def adjust(self, points: int) -> datetime:
        """When they expire."""
        ends = self._life(self.now)
        self._come(self._new(points, ends))
        return ends

    def unadjust(self, points: int, ends: datetime) -> None:
        self._take_back(points, {ends}, None)

    def hand_over(self, other: "Tokens") -> None:
        moved = self._open()
        self.tokens = [token for token in self.tokens if token not in moved]
        other.owed, self.owed = other.owed + self.owed, 0
        other.tokens += moved
        other._come(moved)

    def spend(self, points: int, cause: str, *, is_active: bool = True) -> bool:
        if points > self.count("open"):
            return False
        if is_active:
            self._live_on()
        self._spend(points, cause)
        return True

    def give_back(self, cause: str) -> None:
        self._return(self.spendings.pop(cause))

    def hold(self, hold_id: str, points: int, ends: datetime, order: str | None) -> bool:
        if points > self.count("open"):
            return False
        held = self._take(points, "held")
        self.holds[hold_id] = Hold(held, ends, order)
        return True

    def capture(self, hold_id: str, points: int) -> None:
        """By the shop, which is asked for it."""
        hold = self.holds.pop(hold_id)
        self._capture(hold, points)
        self.spendings[f"{hold_id}, captured"] = hold.tokens[:points]
        if hold.order:
            order = self.orders.setdefault(hold.order, Order())
            order.spent += points
            order.captured += points
            if order.stands:
                self._come_to(hold.order, order)
                if order.stands["cancelled"]:
                    self._let_go(hold.order)

    def release(self, hold_id: str, *, by_shop: bool = False) -> None:
        self._return(self.holds.pop(hold_id).tokens, grace=by_shop)

    def order(self, name: str, rev: int, **stands: Any) -> None:
        """Gross and refunded in whole units."""
        order = self.orders.setdefault(name, Order())
        if rev <= order.rev:
            return
        order.rev, order.stands = rev, stands
        self._come_to(name, order, self._holds_for(name))
        if stands["cancelled"]:
            self._let_go(name)

    def _holds_for(self, name: str) -> list[str]:
        return [
            hold_id
            for _, hold_id in sorted((hold.ends, hold_id) for hold_id, hold in self.holds.items() if hold.order == name)
        ]

    def _let_go(self, name: str) -> None:
        for hold_id in self._holds_for(name):
            self.release(hold_id, by_shop=True)

    def _come_to(self, name: str, order: Order, holds: Sequence[str] = ()) -> None:
        stands = order.stands or {}
        gross, refunded, spent = stands["gross"], stands["refunded"], stands["points_spent"]
        order.said = order.said or spent > 0
        said = spent if order.said else order.captured
        stays = 0 if stands["cancelled"] else said - said * refunded // gross
        net = 0 if stands["cancelled"] else gross - refunded
        earned = max(0, (100 * net - stays) // 100)
        more = stays - order.spent
        order.spent = stays
        if more > 0:
            self._pay(name, order, more, holds)
        else:
            self._unpay(name, order, -more)
        more = earned - order.earned
        order.earned = earned
        if more > 0:
            self._earn(name, order, more, stands["placed"])
        else:
            self._unearn(name, order, -more)

    def wait(self, until: datetime) -> None:
        while (at := min(self._moments(), default=FAR)) <= until:
            self.now = max(self.now, at)
            maturing = [token for token in self.tokens if token.where == "pending" and token.matures == at]
            for name in sorted({str(token.order) for token in maturing}):
                matured = [token for token in maturing if token.order == name]
                self.orders[name].ends.add(matured[0].ends)
                self._come(matured)
            for hold_id in [hold_id for hold_id, hold in self.holds.items() if hold.ends == at]:
                self.release(hold_id)
            for token in self._open():
                if self._goes(token) <= at:
                    token.where = "expired"
        self.now = until

    def _moments(self) -> list[datetime]:
        moments = [token.matures for token in self.tokens if token.where == "pending" and token.matures]
        moments += [hold.ends for hold in self.holds.values()]
        return moments + [ends for token in self._open() if (ends := self._goes(token)) < FAR]

    def _goes(self, token: Token) -> datetime:
        return self.idle_at if self.waits else token.ends

    def _live_on(self) -> None:
        if self.waits:
            self.idle_at = midnight_after(self.now, months=self.months)

    def _life(self, since: datetime) -> datetime:
        if self.waits:
            day = since.astimezone(VIENNA)
            return datetime(day.year + WAITING, day.month, 1, tzinfo=UTC)
        return midnight_after(since, months=self.months) if self.months else FAR

    def _open(self) -> list[Token]:
        return sorted((token for token in self.tokens if token.where == "open"), key=lambda token: token.kind)

    def _take(self, points: int, where: str) -> list[Token]:
        """Those that expire soonest."""
        self.steps += 1
        taken = self._open()[:points]
        for token in taken:
            token.where, token.taken = where, self.steps
        return taken

    def _new(self, count: int, ends: datetime) -> list[Token]:
        made = [Token(ends, "new") for _ in range(count)]
        self.tokens += made
        return made

    def _wake(self, tokens: list[Token]) -> None:
        if tokens and (self.idle_at <= self.now or self.idle_at == FAR):
            self._live_on()

    def _come(self, tokens: list[Token]) -> None:
        self._wake(tokens)
        for token in tokens:
            token.where = "open"
        while self.owed and self.count("open"):
            self.owed -= 1
            self._open()[0].where = "gone"

    def _return(self, tokens: list[Token], *, grace: bool = True) -> None:
        """Those that expire soonest pay first what was forgiven because they were taken. What has expired lives on for
        a while, once, where the shop gives it back.
        """
        for token in tokens:
            late = token.ends <= self.now
            token.where = "open"
            if late and grace and not token.had_grace:
                token.ends, token.had_grace = midnight_after(self.now, days=30), True
            elif late:
                token.where = "expired"
        self._wake([token for token in tokens if token.where == "open"])
        tokens = sorted(tokens, key=lambda token: (token.where != "expired", token.kind))
        for token in tokens[: self._claimed(tokens)]:
            token.where = "gone"
        self._come([token for token in tokens if token.where == "open"])

    def _claimed(self, tokens: list[Token]) -> int:
        claimed = 0
        for token in sorted(tokens, key=lambda token: -token.taken):
            pardon = next((one for one in self.pardons if one.step > token.taken), None)
            if pardon:
                claimed += 1
                self._use(pardon)
                if pardon.order:
                    self.orders[pardon.order].forgiven -= 1
        return claimed

    def _use(self, pardon: Pardon) -> None:
        pardon.points -= 1
        if not pardon.points:
            self.pardons.remove(pardon)

    def _spend(self, points: int, cause: str) -> None:
        self.spendings[cause] = self._take(points, "spent")

    def _capture(self, hold: Hold, points: int) -> None:
        self.steps += 1
        self._live_on()
        hold.tokens.sort(key=lambda token: token.kind)
        for token in hold.tokens[:points]:
            token.where, token.spent_on, token.paid = "spent", hold.order, self.steps
        self._return(hold.tokens[points:])

    def _pay(self, name: str, order: Order, points: int, holds: Sequence[str]) -> None:
        for hold_id in holds:
            if points:
                hold = self.holds.pop(hold_id)
                part = min(points, len(hold.tokens))
                self._capture(hold, part)
                points -= part
        paid = self._take(points, "spent")
        if paid:
            self._live_on()
        for token in paid:
            token.spent_on, token.paid = name, self.steps
        order.short += points - len(paid)

    def _unpay(self, name: str, order: Order, points: int) -> None:
        """The newest spending first, of each what expires last."""
        never = min(points, order.short)
        order.short -= never
        spent = sorted(
            (token for token in self.tokens if token.spent_on == name), key=lambda token: (token.paid, token.kind)
        )
        back = spent[len(spent) - (points - never) :]
        for token in back:
            token.spent_on = None
        self._return(back)

    def _earn(self, name: str, order: Order, points: int, placed: datetime) -> None:
        pardoned = min(points, order.forgiven)
        order.forgiven -= pardoned
        points -= pardoned
        for pardon in [one for one in reversed(self.pardons) if one.order == name for _ in range(one.points)][
            :pardoned
        ]:
            self._use(pardon)
        if not points:
            return
        self._live_on()
        is_first = order.first is None
        order.first = order.first or (
            midnight_after(placed, days=self.window) if self.window else placed, self._life(placed)
        )  # fmt: skip
        matures, ends = order.first
        if self.now < matures:
            for token in self._new(points, ends):
                token.where, token.matures, token.order = "pending", matures, name
            return
        if not is_first and ends <= self.now:
            ends = midnight_after(self.now, days=30)
        order.ends.add(ends)
        self._come(self._new(points, ends))

    def _unearn(self, name: str, order: Order, points: int) -> None:
        pending = [token for token in self.tokens if token.where == "pending" and token.order == name]
        order.forgiven += self._take_back(points, order.ends, name, pending)

    def _take_back(
        self, points: int, ends: set[datetime], order: str | None, pending: Sequence[Token] = ()
    ) -> int:  # fmt: skip
        """How many of them are forgiven."""
        own = {(each, False) for each in ends}
        mine = [token for token in self._open() if token.kind in own]
        expired = [token for token in self.tokens if token.where == "expired" and token.kind in own]
        others = [token for token in self._open() if token.kind not in own]
        takeable = [*pending, *mine, *expired, *others]
        for token in takeable[:points]:
            token.where = "gone"
        missing = max(0, points - len(takeable))
        if self.policy == "WITHIN_BALANCE":
            owing = 0
        else:
            room = missing if self.most_owed is None else max(0, self.most_owed - self.owed)
            owing = min(missing, room)
        self.owed += owing
        self.steps += 1
        if forgiven := missing - owing:
            self.pardons.append(Pardon(self.steps, forgiven, order))
        return forgiven

    def state(self) -> dict[str, Any]:
        orders = {name: (one.earned, one.forgiven, one.spent, one.short) for name, one in self.orders.items()}
        forgiven = [(one.points, one.order) for one in self.pardons]
        return {"balances": self.balances, "open": self.open, "orders": orders, "pardons": forgiven}
