# crm/loyalty/tiers/overriding.py
"""A tier that somebody of the shop gives, for a time and with a reason."""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from crm.kernel.actor import Actor
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInputs
from crm.loyalty import repository
from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.moving import reason_faults
from crm.loyalty.posting import Admit
from crm.loyalty.programmes import in_force
from crm.loyalty.tiers import repository as changes
from crm.loyalty.tiers import settling
from crm.loyalty.tiers.book import Occasion, TierBook
from crm.loyalty.tiers.record import Kept, Override

LONGEST: Final = timedelta(days=5 * 366)


class TierOverride(Struct, frozen=True, kw_only=True):
    """What is to count instead of what somebody reaches; without a tier nothing does any more."""

    tier_id: str | None
    until: datetime | None
    reason: str


class Overridden(Struct, frozen=True):
    """The account as it now is, and whether just that was said before: then nothing was written."""

    account: LoyaltyAccount
    replayed: bool


def faults(said: TierOverride, *, now: datetime) -> list[Fault]:
    """What is wrong with it, but for whether there is such a tier."""
    found = reason_faults(said.reason)
    if said.tier_id is None and said.until is not None:
        found.append(Fault("until", "INVALID", "must not be said without a tier"))
    if said.tier_id is not None and said.until is None:
        found.append(Fault("until", "REQUIRED", "must say when it ends"))
    if said.until is not None and not now < said.until <= now + LONGEST:
        found.append(Fault("until", "INVALID", "must be in the next five years"))
    return found


def override_tier(
    shop: str, customer_id: str, said: TierOverride, *, actor: Actor, now: datetime, admit: Admit | None = None
) -> Overridden:
    """Give a tier until then, or end that. The same of somebody else, or for another reason, is written too: the
    history says who stands by it. Raises InvalidInputs with all that is wrong, NotFound for an unknown shop, and what
    `admit` does (crm/loyalty/admission.py).
    """
    programme = in_force.programme(shop, now=now)
    wrong = faults(said, now=now)
    tier = programme.tiers.find(said.tier_id)
    if tier is not None and tier.archived_at is not None:
        wrong.append(Fault("tier", "ARCHIVED", "must be a tier that is not archived"))
    if said.tier_id is not None and tier is None:
        wrong.append(Fault("tier", "INVALID", "must be a tier of the programme, as it counts now"))
    if wrong:
        raise InvalidInputs(wrong)
    override = Override(said.tier_id, said.until) if said.tier_id and said.until else None
    by, reason = str(actor), said.reason.strip()

    def attempt() -> Overridden:
        head = repository.get_account(shop, customer_id) or LoyaltyAccount.of(shop, customer_id)
        if head.rev and settling.is_due(shop, head, now=now):
            settling.settle(shop, customer_id, now=now)
            head = repository.get_account(shop, customer_id) or head
        book = TierBook(shop, customer_id, head, now=now, zone=programme.zone)
        change = Change(now)
        if admit:
            admit(change)
        if book.kept.override == override and (override is None or _says(shop, customer_id, book.kept) == (by, reason)):
            return Overridden(head, replayed=True)
        cause = f"tier:{customer_id}:override:{book.kept.number + 1}"
        book.override(change, override, Occasion(cause=cause, occurred_at=now, actor=by, reason=reason))
        change.revise(head)
        change.commit()
        return Overridden(head, replayed=False)

    return retrying(attempt)


def _says(shop: str, customer_id: str, kept: Kept) -> tuple[str | None, str | None] | None:
    """Who gave what counts now, and why."""
    item = changes.get_change(shop, customer_id, kept.given) if kept.given else None
    return (item.actor, item.reason) if item else None
