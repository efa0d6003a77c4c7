# bench/points.py
"""What points cost: an order that earns some, and a reward redeemed, in accounts of few entries and of many."""

from datetime import UTC, datetime

from bench import shop
from bench.figures import Report
from tests.faults import in_process, loyalty_shop

EARNED, EARNED_UNITS, REDEEMED, REDEEMED_UNITS, REQUESTS, UNITS = FIGURES = (
    "loyalty.earned_order_requests",
    "loyalty.earned_order_write_units",
    "loyalty.redemption_requests",
    "loyalty.redemption_write_units",
    "loyalty.requests_growth",
    "loyalty.write_units_growth",
)
GROWTH = (REQUESTS, UNITS)
FEW, MANY, SAMPLED = 10, 10_000, 20
PRICE = 10


def run(report: Report) -> None:
    shop.found()
    entries = {2: 1, 0: FEW, 1: MANY // 10 if report.quick else MANY}
    for number, count in entries.items():
        _prepare(number, count)
    now = datetime.now(UTC)  # of all, once they are prepared: nobody reads anew what is read once a minute
    reward_id = loyalty_shop.reward(shop.SHOP, PRICE, now=now)
    _, few, growth = (_costs(number, count, reward_id, now=now) for number, count in entries.items())
    told = {
        EARNED: few[0], EARNED_UNITS: few[1], REDEEMED: few[2], REDEEMED_UNITS: few[3],
        REQUESTS: sum(growth[::2]) - sum(few[::2]), UNITS: sum(growth[1::2]) - sum(few[1::2]),
    }  # fmt: skip
    for figure, value in told.items():
        if report.wants(figure):
            report.tell(figure, value, n=SAMPLED)


def _prepare(number: int, entries: int) -> None:
    """A customer with so many entries, and with orders that are not posted yet."""
    from tests.faults import loyalty_book

    assert in_process.ingest(shop.profile(number))
    loyalty_book.seed(shop.SHOP, shop.customer(number).customer_id, entries, now=datetime.now(UTC))
    for order_id in _orders(number):
        assert in_process.ingest(shop.order(order_id, customer=number))


def _orders(number: int) -> range:
    return range(1_000 + SAMPLED * number, 1_000 + SAMPLED * (number + 1))


def _costs(number: int, entries: int, reward_id: str, *, now: datetime) -> tuple[float, ...]:
    """Requests and write units of an order's posting, and of a reward redeemed, in an account of so many entries."""
    from crm.kernel.meter import Meter, metering
    from crm.loyalty import service as loyalty
    from crm.loyalty.rewards import service as rewards
    from crm.orders import service as orders
    from crm.orders.events import OrderRecorded

    customer_id = shop.customer(number).customer_id
    earned, redeemed = Meter(), Meter()
    for sample, order_id in enumerate(_orders(number)):
        order = OrderRecorded.of(orders.get(shop.SHOP, f"o{order_id}"))
        with metering() as meter:
            loyalty.post_for_order(order, now=now)
        earned.add(meter)
        with metering() as meter:
            rewards.redeem(
                shop.SHOP, customer_id, reward_id, actor=loyalty_shop.staff(), idempotency_key=f"r{sample}", now=now
            )
        redeemed.add(meter)
    verified = loyalty.verify(shop.SHOP, customer_id)
    assert (verified.entry_count, verified.findings) == (entries + 3 * SAMPLED, [])  # a redemption is two
    for name, meter in (("an order", earned), ("a redemption", redeemed)):
        each = {operation: times / SAMPLED for operation, times in meter.operations.items()}
        print(f"{entries} entries: {name} asks {each}, {meter.read_units / SAMPLED:.2f} read units, "
              f"{meter.write_units / SAMPLED:.2f} write units", flush=True)  # fmt: skip
    return tuple(
        count / SAMPLED
        for meter in (earned, redeemed)
        for count in (meter.requests, meter.write_units)
    )  # fmt: skip
