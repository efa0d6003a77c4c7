# tests/integration/test_graphql_loyalty_names.py
"""Rules and rewards ask for segments and tiers that there are, and what is asked for is not given up unnoticed."""

from typing import Any

import pytest

from schema.node import global_id
from schema.principal import Principal
from tests.asking import NOW, STAFF, as_staff, ask
from tests.integration.points import tier
from tests.segments import define

pytestmark = pytest.mark.usefixtures("outlets", "shop")

ERRORS = """userErrors { __typename code field
  ... on UnknownNameError { nearest nearestName }
  ... on TierNamedError { rules rewards names }
  ... on SegmentNamedError { segments rules rewards } }"""
RULE: dict[str, Any] = {"name": "Double", "kind": "MULTIPLIER", "value": "2"}
REWARD: dict[str, Any] = {"name": "A mug", "kind": "CUSTOM", "price": 50}


def said(mutation: str, selection: str = "__typename", *, principal: Principal = STAFF, **given: Any) -> Any:
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    text = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {selection} {ERRORS} }} }}"
    return ask(text, {"input": given}, principal=principal, now=NOW)[mutation]


def refused(mutation: str, *, principal: Principal = STAFF, **given: Any) -> list[dict[str, Any]]:
    return list(said(mutation, principal=principal, **given)["userErrors"])


def unknown(*path: str, nearest: str | None = None, name: str | None = None) -> dict[str, Any]:
    """The refusal of a name of which there is nothing."""
    return {
        "__typename": "UnknownNameError", "code": "UNKNOWN", "field": ["input", *path], "nearest": nearest,
        "nearestName": name,
    }  # fmt: skip


@pytest.fixture
def silver() -> str:
    return global_id("LoyaltyTier", tier(NOW, "Silver", 50))


@pytest.fixture
def gold() -> str:
    return global_id("LoyaltyTier", tier(NOW))


@pytest.fixture
def regulars() -> str:
    return global_id("Segment", define("Regulars", "number_of_orders >= 3", now=NOW).segment_id)


def test_a_rule_that_asks_for_what_there_is_not_is_refused_with_what_was_probably_meant(
    gold: str, regulars: str
) -> None:
    foreign = global_id("LoyaltyTier", "tier_of_another_shop")
    wrong = refused(
        "loyaltyRuleCreate", **RULE, conditions={"tiers": [gold, "golden", foreign], "segments": ["regulars", regulars]}
    )
    assert wrong == [
        unknown("conditions", "tiers", "1", nearest=gold, name="Gold"),
        unknown("conditions", "tiers", "2"),
        unknown("conditions", "segments", "0", nearest=regulars, name="Regulars"),
    ]
    conditions = {"tiers": [gold], "segments": [regulars]}
    made = said("loyaltyRuleCreate", "rule { ruleId conditions { tiers segments } }", **RULE, conditions=conditions)
    assert made["rule"]["conditions"] == conditions
    changed = refused("loyaltyRuleUpdate", ruleId=made["rule"]["ruleId"], conditions={"segments": [gold]})
    assert changed == [unknown("conditions", "segments", "0")]
    assert refused("loyaltyRuleUpdate", ruleId=made["rule"]["ruleId"], name="Twice") == []


def test_a_reward_that_asks_for_what_there_is_not_is_refused_with_what_was_probably_meant(
    silver: str, gold: str, regulars: str
) -> None:
    wrong = refused("loyaltyRewardCreate", **REWARD, tiers=["Gold", gold, gold, "x"], segments=["Regular"])
    assert wrong == [
        unknown("tiers", "0", nearest=gold, name="Gold"),
        unknown("tiers", "3"),
        unknown("segments", "0", nearest=regulars, name="Regulars"),
    ]
    made = said("loyaltyRewardCreate", "reward { id tiers segments }", **REWARD, tiers=[gold], segments=[regulars])
    assert (made["reward"]["tiers"], made["reward"]["segments"]) == ([gold], [regulars])
    assert refused("loyaltyRewardUpdate", id=made["reward"]["id"], tiers=["silber"]) == [
        unknown("tiers", "0", nearest=silver, name="Silver")
    ]


def test_segments_are_not_told_to_those_who_may_not_read_them(regulars: str) -> None:
    owner = as_staff("loyalty:write", "loyalty:read")
    wrong = refused("loyaltyRuleCreate", principal=owner, **RULE, conditions={"segments": ["regulars"]})
    assert wrong == [unknown("conditions", "segments", "0")]
    assert refused("loyaltyRuleCreate", principal=owner, **RULE, conditions={"segments": [regulars]}) == []


def test_a_tier_that_rules_or_rewards_ask_for_is_not_archived_and_they_are_told(gold: str) -> None:
    rule = said("loyaltyRuleCreate", "rule { ruleId }", **RULE, conditions={"tiers": [gold]})["rule"]["ruleId"]
    mug = said("loyaltyRewardCreate", "reward { id }", **REWARD, tiers=[gold])["reward"]["id"]
    named = {"__typename": "TierNamedError", "code": "TIER_NAMED", "field": ["input", "id"]}
    assert refused("loyaltyTierArchive", id=gold) == [
        named | {"rules": ["Double"], "rewards": [mug], "names": ["A mug"]}
    ]
    assert refused("loyaltyRuleUpdate", ruleId=rule, conditions=None) == []
    assert refused("loyaltyTierArchive", id=gold) == [named | {"rules": [], "rewards": [mug], "names": ["A mug"]}]
    assert refused("loyaltyRewardArchive", id=mug) == []
    for _ in range(2):
        assert refused("loyaltyTierArchive", id=gold) == []
    [archived] = refused("loyaltyRuleCreate", **RULE | {"name": "Late"}, conditions={"tiers": [gold]})
    assert archived["code"] == "ARCHIVED"


def test_a_segment_that_rules_or_rewards_ask_for_is_not_deleted_and_they_are_told(regulars: str) -> None:
    conditions = {"segments": [regulars]}
    rule = said("loyaltyRuleCreate", "rule { ruleId }", **RULE, conditions=conditions)["rule"]["ruleId"]
    mug = said("loyaltyRewardCreate", "reward { id }", **REWARD, segments=[regulars])["reward"]["id"]
    named = {"__typename": "SegmentNamedError", "code": "SEGMENT_NAMED", "field": ["input", "id"], "segments": []}
    assert refused("segmentDelete", id=regulars) == [named | {"rules": ["Double"], "rewards": [mug]}]
    untold = refused("segmentDelete", principal=as_staff("segments:write"), id=regulars)
    assert untold == [named | {"rules": [], "rewards": []}]
    assert refused("loyaltyRuleArchive", ruleId=rule) == []
    assert refused("loyaltyRewardUpdate", id=mug, segments=[]) == []
    assert refused("segmentDelete", id=regulars) == []
