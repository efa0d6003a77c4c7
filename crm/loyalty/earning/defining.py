# crm/loyalty/earning/defining.py
"""How a programme's rules are defined, changed and given up: each time as the next version of the programme."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict, replace

from crm.kernel import ids
from crm.kernel.actor import Actor
from crm.kernel.errors import Fault, InvalidInputs, NotFound
from crm.loyalty import naming
from crm.loyalty.earning import faults
from crm.loyalty.earning.definitions import Caps, Conditions, Kind, Rule
from crm.loyalty.naming import Noun, Segments, UnknownName
from crm.loyalty.programme import Programme
from crm.loyalty.programmes.defining import UNSAID, Decide, edit, time_faults
from crm.loyalty.programmes.versions import Version

MOST_RULES: Final = 100
"""Of those that are not archived."""
MOST_BUDGETS: Final = 5
"""Of those, with a budget: an order may draw from eight shares of each, and a transaction holds 100 writes."""


class RuleFields(Struct, frozen=True):
    """What may be said of a rule; UNSAID leaves a field as it is. Its kind never changes."""

    name: str = UNSAID
    value: Decimal = UNSAID
    conditions: Conditions = UNSAID
    caps: Caps = UNSAID
    budget: int | None = UNSAID

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not UNSAID}


class Edited(Struct, frozen=True):
    """A rule, and the version of the programme that says it."""

    rule: Rule
    version: Version


def create(
    shop: str,
    kind: Kind,
    said: RuleFields,
    *,
    actor: Actor,
    now: datetime,
    segments: Segments = None,
    **when: Any,
) -> Edited:
    """Add a rule behind the others. `when` is that of `programmes.defining.edit`, whose refusals these raise, too.

    Raises InvalidInputs with all that is wrong.
    """
    rule_id = ids.new_id("rul", now)
    return _edited(shop, rule_id, adding(rule_id, kind, said, segments=segments), actor=actor, now=now, **when)


def update(
    shop: str,
    rule_id: str,
    said: RuleFields,
    *,
    actor: Actor,
    now: datetime,
    segments: Segments = None,
    **when: Any,
) -> Edited:
    """Change what is said. Raises InvalidInputs with all that is wrong, and NotFound, also for one that is archived."""
    return _edited(shop, rule_id, changing(rule_id, said, segments=segments), actor=actor, now=now, **when)


def archive(shop: str, rule_id: str, *, actor: Actor, now: datetime, **when: Any) -> Edited:
    """Let a rule give nothing any more; once, however often it is asked for. Raises NotFound."""
    return _edited(shop, rule_id, archiving(rule_id, now=now), actor=actor, now=now, **when)


def adding(rule_id: str, kind: Kind, said: RuleFields, *, segments: Segments = None) -> Decide:
    """What `create` makes of a programme."""

    def decide(programme: Programme) -> Programme:
        rule = Rule(rule_id, kind=kind, **{"name": "", "value": Decimal(0), **said.given()})
        wrong = _unknown(programme, said, Conditions(), segments)
        return _with(programme, (*programme.earning.rules, rule), rule, wrong)

    return decide


def changing(rule_id: str, said: RuleFields, *, segments: Segments = None) -> Decide:
    """What `update` makes of a programme."""

    def decide(programme: Programme) -> Programme:
        before = _rule(programme, rule_id)
        if before.archived_at is not None:
            raise NotFound("There is no such rule.", field="rule_id")
        after = replace(before, **said.given())
        wrong = _unknown(programme, said, before.conditions, segments)
        return _with(programme, _instead(programme, before, after), after, wrong)

    return decide


def archiving(rule_id: str, *, now: datetime) -> Decide:
    """What `archive` makes of a programme."""

    def decide(programme: Programme) -> Programme:
        before = _rule(programme, rule_id)
        after = before if before.archived_at else replace(before, archived_at=now)
        return replace(programme, earning=replace(programme.earning, rules=_instead(programme, before, after)))

    return decide


def form_faults(said: RuleFields, kind: Kind | None, *, effective_at: datetime | None, now: datetime) -> list[Fault]:
    """What `create` and `update` refuse, as far as it can be told without a read: of a value only with its kind."""
    rule = Rule("", kind=kind or Kind.PER_ITEM, **{"name": "-", "value": Decimal(2), **said.given()})
    wrong = [fault for fault in faults.of_rule(rule) if kind is not None or fault.path != "value"]
    return [*wrong, *time_faults(effective_at, now)]


def _edited(shop: str, rule_id: str, decide: Decide, **when: Any) -> Edited:
    version = edit(shop, decide, **when)
    return Edited(_rule(version.programme, rule_id), version)


def _rule(programme: Programme, rule_id: str) -> Rule:
    found = next((rule for rule in programme.earning.rules if rule.id == rule_id), None)
    if found is None:
        raise NotFound("There is no such rule.", field="rule_id")
    return found


def _instead(programme: Programme, before: Rule, after: Rule) -> tuple[Rule, ...]:
    return tuple(after if one is before else one for one in programme.earning.rules)


def _unknown(programme: Programme, said: RuleFields, before: Conditions, segments: Segments) -> list[UnknownName]:
    """Of what a rule is said to ask for: tiers and segments that there are not. Those it has asked for may stay."""
    if said.conditions is UNSAID:
        return []
    asked, tiers = said.conditions, programme.tiers.names
    return [
        *naming.unknown("conditions.tiers", asked.tiers, tiers, Noun.TIER, kept=before.tiers),
        *naming.unknown("conditions.segments", asked.segments, segments, Noun.SEGMENT, kept=before.segments),
    ]


def _with(programme: Programme, rules: tuple[Rule, ...], changed: Rule, unknown: list[UnknownName]) -> Programme:
    """Raises InvalidInputs with all that is wrong with the rule that is new or changed."""
    earning = replace(programme.earning, rules=rules)
    others = [rule for rule in earning.active if rule.id != changed.id]
    wrong = [*faults.of_rule(changed), *unknown]
    if any(rule.name.casefold() == changed.name.casefold() for rule in others):
        wrong.append(Fault("name", "TAKEN", "must not be the name of another rule"))
    if len(others) >= MOST_RULES:
        wrong.append(Fault("", "TOO_MANY", f"must leave {MOST_RULES} rules at most: archive some"))
    if changed.budget is not None and sum(rule.budget is not None for rule in others) >= MOST_BUDGETS:
        wrong.append(Fault("budget", "TOO_MANY", f"must leave {MOST_BUDGETS} rules with a budget at most"))
    if wrong:
        raise InvalidInputs(wrong)
    return replace(programme, earning=earning)
