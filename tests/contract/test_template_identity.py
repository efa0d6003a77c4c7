# tests/contract/test_template_identity.py
"""Who a token says somebody is, nobody can write themselves."""

from functions.auth.add_claims import GRANTS
from schema.principal import SCOPES
from tests.contract.stack import name_in, of_type, resources

(POOL,) = of_type("AWS::Cognito::UserPool").values()
(CLIENT,) = of_type("AWS::Cognito::UserPoolClient").values()


def test_both_tokens_pass_through_the_claims_function() -> None:
    trigger = POOL["LambdaConfig"]["PreTokenGenerationConfig"]
    assert name_in(trigger["LambdaArn"]) == "AddClaimsFunction"
    assert trigger["LambdaVersion"] == "V2_0"
    # Below this tier Cognito calls the trigger for id tokens only.
    assert POOL["UserPoolTier"] in {"ESSENTIALS", "PLUS"}


def test_nobody_can_write_their_own_shop_or_customer() -> None:
    own = {f"custom:{attribute['Name']}" for attribute in POOL["Schema"]}
    assert own == {"custom:shop", "custom:customer_id"}
    assert own.isdisjoint(CLIENT["WriteAttributes"])
    assert POOL["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True


def test_an_app_cannot_ask_for_a_scope_that_groups_grant() -> None:
    assert set(CLIENT["AllowedOAuthScopes"]) == {"openid", "email"}
    assert CLIENT["AllowedOAuthFlows"] == ["code"]
    assert CLIENT["GenerateSecret"] is False


def test_declared_scopes_and_groups_are_those_the_code_knows() -> None:
    (server,) = of_type("AWS::Cognito::UserPoolResourceServer").values()
    assert {scope["ScopeName"] for scope in server["Scopes"]} == SCOPES
    assert {group["GroupName"] for group in of_type("AWS::Cognito::UserPoolGroup").values()} == set(GRANTS)


def test_the_gateway_trusts_this_pool_and_this_client() -> None:
    variables = of_type("AWS::Lambda::Function")["GatewayFunction"]["Environment"]["Variables"]
    pool = "https://cognito-idp.${AWS::Region}.amazonaws.com/${UserPool}"
    assert variables["JWT_ISSUER"] == {"Fn::Sub": pool}
    assert variables["JWT_JWKS"] == {"Fn::Sub": f"{pool}/.well-known/jwks.json"}
    assert name_in(variables["JWT_AUDIENCE"]) == "UserPoolClient"


def test_people_outlive_the_stack() -> None:
    assert resources()["UserPool"]["DeletionPolicy"] == "Retain"
