# tests/unit/segmentation/language/small_shop.py
"""Ten customers of a shop in Berlin, looked at on 10 March 2026 at noon.

From there `-7d` is 3 March, `-2w` 24 February, `-30d` 8 February, `-3m` and `-90d` 10 December, `-180d` 11 September,
`-8m` 10 July, `-12m`, `-1y` and `-365d` 10 March 2025.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from crm.segmentation.language.facts import (
    Address,
    Checkout,
    Facts,
    Line,
    Order,
    Predictions,
    Profile,
    Rfm,
    Statistics,
)
from tests.unit.segmentation.language.some import local

NOW = local("2026-03-10T12:00")
BOOK = Line("BOOK", 1)
SHIRT = Line("SHIRT", 1, "clothes", frozenset({"Sports wear"}))
MUG = Line("MUG", 2, "kitchen", frozenset({"sale"}))
PAJAMAS = Line("PJ-1", 1, "clothes", frozenset({"Christmas Pajamas"}))


def order(day: str, amount: str, line: Line = BOOK) -> Order:
    return Order(day, local(f"{day}T08:00"), "EUR", int(amount.replace(".", "")), lines=(line,))


def cart(started: str) -> Checkout:
    return Checkout(started, local(started), local(started), is_open=True)


def customer(name: str, added: str, *orders: Order, carts: tuple[Checkout, ...] = (), **known: Any) -> Facts:
    of_profile = {"email", "locale", "birth_date", "tags", "addresses"} & known.keys()
    profile = Profile(local(added), **{each: known.pop(each) for each in of_profile})
    known["consents"] = {
        channel: state for channel in ("email", "sms") if (state := known.pop(channel + "_consent", None)) is not None
    }
    placed: list[datetime] = [each.placed_at for each in orders]
    statistics = Statistics(
        len(orders), sum(each.net for each in orders), None, *((placed[0], placed[-1]) if placed else ())
    )
    known["rfm"] = Rfm(known["rfm"])
    return Facts(name, "Europe/Berlin", profile, statistics, orders=orders, checkouts=carts, touchpoints={}, **known)


CUSTOMERS: Mapping[str, Facts] = {
    each.customer_id: each
    for each in (
        customer(
            "ada", "2024-01-15T10:00",
            order("2024-02-01", "200.00"), order("2024-08-01", "200.00"), order("2025-04-01", "200.00"),
            order("2025-10-01", "200.00"), order("2026-01-15", "200.00", SHIRT), order("2026-03-01", "200.00"),
            email="ada@gmail.com", locale="de-DE", birth_date=date(1990, 3, 15), tags=frozenset({"vip", "wholesale"}),
            addresses=(Address("DE", "BE", "Berlin", 52.52, 13.405),), email_consent="granted", sms_consent="granted",
            rfm="CHAMPIONS", predictions=Predictions(spend_tier="HIGH"),
        ),
        customer(
            "ben", "2025-11-01T10:00", order("2026-02-20", "50.00", MUG),
            email="ben@gmail.com", locale="en-US", birth_date=date(1985, 12, 24),
            addresses=(Address("US", "NY", "New York City", 40.7128, -74.006),), email_consent="granted",
            rfm="NEW", predictions=Predictions(spend_tier="LOW"),
        ),
        customer(
            "cyd", "2026-02-25T10:00", carts=(cart("2026-03-08T20:00"),),
            email="cyd@example.com", locale="en-CA", tags=frozenset({"newsletter"}),
            addresses=(Address("CA", "ON", "Toronto"),), email_consent="granted", rfm="PROSPECTS",
        ),
        customer(
            "dee", "2023-05-05T10:00",
            order("2024-06-01", "100.00"), order("2025-01-10", "150.00"), order("2025-06-20", "250.99", SHIRT),
            email="dee@example.com", locale="fr-CA", birth_date=date(2000, 2, 29), tags=frozenset({"VIP"}),
            addresses=(Address("CA", "QC", "Montreal"), Address("US", "CA", "Los Angeles")), email_consent="denied",
            rfm="AT_RISK",
        ),
        customer(
            "eli", "2025-03-10T10:00", order("2025-03-12", "300.00"), order("2025-12-10", "700.00"),
            tags=frozenset({"Sports club"}), addresses=(Address("DE", "HH", "Hamburg", 53.5511, 9.9937),),
            sms_consent="granted", rfm="LOYAL",
        ),
        customer(
            "fay", "2026-03-10T00:30", carts=(cart("2026-02-01T20:00"),),
            email="fay@yahoo.com", locale="en-US", tags=frozenset({"msg-cooldown"}),
            addresses=(Address("US", "CA", "San Francisco"),), email_consent="pending", rfm="PROSPECTS",
        ),
        customer(
            "gus", "2024-12-31T10:00", order("2024-12-31", "999.99"),
            email="gus@gmail.com", locale="es-ES", birth_date=date(1999, 12, 31), email_consent="granted",
            rfm="DORMANT", predictions=Predictions(spend_tier="MEDIUM"),
        ),
        customer(
            "hal", "2025-08-01T10:00", order("2025-09-11", "10.99"),
            email="hal@web.de", locale="fr-FR", tags=frozenset({"wholesale"}),
            addresses=(Address("FR", None, "Paris"),), email_consent="denied", rfm="PROMISING",
        ),
        customer(
            "ida", "2022-01-01T10:00",
            *(order(f"2022-{month:02}-10", "100.00") for month in range(1, 12)), order("2023-12-01", "100.00", PAJAMAS),
            email="ida@outlook.com", locale="ja-JP", birth_date=date(1970, 3, 10), tags=frozenset({"press"}),
            addresses=(Address("JP", "13", "Tokyo"),), email_consent="granted", rfm="PREVIOUSLY_LOYAL",
        ),
        customer(
            "jon", "2025-12-10T10:00", order("2025-12-10", "60.00"), order("2026-03-10", "40.00", MUG),
            email="jon@gmx.at", locale="de-AT", addresses=(Address("DE", "BY", "Munich"), Address("AT", "9", "Wien")),
            email_consent="granted", sms_consent="pending", rfm="ACTIVE",
        ),
    )
}  # fmt: skip
