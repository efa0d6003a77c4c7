# tests/integration/test_graphql_programme_preview.py
"""What a changed programme would give, before anybody saves it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm.loyalty import service
from schema.node import global_id
from tests.asking import NOW, STAFF, answer, as_customer, ask, codes
from tests.integration.points import ANN, order, tier
from tests.integration.rewards import founded

pytestmark = pytest.mark.usefixtures("shop")

LATER = NOW + timedelta(minutes=2)
OUTCOME = """programme { version pointsPerUnit } earned { points rules { ruleId name points } }
  tier { name } attainedTier { name } reached { points }"""
PREVIEW = f"""query ($changes: [LoyaltyProgrammeChangeInput!]!, $order: LoyaltyEarnPreviewInput!, $customer: ID) {{
    loyaltyProgrammePreview(changes: $changes, order: $order, customer: $customer) {{
        before {{ {OUTCOME} }} after {{ {OUTCOME} }} }} }}"""
SHOES = {"sku": "s1", "quantity": 2, "unitPrice": "50.00", "category": "shoes"}
CART = {"currencyCode": "EUR", "lines": [SHOES]}
DOUBLE = {"name": "Double", "kind": "MULTIPLIER", "value": "2"}


def previewed(*changes: dict[str, Any], customer: str | None = None, now: datetime = LATER) -> Any:
    variables = {"changes": list(changes), "order": CART, "customer": customer}
    return ask(PREVIEW, variables, now=now)["loyaltyProgrammePreview"]


def points(found: Any) -> tuple[int, int]:
    return found["before"]["earned"]["points"], found["after"]["earned"]["points"]


def refused(*changes: dict[str, Any]) -> str:
    given = answer(PREVIEW, {"changes": list(changes), "order": CART}, now=LATER)
    assert codes(given) == ["INVALID_INPUT"]
    return str(given.body["errors"][0]["message"])


def test_a_rule_is_tried_on_an_order_and_nothing_is_saved() -> None:
    found = previewed({"ruleCreate": DOUBLE | {"conditions": {"categories": ["shoes"]}, "budget": 1_000}})
    assert found["before"] == {
        "programme": {"version": 0, "pointsPerUnit": "1"},
        "earned": {"points": 100, "rules": [{"ruleId": None, "name": None, "points": 100}]},
        "tier": None, "attainedTier": None, "reached": None,
    }  # fmt: skip
    assert found["after"]["earned"] == {
        "points": 200,
        "rules": [
            {"ruleId": None, "name": None, "points": 100}, {"ruleId": "changes.0", "name": "Double", "points": 100},
        ],
    }  # fmt: skip
    assert service.newest_programme("demo", now=LATER).number == 0


def test_changes_follow_one_another_and_those_of_a_rule_that_there_is_count_too() -> None:
    fixed = service.RuleFields("Welcome", Decimal(50))
    rule = service.create_rule("demo", service.RuleKind.FIXED, fixed, actor=STAFF.actor, now=NOW).part.id
    assert points(previewed({"ruleUpdate": {"ruleId": rule, "value": "70"}})) == (150, 170)
    assert points(previewed({"ruleArchive": {"ruleId": rule}})) == (150, 100)
    both = {"programmeUpdate": {"pointsPerUnit": "3", "effectiveAt": "2026-05-01T00:00:00Z"}}, {"ruleCreate": DOUBLE}
    assert points(previewed(*both)) == (150, 650)
    assert previewed(*both)["after"]["programme"] == {"version": 2, "pointsPerUnit": "3"}


def test_all_that_would_be_refused_is_told_each_at_its_change() -> None:
    form = refused({"programmeUpdate": {"graceDays": 999}}, {"ruleCreate": DOUBLE | {"value": "1"}})
    for path in ("changes.0.programmeUpdate.graceDays", "changes.1.ruleCreate.value"):
        assert path in form
    gold = global_id("LoyaltyTier", tier(NOW))
    stored = refused(
        {"ruleUpdate": {"ruleId": "rul_none", "name": "Other"}},
        {"ruleCreate": DOUBLE | {"conditions": {"tiers": [gold, "silver"]}}},
        {"ruleCreate": {"name": "Golden", "kind": "FIXED", "value": "5", "conditions": {"tiers": [gold]}}},
        {"tierArchive": {"id": gold}},
        {"eventBonusArchive": {"bonusId": "ebn_none"}},
    )
    for path in (
        "changes.0.ruleUpdate.ruleId", "changes.1.ruleCreate.conditions.tiers.1", "changes.3.tierArchive.id",
        "changes.4.eventBonusArchive.bonusId",
    ):  # fmt: skip
        assert path in stored
    assert "changes.2" not in stored
    assert "changes: " in refused(*[{"programmeUpdate": {"graceDays": 1}}] * 21)


def test_whoever_has_a_tier_keeps_it_by_other_thresholds_and_others_would_attain_it() -> None:
    founded()
    gold = global_id("LoyaltyTier", tier(NOW, threshold=80))
    ann = global_id("Customer", ANN)
    assert previewed({"programmeUpdate": {}}, customer=ann)["after"]["reached"] is None
    service.post_for_order(order(LATER, net=10_000), now=LATER)
    tomorrow = LATER + timedelta(days=1)
    harder = previewed({"tierUpdate": {"id": gold, "threshold": "500"}}, customer=ann, now=tomorrow)
    both = {"tier": {"name": "Gold"}, "attainedTier": {"name": "Gold"}, "reached": {"points": 100}}
    assert {name: harder["before"][name] for name in both} == both
    assert {name: harder["after"][name] for name in both} == both | {"attainedTier": None}
    silver = {"tierCreate": {"name": "Silver", "threshold": "20"}}, {"tierArchive": {"id": gold}}
    assert previewed(*silver, customer=ann, now=tomorrow)["after"]["attainedTier"] == {"name": "Silver"}


def test_a_rule_for_a_tier_that_is_only_tried_counts_for_those_who_would_have_it() -> None:
    founded()
    service.post_for_order(order(NOW, net=10_000), now=NOW)
    ann = global_id("Customer", ANN)
    first = {"tierCreate": {"name": "Gold", "threshold": "80"}}
    extra = {"ruleCreate": DOUBLE | {"conditions": {"tiers": ["changes.0"]}}}
    found = previewed(first, extra, customer=ann)
    assert (found["before"]["tier"], found["after"]["tier"]) == (None, {"name": "Gold"})
    assert points(found) == (100, 200)
    assert points(previewed(first, extra)) == (100, 100)


def test_nobody_is_tried_on_who_is_not_there_and_by_nobody_who_may_not_see_the_programme() -> None:
    assert previewed({"programmeUpdate": {}}, customer=global_id("Customer", "cus_none")) is None
    given = answer(PREVIEW, {"changes": [], "order": CART}, principal=as_customer(ANN))
    assert codes(given) == ["FORBIDDEN"]
