# crm/loyalty/tiers/book.py
"""How a tier is written: what counts, what somebody has, its history and its timer, in one Change with their account.

The account's `rev` guards it all, as it does the ledger (crm/loyalty/posting.py): whoever changes a tier revises the
account in the same Change.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from crm.kernel import clock, timers
from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.kernel.timers import Timer
from crm.loyalty.expiry import months_later
from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.tiers import fold, outlook, passing, record, repository
from crm.loyalty.tiers.amounts import NOTHING, Amounts, Days
from crm.loyalty.tiers.definitions import Basis, Tiers
from crm.loyalty.tiers.fold import Given, State, Step
from crm.loyalty.tiers.merging import Had, kept_beside
from crm.loyalty.tiers.models import ChangeReason, QualifyingMonth, TierChange, TierNotice
from crm.loyalty.tiers.outlook import Outlook
from crm.loyalty.tiers.passing import Passing
from crm.loyalty.tiers.record import Counted, Kept, Override
from crm.loyalty.tiers.regimes import digest, regimes

OWNER, SUBJECT = "loyalty", "tier"

FOLDED_MONTHS = 13
"""So long what the days come to is worked out anew each time. What changes before that takes all of them."""
LOOKED_BACK_MONTHS = 19
"""So much further back days count: those of a year that is judged, when the longest grace is over."""


class Occasion(Struct, frozen=True, kw_only=True):
    """Why something changes, and when that came about."""

    cause: str
    occurred_at: datetime
    replayed: bool = False
    order_id: str | None = None
    actor: str | None = None
    reason: str | None = None


class TierBook:
    """One account's tier as it is at `now`, whatever has been written down of it, and what is to be written."""

    def __init__(
        self,
        shop: str,
        customer_id: str,
        head: LoyaltyAccount,
        *,
        now: datetime,
        zone: str,
        whole: bool = False,
        besides: Iterable[date] = (),
    ) -> None:
        """`whole`: by all days there are. While a shop has no tiers, only the months of the days `besides` are read."""
        self.shop, self.customer_id, self.head, self.now, self.zone = shop, customer_id, head, now, zone
        self.today = clock.local_day(now, zone)
        self.kept = record.kept_of(head)
        self.regimes = regimes(shop, now=now)
        besides = sorted(besides)
        since_ever = whole or self._joins_otherwise(besides[:1])
        self._folded = None if since_ever else self.kept.folded
        since, until = "", None
        if self._folded:
            since = record.month_of(months_later(self._folded.day, -LOOKED_BACK_MONTHS))
        if not self.tiers.all:
            months = list(map(record.month_of, besides)) or [record.month_of(self.today)]
            since, until = months[0], months[-1]
        self._amounts = record.days_of(repository.list_qualifying(shop, customer_id, since=since, until=until))
        self.state, self._steps = self._worked_out()

    @property
    def tiers(self) -> Tiers:
        return self.regimes[-1].tiers

    @property
    def given(self) -> Given:
        return Given(Days(self._amounts), self.regimes, self._joined_on or self.today)

    @property
    def is_member(self) -> bool:
        """Whoever joined, or has orders that count."""
        return self._joined_on is not None

    def passings(self) -> list[Passing]:
        """What time has changed since it was written down."""
        return passing.passings(self.kept, self.state, self._steps, self.regimes, zone=self.zone, now=self.now)

    def outlook(self) -> Outlook:
        return outlook.outlook(self.state, self.given)

    def tier_on(self, day: date) -> str | None:
        """What was reached, without what is given."""
        return outlook.tier_on(self.state, self.given, day)

    def now_kept(self) -> Kept:
        """As it will be written, without writing it."""
        kept = self.kept
        for each in self.passings():
            changed_at = max(each.at, kept.changed_at or each.at)
            kept = replace(
                kept, tier=each.after, name=_name(self.tiers, each.after), since=each.on, changed_at=changed_at
            )
        if kept.override and kept.override.until <= self.now:
            kept = replace(kept, override=None)
        if self._is_renamed(kept):
            kept = replace(kept, changed_at=max(self._renamed_at, kept.changed_at or self._renamed_at))
        return self._as_worked_out(kept, self.outlook() if self.is_member else None)

    def settle(self, change: Change) -> list[TierChange]:
        """Write what time has changed."""
        head, written = self.head, []
        for each in self.passings():
            # What an import brings up to the present happened long ago; nobody is told of it.
            replayed = bool(head.replayed) and head.posted_at is not None and each.at <= head.posted_at
            occasion = Occasion(cause=self._cause(each), occurred_at=each.at, replayed=replayed)
            written.append(self._record(change, each.after, each.why, occasion))
            if each.why is ChangeReason.ENDED:
                self.kept = replace(self.kept, fell=self.kept.number, fell_on=each.on)
        if self.kept.override and self.kept.override.until <= self.now:
            self.kept = replace(self.kept, override=None)
        if self._is_renamed(self.kept):
            occasion = Occasion(cause=self._programme, occurred_at=self._renamed_at)
            written.append(self._record(change, self.kept.tier, ChangeReason.RENAMED, occasion))
        self._write(change, replayed=bool(written) and bool(written[-1].replayed))
        return written

    def count(self, change: Change, before: Counted | None, after: Counted | None, occasion: Occasion) -> None:
        """Write what an order counts, instead of what it has counted. What time has changed was written before."""
        amounts: dict[date, Amounts] = {}
        if before is not None:
            amounts[before.day] = NOTHING - before.amounts
        if after is not None:
            amounts[after.day] = amounts.get(after.day, NOTHING) + after.amounts
        self.add(change, amounts, occasion)

    def add(self, change: Change, amounts: Mapping[date, Amounts], occasion: Occasion) -> None:
        """Write what counts more, and (below zero) less. Of an account that was absorbed into another nothing comes of
        it here: it follows there.
        """
        self._count(change, amounts)
        if self.head.merged is not None:
            return
        if self.has_changed:
            self._record(change, self.state.tier, self._why(amounts), occasion)
        self._write(change, replayed=occasion.replayed)

    def take_over(self, change: Change, amounts: Mapping[date, Amounts], had: Had, occasion: Occasion) -> None:
        """Write what another account counted and had, which was absorbed into this one."""
        both = (had, Had.of(self.kept, zone=self.zone, now=self.now))
        self._count(change, amounts)
        override = kept_beside(self.state.tier, both, self.tiers)
        given = self.kept.given if override == self.kept.override else None
        self.kept = replace(self.kept, override=override, given=given)
        tier = override.tier if override else self.state.tier
        if tier != self.kept.tier:
            self._record(change, tier, ChangeReason.MERGED, occasion)
        self._write(change, replayed=False)

    def override(self, change: Change, override: Override | None, occasion: Occasion) -> None:
        """Write that somebody has a tier until then, whatever they reach; None: no more. Where it is the one that they
        were given before, they have it since then.
        """
        before, self.kept = self.kept, replace(self.kept, override=override)
        tier, why = self.state.tier, ChangeReason.OVERRIDE_ENDED
        if override:
            tier, why = override.tier, ChangeReason.OVERRIDDEN
        self._record(change, tier, why, occasion)
        is_same = override is not None and before.override is not None and before.override.tier == override.tier
        self.kept = replace(self.kept, given=self.kept.number, since=before.since if is_same else self.kept.since)
        self._write(change, replayed=False)

    @property
    def has_changed(self) -> bool:
        """Whether somebody has another tier than what was written down."""
        return self.kept.override is None and self.state.tier != self.kept.tier

    @property
    def _programme(self) -> str:
        """The cause of what the newest definitions change."""
        return f"programme:{self.regimes[-1].version}:tier"

    def _cause(self, each: Passing) -> str:
        is_definition = each.why is ChangeReason.REDEFINED or self.kept.settled_on is None
        return self._programme if is_definition else f"tier:{each.on.isoformat()}:end"

    def _is_renamed(self, kept: Kept) -> bool:
        return kept.tier is not None and kept.name not in {None, _name(self.tiers, kept.tier)}

    @property
    def _renamed_at(self) -> datetime:
        return self.regimes[-1].said_at or self.now

    @property
    def _enrolled_on(self) -> date | None:
        return clock.local_day(self.head.enrolled_at, self.zone) if self.head.enrolled_at else None

    @property
    def _joined_on(self) -> date | None:
        """Of whoever never did: on the first day that counts, which is not read again each time."""
        if self._enrolled_on or self._folded:
            return self._enrolled_on or self.kept.joined_on
        return min((day for day, each in self._amounts.items() if each != NOTHING), default=None)

    def _joins_otherwise(self, first: Sequence[date]) -> bool:
        """Whether they have joined on another day than what was folded goes by, or may have by what changes then."""
        known = self.kept.joined_on
        if known is None or self._enrolled_on:
            return known is None or known != self._enrolled_on
        return bool(first) and first[0] <= known

    def _count(self, change: Change, amounts: Mapping[date, Amounts]) -> None:
        for day, more in amounts.items():
            self._amounts[day] = self._amounts.get(day, NOTHING) + more
        self._months(change, set(amounts))
        self.state, self._steps = self._worked_out()

    def _worked_out(self) -> tuple[State, tuple[Step, ...]]:
        if not self.is_member:
            return State(self.today), ()
        given = self.given
        return fold.advance(self._folded or fold.beginning(given), given, self.today)

    def _why(self, amounts: Mapping[date, Amounts]) -> ChangeReason:
        if self.tiers.is_lower(self.state.tier, self.kept.tier):
            taken = any(more.of(each) < 0 for more in amounts.values() for each in Basis)
            return ChangeReason.REFUNDED if taken else ChangeReason.CORRECTED
        fell, since = self.kept.fell_on, self.state.since
        late = fell is not None and since is not None and max(amounts) < fell and since <= fell
        return ChangeReason.CORRECTED if late else ChangeReason.ATTAINED

    def _record(self, change: Change, tier: str | None, why: ChangeReason, occasion: Occasion) -> TierChange:
        kept, tiers = self.kept, self.tiers
        occurred_at = max(occasion.occurred_at, kept.changed_at or occasion.occurred_at)  # one change after another
        item = TierChange.of(self.shop, self.customer_id, kept.number + 1)
        item.before_id, item.before_name = kept.tier, kept.name if kept.tier else None
        item.after_id, item.after_name = tier, _name(tiers, tier)
        item.direction = int(tiers.is_lower(kept.tier, tier)) - int(tiers.is_lower(tier, kept.tier))
        item.why, item.occurred_at, item.recorded_at = why, occurred_at, self.now
        item.cause, item.replayed, item.order_id = occasion.cause, occasion.replayed, occasion.order_id
        item.actor, item.reason = occasion.actor, occasion.reason
        if why is ChangeReason.CORRECTED and item.direction > 0:
            item.corrects = kept.fell
            kept = replace(kept, fell=None, fell_on=None)
        is_given = kept.override is not None and why in {ChangeReason.OVERRIDDEN, ChangeReason.MERGED}
        item.until = kept.override.until if kept.override and is_given else None
        item.happens("TIER", occurred_at, f"{kept.number + 1:06}")
        change.write(item, when=None, otherwise=Stale())  # once, as the account has its number
        since = kept.since if why is ChangeReason.RENAMED else clock.local_day(occurred_at, self.zone)
        self.kept = replace(
            kept, tier=tier, name=_name(tiers, tier), since=since, number=kept.number + 1, changed_at=occurred_at
        )
        return item

    def _write(self, change: Change, *, replayed: bool) -> None:
        if not self.tiers.all:
            return  # what counts is kept for the day on which there are tiers
        armed = self.head.tier_due_at
        seen = self.outlook() if self.is_member else None
        kept = replace(
            self._as_worked_out(self.kept, seen), rules=digest(self.regimes[-1]), settled_on=self.today,
            joined_on=self._joined_on,
            folded=self._moved_on(),
        )  # fmt: skip
        self.kept = kept if replayed else self._noticed(change, kept, seen)
        record.put_kept(self.head, self.kept)
        self.head.tier_due_at = self._due_at(seen, replayed=replayed)
        timers.follow(change, self._timer(armed), self._timer(self.head.tier_due_at))

    def _as_worked_out(self, kept: Kept, seen: Outlook | None) -> Kept:
        ends = seen.ends if seen else None
        return replace(
            kept,
            name=_name(self.tiers, kept.tier),
            since=kept.since if kept.override else self.state.since,
            ends_on=ends.on if ends else None,
            ends_after=ends.after if ends else None,
        )

    def _moved_on(self) -> State | None:
        """What to go on from the next time."""
        if not self.is_member:
            return None
        given = self.given
        state = self._folded or fold.beginning(given)
        until = months_later(self.today, -FOLDED_MONTHS)
        return fold.advance(state, given, until)[0] if until > state.day else state

    def _noticed(self, change: Change, kept: Kept, seen: Outlook | None) -> Kept:
        """Tell, once, of an end that is near."""
        if not self._is_to_be_told(seen) or seen is None or seen.ends is None or kept.tier is None:
            return kept
        end, tiers = seen.ends, self.tiers
        if end.on == kept.noticed_on or self.today < end.on - timedelta(days=tiers.notice_days):
            return kept
        notice = TierNotice.of(self.shop, self.customer_id, kept.tier, end.on)
        notice.tier_name, notice.basis, notice.missing = _name(tiers, kept.tier) or "", tiers.basis, end.missing
        notice.after_id, notice.after_name = end.after, _name(tiers, end.after)
        notice.occurred_at = self.now
        change.write(notice, when=None, otherwise=Stale())
        return replace(kept, noticed_on=end.on)

    def _is_to_be_told(self, seen: Outlook | None) -> bool:
        return self.kept.override is None and self.tiers.notice_days > 0 and seen is not None

    def _due_at(self, seen: Outlook | None, *, replayed: bool) -> datetime | None:
        """The next instant at which anything changes by itself, or is to be told: while an import goes on, which may
        yet bring what keeps the tier, of no end before the next morning.
        """
        moments = [self.kept.override.until] if self.kept.override else []
        if seen and seen.changes_on:
            moments.append(clock.start_of_day(seen.changes_on, self.zone))
        if seen and seen.ends and self._is_to_be_told(seen) and self.kept.noticed_on != seen.ends.on:
            notice_on = seen.ends.on - timedelta(days=self.tiers.notice_days)
            if replayed:
                notice_on = max(notice_on, self.today + timedelta(days=1))
            moments.append(clock.start_of_day(notice_on, self.zone))
        return min(moments, default=None)

    def _months(self, change: Change, changed: set[date]) -> None:
        for month in sorted({record.month_of(day) for day in changed}):
            item = QualifyingMonth.of(self.shop, self.customer_id, month)
            record.put_days(item, _of_month(self._amounts, month))
            change.write(item, when=None, otherwise=Stale())

    def _timer(self, due_at: datetime | None) -> Timer | None:
        return Timer.of(self.shop, self.customer_id, OWNER, SUBJECT, due_at) if due_at else None


def _of_month(amounts: Mapping[date, Amounts], month: str) -> dict[date, Amounts]:
    return {day: each for day, each in amounts.items() if record.month_of(day) == month}


def _name(tiers: Tiers, tier_id: str | None) -> str | None:
    tier = tiers.find(tier_id)
    return tier.name if tier else None
