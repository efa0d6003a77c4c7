# tests/unit/schema/test_access_rules.py
import strawberry

from schema.access import Access, CustomerAccess, denied, own, staff
from schema.plan import Plans
from schema.principal import SCOPES, Kind, Principal

EVERYBODY = [
    Principal(Kind.STAFF, "demo", None, SCOPES),
    Principal(Kind.SERVICE, "demo", None, SCOPES),
    Principal(Kind.CUSTOMER, "demo", "cus_1"),
]


@strawberry.type
class Query:
    forgotten: str = "no rule"
    guarded: str = strawberry.field(default="", directives=staff("orders:read"))


@strawberry.type(directives=own("orders:read"))
class Ruled:
    usual: str = ""
    special: str = strawberry.field(default="", directives=staff("customers:read"))


@strawberry.type
class RuledQuery:
    ruled: Ruled = strawberry.field(default_factory=Ruled, directives=own(None))


def test_a_field_without_a_rule_is_refused_to_everybody() -> None:
    plan = Plans(strawberry.Schema(Query)._schema).plan("{ forgotten }")
    assert plan.problems == ()
    assert all(plan.denied(principal) for principal in EVERYBODY)


def test_a_fields_own_rule_comes_before_its_types() -> None:
    plans = Plans(strawberry.Schema(RuledQuery)._schema)
    customer, orders = EVERYBODY[2], Principal(Kind.STAFF, "demo", None, frozenset({"orders:read"}))
    assert plans.plan("{ ruled { usual } }").denied(customer) == ()
    assert plans.plan("{ ruled { special } }").denied(customer)
    (refusal,) = plans.plan("{ ruled { usual special } }").denied(orders)
    assert refusal.message == "Ruled.special needs the scope customers:read."


def test_a_service_needs_to_be_named_and_to_hold_the_scope() -> None:
    service = Principal(Kind.SERVICE, "demo", None, frozenset({"events:write"}))
    named = Access(scope="events:write", customer=CustomerAccess.NONE, service=True)
    assert denied("Mutation.eventsIngest", named, service) is None
    assert denied("Mutation.eventsIngest", Access(scope="events:write"), service) is not None
    assert denied("Mutation.eventsIngest", named, Principal(Kind.SERVICE, "demo")) is not None
