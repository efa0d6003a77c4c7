# tests/unit/functions/test_add_claims.py
import json
from pathlib import Path
from typing import Any

import pytest

from crm.kernel.errors import InvalidInput
from functions.auth.add_claims import GRANTS, KINDS, OWNERS, handler
from schema.principal import SCOPES, Kind

RECORDED = Path(__file__).parents[2] / "events" / "cognito_pre_token_v2.json"


def tokens(*, groups: tuple[str, ...] = (), asked: tuple[str, ...] = ("openid",), **attributes: str | None) -> Any:
    """The two tokens' claims for the recorded sign-in with these groups, requested scopes and attributes."""
    event = json.loads(RECORDED.read_text())
    event["request"]["groupConfiguration"]["groupsToOverride"] = list(groups)
    event["request"]["scopes"] = list(asked)
    for name, value in attributes.items():
        if value is None:
            del event["request"]["userAttributes"][f"custom:{name}"]
        else:
            event["request"]["userAttributes"][f"custom:{name}"] = value
    return handler(event, None)["response"]["claimsAndScopeOverrideDetails"]


def test_both_tokens_of_a_customer_say_which_customer_of_which_shop_and_grant_nothing_else() -> None:
    claims = {"shop": "demo", "kind": "customer", "customer_id": "cus_01JD9Z2V7W8X9Y0Z1A2B3C4D5E"}
    answer = tokens()
    assert answer["accessTokenGeneration"] == {
        "claimsToAddOrOverride": claims,
        "scopesToAdd": [],
        "scopesToSuppress": [],
    }
    assert answer["idTokenGeneration"] == {"claimsToAddOrOverride": claims | {"scope": ""}}


def test_staff_get_the_scopes_of_their_groups_in_both_tokens_and_are_no_customer() -> None:
    answer = tokens(groups=("staff",))
    granted = answer["accessTokenGeneration"]["scopesToAdd"]
    assert answer["accessTokenGeneration"]["claimsToAddOrOverride"] == {"shop": "demo", "kind": "staff"}
    assert "customers:write" in granted
    assert "shop:write" not in granted
    assert answer["idTokenGeneration"]["claimsToAddOrOverride"]["scope"] == " ".join(granted)


def test_only_owners_may_change_the_shop() -> None:
    assert {group for group, scopes in GRANTS.items() if "shop:write" in scopes} == {"owners"}


def test_a_service_may_send_events_and_nothing_else() -> None:
    answer = tokens(groups=("services",))["accessTokenGeneration"]
    assert answer["claimsToAddOrOverride"]["kind"] == "service"
    assert answer["scopesToAdd"] == ["events:write"]


@pytest.mark.parametrize("scope", ["customers:read", "rapport/customers:read"])
def test_a_customer_who_asks_for_a_staff_scope_does_not_get_it(scope: str) -> None:
    answer = tokens(asked=("openid", scope))["accessTokenGeneration"]
    assert answer["scopesToSuppress"] == [scope]
    assert answer["scopesToAdd"] == []


def test_a_group_nobody_knows_makes_nobody_staff() -> None:
    answer = tokens(groups=("eu-west-1_EXAMPLE_Google",))["accessTokenGeneration"]
    assert answer["claimsToAddOrOverride"]["kind"] == "customer"
    assert answer["scopesToAdd"] == []


def test_an_account_without_a_shop_cannot_sign_in() -> None:
    with pytest.raises(InvalidInput, match="no shop"):
        tokens(shop=None)


def test_an_account_that_is_neither_staff_nor_a_known_customer_cannot_sign_in() -> None:
    with pytest.raises(InvalidInput, match="no customer"):
        tokens(customer_id=None)


def test_scopes_and_kinds_are_those_the_gateway_checks() -> None:
    assert OWNERS == SCOPES
    assert {*KINDS.values(), "customer"} == {str(kind) for kind in Kind} - {"visitor"}  # whom the gateway itself knows
    assert set(GRANTS) == set(KINDS)
