# crm/segmentation/language/vocabulary/orders.py
"""Functions over orders in a window of days."""

from collections.abc import Iterator, Mapping

from crm.kernel.money import Money
from crm.segmentation.language import stretches
from crm.segmentation.language.facts import Fact, Line, Order
from crm.segmentation.language.kinds import DATE, INTEGER, MONEY, TEXT
from crm.segmentation.language.reading import Reads
from crm.segmentation.language.truth import Judged, Moment
from crm.segmentation.language.words import Arguments, Condition, Evidence, Function, Group, Parameter

WINDOW: Mapping[str, tuple[str, str | None]] = {"date": ("since", "until")}
COUNT: Mapping[str, tuple[str, str | None]] = {"count": ("count_min", "count_max")}
SINCE = Parameter("since", DATE, "The first day that counts. Without it, all that went before.")
UNTIL = Parameter("until", DATE, "The last day that counts. Without it, all that follows.")


def orders_placed(given: Arguments) -> Condition:
    channels, coupons = given.get("channel"), given.get("coupon")
    least = given.get("count_min", 0 if "count_max" in given.values else 1)
    most, low, high = (given.get(name) for name in ("count_max", "sum_amount_min", "sum_amount_max"))

    def counts(order: Order) -> bool:
        of_channel = channels is None or channels.has(order.channel)
        return of_channel and (coupons is None or coupons.has(order.coupon))

    def weighed(order: Order) -> tuple[int, int]:
        return counts(order), order.net if order.currency == given.currency else 0

    def accepted(count: int, amount: int) -> bool:
        enough = count >= least and (most is None or count <= most)
        return enough and (low is None or amount >= low) and (high is None or amount <= high)

    def evidence(moment: Moment) -> Evidence:
        orders = [order for order in _in_window(window, moment) if counts(order)]
        amount = sum(order.net for order in orders if order.currency == given.currency)
        spent = f" of {Money(amount, given.currency).amount} {given.currency}"
        return Evidence.counted(len(orders), "order", (order.order_id for order in orders), rest=spent)

    window = stretches.Window(given.get("since"), given.get("until"))
    return Condition(lambda moment: window.tallied(moment.orders, weighed, accepted, moment), _reads(given), evidence)


def products_purchased(given: Arguments) -> Condition:
    skus, categories, tags = (given.get(name) for name in ("sku", "category", "tag"))
    least = given.get("quantity_min", 1)

    def matches(line: Line) -> bool:
        of_category = categories is None or categories.has(line.category)
        return of_category and (tags is None or tags.has_any(line.tags)) and (skus is None or skus.has(line.sku))

    def units(order: Order) -> int:
        return sum(line.quantity for line in order.lines if matches(line))

    def judge(moment: Moment) -> Judged:
        return window.tallied(moment.orders, lambda order: (units(order), 0), lambda count, _: count >= least, moment)

    def evidence(moment: Moment) -> Evidence:
        found = {order.order_id: count for order in _in_window(window, moment) if (count := units(order))}
        return Evidence.counted(sum(found.values()), "unit", found)

    window = stretches.Window(given.get("since"), given.get("until"))
    return Condition(judge, _reads(given), evidence)


def _in_window(window: stretches.Window, moment: Moment) -> Iterator[Order]:
    return (order for order, day in moment.orders if window.holds(day, moment.today))


def _reads(given: Arguments) -> Reads:
    return Reads(frozenset({Fact.ORDERS}), orders=frozenset({given.get("since")}))


ORDERS = (
    Function(
        "orders_placed",
        (
            Parameter("count_min", INTEGER, "How many orders at least: 1, or 0 where `count_max` is given.", least=0),
            Parameter("count_max", INTEGER, "How many orders at most.", least=0),
            Parameter("sum_amount_min", MONEY, "What they come to at least: net, in the shop's currency."),
            Parameter("sum_amount_max", MONEY, "What they come to at most: net, in the shop's currency."),
            SINCE,
            UNTIL,
            Parameter("channel", TEXT, "The channel of the orders.", many=True),
            Parameter("coupon", TEXT, "The coupon of the orders.", many=True),
        ),
        Group.BUYING,
        "Orders placed within a window of days. Orders in other currencies count, and add nothing to the sum.",
        "orders_placed(count_min: 2, sum_amount_min: 100, since: -12m)",
        (Fact.ORDERS,),
        orders_placed,
        ranges={**WINDOW, **COUNT, "sum_amount": ("sum_amount_min", "sum_amount_max")},
    ),
    Function(
        "products_purchased",
        (
            Parameter("sku", TEXT, "The SKU of the line.", many=True),
            Parameter("category", TEXT, "The category of the line.", many=True),
            Parameter("tag", TEXT, "A tag of the line.", many=True),
            Parameter("quantity_min", INTEGER, "How many units at least, over all orders: 1.", least=1),
            SINCE,
            UNTIL,
        ),
        Group.BUYING,
        "Products bought within a window of days. Units that were given back do not count.",
        "products_purchased(tag: 'christmas', since: -90d)",
        (Fact.ORDERS,),
        products_purchased,
        ranges={**WINDOW, "quantity": ("quantity_min", None)},
    ),
)
