# crm/kpis/models.py
"""What KPIs are made of, in a table of their own: derived, rebuildable, without direct identifiers.

Key design (docs/access-patterns.md, AP-70 to AP-74, AP-171):
    Contribution  pk=SHOP#<shop>#FACT#<kind>#<fact>               sk=CONTRIBUTION  what one fact adds to which cells
                  fact_pk=SHOP#<shop>#FACTS#<kind>#<day>#<shard>  fact_sk=<fact>   which facts a day is made of
    Cell          pk=SHOP#<shop>#CELLS#<metric>#<dimension>       sk=<day>         weeks to years are summed on read
Days are shop-local ISO dates; 9999-12-31 is that of a cell that sums up all of them. Money is integer minor units; its
dimension is the currency. What is counted of a segment has the segment for its dimension. Cells of a metric by year sum
one up, and stand at its first day.
"""

from datetime import date
from typing import ClassVar, Self

from pynamodb.attributes import (
    BooleanAttribute,
    DiscriminatorAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from crm.kernel.model_making import CopiedAlone
from crm.kernel.settings import settings
from crm.kernel.table import Part, Stored, join
from crm.kpis.facts import ANSWER, ORDER, POINTS, REFUND

SHARDS = 4


class Facts(CopiedAlone, GlobalSecondaryIndex["KpiItem"]):
    class Meta:
        index_name = "facts"
        projection = AllProjection()
        billing_mode = "PAY_PER_REQUEST"

    fact_pk = UnicodeAttribute(hash_key=True)
    fact_sk = UnicodeAttribute(range_key=True)


class KpiItem(Stored):
    class Meta:
        table_name = settings().kpi_table
        region = settings().aws_region
        billing_mode = "PAY_PER_REQUEST"

    kind = DiscriminatorAttribute()
    fact_pk = UnicodeAttribute(null=True)
    fact_sk = UnicodeAttribute(null=True)

    facts = Facts()


class Addend(Part):
    """`amount` was added to the cell of this metric, dimension and day."""

    metric = UnicodeAttribute()
    dimension = UnicodeAttribute()
    day = UnicodeAttribute()
    amount = NumberAttribute()


class Contribution(KpiItem, discriminator="Contribution"):
    """What a fact adds at present. Nothing while it does not count; it is kept, so that a late repeat stays one."""

    SK: ClassVar[str] = "CONTRIBUTION"

    shop = UnicodeAttribute()
    fact_kind = UnicodeAttribute()
    fact_id = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    rev = NumberAttribute(default=0)
    """Counts the changes of this item: each is conditional on the one before."""
    fact_rev = NumberAttribute()
    """The revision of the fact's source that these addends were worked out from."""
    happened_at = UTCDateTimeAttribute()
    day = UnicodeAttribute()
    test = BooleanAttribute()
    addends: ListAttribute[Addend] = ListAttribute(of=Addend, default=list)

    @classmethod
    def of(cls, shop: str, kind: str, fact_id: str) -> Self:
        return cls(cls.key(shop, kind, fact_id), cls.SK, shop=shop, fact_kind=kind, fact_id=fact_id)

    @property
    def order_id(self) -> str | None:
        return self.fact_id.partition("#")[0] if self.fact_kind in {ORDER, REFUND} else None

    @property
    def refund_id(self) -> str | None:
        return self.fact_id.partition("#")[2] if self.fact_kind == REFUND else None

    @property
    def response_id(self) -> str | None:
        return self.fact_id if self.fact_kind == ANSWER else None

    @property
    def entry_cause(self) -> str | None:
        return self.fact_id.partition("#")[2] if self.fact_kind == POINTS else None

    @staticmethod
    def key(shop: str, kind: str, fact_id: str) -> str:
        return f"SHOP#{shop}#FACT#{kind}#{fact_id}"


class Cell(KpiItem, discriminator="Cell"):
    value = NumberAttribute(default=0)

    @classmethod
    def of(cls, shop: str, metric: str, dimension: str, day: date) -> Self:
        return cls(cls.key(shop, metric, dimension), day.isoformat())

    @staticmethod
    def key(shop: str, metric: str, dimension: str) -> str:
        return f"SHOP#{shop}#CELLS#{metric}#{dimension}"


def facts_key(shop: str, kind: str, day: date, shard: int) -> str:
    return f"SHOP#{shop}#FACTS#{kind}#{day.isoformat()}#{shard}"


join(KpiItem)
