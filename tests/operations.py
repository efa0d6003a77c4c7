# tests/operations.py
"""The example operations with variables of a shop that is there, and who asks them."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from schema.node import GlobalId
from schema.operations import Operation
from schema.principal import Principal
from tests.asking import STAFF, VISITOR, as_customer


def caller(operation: Operation, customer_id: str) -> Principal:
    return {"apps": as_customer(customer_id), "visitors": VISITOR, "staff": STAFF}[operation.audience]


def meaning(
    *,
    customer: str,
    order: str,
    email: str,
    shop: str,
    now: datetime,
    moved: str = "",
    segments: tuple[str, str] = ("", ""),
    reward: str = "",
) -> dict[str, str]:
    """What the placeholders of schema/operations/variables.json stand for; ids are global, `moved` is an import's."""
    named, in_a_month = GlobalId.parse(order), now + timedelta(days=30)
    assert named is not None
    return {
        "<customer>": customer,
        "<order>": order,
        "<order number>": named.parts[0],
        "<email>": email,
        "<import>": moved,
        "<segment>": segments[0],
        "<another segment>": segments[1],
        "<reward>": reward,
        "<reward id>": offered.parts[0] if (offered := GlobalId.parse(reward)) else "",
        "<shop>": shop,
        "<now>": now.isoformat(),
        "<in a month>": in_a_month.isoformat(),
        "<suppressed address>": "closed@example.com",
        "<bounced address>": "gone@example.com",
        "<today>": now.date().isoformat(),
        "<a day with orders>": (now - timedelta(days=1)).date().isoformat(),
        "<a year ago>": (now - timedelta(days=365)).date().isoformat(),
    }


Ask = Callable[[str], Any]

RULE: Final = 'loyaltyRuleCreate(input: {name: "%s", kind: MULTIPLIER, value: "2"}) { rule { ruleId } '
BONUS: Final = 'loyaltyEventBonusCreate(input: {name: "%s", event: "wish.made", points: 5}) { bonus { bonusId } '
TIER: Final = 'loyaltyTierCreate(input: {name: "%s", threshold: "%s"%s}) { tier { id } '
HOLD: Final = 'loyaltyPointsHold(input: {points: 1, minutes: 600, idempotencyKey: "%s"}) { hold { id } '
REDEEM: Final = (
    'loyaltyRewardRedeem(input: {customer: <customer>, rewardId: <reward id>, idempotencyKey: "%s"}) '
    "{ redemption { id code } "
)
ADJUST: Final = (
    'loyaltyPointsAdjust(input: {customer: <customer>, points: 5, reason: "For the choir", idempotencyKey: "given"}) '
    "{ entry { id } "
)
REWARD: Final = 'loyaltyRewardCreate(input: {name: "A badge", kind: CUSTOM, price: 1}) { reward { id } '
CUSTOMER: Final = 'customerCreate(input: {firstName: "Dan"}) { customer { id } '
ATTRIBUTE: Final = 'attributeDefine(input: {key: "%s", name: "%s", type: %s}) { definition { key } '
SEGMENT: Final = 'segmentCreate(input: {name: "%s", %s}) { segment { id } '
SUPPRESS: Final = (
    'suppressionAdd(input: {channel: EMAIL, address: %s, reason: %s, idempotencyKey: "suppressed"}) '
    "{ suppression { hint } "
)
IMPORT: Final = (
    'customersImport(input: {source: "shopify", format: CSV, asOf: "<a year ago>T00:00:00Z", idempotencyKey: "none"}) '
    "{ operation { id } "
)
MADE: Final = {
    "<another customer>": (CUSTOMER, "id"),
    "<attribute>": (ATTRIBUTE % ("nickname", "Nickname", "TEXT"), "key"),
    "<another attribute>": (ATTRIBUTE % ("old_number", "Number at the old shop", "NUMBER"), "key"),
    "<static segment>": (SEGMENT % ("Friends of the choir", "kind: STATIC"), "id"),
    "<spare segment>": (SEGMENT % ("<new key>", 'query: "number_of_orders >= 7"'), "id"),
    "<suppressed address>": (SUPPRESS % ("<suppressed address>", "MANUAL"), None),
    "<bounced address>": (SUPPRESS % ("<bounced address>", "HARD_BOUNCE"), None),
    "<another import>": (IMPORT, "id"),
    "<tier>": (TIER % ("Choir", 777_001, ', effectiveAt: "<a year ago>T00:00:00Z"'), "id"),
    "<another tier>": (TIER % ("Orchestra", 777_002, ""), "id"),
    "<rule>": (RULE % "Twice", "ruleId"),
    "<another rule>": (RULE % "Twice, too", "ruleId"),
    "<bonus>": (BONUS % "Wishes", "bonusId"),
    "<another bonus>": (BONUS % "More wishes", "bonusId"),
    "<another reward>": (REWARD, "id"),
    "<hold>": (HOLD % "held", "id"),
    "<another hold>": (HOLD % "held, too", "id"),
    "<redemption>": (REDEEM % "redeemed", "id"),
    "<voucher code>": (REDEEM % "redeemed, too", "code"),
    "<entry>": (ADJUST, "id"),
}
"""What is made for placeholders, and what of it they stand for; None: for what `meaning` says. The first tier counts at
once: where nothing was defined before, it may from the past.
"""
ONCE: Final = {"<spare segment>"}
"""What is gone once its example has run: it is made anew for whoever runs it next."""


THEIRS: Final = {"<hold>", "<another hold>"}
"""What the customer makes: what the shop sets aside is not theirs to let go."""


def made(words: Mapping[str, str], staff: Ask, customer: Ask, *, of: Collection[str] = MADE.keys()) -> dict[str, str]:
    """`words`, and those of `MADE`, for which `staff` and the `customer` ask for what they name."""
    found = dict(words)
    for word, (call, key) in MADE.items():
        if word in of:
            text = f"mutation {{ {call} userErrors {{ code field }} }} }}".replace(
                "<a year ago>", words["<a year ago>"]
            )
            for known in ("<customer>", "<reward id>", "<suppressed address>", "<bounced address>"):
                text = text.replace(known, json.dumps(words[known]))
            text = text.replace("<new key>", _new_key())
            [answered] = (customer if word in THEIRS else staff)(text).values()
            assert answered.pop("userErrors") == [], word
            [thing] = answered.values()
            if key is not None:
                found[word] = str(thing[key])
    return found


def _new_key() -> str:
    return f"k-{uuid4().hex[:12]}"


def filled(operation: Operation, words: Mapping[str, str]) -> dict[str, Any]:
    """The operation's variables; each `<new key>`, or number, is one. What there is no word for stays as it is: the id
    of nothing.
    """

    def fill(value: Any) -> Any:
        match value:
            case dict():
                return {name: fill(inner) for name, inner in value.items()}
            case list():
                return [fill(inner) for inner in value]
            case "<new key>":
                return _new_key()
            case "<new number>":
                return str(uuid4().int % 10**8)
            case str() if value.startswith("<"):
                return words.get(value, value)
        return value

    return {name: fill(value) for name, value in operation.variables.items()}
