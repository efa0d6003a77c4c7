# crm/shops/models.py
"""What is stored about a shop.

Key design (docs/access-patterns.md, AP-01, AP-172):
    Shop  pk=SHOP#<shop>  sk=PROFILE
          list_pk=SHOPS   list_sk=<shop>
"""

from typing import Final, Self

from pynamodb.attributes import UnicodeAttribute, UnicodeSetAttribute

from crm.kernel.table import Published, shop_key

ALL: Final = "SHOPS"


class Shop(Published, discriminator="Shop"):
    """A tenant. Its zone decides what a day is, its currency what amounts in segments and KPIs mean by default."""

    shop = UnicodeAttribute()
    name = UnicodeAttribute()
    zone = UnicodeAttribute()
    currency = UnicodeAttribute()
    locale = UnicodeAttribute()
    sender = UnicodeAttribute(null=True)
    """The e-mail address messages come from; None sends none."""
    third_party_sources = UnicodeSetAttribute(null=True)
    """Of the sources of events those that are not the shop's own: what they say of a customer is third-party data."""

    @classmethod
    def of(cls, shop: str) -> Self:
        return cls(shop_key(shop), "PROFILE", shop=shop, list_pk=ALL, list_sk=shop)
