# crm/segmentation/language/vocabulary/relations.py
"""Attributes of what a customer allows, has earned and thinks, and of what is expected of them."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from crm.segmentation.language import days
from crm.segmentation.language.facts import Fact
from crm.segmentation.language.kinds import DATE, INTEGER, MONEY, NUMBER, TEXT, Type, choice
from crm.segmentation.language.truth import Moment
from crm.segmentation.language.words import Attribute, Group

CHANNELS = {
    "email": "e-mail", "sms": "SMS", "push": "push messages", "in_app": "messages in apps", "postal": "post",
    "ads": "ads",
}  # fmt: skip
SUBSCRIBED, PENDING, UNSUBSCRIBED, NOT_SUBSCRIBED = STATUSES = (
    "SUBSCRIBED", "PENDING", "UNSUBSCRIBED", "NOT_SUBSCRIBED",
)  # fmt: skip
STATUS_OF = {"granted": SUBSCRIBED, "pending": PENDING, "denied": UNSUBSCRIBED}
GROUPS = (
    "CHAMPIONS", "LOYAL", "ACTIVE", "NEW", "PROMISING", "NEEDS_ATTENTION", "AT_RISK", "ALMOST_LOST",
    "PREVIOUSLY_LOYAL", "DORMANT", "PROSPECTS",
)  # fmt: skip


def _status(channel: str) -> Callable[[Moment], str]:
    def read(moment: Moment) -> str:
        return STATUS_OF.get(moment.facts.consents.get(channel, ""), NOT_SUBSCRIBED)

    return read


def _part(owner: str, name: str) -> Callable[[Moment], Any]:
    """What one kind of fact says; unknown where there is nothing of that kind."""

    def read(moment: Moment) -> Any:
        return getattr(getattr(moment.facts, owner), name, None)

    return read


def _exact(owner: str, name: str) -> Callable[[Moment], Fraction | None]:
    part = _part(owner, name)

    def read(moment: Moment) -> Fraction | None:
        known = part(moment)
        return None if known is None else Fraction(known)

    return read


def _answered_on(moment: Moment) -> object:
    feedback = moment.facts.feedback
    answered_at = feedback.answered_at if feedback else None
    return days.of(answered_at, moment.facts.zone) if answered_at else None


def _score(name: str, description: str, part: str, example: str) -> Attribute:
    return Attribute(
        name, INTEGER, Group.LOYALTY, description, example, Fact.FEEDBACK, _part("feedback", part),
        unknown="who never answered such a question",
    )  # fmt: skip


def _predicted(name: str, type_: Type, description: str, part: str, example: str) -> Attribute:
    read = _exact("predictions", part) if type_ is NUMBER else _part("predictions", part)
    return Attribute(
        name,
        type_,
        Group.LOYALTY,
        description,
        example,
        Fact.PREDICTIONS,
        read,
        unknown="of whom nothing was predicted",
    )


def _rfm(name: str, description: str) -> Attribute:
    return Attribute(
        f"rfm_{name}", INTEGER, Group.SPECIAL, description, f"rfm_{name} >= 4", Fact.RFM, _part("rfm", name),
        unknown="without standing orders, or not scored yet",
    )  # fmt: skip


CONSENT = tuple(
    Attribute(
        f"{channel}_subscription_status", choice(*STATUSES), Group.CONSENT,
        f"What the customer said of marketing by {spoken}: `PENDING` awaits its confirmation, `NOT_SUBSCRIBED` never "
        "said anything. Whether an address is suppressed is not looked at.",
        f"{channel}_subscription_status = 'SUBSCRIBED'", Fact.CONSENT, _status(channel),
    )
    for channel, spoken in CHANNELS.items()
)  # fmt: skip

LOYALTY = (
    Attribute(
        "loyalty_tier", TEXT, Group.LOYALTY, "The tier in the loyalty programme.", "loyalty_tier = 'gold'",
        Fact.LOYALTY, _part("loyalty", "tier"), unknown="without a tier",
    ),
    Attribute(
        "loyalty_points", INTEGER, Group.LOYALTY, "The points that can be spent; below zero after some refunds.",
        "loyalty_points >= 500", Fact.LOYALTY, _part("loyalty", "points"), unknown="without a loyalty account",
    ),
    Attribute(
        "loyalty_member_since", DATE, Group.LOYALTY, "The day on which the customer joined the programme.",
        "loyalty_member_since <= -1y", Fact.LOYALTY, _part("loyalty", "joined_on"), unknown="who never joined",
    ),
    _score("nps_score", "The latest answer to “would you recommend us”, 0 to 10.", "nps", "nps_score >= 9"),
    _score("csat_score", "The latest answer to “how satisfied are you”, 1 to 5.", "csat", "csat_score <= 2"),
    _score("ces_score", "The latest answer to “how easy was it”, 1 to 7.", "ces", "ces_score <= 3"),
    Attribute(
        "last_feedback_date", DATE, Group.LOYALTY, "The day of the latest answer to any survey.",
        "last_feedback_date < -180d", Fact.FEEDBACK, _answered_on, unknown="who never answered",
    ),
    _predicted(
        "predicted_value", MONEY, "What is expected to be spent in the next 365 days.", "value",
        "predicted_value > 250",
    ),
    _predicted(
        "predicted_orders", NUMBER, "How many orders are expected in the next 365 days.", "orders",
        "predicted_orders >= 1.5",
    ),
    _predicted(
        "churn_risk", NUMBER, "How likely it is that no order comes any more, 0 to 1.", "churn_risk",
        "churn_risk > 0.7",
    ),
    _predicted(
        "predicted_spend_tier", choice("HIGH", "MEDIUM", "LOW"),
        "What is expected to be spent, against the shop's other customers.", "spend_tier",
        "predicted_spend_tier = 'HIGH'",
    ),
)  # fmt: skip

RFM = (
    _rfm("recency", "How lately the customer ordered against the shop's others, 1 to 5; 5 is the best fifth."),
    _rfm("frequency", "How often the customer ordered against the shop's others, 1 to 5; 5 is the best fifth."),
    _rfm("monetary", "How much the customer spent against the shop's others, 1 to 5; 5 is the best fifth."),
    Attribute(
        "rfm_group", choice(*GROUPS), Group.SPECIAL, "What the three scores make of the customer.",
        "rfm_group IN ('CHAMPIONS', 'LOYAL')", Fact.RFM, _part("rfm", "group"), unknown="not scored yet",
    ),
)  # fmt: skip
