# crm/touchpoints/sources.py
"""What brought customers, as one change leaves it: each head is read once and written once."""

from crm.kernel.change import Change
from crm.touchpoints import acquisition, repository
from crm.touchpoints.models import Acquisition, JoinedVisitor, SourcePart, Visitor
from crm.touchpoints.told import Told

MOST_VISITORS = 20  # whom one customer can have been within a visitor's lifetime


class Sources:
    """The heads of the customers whom one change concerns."""

    def __init__(self, shop: str, told: Told) -> None:
        self._shop = shop
        self._told = told
        self._heads: dict[str, Acquisition] = {}
        self._changed: set[str] = set()

    def add(self, customer_id: str, source: SourcePart) -> None:
        """A customer came from somewhere, known to be them."""
        head = self._head(customer_id)
        ends = acquisition.ends([head.own_first, head.own_last, source])
        if ends is not None and source in ends:
            head.own_first, head.own_last = ends
            self._changed.add(customer_id)

    def has_room(self, customer_id: str) -> bool:
        return len(self._head(customer_id).visitors) < MOST_VISITORS

    def join(self, customer_id: str, visitor_id: str, visitor: Visitor) -> None:
        """The customer was the visitor: what brought the one brought the other."""
        self.part(customer_id, visitor_id)
        joined = JoinedVisitor(
            visitor_id=visitor_id, expires_at=visitor.expires_at, first=visitor.first, last=visitor.last
        )
        self._head(customer_id).visitors.append(joined)

    def part(self, customer_id: str, visitor_id: str) -> None:
        """The visitor was not the customer."""
        head = self._head(customer_id)
        head.visitors = [each for each in head.visitors if each.visitor_id != visitor_id]
        self._changed.add(customer_id)

    def lose(self, customer_id: str, count: int) -> None:
        """So many touchpoints are the customer's no longer."""
        self._head(customer_id).gone_count += count
        self._changed.add(customer_id)

    def add_to(self, change: Change) -> None:
        """Add what has changed; the commit raises Stale where it was told meanwhile."""
        for customer_id in sorted(self._changed):
            head = self._heads[customer_id]
            head.visitors = sorted(head.visitors, key=lambda each: str(each.visitor_id))
            theirs = [end for each in head.visitors for end in (each.first, each.last)]
            head.first, head.last = acquisition.ends([head.own_first, head.own_last, *theirs]) or (None, None)
            head.cause, head.replayed = self._told.cause, self._told.replayed
            head.occurred_at = self._told.occurred_at
            head.newest_at = max(head.occurred_at, head.newest_at or head.occurred_at)
            change.revise(head)

    def _head(self, customer_id: str) -> Acquisition:
        if customer_id not in self._heads:
            head = repository.get_acquisition(self._shop, customer_id) or Acquisition.of(self._shop, customer_id)
            self._heads[customer_id] = head
            for visitor in [each for each in head.visitors if each.expires_at <= self._told.now.timestamp()]:
                # Nobody can turn out to have been them any more: what brought them is the customer's for good.
                ends = acquisition.ends([head.own_first, head.own_last, visitor.first, visitor.last])
                head.own_first, head.own_last = ends or (None, None)
                head.visitors.remove(visitor)
        return self._heads[customer_id]
