# infra/local/tokens.py
"""Tokens of the local issuer, asked of the local gateway: it has the key, and nothing else makes them."""

import json
import urllib.request
from typing import Any, Literal

Kind = Literal["customer", "staff", "service"]


def token(gateway: str, kind: Kind, shop: str, *, customer_id: str | None = None) -> str:
    """Return a token that is good for half a day."""
    asked = {"kind": kind, "shop": shop} | ({"customerId": customer_id} if customer_id else {})
    return str(_post(f"{gateway}/_local/token", asked)["token"])


def any_customer(gateway: str, staff_token: str) -> str | None:
    """Return the id of some customer, if there is one to make a token for."""
    answer = _post(f"{gateway}/graphql", {"query": "{ customers(first: 1) { nodes { customerId } } }"}, staff_token)
    customers = (answer.get("data") or {}).get("customers") or {"nodes": []}
    return next((str(node["customerId"]) for node in customers["nodes"]), None)


def _post(url: str, body: dict[str, Any], bearer: str | None = None) -> Any:
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {bearer}"} if bearer else {})
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310  the local gateway's address
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.loads(answer.read())
