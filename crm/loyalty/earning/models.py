# crm/loyalty/earning/models.py
"""What rules have given.

Key design (docs/access-patterns.md, AP-192 to AP-195, AP-286, AP-291):
    EarnedCounts  pk=SHOP#<shop>#CUSTOMER#<customer>      sk=EARNED#<yyyy-mm>   by day, where rules limit it
                                                          sk=EARNED#ever
    RuleBudget    pk=SHOP#<shop>#BUDGET#<rule>#<share>    sk=BUDGET             a budget lies in eight shares

Counts are written with their account, under the condition of its `rev`; budgets under conditions of their own.
"""

from typing import Self

from pynamodb.attributes import NumberAttribute

from crm.kernel.compact_json import CompactJSONAttribute
from crm.kernel.table import Item, customer_key


class EarnedCounts(Item, discriminator="EarnedCounts"):
    """Points by day, and of those by rule (crm/loyalty/earning/caps.py)."""

    counts = CompactJSONAttribute(default=dict)

    @classmethod
    def of(cls, shop: str, customer_id: str, period: str) -> Self:
        """`period` is a month, or `ever`."""
        return cls(customer_key(shop, customer_id), f"EARNED#{period}")

    @property
    def period(self) -> str:
        return str(self.sk).partition("#")[2]


class RuleBudget(Item, discriminator="RuleBudget"):
    """What one share of a rule's budget has given."""

    spent = NumberAttribute(null=True)

    @classmethod
    def of(cls, shop: str, rule: str, share: int) -> Self:
        return cls(f"SHOP#{shop}#BUDGET#{rule}#{share}", "BUDGET")
