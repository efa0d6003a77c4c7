# tests/unit/loyalty/book.py
"""One customer's account in memory, moved by the pure core alone: what the service does, without a store."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from crm.loyalty import expiry
from crm.loyalty.causes import REDEMPTION
from crm.loyalty.ledger import claims, due, idling, movements, order_points, order_state, pools
from crm.loyalty.ledger.chain import Entry, Reversed
from crm.loyalty.ledger.due import Calendar, Expiring, Held, PendingCredit
from crm.loyalty.ledger.idling import Activity
from crm.loyalty.ledger.movements import Account, Moved, Movement, Occasion
from crm.loyalty.ledger.order_points import Asked, Settled
from crm.loyalty.ledger.order_state import OrderState, Revision
from crm.loyalty.ledger.pardons import Debit
from crm.loyalty.programme import Programme

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
PLAIN = Programme(currency="EUR", zone="Europe/Vienna")


class Book:
    def __init__(self, programme: Programme = PLAIN, *, customer_id: str = "cus_1", **changed: Any) -> None:
        self.programme = replace(programme, **changed)
        self.now, self.behind = START, timedelta(0)
        self.account = Account("demo", customer_id)
        self.entries: list[Entry] = []
        self.orders: dict[str, OrderState] = {}
        self.revs: dict[str, int] = {}
        self.placed: dict[str, datetime] = {}
        self.holds: dict[str, Held] = {}
        self._revisions: dict[str, Revision] = {}
        self._captured: dict[str, Held] = {}

    @property
    def clock(self) -> datetime:
        """That of whoever moves the account."""
        return self.now - self.behind

    @property
    def balances(self) -> tuple[int, int, int, int]:
        """Available, pending, held, owed."""
        now = self.account.balances
        return now.available, now.pending, now.held, now.owed

    @property
    def open(self) -> dict[str, int]:
        """What can be spent, by the day (UTC) in which it expires."""
        days: dict[str, int] = {}
        for name, pool in self.account.pools.items():
            if pool.remaining:
                days[name[:10]] = days.get(name[:10], 0) + pool.remaining
        return days

    @property
    def activity(self) -> Activity:
        """What follows from all entries, in their order."""
        known = Activity()
        for entry in self.entries:
            if idling.concerns(known, entry):
                known = idling.after(known, entry, self.programme)
        return known

    def all_entries(self) -> list[Entry]:
        return self.entries

    def take(self, moved: Moved) -> Entry:
        self.account = moved.account
        self.entries.append(moved.entry)
        return moved.entry

    def occasion(self, cause: str, at: datetime | None = None, **others: Any) -> Occasion:
        return Occasion(cause=cause, occurred_at=at or self.now, now=self.clock, **others)

    @property
    def grace(self) -> str:
        return movements.grace_pool(self.programme, self.now)

    def pool(self) -> str:
        return expiry.pool_for(self.now, self.programme.expiry, self.programme.zone)

    def order(self, order_id: str = "o1", *, gross: int, rev: int | None = None, **said: Any) -> list[Entry]:
        """A revision that is told; the next one unless `rev` says otherwise."""
        revision = self.write(order_id, gross=gross, rev=rev, **said)
        holds = [one for one in self.holds.values() if one.order_id == order_id]
        return self._settled(
            order_points.settle(
                self._unsettled(order_id), revision, self.programme, holds=holds, occasion=self.occasion("")
            )
        )

    def write(self, order_id: str = "o1", *, gross: int, rev: int | None = None, **said: Any) -> Revision:
        """A revision is stored, and not told yet."""
        self.revs[order_id] = rev or self.revs.get(order_id, 0) + 1
        refunded, cancelled = said.pop("refunded", 0), said.pop("cancelled", False)
        revision = Revision(
            order_id=order_id, rev=self.revs[order_id], gross=gross, refunded=refunded, cancelled=cancelled,
            net=0 if cancelled else gross - refunded, currency=said.pop("currency", "EUR"),
            points_spent=said.pop("points_spent", 0), total=said.pop("total", 0), returned=said.pop("returned", 0),
            placed_at=said.pop("placed_at", self.placed.setdefault(order_id, self.now)),
        )  # fmt: skip
        assert not said
        before = self._revisions.get(order_id)
        if before is None or revision.rev > before.rev:
            self._revisions[order_id] = revision
        return revision

    def _state(self, order_id: str) -> OrderState:
        return self.orders.get(order_id) or OrderState(order_id=order_id)

    def _unsettled(self, order_id: str) -> Settled:
        others = {name: state for name, state in self.orders.items() if name != order_id}
        return Settled(self.account, self._state(order_id), others=others)

    def _settled(self, settled: Settled) -> list[Entry]:
        self.account = settled.account
        self.orders |= {**settled.others, settled.state.order_id: settled.state}
        self.entries += settled.entries
        for hold_id in settled.closed:
            self._captured[f"hold:{hold_id}:capture"] = self.holds.pop(hold_id)
        return list(settled.entries)

    def _claiming(self, moved: Moved, debits: list[Debit], occasion: Occasion) -> Entry:
        """What came back, and what of it is claimed."""
        claimed = claims.claim(moved, debits, order_state.credited(self.orders), occasion=occasion)
        self.account, self.orders = claimed.account, order_state.claimed_of(self.orders, claimed)
        self.entries += [moved.entry, *claimed.entries]
        return moved.entry

    def redeem(self, points: int, key: str = "r1") -> Entry:
        """For a reward, which is held and captured."""
        self.hold(points, f"{REDEMPTION}_{key}")
        return self.capture(f"{REDEMPTION}_{key}", points)

    def hold(self, points: int, hold_id: str = "h1", *, hours: int = 1, order_id: str | None = None) -> Held:
        occasion = self.occasion(f"hold:{hold_id}:hold", order_id=order_id)
        ends_at = self.now + timedelta(hours=hours)
        entry = self.take(
            movements.hold(self.account, points, subject=f"hold:{hold_id}", ends_at=ends_at, occasion=occasion)
        )
        self.holds[hold_id] = Held(hold_id, pools.portions(entry.lines), ends_at, order_id, entry.number)
        return self.holds[hold_id]

    def capture(self, hold_id: str, points: int) -> Entry:
        """By the shop."""
        held, cause = self.holds.pop(hold_id), f"hold:{hold_id}:capture"
        occasion = self.occasion(cause, order_id=held.order_id, request=str(points))
        self._captured[cause] = held
        if held.order_id is None:
            moved = movements.capture(
                self.account, held.portions, points, subject=f"hold:{hold_id}", grace=self.grace, occasion=occasion
            )
            return self._claiming(moved, [Debit(held.number, held.points - points)], occasion)
        self.holds[hold_id] = held
        asked = Asked(held, points, self.grace, occasion)
        before, revision = self._unsettled(held.order_id), self._revisions.get(held.order_id)
        if revision is None or not before.state.rev:  # nothing has been told of it
            return self._settled(order_points.captured(before, asked))[0]
        others = [one for one in self.holds.values() if one.order_id == held.order_id and one != held]
        return self._settled(order_points.settle_again(before, asked, revision, self.programme, holds=others))[0]

    def release(self, hold_id: str, at: datetime | None = None, *, by_shop: bool = False) -> Entry:
        held = self.holds.pop(hold_id)
        occasion, grace = self.occasion(f"hold:{hold_id}:release", at), self.grace if by_shop else None
        moved = movements.release(
            self.account, held.portions, subject=f"hold:{hold_id}", grace=grace, occasion=occasion
        )  # fmt: skip
        return self._claiming(moved, [Debit(held.number, held.points)], occasion)

    def adjust(self, points: int, cause: str = "adjustment:a1:adjust") -> Entry:
        occasion = self.occasion(cause, actor="staff:s1")
        return self.take(movements.adjust(self.account, points, pool=self.pool(), occasion=occasion))

    def reverse(self, entry: Entry) -> Entry:
        """All of an adjustment, or of what a hold spent; a reward is cancelled."""
        issuer = movements.ADJUSTED if entry.movement == Movement.ADJUST else movements.REDEEMED
        points = abs(sum(posting.points for posting in entry.postings if posting.account == issuer))
        what = entry.cause.rpartition(":")[0] or entry.cause
        is_reward = what.startswith(f"hold:{REDEMPTION}_")
        cause = f"redemption:{what.removeprefix('hold:')}:cancel" if is_reward else f"{what}:reverse"
        reverses, occasion = [Reversed(entry.cause, points)], self.occasion(cause)
        if entry.movement == Movement.ADJUST and entry.points > 0:
            origin = [line.pool for line in entry.lines if line.effect == pools.Effect.CREDIT]
            return self.take(
                movements.take_back(
                    self.account, points, origin=origin, issuer=issuer, programme=self.programme, reverses=reverses,
                    occasion=occasion,
                )
            )  # fmt: skip
        held = self._captured.get(entry.cause)
        taken, _ = pools.split(held.portions if held else pools.portions(entry.lines), points)
        moved = movements.give_back(
            self.account, taken, spender=issuer, reverses=reverses, grace=self.grace, occasion=occasion
        )
        return self._claiming(moved, [Debit(held.number if held else entry.number, points)], occasion)

    def transfer(self, other: "Book", merge: str) -> None:
        """All that can be spent, and what is owed."""
        occasion = self.occasion(f"merge:{merge}:transfer:1")
        if self.account.balances.available or self.account.balances.owed:
            to = other.account.customer_id
            gone = self.take(movements.transfer_out(self.account, to=to, most_pools=99, occasion=occasion))
            other.take(movements.transfer_in(other.account, gone, occasion=occasion))

    def turn_back(self, hours: int, earliest: datetime) -> None:
        """Whoever moves the account next has a clock that is behind; it has done things as of `earliest`."""
        clock = self.now - timedelta(hours=hours)
        self.now = max(clock, earliest)
        self.behind = self.now - clock

    def wait(self, **time: int) -> None:
        """Let time pass, and have its effects as of when each fell due."""
        until, self.behind = self.now + timedelta(**time), timedelta(0)
        while coming := self._coming(until):
            at, one = coming
            self.now = max(self.now, at)
            match one:
                case PendingCredit():
                    occasion = self.occasion(f"order:{one.order_id}:mature", at)
                    settled = order_points.mature(self.account, self.orders[one.order_id], occasion=occasion)
                    self.account, self.orders[one.order_id] = settled.account, settled.state
                    self.entries += settled.entries
                case Held():
                    self.release(one.hold_id, at)
                case Expiring():
                    occasion = self.occasion(due.cause_of_expiry(one.pool, self.account.number + 1), at)
                    self.take(movements.expire(self.account, one.pool, occasion=occasion))
        self.now = until

    def _coming(self, until: datetime) -> tuple[datetime, due.Due] | None:
        pending = [
            PendingCredit(state.order_id, state.pending, state.available_at, state.pool)
            for state in self.orders.values()
            if state.pending and state.available_at and state.pool
        ]
        calendar = Calendar(zone=self.programme.zone, idle_at=self.activity.idle_at)
        coming = due.all_due(self.account.pools, pending, self.holds.values(), calendar)
        return next(((at, one) for at, one in coming if at <= until), None)
