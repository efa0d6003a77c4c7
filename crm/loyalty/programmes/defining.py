# crm/loyalty/programmes/defining.py
"""How a shop's programme is defined: each edit is its next version."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from crm.kernel import clock, operations
from crm.kernel.actor import Actor
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInputs, Stale, VersionMismatch
from crm.kernel.operations import Operation
from crm.kernel.said import UNSAID, Said
from crm.loyalty.bonuses.definitions import Enrolment
from crm.loyalty.earning.definitions import Caps
from crm.loyalty.expiry import Expiry, Kind, Rounding
from crm.loyalty.programme import Programme, Shortfall
from crm.loyalty.programmes import begun, faults, in_force
from crm.loyalty.programmes.models import ProgrammeVersion
from crm.loyalty.programmes.versions import Version, document
from crm.shops import service as shops

NOTICE: Final = timedelta(minutes=2)
"""From when a version is written until it counts at the earliest: longer than any process goes by what it has read."""
FURTHEST: Final = timedelta(days=730)
FIRST: Final = timedelta(days=3_660)
"""How far back the first version may count: for a shop that moves in with its orders."""
LARGEST: Final = 300_000
"""In bytes: an item holds 400 KB."""

Decide = Callable[[Programme], Programme]
"""What an edit makes of a programme. Raises InvalidInputs, and what else it refuses."""


class Lifetime(Struct, frozen=True):
    """As `Expiry`, of which it may not be said yet whether it is one."""

    months: int
    rounding: Rounding = Rounding.DAY
    kind: Kind = Kind.EARNED


class ProgrammeFields(Said, frozen=True):
    """What may be said of a programme besides its parts; UNSAID leaves a field as it is. `caps`: of all rules
    together.
    """

    currency: str = UNSAID
    zone: str = UNSAID
    points_per_unit: Decimal = UNSAID
    point_value: Decimal = UNSAID
    breakage: Decimal = UNSAID
    return_window_days: int = UNSAID
    expiry: Lifetime | Expiry | None = UNSAID
    shortfall: Shortfall = UNSAID
    most_owed: int | None = UNSAID
    grace_days: int = UNSAID
    notice_days: int | None = UNSAID
    enrolment: Enrolment = UNSAID
    signup_points: int = UNSAID
    birthday_points: int = UNSAID
    caps: Caps = UNSAID


def update(
    shop: str,
    said: ProgrammeFields,
    *,
    actor: Actor,
    now: datetime,
    effective_at: datetime | None = None,
    expected_version: int | None = None,
) -> Version:
    """Change what is said. Raises InvalidInputs with all that is wrong, VersionMismatch, and NotFound."""
    return edit(
        shop, changing(said), actor=actor, now=now, effective_at=effective_at, expected_version=expected_version
    )


def changing(said: ProgrammeFields) -> Decide:
    """What `update` makes of a programme."""

    def decide(programme: Programme) -> Programme:
        if wrong := [*faults.of_fields(said.given()), *faults.of_change(programme, said.given())]:
            raise InvalidInputs(wrong)
        changed = _with(programme, said)
        if {"return_window_days", "expiry"} & said.given().keys() and (wrong := faults.of_times(changed)):
            raise InvalidInputs(wrong)
        return changed

    return decide


def form_faults(said: ProgrammeFields, *, effective_at: datetime | None, now: datetime) -> list[Fault]:
    """What `update` refuses, as far as it can be told without a read."""
    return [*faults.of_fields(said.given()), *time_faults(effective_at, now)]


def _with(programme: Programme, said: ProgrammeFields) -> Programme:
    given = said.given()
    if "points_per_unit" in given:
        given["rate"] = given.pop("points_per_unit")
    if "caps" in given:
        given["earning"] = replace(programme.earning, caps=given.pop("caps"))
    names = ("signup", "birthday")
    bonuses = {name: given.pop(f"{name}_points") for name in names if f"{name}_points" in given}
    if bonuses:
        given["bonuses"] = replace(programme.bonuses, **bonuses)
    if lifetime := given.get("expiry"):
        given["expiry"] = Expiry(lifetime.months, lifetime.rounding, lifetime.kind)
    return replace(programme, **given)


def edit(
    shop: str,
    decide: Decide,
    *,
    actor: Actor,
    now: datetime,
    effective_at: datetime | None = None,
    expected_version: int | None = None,
) -> Version:
    """Write what `decide` makes of the newest version as the next one; where that is nothing new, it stays.

    It counts from `effective_at`, or as soon as it can, and never before a version that is still to come: that may be
    withdrawn first. The first may count from the past: for orders that come from then on, whenever they were placed.
    `decide` raises InvalidInputs, and what else it refuses. Raises VersionMismatch, and NotFound for an unknown shop.
    """

    def attempt() -> tuple[Version, Operation | None]:
        newest = _newest(shop, expected_version, now=now)
        programme = _decided(decide, newest.programme, _too_early(effective_at, newest, now=now))
        if programme == newest.programme and effective_at in {None, newest.effective_at}:
            return newest, None
        change = Change(now)
        if not newest.number:  # whose currency and zone it has, until it says otherwise
            change.unchanged(shops.get(shop))
        at = effective_at or max(now + NOTICE, newest.effective_at or now)
        before = newest if newest.counts_at(at) else _counting(shop, at, now=now)
        version, walk = Version(newest.number + 1, programme, at, now, str(actor), before.tiers_in), None
        if begun.says_else(programme, before.programme):
            version = replace(version, tiers_in=version.number)
            walk = begun.begin(
                change, shop, version.number, follows=before.tiers_in, begins_at=max(at, now + NOTICE), actor=actor,
                now=now,
            )  # fmt: skip
        change.create(_item(shop, version), otherwise=Stale())
        change.commit()
        return version, walk

    version, walk = retrying(attempt)
    in_force.forget_cached(shop)
    if walk is not None:
        operations.send_on(walk)
    return version


def withdraw(shop: str, *, actor: Actor, now: datetime, expected_version: int | None = None) -> Version:
    """Take back the versions that are still to come: the next one says what the programme says before them, counts as
    soon as it can, and they never do. What counts in two minutes cannot be taken back; where nothing else is to come,
    the newest stays. Raises VersionMismatch, and NotFound for an unknown shop.
    """

    def attempt() -> Version:
        newest = _newest(shop, expected_version, now=now)
        at = now + NOTICE
        if newest.counts_at(at):
            return newest
        stays = _counting(shop, at, now=now)
        version = Version(newest.number + 1, stays.programme, at, now, str(actor), stays.tiers_in)
        change = Change(now)
        change.create(_item(shop, version), otherwise=Stale())
        change.commit()
        return version

    version = retrying(attempt)
    in_force.forget_cached(shop)
    return version


def _newest(shop: str, expected: int | None, *, now: datetime) -> Version:
    """Raises VersionMismatch."""
    newest = in_force.newest(shop, now=now)
    if expected is not None and newest.number != expected:
        raise VersionMismatch(expected=expected, actual=newest.number)
    return newest


def _counting(shop: str, at: datetime, *, now: datetime) -> Version:
    """As it is stored now, whatever this process knows."""
    in_force.forget_cached(shop)
    return in_force.version(shop, at=at, now=now)


def _decided(decide: Decide, programme: Programme, wrong: list[Fault]) -> Programme:
    """Raises InvalidInputs with all that is wrong."""
    try:
        programme = decide(programme)
    except InvalidInputs as refusal:
        raise InvalidInputs([*refusal.faults, *wrong]) from refusal
    if len(document(programme).encode()) > LARGEST:
        wrong = [*wrong, Fault("", "TOO_LARGE", f"must leave a programme of at most {LARGEST:,} bytes")]
    if wrong:
        raise InvalidInputs(wrong)
    return programme


def time_faults(effective_at: datetime | None, now: datetime, *, first: bool = True) -> list[Fault]:
    """What is wrong with when a version is to count; without knowing better it may be the first."""
    if effective_at is None or now + NOTICE <= effective_at <= now + FURTHEST:
        return []
    if not first:
        return [Fault("effective_at", "INVALID", "must be two minutes to two years from now")]
    if now - FIRST <= effective_at <= now + FURTHEST:
        return []
    return [Fault("effective_at", "INVALID", "must be at most ten years ago and two years from now")]


def _too_early(effective_at: datetime | None, newest: Version, *, now: datetime) -> list[Fault]:
    wrong = time_faults(effective_at, now, first=not newest.number)
    if wrong or effective_at is None or newest.counts_at(max(effective_at, now)):
        return wrong
    coming = clock.text(newest.effective_at) if newest.effective_at else ""
    reason = f"must not be before {coming}, from when version {newest.number} counts, unless that is withdrawn"
    return [Fault("effective_at", "INVALID", reason)]


def _item(shop: str, version: Version) -> ProgrammeVersion:
    item = ProgrammeVersion.of(shop, version.number)
    item.document = document(version.programme)
    item.effective_at, item.written_at, item.written_by = version.effective_at, version.written_at, version.written_by
    item.tiers_in = version.tiers_in
    return item
