# tests/faults/loyalty_book.py
"""One customer's account as it is stored, moved through the service: what tests/unit/loyalty/book.py is in memory."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from pynamodb.exceptions import PutError

from crm.kernel.actor import Actor, Role
from crm.kernel.change import Change
from crm.kernel.table import Item
from crm.loyalty import causes, expiry, holding, maturing, moving, orders, repository, stored, transferring
from crm.loyalty.ledger import movements
from crm.loyalty.ledger.chain import Entry
from crm.loyalty.ledger.due import Held
from crm.loyalty.ledger.movements import Account
from crm.loyalty.ledger.order_state import OrderState
from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.posting import Ledger, decided, occasion
from crm.loyalty.programme import Programme
from crm.loyalty.programmes import in_force
from crm.loyalty.programmes.versions import Version
from crm.loyalty.rewards import redeeming
from crm.orders.events import OrderRecorded
from crm.orders.models import CANCELLED, Order, OrderLine, Refund, RefundLine
from tests.faults import loyalty_shop
from tests.faults.loyalty_shop import CURRENCY, staff
from tests.unit.loyalty.book import START, Book

OPENING, POOLS = 100_000, 5
"""Of a seeded account: balances of as many digits, however many entries it has."""


@contextmanager
def counting(programme: Programme) -> Iterator[None]:
    """Inside, this programme is in force, whatever the shop."""
    before = in_force.version
    in_force.version = lambda *_, **__: Version(0, programme)
    try:
        yield
    finally:
        in_force.version = before


class StoredBook(Book):
    """Of a customer of whom nothing is stored yet. `programme` is to be in force (`counting`) while it is moved."""

    def __init__(self, shop: str, customer_id: str, programme: Programme) -> None:
        self._shop, self._customer_id = shop, customer_id
        self._customer = Actor(Role.CUSTOMER, customer_id)
        self._orders: dict[str, None] = {}
        self._holds: dict[str, str] = {}
        super().__init__(programme)
        loyalty_shop.customer(shop, customer_id, now=self.now)

    @property
    def account(self) -> Account:
        months = repository.list_months(self._shop, self._customer_id, since="")
        return stored.account_of(self._shop, self._customer_id, self._head(), months)

    @account.setter
    def account(self, _: Account) -> None:
        """It is what is stored."""

    @property
    def orders(self) -> dict[str, OrderState]:
        found = repository.get_earnings(self._shop, [(self._customer_id, name) for name in self._orders])
        return {order_id: stored.state_of(item) for (_, order_id), item in found.items()}

    @orders.setter
    def orders(self, _: Any) -> None:
        """They are what is stored."""

    @property
    def holds(self) -> dict[str, Held]:
        names = {hold_id: name for name, hold_id in self._holds.items()}
        items = (repository.get_hold(self._shop, self._customer_id, one.hold_id) for one in self._head().holds)
        return {names[item.hold_id]: stored.held_of(item) for item in items if item is not None}

    @holds.setter
    def holds(self, _: Any) -> None:
        """They are what is stored."""

    def order(self, order_id: str = "o1", *, gross: int, rev: int | None = None, **said: Any) -> list[Entry]:
        before = int(self._head().number)
        self.revs[order_id] = rev or self.revs.get(order_id, 0) + 1
        self._orders[order_id] = None
        refunded, placed_at = said.pop("refunded", 0), self.placed.setdefault(order_id, self.now)
        told = order_told(
            self._shop, self._customer_id, order_id, rev=self.revs[order_id], gross=gross, refunded=refunded,
            points_spent=said.pop("points_spent", 0), cancelled=said.pop("cancelled", False), placed_at=placed_at,
            at=self.now,
        )  # fmt: skip
        assert not said
        orders.post_for_order(told, now=self.now)
        return [entry for entry in self.all_entries() if entry.number > before]

    def redeem(self, points: int, key: str = "r1") -> Entry:
        made = redeeming.redeem(
            self._shop, self._customer_id, reward_of(self._shop, points), actor=staff(), idempotency_key=key,
            now=self.now,
        )  # fmt: skip
        return self._entry(f"hold:{made.redemption.redemption_id}:capture")

    def adjust(self, points: int, cause: str = "a1") -> Entry:
        given = moving.adjust(
            self._shop, self._customer_id, points, reason="A gift", actor=staff(), idempotency_key=cause, now=self.now
        )
        return stored.entry_of(given.entry)

    def reverse(self, entry: Entry) -> Entry:
        if redemption := causes.redemption_of(stored.item_of(entry)):
            redeeming.cancel(self._shop, self._customer_id, redemption, actor=staff(), now=self.now)
            return self._entry(f"redemption:{redemption}:cancel")
        given = moving.reverse(
            self._shop, self._customer_id, entry.cause, reason="A slip", actor=staff(), now=self.now
        )  # fmt: skip
        return stored.entry_of(given.entry)

    def hold(self, points: int, hold_id: str = "h1", *, hours: int = 1, order_id: str | None = None) -> Held:
        made = holding.hold(
            self._shop, self._customer_id, points, lasts=timedelta(hours=hours), order_id=order_id,
            actor=self._customer, idempotency_key=hold_id, now=self.now,
        )  # fmt: skip
        self._holds[hold_id] = made.hold.hold_id
        if order_id:
            self._orders[order_id] = None
        return stored.held_of(made.hold)

    def capture(self, hold_id: str, points: int) -> Entry:
        made = holding.capture(
            self._shop, self._customer_id, self._holds[hold_id], points=points, actor=staff(), now=self.now
        )
        return stored.entry_of(made.given.entry)

    def release(self, hold_id: str, at: datetime | None = None, *, by_shop: bool = False) -> Entry:
        assert at is None
        actor = staff() if by_shop else self._customer
        made = holding.release(self._shop, self._customer_id, self._holds[hold_id], actor=actor, now=self.now)
        return stored.entry_of(made.given.entry)

    def all_entries(self) -> list[Entry]:
        entries = map(stored.entry_of, repository.list_all_entries(self._shop, self._customer_id))
        return sorted(entries, key=lambda entry: entry.number)

    def transfer(self, other: Book, merge: str) -> None:
        assert isinstance(other, StoredBook)
        transferring.transfer(
            self._shop, self._customer_id, other._customer_id, cause=f"merge:{merge}", now=self.now
        )  # fmt: skip

    def wait(self, **time: int) -> None:
        self.now += timedelta(**time)
        maturing.settle(self._shop, self._customer_id, now=self.now)

    def _entry(self, cause: str) -> Entry:
        item = repository.get_entry(self._shop, self._customer_id, cause)
        assert item is not None, cause
        return stored.entry_of(item)

    def _head(self) -> LoyaltyAccount:
        found = repository.get_account(self._shop, self._customer_id)
        return found or LoyaltyAccount.of(self._shop, self._customer_id)


@cache
def reward_of(shop: str, price: int) -> str:
    return loyalty_shop.reward(shop, price, now=START)


def order_told(
    shop: str, customer_id: str, order_id: str, *, rev: int, gross: int, refunded: int, points_spent: int,
    cancelled: bool = False, placed_at: datetime, at: datetime, coupon: str | None = None,
) -> OrderRecorded:  # fmt: skip
    """An order of one line, stored as of this revision, unless it is of a later one."""
    order = Order.of(shop, customer_id, order_id)
    line = OrderLine(line_id="1", sku="S1", quantity=1, unit_price=gross)
    order.lines, order.rev, order.version, order.status, order.currency = [line], rev, rev, "placed", CURRENCY
    order.gross, order.refunded, order.net, order.points_spent = gross, refunded, gross - refunded, points_spent
    if cancelled:
        order.status, order.net = CANCELLED, 0
    order.placed_at, order.placed_on, order.occurred_at = placed_at, placed_at.date().isoformat(), at
    order.cause, order.coupon = f"event:{order_id}-{rev}:order", coupon
    if refunded:
        part = RefundLine(line_id="1", quantity=1, amount=refunded)
        order.refunds = [
            Refund(refund_id="r", refunded_at=at, refunded_on=order.placed_on, currency=CURRENCY, event_id="r",
                   lines=[part])
        ]  # fmt: skip
    with suppress(PutError):
        order.save(condition=Order.sk.does_not_exist() | (Order.rev < rev))
    return OrderRecorded.of(order)


def seed(shop: str, customer_id: str, count: int, *, now: datetime) -> None:
    """So many entries, as they are posted, but written all at once: gifts that are spent again."""
    book = decided(lambda: Ledger(shop, customer_id, LoyaltyAccount.of(shop, customer_id), now=now))
    account, entries = book.read, []
    for number in range(count):
        when = occasion(f"adjustment:seed{number}:adjust", at=now, now=now, actor=str(staff()))
        pool = expiry.pool_of(now + timedelta(days=31 * (1 + number % POOLS)))
        moved = movements.adjust(
            account, OPENING if number == 0 else -10 if number % 2 else 10, pool=pool, occasion=when
        )
        account = moved.account
        entries.append(moved.entry)
    change = Change(now)
    book.write(change, account, entries)
    with Item.batch_write() as batch:
        for write in change._writes:
            batch.save(write.item)
