# crm/notifications/recipient.py
"""What a message's decision relies on, as it stands now."""

from msgspec import Struct

from crm.consent import service as consent
from crm.consent.service import ConsentHead
from crm.customers import service as customers
from crm.customers.service import Customer, Reach, Snapshot
from crm.kernel.change import Change
from crm.kernel.errors import NotFound
from crm.kernel.table import Published
from crm.notifications.eligibility import Attempt
from crm.notifications.models import Message
from crm.orders import service as orders
from crm.orders.models import CANCELLED
from crm.orders.service import Order
from crm.shops import service as shops
from crm.shops.service import Shop


class Recipient(Struct, frozen=True):
    attempt: Attempt
    shop: Shop
    customer: Customer | None
    relied_on: list[Published]
    reach: Reach

    def rely(self, change: Change) -> None:
        """Add to `change` that nothing of this has moved since it was read.

        The shop is left out: a condition on one item by every message of a shop would make them conflict.
        """
        for item in self.relied_on:
            change.unchanged(item)
        self.reach.rely(change)


def look_up(message: Message) -> Recipient:
    """Read the customer, their consents, whose their address is and what speaks against it, the order and the shop.
    Raises NotFound where there is no such shop.

    Where a guest shares the address, a no of theirs is heard too: it was said of the same mailbox.
    """
    heads = customers.take_snapshot(message.shop, message.customer_id)
    customer = heads.head(Customer)
    consents = _consents(heads)
    reach = customers.reach(customer, "email") if customer else Reach()
    address, sharing = reach.address, _consents(reach.sharer) if reach.sharer else None
    suppression = consent.suppression(message.shop, message.channel, address) if address else None
    order = _order(message)
    shop = shops.get(message.shop)
    attempt = Attempt(
        planned_at=message.planned_at,
        replayed=bool(message.replayed),
        known=customer is not None,
        active=customer is not None and customers.takes_part(customer),
        order_stands=order is not None and order.status != CANCELLED,
        placed_at=order.placed_at if order else None,
        consented=consent.allows(consents, message.channel, message.purpose) is None
        and consent.allows(sharing, message.channel, message.purpose) is not consent.Refusal.DENIED,
        address=address if suppression is not None else None,
        suppressed=suppression is None or bool(suppression.reasons),
        sender=shop.sender,
    )
    # A consent not given yet is relied on, too, as is a suppression that is not there: each must still be missing.
    relied_on: tuple[Published | None, ...] = (customer, consents, sharing, suppression, order)
    return Recipient(attempt, shop, customer, [item for item in relied_on if item is not None], reach)


def _consents(heads: Snapshot) -> ConsentHead:
    return heads.head(ConsentHead) or ConsentHead.of(heads.shop, heads.customer_id)


def _order(message: Message) -> Order | None:
    try:
        return orders.get(message.shop, message.order_id or "")
    except NotFound:
        return None
