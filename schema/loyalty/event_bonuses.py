# schema/loyalty/event_bonuses.py
"""For which of the shop's own events points are given, as staff define it."""

from datetime import datetime
from enum import Enum

import strawberry

from crm.kernel.errors import Fault
from crm.loyalty import service
from schema.access import signed_in, staff
from schema.connections import about
from schema.forms import said
from schema.loyalty.edits import EFFECTIVE_AT, EXPECTED
from schema.principal import Principal
from schema.scalars import Points

NAME = "What people call it: unique among the bonuses that are not archived."
EVENT = "The name that the shop gives its event (`custom.recorded`), such as `review.written`."
POINTS = "Points for each such event."
FILTERS = "What its properties must be, all of them; 10 at most."
PER_DAY = "How often at most, for the events of a day of the programme's zone; null: without limit."
PER_CUSTOMER = "How often at most, ever; null: without limit. It counts on whatever else changes about the bonus."


@strawberry.enum(description="How a property of an event is compared. One that the event does not have fulfils none.")
class LoyaltyPropertyComparison(Enum):
    IS = strawberry.enum_value("IS", description="It is that; numbers are compared as numbers, also those in quotes.")
    IS_NOT = strawberry.enum_value("IS_NOT", description="It is there, and something else.")
    AT_LEAST = strawberry.enum_value("AT_LEAST", description="It is a number, and no less.")
    AT_MOST = strawberry.enum_value("AT_MOST", description="It is a number, and no more.")
    IS_SET = strawberry.enum_value("IS_SET", description="It is there, whatever it is.")


@strawberry.type(description="What a property of an event must be.", directives=signed_in())
class LoyaltyPropertyFilter:
    item: strawberry.Private[service.PropertyFilter]

    @strawberry.field(
        description="Where it stands, such as `review.stars`; of a list it is enough that one of its elements fulfils "
        "it, or for `IS_NOT` that all do."
    )
    def property(self) -> str:
        return self.item.property

    @strawberry.field(description="How it is compared.")
    def comparison(self) -> LoyaltyPropertyComparison:
        return LoyaltyPropertyComparison(self.item.comparison)

    @strawberry.field(description="With what; null of `IS_SET`.")
    def value(self) -> str | None:
        return self.item.value


@strawberry.type(
    description="Points for an event that only this shop has a name for.", directives=staff("loyalty:read")
)
class LoyaltyEventBonus:
    item: strawberry.Private[service.EventBonus]

    @strawberry.field(description="What mutations name it by; plain, and never another bonus's.")
    def bonus_id(self) -> str:
        return self.item.id

    @strawberry.field(description="What people call it.")
    def name(self) -> str:
        return self.item.name

    @strawberry.field(description=EVENT)
    def event(self) -> str:
        return self.item.event

    @strawberry.field(description=POINTS)
    def points(self) -> Points:
        return Points(self.item.points)

    @strawberry.field(description=FILTERS, directives=[about(2)])
    def filters(self) -> list[LoyaltyPropertyFilter]:
        return [LoyaltyPropertyFilter(item=one) for one in self.item.filters]

    @strawberry.field(description=PER_DAY)
    def per_day(self) -> int | None:
        return self.item.per_day

    @strawberry.field(description=PER_CUSTOMER)
    def per_customer(self) -> int | None:
        return self.item.per_customer

    @strawberry.field(
        description="When it was archived; it gives nothing from `effectiveAt` of that version on. Null: it was not."
    )
    def archived_at(self) -> datetime | None:
        return self.item.archived_at


@strawberry.input(description="What a property of an event must be.")
class LoyaltyPropertyFilterInput:
    property: str = strawberry.field(description="Where it stands, such as `review.stars`.")
    comparison: LoyaltyPropertyComparison = strawberry.field(description="How it is compared.")
    value: str | None = strawberry.field(default=None, description="With what, as text; null of `IS_SET`.")

    def meant(self) -> service.PropertyFilter:
        return service.PropertyFilter(self.property, service.Comparison(str(self.comparison.value)), self.value)


@strawberry.input(description="A new bonus for an event of the shop's own.")
class LoyaltyEventBonusCreateInput:
    name: str = strawberry.field(description=NAME)
    event: str = strawberry.field(description=EVENT)
    points: Points = strawberry.field(description=POINTS)
    filters: list[LoyaltyPropertyFilterInput] = strawberry.field(default_factory=list, description=FILTERS)
    per_day: int | None = strawberry.field(default=None, description=PER_DAY)
    per_customer: int | None = strawberry.field(default=None, description=PER_CUSTOMER)
    effective_at: datetime | None = strawberry.field(default=None, description=EFFECTIVE_AT)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    def faults(self, _asker: Principal, now: datetime) -> list[Fault]:
        return service.bonus_faults(self.fields(), effective_at=self.effective_at, now=now)

    def fields(self) -> service.EventBonusFields:
        return service.EventBonusFields(
            self.name, self.event, self.points, _meant(self.filters), self.per_day, self.per_customer
        )


@strawberry.input(description="What changes about a bonus for an event: what is left out stays.")
class LoyaltyEventBonusUpdateInput:
    bonus_id: str = strawberry.field(description="Which bonus.")
    name: strawberry.Maybe[str] = strawberry.field(description=NAME)
    event: strawberry.Maybe[str] = strawberry.field(description=EVENT)
    points: strawberry.Maybe[Points] = strawberry.field(description=POINTS)
    filters: strawberry.Maybe[list[LoyaltyPropertyFilterInput]] = strawberry.field(description=FILTERS)
    per_day: strawberry.Maybe[int | None] = strawberry.field(description=PER_DAY)
    per_customer: strawberry.Maybe[int | None] = strawberry.field(description=PER_CUSTOMER)
    effective_at: datetime | None = strawberry.field(default=None, description=EFFECTIVE_AT)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    def faults(self, _asker: Principal, now: datetime) -> list[Fault]:
        return service.bonus_faults(self.fields(), effective_at=self.effective_at, now=now)

    def fields(self) -> service.EventBonusFields:
        given = said(self)
        if "filters" in given:
            given["filters"] = _meant(given["filters"])
        return service.EventBonusFields(**given)


@strawberry.input(description="A bonus for which nothing is to be given any more.")
class LoyaltyEventBonusArchiveInput:
    bonus_id: str = strawberry.field(description="Which bonus.")
    effective_at: datetime | None = strawberry.field(default=None, description=EFFECTIVE_AT)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    def faults(self, _asker: Principal, now: datetime) -> list[Fault]:
        return service.time_faults(self.effective_at, now)


def _meant(filters: list[LoyaltyPropertyFilterInput]) -> tuple[service.PropertyFilter, ...]:
    return tuple(each.meant() for each in filters)
