# schema/loyalty/rules.py
"""By which rules orders earn points, as staff define them."""

from datetime import date, datetime
from enum import Enum

import strawberry

from crm.kernel.errors import Fault
from crm.kernel.said import UNSAID
from crm.loyalty import service
from schema.access import signed_in, staff
from schema.connections import about, priced
from schema.context import Info
from schema.forms import said
from schema.loyalty.budgets import LoyaltyBudgetUse, budget_use
from schema.loyalty.edits import EFFECTIVE_AT, EXPECTED
from schema.loyalty.names import keys
from schema.node import global_id
from schema.principal import Principal
from schema.scalars import DecimalText, Points


@strawberry.enum(description="What the value of a rule is.")
class LoyaltyRuleKind(Enum):
    PER_UNIT = strawberry.enum_value(
        "PER_UNIT",
        description="Points for a unit of the programme's currency, and parts of it for its parts, of the lines it "
        "covers.",
    )
    PER_ITEM = strawberry.enum_value("PER_ITEM", description="Points for each unit of goods of the lines it covers.")
    MULTIPLIER = strawberry.enum_value(
        "MULTIPLIER",
        description="So many times what `pointsPerUnit` and the rules by unit and item give for the lines it covers; "
        "of several the highest counts, line by line. What its caps and budget keep back the next gives, up to its own "
        "factor.",
    )
    FIXED = strawberry.enum_value("FIXED", description="Points for an order, while something that it covers is kept.")


@strawberry.type(description="The most points that may be given.", directives=signed_in())
class LoyaltyCaps:
    item: strawberry.Private[service.Caps]

    @strawberry.field(description="For an order.")
    def per_order(self) -> Points | None:
        return _points(self.item.per_order)

    @strawberry.field(description="To a customer, for the orders of a day of the programme's zone.")
    def per_day(self) -> Points | None:
        return _points(self.item.per_day)

    @strawberry.field(description="To a customer, ever.")
    def per_customer(self) -> Points | None:
        return _points(self.item.per_customer)


@strawberry.type(
    description="When a rule gives something: all that is said must hold, of each list one.", directives=signed_in()
)
class LoyaltyRuleConditions:
    item: strawberry.Private[service.Conditions]

    @strawberry.field(description="It covers lines of one of these categories.", directives=[about(2)])
    def categories(self) -> list[str]:
        return list(self.item.categories)

    @strawberry.field(description="It covers lines of one of these articles.", directives=[about(2)])
    def skus(self) -> list[str]:
        return list(self.item.skus)

    @strawberry.field(description="It covers lines with one of these tags.", directives=[about(2)])
    def tags(self) -> list[str]:
        return list(self.item.tags)

    @strawberry.field(
        description="The `id`s of segments: the customer was in one an instant before the order.", directives=[about(2)]
    )
    def segments(self) -> list[strawberry.ID]:
        return [global_id("Segment", each) for each in self.item.segments]

    @strawberry.field(description="The `id`s of tiers: the customer had one.", directives=[about(2)])
    def tiers(self) -> list[strawberry.ID]:
        return [global_id("LoyaltyTier", each) for each in self.item.tiers]

    @strawberry.field(description="It was ordered by one of these channels.", directives=[about(2)])
    def channels(self) -> list[str]:
        return list(self.item.channels)

    @strawberry.field(description="It was placed on one of these days of the week: 1 is Monday.", directives=[about(2)])
    def weekdays(self) -> list[int]:
        return list(self.item.weekdays)

    @strawberry.field(description="It was placed on this day or later; days are those of the programme's zone.")
    def from_on(self) -> date | None:
        return self.item.from_on

    @strawberry.field(description="It was placed on this day or before.")
    def until_on(self) -> date | None:
        return self.item.until_on

    @strawberry.field(description="It is the customer's first order.")
    def first_order(self) -> bool:
        return self.item.first_order

    @strawberry.field(description="What is kept of the lines it covers is worth so much, in the programme's currency.")
    def minimum(self) -> DecimalText | None:
        return None if self.item.minimum is None else DecimalText(self.item.minimum)


@strawberry.type(description="A rule by which orders earn points.", directives=staff("loyalty:read"))
class LoyaltyRule:
    item: strawberry.Private[service.Rule]

    @strawberry.field(description="What mutations name it by; plain, and never another rule's.")
    def rule_id(self) -> str:
        return self.item.id

    @strawberry.field(description="What people call it.")
    def name(self) -> str:
        return self.item.name

    @strawberry.field(description="What its value is; it never changes.")
    def kind(self) -> LoyaltyRuleKind:
        return LoyaltyRuleKind(self.item.kind)

    @strawberry.field(description="How many points, or how many times as many.")
    def value(self) -> DecimalText:
        return DecimalText(self.item.value)

    @strawberry.field(description="When it gives something.")
    def conditions(self) -> LoyaltyRuleConditions:
        return LoyaltyRuleConditions(item=self.item.conditions)

    @strawberry.field(description="The most that it may give.")
    def caps(self) -> LoyaltyCaps:
        return LoyaltyCaps(item=self.item.caps)

    @strawberry.field(description="Points that it may give in all, to all customers; null: there is no end.")
    def budget(self) -> Points | None:
        return _points(self.item.budget)

    @strawberry.field(
        description="How much of its budget is given and left now; null: it has none.",
        directives=[priced(service.BUDGET_SHARES)],
    )
    async def budget_use(self, info: Info) -> LoyaltyBudgetUse | None:
        return await budget_use(info.context, self.item)

    @strawberry.field(
        description="When it was archived; it gives nothing from `effectiveAt` of that version on. Null: it was not."
    )
    def archived_at(self) -> datetime | None:
        return self.item.archived_at


@strawberry.input(description="The most points that may be given; what is left out is without limit.")
class LoyaltyCapsInput:
    per_order: Points | None = strawberry.field(default=None, description="For an order.")
    per_day: Points | None = strawberry.field(
        default=None, description="To a customer, for the orders of a day of the programme's zone."
    )
    per_customer: Points | None = strawberry.field(default=None, description="To a customer, ever.")

    def value(self) -> service.Caps:
        return service.Caps(self.per_order, self.per_day, self.per_customer)


def caps_of(given: LoyaltyCapsInput | None) -> service.Caps:
    """Null is no limit at all."""
    return given.value() if given else service.Caps()


@strawberry.input(description="When a rule gives something; what is left out is not asked.")
class LoyaltyRuleConditionsInput:
    categories: list[str] = strawberry.field(default_factory=list, description="Lines of one of these categories.")
    skus: list[str] = strawberry.field(default_factory=list, description="Lines of one of these articles.")
    tags: list[str] = strawberry.field(default_factory=list, description="Lines with one of these tags.")
    segments: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Customers who were in one of these segments, by `id`."
    )
    tiers: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Customers who had one of these tiers, by `id`."
    )
    channels: list[str] = strawberry.field(default_factory=list, description="Orders by one of these channels.")
    weekdays: list[int] = strawberry.field(
        default_factory=list, description="Orders of these days of the week: 1 is Monday."
    )
    from_on: date | None = strawberry.field(default=None, description="Orders of this day or later.")
    until_on: date | None = strawberry.field(default=None, description="Orders of this day or before.")
    first_order: bool = strawberry.field(default=False, description="First orders only.")
    minimum: DecimalText | None = strawberry.field(
        default=None, description="Orders of which so much is kept, in the programme's currency, of the lines covered."
    )

    def value(self) -> service.Conditions:
        return service.Conditions(
            categories=tuple(self.categories), skus=tuple(self.skus), tags=tuple(self.tags),
            segments=keys("Segment", self.segments), tiers=keys("LoyaltyTier", self.tiers),
            channels=tuple(self.channels), weekdays=tuple(self.weekdays), from_on=self.from_on, until_on=self.until_on,
            first_order=self.first_order, minimum=self.minimum,
        )  # fmt: skip


@strawberry.input(description="A new rule.")
class LoyaltyRuleCreateInput:
    name: str = strawberry.field(description="What people call it: unique among the rules that are not archived.")
    kind: LoyaltyRuleKind = strawberry.field(description="What its value is; it never changes.")
    value: DecimalText = strawberry.field(description="How many points, or how many times as many.")
    conditions: LoyaltyRuleConditionsInput | None = strawberry.field(
        default=None, description="When it gives something; null: always, for all lines."
    )
    caps: LoyaltyCapsInput | None = strawberry.field(default=None, description="The most that it may give.")
    budget: Points | None = strawberry.field(
        default=None, description="Points that it may give in all, to all customers. It is never overspent."
    )
    effective_at: datetime | None = strawberry.field(default=None, description=EFFECTIVE_AT)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    @property
    def rule_kind(self) -> service.RuleKind:
        return service.RuleKind(str(self.kind.value))

    def faults(self, _asker: Principal, now: datetime) -> list[Fault]:
        return service.rule_faults(self.fields(), self.rule_kind, effective_at=self.effective_at, now=now)

    def fields(self) -> service.RuleFields:
        return service.RuleFields(
            self.name,
            self.value,
            self.conditions.value() if self.conditions else service.Conditions(),
            caps_of(self.caps),
            self.budget,
        )


@strawberry.input(description="What changes about a rule: what is left out stays.")
class LoyaltyRuleUpdateInput:
    rule_id: str = strawberry.field(description="Which rule.")
    name: strawberry.Maybe[str] = strawberry.field(description="What people call it.")
    value: strawberry.Maybe[DecimalText] = strawberry.field(description="How many points, or how many times as many.")
    conditions: strawberry.Maybe[LoyaltyRuleConditionsInput | None] = strawberry.field(
        description="All of when it gives something; null: always, for all lines."
    )
    caps: strawberry.Maybe[LoyaltyCapsInput | None] = strawberry.field(description="The most that it may give.")
    budget: strawberry.Maybe[Points | None] = strawberry.field(
        description="Points that it may give in all. It lies in eighths: lowered, it takes none back, and an eighth "
        "that has given less than one of the new budget still gives the rest (`budgetUse.left`)."
    )
    effective_at: datetime | None = strawberry.field(default=None, description=EFFECTIVE_AT)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    def faults(self, _asker: Principal, now: datetime) -> list[Fault]:
        return service.rule_faults(self.fields(), None, effective_at=self.effective_at, now=now)

    def fields(self) -> service.RuleFields:
        given = said(self)
        if "conditions" in given:
            given["conditions"] = given["conditions"].value() if given["conditions"] else service.Conditions()
        if "caps" in given:
            given["caps"] = caps_of(given["caps"])
        return service.RuleFields(**given)


@strawberry.input(description="A rule that is to give nothing any more.")
class LoyaltyRuleArchiveInput:
    rule_id: str = strawberry.field(description="Which rule.")
    effective_at: datetime | None = strawberry.field(default=None, description=EFFECTIVE_AT)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)

    def faults(self, _asker: Principal, now: datetime) -> list[Fault]:
        return service.time_faults(self.effective_at, now)


def asked_for(fields: service.RuleFields) -> tuple[str, ...]:
    """The segments that a rule is said to ask for."""
    return () if fields.conditions is UNSAID else fields.conditions.segments


def _points(points: int | None) -> Points | None:
    return None if points is None else Points(points)
