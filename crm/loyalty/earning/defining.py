# crm/loyalty/earning/defining.py
"""How a programme's rules are defined, changed and given up: each time as the next version of the programme."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from crm.kernel import ids
from crm.kernel.actor import Actor
from crm.kernel.errors import Fault
from crm.kernel.said import UNSAID, Said
from crm.loyalty import naming
from crm.loyalty.earning import faults
from crm.loyalty.earning.definitions import Caps, Conditions, Kind, Rule
from crm.loyalty.naming import Noun, Segments
from crm.loyalty.programme import Programme
from crm.loyalty.programmes.defining import Decide, time_faults
from crm.loyalty.programmes.parts import Edited, Judge, Parts

MOST_RULES: Final = 100
"""Of those that are not archived."""
MOST_BUDGETS: Final = 5
"""Of those, with a budget: an order may draw from eight shares of each, and a transaction holds 100 writes."""
RULES: Final = Parts[Rule](
    noun="rule",
    nouns="rules",
    most=MOST_RULES,
    of=lambda programme: programme.earning.rules,
    put=lambda programme, rules: replace(programme, earning=replace(programme.earning, rules=rules)),
)
archive, archiving = RULES.archive, RULES.archiving


class RuleFields(Said, frozen=True):
    """What may be said of a rule; UNSAID leaves a field as it is. Its kind never changes."""

    name: str = UNSAID
    value: Decimal = UNSAID
    conditions: Conditions = UNSAID
    caps: Caps = UNSAID
    budget: int | None = UNSAID


def create(
    shop: str,
    kind: Kind,
    said: RuleFields,
    *,
    actor: Actor,
    now: datetime,
    segments: Segments = None,
    **when: Any,
) -> Edited[Rule]:
    """Add a rule behind the others. `when` is that of `programmes.defining.edit`, whose refusals these raise, too.

    Raises InvalidInputs with all that is wrong.
    """
    rule_id = ids.new_id("rul", now)
    return RULES.edit(shop, rule_id, adding(rule_id, kind, said, segments=segments), actor=actor, now=now, **when)


def update(
    shop: str,
    rule_id: str,
    said: RuleFields,
    *,
    actor: Actor,
    now: datetime,
    segments: Segments = None,
    **when: Any,
) -> Edited[Rule]:
    """Change what is said. Raises InvalidInputs with all that is wrong, NotFound, and Archived."""
    return RULES.edit(shop, rule_id, changing(rule_id, said, segments=segments), actor=actor, now=now, **when)


def adding(rule_id: str, kind: Kind, said: RuleFields, *, segments: Segments = None) -> Decide:
    """What `create` makes of a programme."""
    rule = Rule(rule_id, kind=kind, **{"name": "", "value": Decimal(0), **said.given()})
    return RULES.adding(rule, _judge(said, segments))


def changing(rule_id: str, said: RuleFields, *, segments: Segments = None) -> Decide:
    """What `update` makes of a programme."""
    return RULES.changing(rule_id, said, _judge(said, segments))


def form_faults(said: RuleFields, kind: Kind | None, *, effective_at: datetime | None, now: datetime) -> list[Fault]:
    """What `create` and `update` refuse, as far as it can be told without a read: of a value only with its kind."""
    rule = Rule("", kind=kind or Kind.PER_ITEM, **{"name": "-", "value": Decimal(2), **said.given()})
    wrong = [fault for fault in faults.of_rule(rule) if kind is not None or fault.path != "value"]
    return [*wrong, *time_faults(effective_at, now)]


def _judge(said: RuleFields, segments: Segments) -> Judge[Rule]:
    """A rule may go on asking for tiers and segments that there are not, but not come to."""

    def wrong(programme: Programme, before: Rule | None, after: Rule) -> Iterator[Fault]:
        yield from faults.of_rule(after)
        if said.conditions is not UNSAID:
            asked, kept = said.conditions, before.conditions if before else Conditions()
            tiers = programme.tiers
            yield from naming.unknown(
                "conditions.tiers", asked.tiers, tiers.names, Noun.TIER, archived=tiers.archived, kept=kept.tiers
            )
            yield from naming.unknown("conditions.segments", asked.segments, segments, Noun.SEGMENT, kept=kept.segments)
        budgets = [rule for rule in programme.earning.active if rule.budget is not None and rule.id != after.id]
        if after.budget is not None and len(budgets) >= MOST_BUDGETS:
            yield Fault("budget", "TOO_MANY", f"must leave {MOST_BUDGETS} rules with a budget at most")

    return wrong
