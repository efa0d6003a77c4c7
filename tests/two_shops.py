# tests/two_shops.py
"""Two shops that have everything alike but what is said: ids, addresses and the numbers of orders are the same.

Every text that can be chosen holds a mark of whose it is: of a person in a shop (`ada-demo`), or of the shop
(`shop-demo`). Days and amounts differ as well. So an answer tells by itself of which records it was made.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from unittest import mock

from crm.bulk import service as bulk
from crm.consent import service as consent
from crm.consent.service import SuppressionGiven
from crm.customers import by_hand
from crm.customers import service as customers
from crm.customers.service import AttributeFields, Words
from crm.feedback import service as feedback
from crm.intake import service as intake
from crm.kernel import operations
from crm.kernel.actor import Actor, Role
from crm.kernel.change import Change
from crm.kernel.errors import Fault
from crm.kernel.money import Money
from crm.kpis import service as kpis
from crm.loyalty import expiry
from crm.loyalty import service as loyalty
from crm.loyalty.moving import identity
from crm.loyalty.redemptions import codes, coupons
from crm.loyalty.rewards import service as rewards
from crm.loyalty.rewards.service import Limit, Period, RewardFields, RewardKind
from crm.notifications import service as notifications
from crm.orders import service as orders
from crm.orders.events import OrderRecorded
from crm.segmentation import in_force, keeping
from crm.segmentation import service as segmentation
from crm.segmentation.service import SegmentFields
from crm.shops import service as shops
from schema.node import global_id
from tests.asking import NOW
from tests.segments import define
from tests.shop_events import order, refunded
from tests.usual_segments import LATELY, QUERIES, REPEAT

PEOPLE: Final = {"demo": ("ada", "bob", "blocked", "deleted"), "other": ("ada",)}
DAYS: Final = {"demo": "2026-03-01", "other": "2026-03-02"}
PRICES: Final = {"ada-demo": "101.01", "bob-demo": "307.03", "ada-other": "503.05"}
PHONES: Final = {person: f"+4366045678{number}" for number, person in enumerate(PEOPLE["demo"], 90)}
SEGMENTS: Final = {LATELY: "seg_ordered_lately", REPEAT: "seg_repeat_buyer"}
GIVEN, HELD = "given", "held"
SINCE: Final = datetime(2026, 1, 1, tzinfo=UTC)
DEFINED: Final[dict[str, dict[str, Any]]] = {
    "text": {},
    "number": {},
    "money": {"currency": "EUR"},
    "date": {},
    "boolean": {},
    "choice": {"choices": [("gold", "Gold")]},
    "list": {"element_type": "text"},
}


REWARD: Final = "rwd_mug"
CODES: Final = {"ada": "CDFGHJKM3467", "bob": "NPQRTVWX9999"}


def redemption_id(person: str) -> str:
    return identity("rdn", customer_id(person), "mug")


def mark(person: str, shop: str) -> str:
    return f"{person}-{shop}"


MARKS: Final = frozenset(mark(person, shop) for shop in PEOPLE for person in ("shop", *PEOPLE[shop]))


def customer_id(person: str) -> str:
    return f"cus_{person}"


def ids(person: str) -> dict[str, str]:
    """What a document names records by, those of a person and those of the shop: the same in every shop."""
    operation = operations.Operation.of("", f"op_{operations._hash(person)[:26]}")
    owner = customer_id(person)
    return {
        "AttributeDefinition": global_id("AttributeDefinition", "text"),
        "Customer": global_id("Customer", customer_id(person)),
        "FeedbackResponse": global_id("FeedbackResponse", customer_id(person), f"f-{person}"),
        "Message": global_id("Message", customer_id(person), f"customer:{customer_id(person)}:thank_you"),
        "LedgerEntry": global_id("LedgerEntry", owner, f"adjustment:{identity('adj', owner, GIVEN)}:adjust"),
        "PointsHold": global_id("PointsHold", owner, identity("hld", owner, HELD)),
        "LoyaltyTier": global_id("LoyaltyTier", "tier_gold"),
        "Operation": global_id("Operation", operation.operation_id),
        "Redemption": global_id("Redemption", customer_id(person), redemption_id(person)),
        "RewardDefinition": global_id("RewardDefinition", REWARD),
        "Order": global_id("Order", f"o-{person}"),
        "Lately": global_id("Segment", SEGMENTS[LATELY]),
        "Segment": global_id("Segment", SEGMENTS[REPEAT]),
        "Shop": global_id("Shop", "demo"),
        "address": f"{person}@example.com",
        "code": CODES.get(person, ""),
        "email": f"{person}@example.com",
        "number": f"o-{person}",
    }


OF_A_PERSON: Final = frozenset({
    "Customer", "FeedbackResponse", "LedgerEntry", "Message", "Operation", "Order", "PointsHold", "Redemption", "code",
    "email", "number",
})  # fmt: skip


def furnish() -> None:
    """Fill both shops, which are founded."""
    for shop, people in PEOPLE.items():
        _furnish(shop)
        for person in people:
            _Life(person, shop).live()
        _compare(shop)


def _give_points(shop: str) -> None:
    """A programme that says everything: a rule that gives something, and one that could not ask for more."""
    named, price = mark("shop", shop), Decimal(PRICES[mark("ada", shop)])
    staff: Any = {"actor": Actor(Role.STAFF, named), "now": SINCE}
    fields = loyalty.ProgrammeFields(
        expiry=loyalty.Lifetime(int(price) % 50 + 1), most_owed=int(price), point_value=price / 10_000,
        return_window_days=int(price) % 30, points_per_unit=price / 100, caps=loyalty.Caps(*[int(price) * 1000] * 3),
        grace_days=int(price) % 20, notice_days=int(price) % 30 + 1, breakage=price / 1_000,
    )  # fmt: skip
    loyalty.update_programme(shop, fields, **staff)
    words, day = dict.fromkeys(("categories", "skus", "tags", "segments", "channels"), (named,)), DAYS[shop]
    words["tiers"] = (_gold(shop),)
    days = {"weekdays": (int(price) % 7 + 1,), "from_on": date.fromisoformat(day), "until_on": date.fromisoformat(day)}
    said: Any = {**words, **days, "first_order": True, "minimum": price}
    every = loyalty.Conditions(**said)
    caps = loyalty.Caps(*[int(price)] * 3)
    asking = loyalty.RuleFields(f"All {named}", price, every, caps, int(price))
    made = loyalty.create_rule(shop, loyalty.RuleKind.PER_ITEM, asking, **staff)
    loyalty.archive_rule(shop, made.part.id, **staff)
    loyalty.create_rule(shop, loyalty.RuleKind.FIXED, loyalty.RuleFields(named, Decimal(int(price))), **staff)
    whole = loyalty.PropertyFilter(named, loyalty.Comparison.IS, named)
    asked = loyalty.EventBonusFields(f"All {named}", "review.written", int(price), (whole,), int(price), int(price))
    bonus = loyalty.create_bonus(shop, asked, **staff)
    loyalty.archive_bonus(shop, bonus.part.id, **staff)
    later = NOW + timedelta(days=int(price) % 9 + 1)
    loyalty.update_programme(shop, loyalty.ProgrammeFields(grace_days=1), **staff | {"now": NOW}, effective_at=later)


def _gold(shop: str) -> str:
    """The highest tier."""
    return loyalty.newest_programme(shop, now=NOW).programme.tiers.active[-1].id


def _compare(shop: str) -> None:
    """What is worked out of everybody each day."""
    scoring = segmentation.begin_day(shops.get(shop), now=NOW)
    _run(scoring)
    insights = operations.list_newest(shop, "segment_insights", before=None, limit=1)
    for each in insights:
        _run(each)
    in_force.forget_cached(shop)


def _run(operation: operations.Operation) -> None:
    while operation.status != operations.DONE:
        operation.status = operations.RUNNING
        segmentation.STEPS[operation.name](operation, patient=False, now=NOW)
        operations.move(operation, "step", now=NOW)


def _furnish(shop: str) -> None:
    named = mark("shop", shop)
    shops.update(shop, shops.ShopFields(name=named, sender=f"{named}@example.com", third_party_sources=[named]))
    for kind, more in DEFINED.items():
        choices = {"choices": [(key, f"{name} {named}") for key, name in more["choices"]]} if "choices" in more else {}
        fields = AttributeFields(
            name=f"{kind} {named}", type=kind, description=named, customer_access="editable", **more | choices
        )
        customers.define_attribute(shop, kind, fields, now=NOW)
    shops.forget_cached()
    clerk = Actor(Role.STAFF, named)
    for tier, threshold in (("Old", 5), ("Bronze", 10), ("Silver", 20 + len(shop)), ("Gold", 10_000)):
        fields_of_tier = loyalty.TierFields(f"{tier} {named}", Decimal(threshold), (named,))
        with mock.patch("crm.loyalty.tiers.defining.new_id", return_value=f"tier_{tier.lower()}"):
            made = loyalty.tier_create(shop, fields_of_tier, actor=clerk, now=SINCE)
        if tier == "Old" and made.tier:
            rewards.archive_tier(shop, made.tier.id, actor=clerk, now=SINCE)
    _give_points(shop)
    for name, segment_id in SEGMENTS.items():
        with mock.patch("crm.kernel.ids.new_id", return_value=segment_id):
            define(f"{name} {named}", QUERIES[name], shop=shop, now=SINCE)
        persona = SegmentFields(description=named, goals=[named], picture_url=f"https://example.com/{named}")
        segmentation.update(shop, segment_id, persona, actor=Actor(Role.STAFF, named), now=SINCE)
    _reward(shop, named)


def _reward(shop: str, named: str) -> None:
    """What can be redeemed: one that people do, and others for what that one is not."""
    mug: dict[str, Any] = {"name": f"A mug {named}", "kind": RewardKind.PRODUCT, "sku": named}
    off: dict[str, Any] = {"name": f"Off {named}", "kind": RewardKind.DISCOUNT, "tiers": (_gold(shop),)}
    usual: dict[str, Any] = {
        "description": named, "price": len(shop), "stock": 10 * len(shop), "limit": Limit(len(shop), Period.YEAR),
        "segments": (SEGMENTS[LATELY],), "valid_from": SINCE, "valid_until": SINCE + timedelta(days=900),
        "voucher_days": 40 * len(shop),
    }  # fmt: skip
    worth: dict[str, dict[str, Any]] = {
        REWARD: mug,
        "rwd_off": off | {"amount": Money(len(shop), "EUR")},
        "rwd_old": mug | {"name": f"Old {named}"},
        "rwd_part": off | {"name": f"Part {named}", "percent": Decimal(len(shop))},
    }
    for key, each in worth.items():
        fields = RewardFields(**usual | each)
        at = datetime.fromisoformat(f"{DAYS[shop]}T00:00:00Z").astimezone(UTC)
        with mock.patch("crm.kernel.ids.new_id", return_value=key):
            rewards.create(shop, fields, actor=Actor(Role.STAFF, named), now=at)
    rewards.archive(shop, "rwd_old", actor=Actor(Role.STAFF, named), now=at)


class _Life:
    """What is known of a person in a shop: something of everything."""

    def __init__(self, person: str, shop: str) -> None:
        self.person, self.shop, self.mark, self.id = person, shop, mark(person, shop), customer_id(person)
        self.price = PRICES.get(self.mark, "9.00")
        self.day = DAYS[shop]
        self.clerk = Actor(Role.STAFF, mark("shop", shop))
        self.at = datetime.fromisoformat(f"{self.day}T10:00:00Z").astimezone(UTC)

    def live(self) -> None:
        self.come()
        self.buy()
        if self.mark in PRICES:
            self.climb()
            self.wander()
            self.speak()
            self.save()
            self.redeem()
            self.work()
        if self.person == "blocked":
            customers.update(self.shop, self.id, Words(fields={"status": "blocked"}), now=NOW, by=self.clerk)
        if self.person == "deleted":
            customers.delete(self.shop, self.id, now=NOW, by=self.clerk)

    def come(self) -> None:
        fields = {
            "first_name": self.mark,
            "last_name": f"{self.mark} before",
            "email": f"{self.person}@example.com",
            "phone": PHONES[self.person],
            "locale": "de-AT",
            "zone": "Europe/Vienna",
            "birth_date": self.day.replace("2026", "1990"),
            "gender": "female",
            "tags": [f"{self.mark} before"],
            "addresses": [
                {"line1": self.mark, "line2": self.mark, "postal_code": self.mark, "city": self.mark,
                 "region": self.mark, "country": "AT", "latitude": 48.2, "longitude": 16.4},
            ],
        }  # fmt: skip
        words = Words(external_ids={"shopify": self.person}, fields=fields)
        with mock.patch.object(by_hand, "new_id", return_value=self.id):
            customers.create(self.shop, words, now=self.at, by=self.clerk)
        values = {
            "text": self.mark,
            "number": self.price,
            "money": {"amount": self.price, "currency": "EUR"},
            "date": self.day,
            "boolean": True,
            "choice": "gold",
            "list": [self.mark],
        }
        customers.set_attributes(self.shop, self.id, values, now=self.at, by=self.clerk)
        customers.update(self.shop, self.id, Words(fields={"last_name": self.mark, "tags": [self.mark]}), now=NOW)
        mine = Actor(Role.CUSTOMER, self.id)
        said = Words(fields={"email": f"{self.mark}@example.com", "phone": "+436609876543"}, vouched=False)
        customers.update(self.shop, self.id, said, now=NOW, by=mine)

    def happened(self, kind: str, data: dict[str, Any], name: str) -> None:
        """`name` tells apart what a person does; together with theirs it is the event's id."""
        event = {
            "id": f"{name}-{self.person}",
            "type": kind,
            "version": 1,
            "shop": self.shop,
            "source": self.mark,
            "occurredAt": f"{self.day}T10:00:00Z",
            "customer": {"id": self.id},
            "data": data,
        }
        intake.apply(json.dumps(event), now=NOW)

    def buy(self) -> None:
        said = [{"channel": "email", "purpose": "marketing", "state": "granted", "source": self.mark}]
        more = {"topic": "concerts", "textVersion": self.mark, "optInLevel": "double", "legalBasis": "consent"}
        self.happened("consent.updated", {"consents": [*said, said[0] | more]}, "said")
        line = {"id": self.mark, "sku": self.mark, "quantity": 2, "unitPrice": self.price, "title": self.mark}
        line |= {"category": self.mark, "tags": [self.mark], "tax": self.price, "discount": self.price}
        number = f"o-{self.person}"
        placed = order(number, lines=[line], placedAt=f"{self.day}T10:00:00Z", shipping=self.price, channel=self.mark)
        self.happened("order.placed", placed | {"coupon": self.mark, "cartId": self.mark}, "placed")
        recorded = OrderRecorded.of(orders.get(self.shop, number))
        with self.programme():
            loyalty.post_for_order(recorded, now=NOW)
        notifications.plan_thank_you(recorded, now=self.at)
        refund = refunded(number, f"r-{self.person}")["data"] | {"reason": self.mark}
        refund["lines"] = [{"lineId": self.mark, "quantity": 1, "amount": self.price[:-1] + "0"}]
        self.happened("refund.created", refund, "refunded")
        keeping.refresh(
            self.shop,
            self.id,
            touched=keeping.touched(recorded),
            cause=recorded.cause,
            occurred_at=recorded.occurred_at,
            now=NOW,
        )
        segmentation.remove_members(self.shop, SEGMENTS[REPEAT], [self.id], actor=self.clerk, now=NOW)
        kpis.roll_up([kpis.news(orders.get(self.shop, number), None, now=NOW)], now=NOW)

    @contextmanager
    def programme(self) -> Iterator[None]:
        """Points mature nine days from now, and expire in a year."""
        matures = mock.patch.object(expiry, "available_at", return_value=NOW + timedelta(days=9))
        expires = mock.patch.object(expiry, "expires_at", return_value=self.at + timedelta(days=365))
        with matures, expires:
            yield

    def save(self) -> None:
        """Points are given, set aside, taken, and given back."""
        points = int(Decimal(self.price))
        said: dict[str, Any] = {"actor": self.clerk, "now": self.at}
        with self.programme():
            loyalty.adjust(self.shop, self.id, points, reason=self.mark, idempotency_key=GIVEN, **said)
        later: dict[str, Any] = {"lasts": timedelta(days=30), "order_id": f"o-{self.person}"}
        loyalty.hold(self.shop, self.id, points // 10, idempotency_key=HELD, **later, **said)
        taken = loyalty.adjust(
            self.shop, self.id, -(points // 20), reason=self.mark, idempotency_key="taken", **said
        )  # fmt: skip
        loyalty.reverse(self.shop, self.id, taken.entry.cause or "", reason=self.mark, **said)

    def climb(self) -> None:
        """Staff give them a tier, and take it back."""
        gold = next(tier for tier in loyalty.version_in_force(self.shop, at=NOW, now=NOW).programme.tiers.active[::-1])
        given = loyalty.TierOverride(tier_id=gold.id, until=NOW + timedelta(days=9), reason=self.mark)
        for said in (given, loyalty.TierOverride(tier_id=None, until=None, reason=self.mark)):
            loyalty.override_tier(self.shop, self.id, said, actor=self.clerk, now=self.at)

    def wander(self) -> None:
        session = {"channel": self.mark, "sessionId": self.mark}
        utm = dict.fromkeys(("source", "medium", "campaign", "term", "content"), self.mark)
        url = f"https://example.com/{self.mark}"
        self.happened("visit.started", session | {"url": url, "referrer": f"{url}/before", "utm": utm}, "visited")
        cart = {"cartId": f"next-{self.mark}", "lines": [{"sku": self.mark, "quantity": 1, "unitPrice": self.price}]}
        cart |= {"currency": "EUR", "total": self.price}
        self.happened("cart.updated", session | cart | {"cartId": self.mark}, "emptied")
        self.happened("cart.updated", session | cart, "filled")
        self.happened("checkout.started", session | cart, "checked")

    def speak(self) -> None:
        answer = {"score": 9, "comment": self.mark, "orderId": f"o-{self.person}"}
        self.happened("feedback.received", answer, "f")
        answers = feedback.responses(self.shop, self.id, before=None, limit=9)
        kpis.roll_up([kpis.news(each, None, now=NOW) for each in answers], now=NOW)
        given = SuppressionGiven("email", f"{self.person}@example.com", "complaint", self.mark, self.mark)
        consent.suppression_add(self.shop, given, actor=self.clerk, idempotency_key=self.person, now=self.at)

    def redeem(self) -> None:
        said: dict[str, Any] = {"actor": self.clerk, "now": self.at}
        code = CODES[self.person]
        for key, drawn in (("mug", code), ("used", code[::-1])):
            with mock.patch.object(codes, "new", return_value=drawn):
                rewards.redeem(self.shop, self.id, REWARD, idempotency_key=key, **said)
        rewards.use_voucher(self.shop, code[::-1], order_id=self.mark, idempotency_key=self.person, **said)
        order = next(iter(orders.get_many(self.shop, [(self.id, f"o-{self.person}")]).values()))
        order.coupon = code[::-1]
        change = Change(self.at)
        coupons.heed(change, self.shop, order, replayed=False)
        change.commit()

    def work(self) -> None:
        """Staff import something that fails."""
        asked = bulk.ImportAsked(self.mark, bulk.CSV, self.at)
        operation, _ = bulk.import_from(
            self.shop, "customers_import", asked, actor=self.clerk, idempotency_key=self.person, now=self.at
        )
        operation.fail([Fault(self.mark, "INVALID", self.mark)])
        operations.move(operation, "step", now=NOW)
