# crm/customers/deletion.py
"""Deleting is a status that hides a customer and can be undone (docs/decisions/0051)."""

from collections.abc import Callable
from datetime import datetime

from crm.customers import recording, standing
from crm.customers.models import Customer
from crm.customers.provenance import Occasion, Origin
from crm.kernel import clock
from crm.kernel.actor import SYSTEM, Actor
from crm.kernel.change import Change, retrying


def delete(
    shop: str, customer_id: str, *, now: datetime, by: Actor = SYSTEM, expected_version: int | None = None
) -> Customer:
    """Hide a customer and bar them; all that is known of them stays, and their identifiers stay theirs: what is told of
    them later founds nobody and shows nobody. One who is deleted already is left so. Raises NotFound, VersionMismatch.
    """

    def hide(customer: Customer) -> None:
        if not standing.is_hidden(customer):
            customer.deleted_from, customer.status = customer.status, standing.DELETED
            customer.unlist()

    return _turn(shop, customer_id, hide, effect="delete", now=now, by=by, expected_version=expected_version)


def restore(
    shop: str, customer_id: str, *, now: datetime, by: Actor = SYSTEM, expected_version: int | None = None
) -> Customer:
    """Undo a deletion: a customer who was blocked is blocked again. Raises NotFound, VersionMismatch."""

    def show(customer: Customer) -> None:
        if standing.is_hidden(customer):
            customer.status, customer.deleted_from = customer.deleted_from or standing.ACTIVE, None
            customer.enlist()

    return _turn(shop, customer_id, show, effect="restore", now=now, by=by, expected_version=expected_version)


def _turn(
    shop: str,
    customer_id: str,
    turn: Callable[[Customer], None],
    *,
    effect: str,
    now: datetime,
    by: Actor,
    expected_version: int | None,
) -> Customer:
    """Let `turn` change a profile's status; where it changes nothing, nothing is written."""

    def attempt() -> Customer:
        customer, stored = recording.read(shop, customer_id)
        recording.expect(stored, expected_version)
        turn(customer)
        cause = f"customer:{customer_id}:{effect}:{int(stored.rev) + 1}"
        occasion = Occasion(Origin.here(by), cause, occurred_at=now, now=now)
        if customer.status != stored.status:
            customer.field_times = {**customer.field_times, "status": clock.text(now)}
            customer.field_origins = {**customer.field_origins, "status": str(occasion.origin)}
        change = Change(now)
        recording.add(change, customer, stored, occasion)
        change.commit()
        return customer

    return retrying(attempt)
