# tests/e2e/telling.py
"""What a shop can tell of somebody, and the segment that each kind of it alone can bring them into."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from tests.e2e.effects import PATIENCE, Buyer, rests
from tests.local_system import ROOT, LocalSystem, eventually

DEFINE_SIZE: Final = """mutation { attributeDefine(input: {key: "size", name: "Size", type: NUMBER}) {
  userErrors { code } } }"""
COLOURS: Final = """mutation($choices: [AttributeChoiceInput!]!) { attributeDefine(
  input: {key: "colour", name: "Colour", type: CHOICE, choices: $choices}) { userErrors { code } } }"""
UPDATE_ZONE: Final = "mutation($zone: TimeZone!) { shopUpdate(input: {zone: $zone}) { userErrors { code } } }"
GOLD: Final = """mutation($since: DateTime!) { loyaltyTierCreate(
  input: {name: "Gold", threshold: "100000", effectiveAt: $since}) { userErrors { code field message } } }"""
TIERS: Final = """query($value: String!) { loyaltyTiers { tiers { id } }
  customerByIdentifier(identifier: {external: {source: "e2e", value: $value}}) { id } }"""
GIVE: Final = """mutation($customer: ID!, $tier: ID!, $until: DateTime!) { loyaltyTierOverride(
  input: {customer: $customer, tier: $tier, until: $until, reason: "A guest"}) { userErrors { code } } }"""
JOIN: Final = "mutation($customer: ID!) { loyaltyEnroll(input: {customer: $customer}) { userErrors { code } } }"
HISTORY: Final = """query($value: String!) {
  customerByIdentifier(identifier: {external: {source: "e2e", value: $value}}) { timeline(first: 50) { nodes {
    __typename ... on SegmentEntered { at cause segment { name } } ... on SegmentLeft { at cause segment { name } }
  } } } }"""


@dataclass(frozen=True)
class Telling:
    """`kind` of item says it in the stream, `detail_type` on the bus; `query` is true once it is told. What follows
    from another telling has no event of its own.
    """

    detail_type: str
    kind: str
    segment: str
    query: str
    told: Callable[[Buyer], Mapping[str, Any]] | None


def _wears(buyer: Buyer, size: int) -> dict[str, Any]:
    return {"externalId": buyer.name, "attributes": {"size": size}}


TELLINGS: Final = (
    Telling(
        "attributes.recorded", "CustomerAttributes", "Large sizes", "attributes.size > 40",
        lambda buyer: buyer.event("customer.updated", {}, customer=_wears(buyer, 44)),
    ),
    Telling("consent.recorded", "ConsentHead", "Readers", "email_subscription_status = 'SUBSCRIBED'", Buyer.says_yes),
    Telling(
        "touchpoint.recorded", "Touchpoint", "Lookers", "event('product.viewed', properties.sku: 'MUG')",
        lambda buyer: buyer.event("product.viewed", {"sku": "MUG"}),
    ),
    Telling(
        "acquisition.recorded", "Acquisition", "From the paper", "utm_source = 'paper'",
        lambda buyer: buyer.event("visit.started", {"utm": {"source": "paper"}}),
    ),
    Telling(
        "order.recorded", "Order", "Buyers", "number_of_orders > 0", lambda buyer: buyer.order(f"{buyer.name}-1"),
    ),
    Telling("points.posted", "LedgerEntry", "Collectors", "loyalty_points > 0", None),
    Telling(
        "feedback.recorded", "FeedbackResponse", "Promoters", "nps_score >= 9",
        lambda buyer: buyer.event("feedback.received", {"score": 10}),
    ),
)  # fmt: skip
MORE: Final = {
    "Reds": "attributes.colour = 'red'", "Golden": "loyalty_tier = 'Gold'", "Members": "loyalty_member_since <= today",
}  # fmt: skip
RECORDED: Final = Telling(
    "customer.recorded", "Customer", "Newcomers", "customer_added_date = today",
    lambda buyer: buyer.event("customer.updated", {}),
)  # fmt: skip
"""Comes first: whoever is new is looked at for every segment."""


def found(system: LocalSystem, shop: str) -> None:
    """A shop with the segments of all tellings."""
    system.found_shop(shop)
    assert system.ask(DEFINE_SIZE, shop=shop)["attributeDefine"]["userErrors"] == []
    has_colours(system, shop, "red")
    define(system, shop, {each.segment: each.query for each in (RECORDED, *TELLINGS)})
    define(system, shop, MORE)
    since = datetime.now(UTC) - timedelta(days=1)
    assert system.ask(GOLD, shop=shop, since=since.isoformat())["loyaltyTierCreate"]["userErrors"] == []


def define(system: LocalSystem, shop: str, queries: Mapping[str, str]) -> None:
    said = [text for name, query in queries.items() for text in ("--segment", name, query)]
    command = [sys.executable, "-m", "infra.segments", "define", "--shop", shop, *said]
    subprocess.run(command, env=system.environment, cwd=ROOT, check=True, capture_output=True)
    rests(system)


def recorded(buyer: Buyer) -> None:
    """Let somebody be known, and nothing more."""
    tell(buyer, RECORDED)
    eventually(lambda: bool(buyer.shown()), "they are known", seconds=PATIENCE)
    rests(buyer.system)


def tell(buyer: Buyer, *tellings: Telling) -> None:
    """One after the other, so that none finds what another has brought about."""
    for each in tellings:
        if each.told is not None:
            buyer.system.post(dict(each.told(buyer)), shop=buyer.shop)


def is_in(segment: str) -> Callable[[Buyer], bool]:
    return lambda buyer: segment in buyer.segments()


def wait_until_in(buyer: Buyer, *segments: str) -> None:
    for segment in segments:
        eventually(partial(is_in(segment), buyer), segment, seconds=PATIENCE)


def moves(system: LocalSystem, shop: str, zone: str) -> None:
    assert system.ask(UPDATE_ZONE, shop=shop, zone=zone)["shopUpdate"]["userErrors"] == []


def has_colours(system: LocalSystem, shop: str, *keys: str) -> None:
    choices = [{"key": key, "name": key} for key in keys]
    assert system.ask(COLOURS, shop=shop, choices=choices)["attributeDefine"]["userErrors"] == []


def gives_gold(buyer: Buyer) -> None:
    """Somebody of the shop does, whatever they have ordered."""
    known = buyer.system.ask(TIERS, shop=buyer.shop, value=buyer.name)
    (tier,) = known["loyaltyTiers"]["tiers"]
    until = datetime.now(UTC) + timedelta(days=1_000)
    given = {"customer": known["customerByIdentifier"]["id"], "tier": tier["id"], "until": until.isoformat()}
    assert buyer.system.ask(GIVE, shop=buyer.shop, **given)["loyaltyTierOverride"]["userErrors"] == []


def takes_part(buyer: Buyer) -> None:
    """Somebody asks to, and has no points yet."""
    known = buyer.system.ask(TIERS, shop=buyer.shop, value=buyer.name)["customerByIdentifier"]["id"]
    assert buyer.system.ask(JOIN, shop=buyer.shop, customer=known)["loyaltyEnroll"]["userErrors"] == []


def zone_of_segments(system: LocalSystem, shop: str) -> str:
    """In which queries are understood, as stored."""
    return str(_catalogue(system, shop)["zone"]["S"])


def is_asked_anew_by(system: LocalSystem, shop: str, attribute: str) -> bool:
    """Whether it is stored that segments mean something else since an attribute of theirs changed."""
    return attribute in str(_catalogue(system, shop).get("attributes"))


def _catalogue(system: LocalSystem, shop: str) -> dict[str, Any]:
    key = {"pk": {"S": f"SHOP#{shop}#SEGMENTS"}, "sk": {"S": "CATALOGUE"}}
    answer = system.dynamodb.get_item(TableName=system.table("CrmTable"), Key=key, ConsistentRead=True)
    item: dict[str, Any] = answer["Item"]
    return item


def changes_of(buyer: Buyer, segment: str) -> list[tuple[str, str, str]]:
    """What became of somebody in a segment, oldest first: entered or left, when, and by what cause."""
    answer = buyer.system.ask(HISTORY, shop=buyer.shop, value=buyer.name)["customerByIdentifier"]["timeline"]["nodes"]
    told = [each for each in answer if each.get("segment") and each["segment"]["name"] == segment]
    return [(each["__typename"], each["at"], each["cause"]) for each in reversed(told)]
