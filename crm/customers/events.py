# crm/customers/events.py
"""What customers publish."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from crm.customers.models import Customer
from crm.kernel import clock
from crm.kernel.details import Detail
from crm.kernel.publishing import change_id


@dataclass(frozen=True)
class CustomerRecorded:
    """A profile is new or has changed. It says who, never what: the profile is personal."""

    detail_type: ClassVar[str] = "customer.recorded"

    id: str
    shop: str
    customer_id: str
    rev: int
    status: str
    test: bool
    occurred_at: datetime
    cause: str
    replayed: bool

    @classmethod
    def of(cls, customer: Customer) -> Self:
        return cls(
            id=change_id(customer),
            shop=customer.shop,
            customer_id=customer.customer_id,
            rev=int(customer.rev),
            status=customer.status,
            test=bool(customer.test),
            occurred_at=customer.changed_at,
            cause=customer.cause or "",
            replayed=bool(customer.replayed),
        )

    def detail(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "shop": self.shop,
            "customerId": self.customer_id,
            "rev": self.rev,
            "status": self.status,
            "test": self.test,
            "occurredAt": clock.text(self.occurred_at),
            "cause": self.cause,
            "replayed": self.replayed,
        }

    @classmethod
    def parse(cls, detail: dict[str, Any]) -> Self:
        """Raises InvalidInput."""
        told = Detail(detail)
        return cls(
            id=told.text("id"),
            shop=told.text("shop"),
            customer_id=told.text("customerId"),
            rev=told.whole("rev"),
            status=told.text("status"),
            test=told.flag("test"),
            occurred_at=told.instant("occurredAt"),
            cause=told.text("cause"),
            replayed=told.flag("replayed"),
        )
