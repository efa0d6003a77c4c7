# crm/loyalty/tiers/defining.py
"""How a shop's tiers are defined: each edit is the next version of its programme."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from crm.kernel.actor import Actor
from crm.kernel.errors import Fault, InvalidInput, InvalidInputs, NotFound
from crm.kernel.ids import new_id
from crm.kernel.money import minor_units
from crm.kernel.texts import line_faults, name_key
from crm.loyalty.ledger.refusals import Archived
from crm.loyalty.naming import Asking, TierNamed
from crm.loyalty.programme import Programme
from crm.loyalty.programmes.defining import Decide, edit
from crm.loyalty.programmes.versions import Version
from crm.loyalty.tiers.definitions import Basis, Downgrade, Tier, Tiers, Window

MOST_ACTIVE: Final = 20
MOST_EVER: Final = 200
MOST_BENEFITS: Final = 20
LONGEST_NAME: Final = 100
LONGEST_BENEFIT: Final = 300
LONGEST_GRACE_DAYS: Final = 180
LONGEST_NOTICE_DAYS: Final = 90
HIGHEST: Final = 10**9
"""Of a threshold, in points, orders or whole units of the currency."""


class TierFields(Struct, frozen=True):
    """What may be said of a tier; None leaves it. `threshold`: points, orders, or units of the programme's currency."""

    name: str | None = None
    threshold: Decimal | None = None
    benefits: tuple[str, ...] | None = None


class TierRules(Struct, frozen=True):
    """What may be said of all tiers; None leaves it."""

    basis: Basis | None = None
    window: Window | None = None
    downgrade: Downgrade | None = None
    grace_days: int | None = None
    notice_days: int | None = None


class TierDefined(Struct, frozen=True):
    """A version of the programme, and in it the tier that was asked about."""

    version: Version
    tier: Tier | None = None


def create(shop: str, fields: TierFields, *, actor: Actor, now: datetime, **said: Any) -> TierDefined:
    """Define a tier. Raises InvalidInputs with all that is wrong, VersionMismatch, and NotFound for an unknown shop."""
    tier_id = new_id("tier", now)
    return _edit(shop, tier_id, adding(tier_id, fields), actor=actor, now=now, **said)


def update(shop: str, tier_id: str, fields: TierFields, *, actor: Actor, now: datetime, **said: Any) -> TierDefined:
    """Change what is said of a tier. Raises as `create`, NotFound for one that there is not, and Archived."""
    return _edit(shop, tier_id, changing(tier_id, fields), actor=actor, now=now, **said)


def archive(
    shop: str, tier_id: str, *, rewards: Mapping[str, str], actor: Actor, now: datetime, **said: Any
) -> TierDefined:
    """Let nobody else attain a tier; archiving it again changes nothing. Raises as `update`, and TierNamed where a rule
    asks for it, or some of the shop's `rewards` do: their names by their ids.
    """
    return _edit(shop, tier_id, archiving(tier_id, rewards=rewards, now=now), actor=actor, now=now, **said)


def rule(shop: str, rules: TierRules, *, actor: Actor, now: datetime, **said: Any) -> TierDefined:
    """Say how tiers are attained and lost. Raises as `create`."""
    return _edit(shop, None, ruling(rules), actor=actor, now=now, **said)


def adding(tier_id: str, fields: TierFields) -> Decide:
    """What `create` makes of a programme."""
    return lambda programme: _created(programme, tier_id, fields)


def changing(tier_id: str, fields: TierFields) -> Decide:
    """What `update` makes of a programme."""
    return lambda programme: _updated(programme, tier_id, fields)


def archiving(tier_id: str, *, rewards: Mapping[str, str], now: datetime) -> Decide:
    """What `archive` makes of a programme."""

    def decide(programme: Programme) -> Programme:
        tier = _found(programme.tiers, tier_id)
        if tier.archived_at:
            return programme
        rules = {rule.id: rule.name for rule in programme.earning.active if tier_id in rule.conditions.tiers}
        if asking := Asking(rules, rewards):
            raise TierNamed(asking)
        return _with(programme, replace(tier, archived_at=now))

    return decide


def ruling(rules: TierRules) -> Decide:
    """What `rule` makes of a programme."""
    return lambda programme: _ruled(programme, rules)


def fields_faults(fields: TierFields) -> list[Fault]:
    """What is wrong with what is said of a tier, whatever the programme."""
    found: list[Fault] = []
    if fields.name is not None:
        found += line_faults("name", fields.name, longest=LONGEST_NAME)
    if fields.threshold is not None and not 0 <= fields.threshold <= HIGHEST:
        found.append(Fault("threshold", "INVALID", f"must be 0 to {HIGHEST:,}"))
    benefits = fields.benefits or ()
    if len(benefits) > MOST_BENEFITS:
        found.append(Fault("benefits", "TOO_MANY", f"must be {MOST_BENEFITS} at most"))
    for index, each in enumerate(benefits[:MOST_BENEFITS]):
        found += line_faults(f"benefits.{index}", each, longest=LONGEST_BENEFIT)
    return found


def rules_faults(rules: TierRules) -> list[Fault]:
    found = []
    for name, days, most in (
        ("grace_days", rules.grace_days, LONGEST_GRACE_DAYS), ("notice_days", rules.notice_days, LONGEST_NOTICE_DAYS),
    ):  # fmt: skip
        if days is not None and not 0 <= days <= most:
            found.append(Fault(name, "INVALID", f"must be 0 to {most} days"))
    return found


def _edit(
    shop: str,
    tier_id: str | None,
    decide: Decide,
    *,
    actor: Actor,
    now: datetime,
    **said: Any,
) -> TierDefined:
    version = edit(shop, decide, actor=actor, now=now, **said)
    return TierDefined(version, version.programme.tiers.find(tier_id))


def _created(programme: Programme, tier_id: str, fields: TierFields) -> Programme:
    wrong = fields_faults(fields)
    if fields.name is None:
        wrong.append(Fault("name", "REQUIRED", "is required"))
    if fields.threshold is None:
        wrong.append(Fault("threshold", "REQUIRED", "is required"))
    if len(programme.tiers.active) >= MOST_ACTIVE or len(programme.tiers.all) >= MOST_EVER:
        wrong.append(Fault("", "TOO_MANY", f"must be one of {MOST_ACTIVE} tiers at most, {MOST_EVER} with archived"))
    return _judged(programme, Tier(tier_id, "", 0), fields, wrong)


def _updated(programme: Programme, tier_id: str, fields: TierFields) -> Programme:
    tier = _found(programme.tiers, tier_id)
    if tier.archived_at:
        raise Archived("The tier is archived.", field="id")
    return _judged(programme, tier, fields, fields_faults(fields))


def _judged(programme: Programme, tier: Tier, fields: TierFields, wrong: list[Fault]) -> Programme:
    threshold = tier.threshold
    told = {fault.path for fault in wrong}
    others = [each for each in programme.tiers.active if each.id != tier.id]
    if fields.threshold is not None and "threshold" not in told:
        try:
            threshold = _whole(fields.threshold, programme)
        except InvalidInput as error:
            wrong.append(Fault("threshold", "INVALID", str(error)))
        else:
            if any(each.threshold == threshold for each in others):
                wrong.append(Fault("threshold", "TAKEN", "must be another than every other tier's"))
    name = tier.name if fields.name is None else fields.name.strip()
    if "name" not in told and any(name_key(each.name) == name_key(name) for each in others):
        wrong.append(Fault("name", "TAKEN", "must be another than every other tier's"))
    if wrong:
        raise InvalidInputs(wrong)
    benefits = tier.benefits if fields.benefits is None else tuple(each.strip() for each in fields.benefits)
    return _with(programme, replace(tier, name=name, threshold=threshold, benefits=benefits))


def _ruled(programme: Programme, rules: TierRules) -> Programme:
    wrong = rules_faults(rules)
    tiers = programme.tiers
    if rules.basis not in {None, tiers.basis} and tiers.all:
        # Thresholds are numbers of it: those of the archived too, by which those who have them are judged.
        wrong.append(Fault("basis", "INVALID", "must stay what it is once there are tiers"))
    if wrong:
        raise InvalidInputs(wrong)
    said = {name: value for name in TierRules.__struct_fields__ if (value := getattr(rules, name)) is not None}
    return replace(programme, tiers=replace(tiers, **said))


def _whole(threshold: Decimal, programme: Programme) -> int:
    """Raises InvalidInput where it is finer than what is counted."""
    if programme.tiers.basis is Basis.SPEND:
        return minor_units(str(threshold), programme.currency)
    if threshold != int(threshold):
        raise InvalidInput("must be a whole number")
    return int(threshold)


def _found(tiers: Tiers, tier_id: str) -> Tier:
    tier = tiers.find(tier_id)
    if tier is None:
        raise NotFound("There is no such tier.", field="id")
    return tier


def _with(programme: Programme, tier: Tier) -> Programme:
    """The tier as it is now, in its place or behind the others."""
    tiers = programme.tiers
    before = [each.id for each in tiers.all]
    every = [tier if each.id == tier.id else each for each in tiers.all]
    return replace(programme, tiers=replace(tiers, all=tuple(every if tier.id in before else [*every, tier])))
