# crm/loyalty/trying.py
"""What a programme would give if it were changed: by the decisions of an edit, and nothing is written. A door of its
own: who posts for orders tries nothing (docs/decisions/0075).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from crm.customers.service import Snapshot
from crm.kernel.errors import CrmError, Fault, InvalidInputs
from crm.loyalty import previewing
from crm.loyalty.bonuses.defining import adding as adding_bonus
from crm.loyalty.bonuses.defining import archiving as archiving_bonus
from crm.loyalty.bonuses.defining import changing as changing_bonus
from crm.loyalty.earning.defining import adding as adding_rule
from crm.loyalty.earning.defining import archiving as archiving_rule
from crm.loyalty.earning.defining import changing as changing_rule
from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.naming import Segments
from crm.loyalty.previewing import Cart, Previewed
from crm.loyalty.programme import Programme
from crm.loyalty.programmes import in_force
from crm.loyalty.programmes.defining import Decide
from crm.loyalty.programmes.defining import changing as changing_programme
from crm.loyalty.programmes.versions import Version
from crm.loyalty.tiers.defining import adding as adding_tier
from crm.loyalty.tiers.defining import changing as changing_tier
from crm.loyalty.tiers.defining import ruling as ruling_tiers
from crm.loyalty.tiers.previewing import Reached, Trial

__all__ = [
    "MOST_CHANGES",
    "Decide",
    "Outcome",
    "Segments",
    "Trial",
    "adding_bonus",
    "adding_rule",
    "adding_tier",
    "archiving_bonus",
    "archiving_rule",
    "changing_bonus",
    "changing_programme",
    "changing_rule",
    "changing_tier",
    "ruling_tiers",
    "tried",
]

MOST_CHANGES: Final = 20


class Outcome(Struct, frozen=True):
    """What a version would give for a cart, and which tier the customer would have by it; None without one."""

    version: Version
    earned: Previewed
    tier: Trial | None


def tried(
    shop: str, changes: Sequence[tuple[str, Decide]], cart: Cart, snapshot: Snapshot | None, *, now: datetime
) -> tuple[Outcome, Outcome]:
    """What the newest version gives, and what it would give once it is changed: one after another, as if each counted
    from now on. Raises InvalidInputs with all that is wrong, below the path of its change, and NotFound for an unknown
    shop.
    """
    newest = in_force.newest(shop, now=now)
    changed = Version(newest.number + 1, changed_by(newest.programme, changes), now)
    head = snapshot.head(LoyaltyAccount) if snapshot else None
    reached = Reached.of(shop, snapshot.customer_id, head, now=now) if snapshot and head else None

    def outcome(version: Version) -> Outcome:
        programme = version.programme
        trial = reached.by(programme.tiers, zone=programme.zone, now=now) if reached else None
        tier = trial.tier.id if trial and trial.tier else None
        return Outcome(version, previewing.by(version, shop, cart, snapshot, tier=tier, now=now), trial)

    return outcome(newest), outcome(changed)


def changed_by(programme: Programme, changes: Sequence[tuple[str, Decide]]) -> Programme:
    """Raises InvalidInputs with all that is refused of each, whatever becomes of the others."""
    wrong: list[Fault] = []
    for path, decide in changes:
        try:
            programme = decide(programme)
        except CrmError as refusal:
            wrong += [Fault(f"{path}.{one.path}".rstrip("."), one.code, one.message) for one in refusal.faults]
    if wrong:
        raise InvalidInputs(wrong)
    return programme
