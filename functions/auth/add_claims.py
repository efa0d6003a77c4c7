# functions/auth/add_claims.py
"""Cognito, before it issues tokens (trigger version 2): both tokens say who this is to Rapport.

`shop`, `kind`, for customers `customer_id`, and `scope` as the person's groups grant it, whatever the app asked for.
`custom:shop` and `custom:customer_id` are trusted because no app client may write them (template.yaml, UserPoolClient).
"""

from typing import Any, Final

from crm.kernel.errors import InvalidInput

READING: Final = frozenset({
    "consents:read",
    "customers:read",
    "feedback:read",
    "kpis:read",
    "loyalty:read",
    "messages:read",
    "orders:read",
    "schema:read",
    "segments:read",
    "shop:read",
    "suppressions:read",
    "touchpoints:read",
})  # fmt: skip
STAFF: Final = READING | {
    "consents:write",
    "customers:write",
    "feedback:write",
    "loyalty:adjust",
    "segments:write",
    "suppressions:write",
}
OWNERS: Final = STAFF | {
    "customers:delete",
    "customers:history",
    "events:write",
    "exports:read",
    "imports:write",
    "loyalty:write",
    "shop:write",
    "suppressions:override",
}

GRANTS: Final = {"staff": STAFF, "owners": OWNERS, "services": frozenset({"events:write"})}
KINDS: Final = {"owners": "staff", "staff": "staff", "services": "service"}


def claims_of(attributes: dict[str, str], groups: list[str]) -> dict[str, str]:
    """Raises InvalidInput for an account that is not finished: a token without a shop would fail everywhere else."""
    kind = next((kind for group, kind in KINDS.items() if group in groups), "customer")
    claims = {"shop": attributes.get("custom:shop", ""), "kind": kind}
    if not claims["shop"]:
        raise InvalidInput("this account belongs to no shop", field="custom:shop")
    if kind == "customer":
        claims["customer_id"] = attributes.get("custom:customer_id", "")
        if not claims["customer_id"]:
            raise InvalidInput("this account belongs to no customer", field="custom:customer_id")
    return claims


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    request = event["request"]
    groups: list[str] = (request.get("groupConfiguration") or {}).get("groupsToOverride") or []
    claims = claims_of(request.get("userAttributes") or {}, groups)
    granted = sorted(frozenset().union(*(GRANTS.get(group, frozenset()) for group in groups)))
    asked: list[str] = request.get("scopes") or []
    ours = OWNERS | {f"rapport/{scope}" for scope in OWNERS}
    event["response"] = {
        "claimsAndScopeOverrideDetails": {
            "idTokenGeneration": {"claimsToAddOrOverride": claims | {"scope": " ".join(granted)}},
            "accessTokenGeneration": {
                "claimsToAddOrOverride": claims,
                "scopesToAdd": granted,
                "scopesToSuppress": [scope for scope in asked if scope in ours and scope not in granted],
            },
        }
    }
    return event
