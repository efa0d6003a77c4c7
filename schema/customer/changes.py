# schema/customer/changes.py
"""What changed about a customer since an app last asked, so that it can keep a copy."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeAlias

import strawberry
from msgspec import Struct

from crm.feedback import service as feedback
from crm.kernel import clock, timeline
from crm.kernel.errors import InvalidInput
from crm.kernel.table import Item, customer_key
from crm.loyalty import service as loyalty
from crm.notifications import service as notifications
from crm.orders import service as orders
from schema.access import signed_in
from schema.connections import ListSize, Place, page_size
from schema.context import Context, stored
from schema.customer.record import Record
from schema.feedback import FeedbackResponse
from schema.loyalty.entries import LedgerEntry
from schema.message import Message
from schema.order import Order
from schema.principal import Kind

if TYPE_CHECKING:
    from schema.customer.customer import Customer

UNSETTLED: Final = timedelta(seconds=150)
"""Nothing takes as long from asking what time it is, which its changes bear, until they are committed: no function runs
for longer than two minutes.
"""

Changed: TypeAlias = Annotated[
    Annotated["Customer", strawberry.lazy("schema.customer.customer")]
    | Order
    | Message
    | LedgerEntry
    | FeedbackResponse,
    strawberry.union(
        "Changed",
        description=(
            "Something an app keeps a copy of. The customer stands for the profile and all that hangs on it directly: "
            "statistics, points, consents."
        ),
    ),
]
OF_ITS_OWN: Final[dict[type[Item], tuple[Any, str]]] = {
    orders.Order: (Order, "orders:read"),
    notifications.Message: (Message, "messages:read"),
    loyalty.LedgerEntry: (LedgerEntry, "loyalty:read"),
    feedback.FeedbackResponse: (FeedbackResponse, "feedback:read"),
}
"""How each is shown, and what staff need to learn that there is one."""


def fed() -> ListSize:
    """The size of a page of changes."""
    return ListSize(slicing_arguments=["first"], sized_fields=["nodes"])


@strawberry.type(description="What changed, and from where to go on.", directives=signed_in())
class CustomerChanges:
    nodes: list[Changed] = strawberry.field(
        description="As they now are, in the order of their last change; each once a page."
    )
    cursor: str = strawberry.field(description="Give it as `since` the next time; opaque, and of use here only.")
    has_more: bool = strawberry.field(description="Whether to ask again at once; if not, when the app likes.")


class Round(NamedTuple):
    """How far an app has come. A round ends where nothing more has changed; the next begins at its `floor`."""

    position: str | None
    floor: str
    """The last moment before this round began at which all that was recorded had been committed."""

    def text(self) -> str:
        return f"{self.position or ''}|{self.floor}"

    @classmethod
    def of(cls, text: str | None, *, now: datetime) -> "Round":
        if text is None:
            return cls(None, _settled(now))
        position, _, floor = text.partition("|")
        return cls(position or None, floor or _settled(now))


def following(asked: Round, keys: Sequence[str], *, more: bool) -> Round:
    """Where to go on behind a page whose items were last changed at `keys`.

    Within a round, behind its last item. Behind a whole round, at its floor at the latest, and not before the last
    round's: what was recorded earlier and committed later is told in the next, and so are the last minutes, once more.
    """
    last = keys[-1] if keys else asked.position
    if more:
        return Round(last, asked.floor)
    return Round(min(last, asked.floor) if last else asked.floor, "")


class Feed(Struct, frozen=True):
    """A customer's changes as one list."""

    context: Context
    record: Record

    @property
    def _place(self) -> Place:
        return Place("Customer.changes", self.context.shop, self.record.profile.customer_id)

    async def since(self, cursor: str | None, first: int | None) -> CustomerChanges:
        """Raises InvalidInput for a cursor that was not made for this list."""
        size = page_size(first)
        try:
            asked = Round.of(self._place.position(cursor), now=self.context.now)
        except InvalidInput as error:
            raise InvalidInput(str(error), field="since") from error
        pk = customer_key(self.context.shop, self.record.profile.customer_id)
        items = await stored(timeline.changed, pk, after=asked.position, limit=size + 1)
        page = items[:size]
        after = following(asked, [item.changed_key or "" for item in page], more=len(items) > size)
        return CustomerChanges(
            nodes=self._nodes(page), cursor=self._place.cursor(after.text()), has_more=len(items) > size
        )

    def _nodes(self, items: Sequence[Item]) -> list[Any]:
        from schema.customer.customer import Customer  # they name each other

        principal = self.context.principal
        nodes: list[Any] = []
        itself = False
        for item in items:
            shown = OF_ITS_OWN.get(type(item))
            if shown is not None:
                kind, scope = shown
                if principal.kind is Kind.CUSTOMER or scope in principal.scopes:
                    nodes.append(kind(item=item))
            elif not itself:
                itself = True
                nodes.append(Customer(record=self.record))
        return nodes


def _settled(now: datetime) -> str:
    return clock.text(now - UNSETTLED)


Since = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "The `cursor` of the last answer; null: everything, from the beginning. What changed in the minute before "
            "it may be told again."
        )
    ),
]
