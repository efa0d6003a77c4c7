# crm/shops/events.py
"""What shops publish."""

from typing import ClassVar, Self

from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id
from crm.shops.models import Shop


class ShopChanged(DomainEvent, frozen=True):
    """A shop has another zone or currency: what a day is, and what an amount means, is another from now on."""

    detail_type: ClassVar[str] = "shop.changed"

    id: str
    shop: str
    rev: int
    zone: str
    currency: str
    cause: str
    replayed: bool

    @classmethod
    def of(cls, shop: Shop, before: Shop | None) -> Self | None:
        """Nothing of a shop that is new, and of one whose zone and currency stay."""
        if before is None or (before.zone, before.currency) == (shop.zone, shop.currency):
            return None
        return cls(
            id=change_id(shop),
            shop=shop.shop,
            rev=int(shop.rev),
            zone=shop.zone,
            currency=shop.currency,
            cause=shop.cause or "",
            replayed=bool(shop.replayed),
        )
