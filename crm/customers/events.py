# crm/customers/events.py
"""What customers publish."""

from datetime import datetime
from typing import ClassVar, Self

from crm.customers.models import Customer
from crm.kernel.domain_events import DomainEvent
from crm.kernel.publishing import change_id


class CustomerRecorded(DomainEvent, frozen=True):
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
