# schema/loyalty/programme.py
"""The programme of points, as staff define it."""

from datetime import datetime
from enum import Enum

import strawberry

from crm.kernel.errors import Fault
from crm.loyalty import service
from schema.access import signed_in, staff
from schema.connections import about
from schema.context import Info, stored
from schema.forms import said
from schema.loyalty.edits import EFFECTIVE_AT, EXPECTED
from schema.loyalty.event_bonuses import LoyaltyEventBonus
from schema.loyalty.rules import LoyaltyCaps, LoyaltyCapsInput, LoyaltyRule, caps_of
from schema.loyalty.tiers import LoyaltyTiers
from schema.principal import Principal
from schema.scalars import CurrencyCode, DecimalText, Points, TimeZone

READ = "loyalty:read"


@strawberry.enum(description="To the end of which an expiry is put off.")
class PointsExpiryRounding(Enum):
    DAY = strawberry.enum_value("DAY", description="Of the day.")
    MONTH = strawberry.enum_value("MONTH", description="Of the month.")
    YEAR = strawberry.enum_value("YEAR", description="Of the year.")


@strawberry.enum(description="What becomes of points that a refund takes back and the balance does not cover.")
class PointsShortfall(Enum):
    WITHIN_BALANCE = strawberry.enum_value("WITHIN_BALANCE", description="They are forgiven.")
    NEGATIVE = strawberry.enum_value("NEGATIVE", description="They are owed: the balance is below zero.")
    RECOVER = strawberry.enum_value("RECOVER", description="They are owed, and paid by what is earned next.")


@strawberry.enum(description="From when the months that points live are counted.")
class PointsExpiryKind(Enum):
    EARNED = strawberry.enum_value("EARNED", description="From when they were earned, each for themselves.")
    INACTIVITY = strawberry.enum_value(
        "INACTIVITY", description="From when the customer last earned or spent any, all together."
    )


@strawberry.enum(description="How customers come to take part.")
class LoyaltyEnrolment(Enum):
    AUTOMATIC = strawberry.enum_value("AUTOMATIC", description="With the first points that they earn.")
    ON_REQUEST = strawberry.enum_value("ON_REQUEST", description="When they ask to; whatever was before earns nothing.")


@strawberry.type(description="How long points live.", directives=signed_in())
class PointsExpiry:
    item: strawberry.Private[service.Expiry]

    @strawberry.field(description="From when the months are counted.")
    def kind(self) -> PointsExpiryKind:
        return PointsExpiryKind(self.item.kind)

    @strawberry.field(description="So many months.")
    def months(self) -> int:
        return self.item.months

    @strawberry.field(description="And then to the end of what; days are those of the programme's zone.")
    def rounding(self) -> PointsExpiryRounding:
        return PointsExpiryRounding(self.item.rounding)


@strawberry.type(description="What a programme says in one of its versions.", directives=staff(READ))
class LoyaltyProgrammeVersion:
    item: strawberry.Private[service.ProgrammeVersion]
    now: strawberry.Private[datetime]

    @strawberry.field(
        description="Give it as `expectedVersion` to change what was read; 0 is the programme of a shop that has "
        "defined none."
    )
    def version(self) -> int:
        return self.item.number

    @strawberry.field(
        description="Since when it counts, or will; null: it always has. Orders placed before keep theirs."
    )
    def effective_at(self) -> datetime | None:
        return self.item.effective_at

    @strawberry.field(description="When it was written; null for version 0.")
    def written_at(self) -> datetime | None:
        return self.item.written_at

    @strawberry.field(description="The currency in which points are earned and pay. Orders in another earn nothing.")
    def currency(self) -> CurrencyCode:
        return CurrencyCode(self.item.programme.currency)

    @strawberry.field(description="Whose days count.")
    def zone(self) -> TimeZone:
        return TimeZone(self.item.programme.zone)

    @strawberry.field(
        description="Points for a unit of the currency, and parts of it for its parts, whatever rules add. All that an "
        "order earns is rounded down once."
    )
    def points_per_unit(self) -> DecimalText:
        return DecimalText(self.item.programme.rate)

    @strawberry.field(description="Whole units of the currency that a point pays.")
    def point_value(self) -> DecimalText:
        return DecimalText(self.item.programme.point_value)

    @strawberry.field(
        description="The share of points that is never spent, from 0 to 1: what is owed for them is less by it "
        "(`POINTS_LIABILITY`)."
    )
    def breakage(self) -> DecimalText:
        return DecimalText(self.item.programme.breakage)

    @strawberry.field(description="Days after an order until its points can be spent.")
    def return_window_days(self) -> int:
        return self.item.programme.return_window_days

    @strawberry.field(description="How long points live; null: for ever.")
    def expiry(self) -> PointsExpiry | None:
        return PointsExpiry(item=self.item.programme.expiry) if self.item.programme.expiry else None

    @strawberry.field(description="What becomes of points that a refund takes back and the balance does not cover.")
    def shortfall(self) -> PointsShortfall:
        return PointsShortfall(self.item.programme.shortfall)

    @strawberry.field(description="The most points that may be owed; beyond, they are forgiven. Null: without limit.")
    def most_owed(self) -> Points | None:
        most = self.item.programme.most_owed
        return None if most is None else Points(most)

    @strawberry.field(description="Days that points live at least which are given back after they would have expired.")
    def grace_days(self) -> int:
        return self.item.programme.grace_days

    @strawberry.field(description="Days before points expire on which `points.expiring` is published; null: never.")
    def notice_days(self) -> int | None:
        return self.item.programme.notice_days

    @strawberry.field(description="How customers come to take part.")
    def enrolment(self) -> LoyaltyEnrolment:
        return LoyaltyEnrolment(self.item.programme.enrolment)

    @strawberry.field(description="Points for joining; 0: none.")
    def signup_points(self) -> Points:
        return Points(self.item.programme.bonuses.signup)

    @strawberry.field(description="Points on a birthday, once a year; 0: none.")
    def birthday_points(self) -> Points:
        return Points(self.item.programme.bonuses.birthday)

    @strawberry.field(
        description="The most that the rate and all rules together may give; what rules add is cut first."
    )
    def caps(self) -> LoyaltyCaps:
        return LoyaltyCaps(item=self.item.programme.earning.caps)

    @strawberry.field(
        description="All rules, also those that are archived, in the order they were made in.", directives=[about(10)]
    )
    def rules(self) -> list[LoyaltyRule]:
        return [LoyaltyRule(item=rule) for rule in self.item.programme.earning.rules]

    @strawberry.field(description="Its tiers, and how they are attained and lost.")
    def tiers(self) -> LoyaltyTiers:
        return LoyaltyTiers(version=self.item)

    @strawberry.field(
        description="All bonuses for events, also those that are archived, in the order they were made in.",
        directives=[about(5)],
    )
    def event_bonuses(self) -> list[LoyaltyEventBonus]:
        return [LoyaltyEventBonus(item=bonus) for bonus in self.item.programme.bonuses.events]


@strawberry.type(description="The shop's programme of points.", directives=staff(READ))
class LoyaltyProgramme:
    versions: strawberry.Private[list[service.ProgrammeVersion]]
    now: strawberry.Private[datetime]

    @strawberry.field(description="What counts now.")
    def current(self) -> LoyaltyProgrammeVersion:
        return self._shown(self.versions[-1])

    @strawberry.field(description="What was written last, whether it counts already or not: what an edit changes.")
    def newest(self) -> LoyaltyProgrammeVersion:
        return self._shown(self.versions[0])

    @strawberry.field(description="Versions that do not count yet, the next one first.", directives=[about(1)])
    def upcoming(self) -> list[LoyaltyProgrammeVersion]:
        return [self._shown(each) for each in service.upcoming_programmes(self.versions, now=self.now)]

    def _shown(self, version: service.ProgrammeVersion) -> LoyaltyProgrammeVersion:
        return LoyaltyProgrammeVersion(item=version, now=self.now)


@strawberry.input(description="How long points live.")
class PointsExpiryInput:
    months: int = strawberry.field(description="So many months, 60 at most.")
    rounding: PointsExpiryRounding = strawberry.field(
        default=PointsExpiryRounding.DAY, description="And then to the end of what."
    )
    kind: PointsExpiryKind = strawberry.field(
        default=PointsExpiryKind.EARNED, description="From when the months are counted."
    )

    def value(self) -> service.Lifetime:
        kind, rounding = service.ExpiryKind(str(self.kind.value)), service.Rounding(str(self.rounding.value))
        return service.Lifetime(self.months, rounding, kind)


@strawberry.input(description="What changes about the programme: what is left out stays.")
class LoyaltyProgrammeUpdateInput:
    currency: strawberry.Maybe[CurrencyCode] = strawberry.field(
        description="In which points are earned and pay. Those that customers have are worth as many units of it."
    )
    zone: strawberry.Maybe[TimeZone] = strawberry.field(description="Whose days count.")
    points_per_unit: strawberry.Maybe[DecimalText] = strawberry.field(
        description="Points for a unit of the currency, whatever rules add; 0: only what rules give."
    )
    point_value: strawberry.Maybe[DecimalText] = strawberry.field(description="Whole units that a point pays.")
    breakage: strawberry.Maybe[DecimalText] = strawberry.field(
        description="The share of points that is never spent, from 0 to 1, as the shop reckons it: what is owed for "
        "points is less by it, from the end of the first day on which it counts."
    )
    return_window_days: strawberry.Maybe[int] = strawberry.field(
        description="Days after an order until its points can be spent."
    )
    expiry: strawberry.Maybe[PointsExpiryInput | None] = strawberry.field(
        description="How long points live that are earned from then on; null: for ever."
    )
    shortfall: strawberry.Maybe[PointsShortfall] = strawberry.field(
        description="What becomes of points that a refund takes back and the balance does not cover."
    )
    most_owed: strawberry.Maybe[Points | None] = strawberry.field(
        description="The most points that may be owed; null: without limit."
    )
    grace_days: strawberry.Maybe[int] = strawberry.field(
        description="Days that points live at least which are given back after they would have expired."
    )
    notice_days: strawberry.Maybe[int | None] = strawberry.field(
        description="Days before points expire on which `points.expiring` is published; null: never."
    )
    enrolment: strawberry.Maybe[LoyaltyEnrolment] = strawberry.field(description="How customers come to take part.")
    signup_points: strawberry.Maybe[Points] = strawberry.field(description="Points for joining; 0: none.")
    birthday_points: strawberry.Maybe[Points] = strawberry.field(description="Points on a birthday; 0: none.")
    caps: strawberry.Maybe[LoyaltyCapsInput | None] = strawberry.field(
        description="The most that the rate and all rules together may give; what rules add is cut first."
    )
    effective_at: datetime | None = strawberry.field(default=None, description=EFFECTIVE_AT)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    def faults(self, _asker: Principal, now: datetime) -> list[Fault]:
        return service.programme_faults(self.fields(), effective_at=self.effective_at, now=now)

    def fields(self) -> service.ProgrammeFields:
        given = said(self)
        for name, kind in (("shortfall", service.Shortfall), ("enrolment", service.EnrolmentKind)):
            if name in given:
                given[name] = kind(str(given[name].value))
        if given.get("expiry"):
            given["expiry"] = given["expiry"].value()
        if "caps" in given:
            given["caps"] = caps_of(given["caps"])
        return service.ProgrammeFields(**given)


@strawberry.type
class LoyaltyProgrammeQuery:
    @strawberry.field(
        description="The shop's programme of points, in the versions that count now or will.", directives=staff(READ)
    )
    async def loyalty_programme(self, info: Info) -> LoyaltyProgramme | None:
        now = info.context.now
        versions = await stored(service.programme_versions, info.context.shop, now=now)
        return LoyaltyProgramme(versions=versions, now=now)
