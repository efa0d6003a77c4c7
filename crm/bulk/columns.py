# crm/bulk/columns.py
"""What each column of a CSV says, and the event that rows make. Pure.

An empty cell says nothing: it leaves what is stored as it is. docs/import.md has the columns for people.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from crm.kernel.errors import Fault

CHANNELS = ("email", "sms", "push", "in_app", "postal", "ads")
PURPOSES = ("marketing", "transactional", "profiling")
FLAGS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
LISTED: Final = "|"  # between tags
COUNT: Final = re.compile("[0-9]{1,16}")

WHO: Final = {
    "external_id": "externalId",
    "email": "email",
    "email_verified": "emailVerified",
    "phone": "phone",
    "first_name": "firstName",
    "last_name": "lastName",
}
CUSTOMER: Final = WHO | {
    "locale": "locale",
    "zone": "zone",
    "birth_date": "birthDate",
    "gender": "gender",
    "tags": "tags",
    "test": "test",
}
ADDRESS: Final = {
    "address_line1": "line1",
    "address_line2": "line2",
    "postal_code": "postalCode",
    "city": "city",
    "region": "region",
    "country": "country",
}
CONSENTS: Final = {f"consent_{channel}_{purpose}": (channel, purpose) for channel in CHANNELS for purpose in PURPOSES}
CONSENT: Final = {"consent_at": "occurredAt", "consent_source": "source"}
ORDER: Final = {
    "order_id": "orderId",
    "version": "version",
    "status": "status",
    "currency": "currency",
    "placed_at": "placedAt",
    "shipping": "shipping",
    "channel": "channel",
    "coupon": "coupon",
    "cart_id": "cartId",
    "points_spent": "pointsSpent",
}
LINE: Final = {
    "line_id": "id",
    "sku": "sku",
    "quantity": "quantity",
    "unit_price": "unitPrice",
    "discount": "discount",
    "line_tax": "tax",
    "title": "title",
    "category": "category",
    "line_tags": "tags",
    "gift_card": "giftCard",
}
UPDATED: Final = "updated_at"

OF_CUSTOMERS: Final = frozenset([*CUSTOMER, *ADDRESS, *CONSENTS, *CONSENT, UPDATED])
OF_ORDERS: Final = frozenset([*WHO, *ORDER, *LINE, UPDATED])
NEEDED_BY_ORDERS: Final = ("order_id", "currency", "placed_at", "sku", "quantity", "unit_price")
IDENTIFYING: Final = ("external_id", "email", "phone")

FLAGGED: Final = frozenset({"email_verified", "test", "gift_card"})
COUNTED: Final = frozenset({"version", "quantity", "points_spent"})
LISTING: Final = frozenset({"tags", "line_tags"})


class Told(Struct, frozen=True):
    """What holds of all rows of an import: whose they are, which system they come from, and as of when they are true,
    where a row does not say (RFC 3339).
    """

    shop: str
    source: str
    as_of: str


class Draft(Struct, frozen=True):
    """An event, and which column of which of its rows (by place) each path of it comes from."""

    event: dict[str, Any]
    origins: Mapping[str, tuple[int, str]]

    def placed(self, fault: Fault) -> tuple[int | None, Fault]:
        """A fault of the event as one of a row's column; None beside what is no one row's."""
        path = fault.path
        while path:
            if path in self.origins:
                place, column = self.origins[path]
                return place, replace(fault, path=column)
            path = path.rpartition(".")[0]
        return None, fault


def header_faults(columns: Sequence[str], *, orders: bool) -> list[Fault]:
    """What a file lacks that none of its rows could be taken without."""
    missing = [column for column in (NEEDED_BY_ORDERS if orders else ()) if column not in columns]
    found = [Fault(column, "REQUIRED", "is a column that must be there") for column in missing]
    if not any(column in columns for column in IDENTIFYING):
        found.append(Fault("external_id", "REQUIRED", f"or another of {', '.join(IDENTIFYING)} must be there"))
    return found


def unknown(columns: Sequence[str], *, orders: bool) -> list[str]:
    """The columns that nothing is read from."""
    known = OF_ORDERS if orders else OF_CUSTOMERS
    return [column for column in columns if column and column not in known]


def customer(cells: Mapping[str, str], told: Told) -> Draft:
    """What one row says of a customer."""
    who = _values(cells, CUSTOMER)
    address = _values(cells, ADDRESS)
    if address:
        who["addresses"] = [address]
    more = _values(cells, CONSENT)
    given = [column for column in CONSENTS if column in cells]
    consents = [
        {"channel": CONSENTS[column][0], "purpose": CONSENTS[column][1], "state": cells[column].lower()} | more
        for column in given
    ]
    event = _event("customer.updated", cells.get(UPDATED, told.as_of), who, {"consents": consents}, told)
    origins = {f"customer.{name}": (0, column) for column, name in CUSTOMER.items()}
    origins |= {f"customer.addresses[0].{name}": (0, column) for column, name in ADDRESS.items()}
    origins |= {f"customer.addresses.0.{name}": (0, column) for column, name in ADDRESS.items()}
    for number, column in enumerate(given):
        path = f"data.consents[{number}]"
        origins |= {f"{path}.{name}": (0, at) for at, name in CONSENT.items()} | {path: (0, column)}
    return Draft({"id": event_id(event)} | event, origins | {"occurredAt": (0, UPDATED)})


def order(rows: Sequence[Mapping[str, str]], told: Told) -> Draft:
    """What rows say of one order: the first of the order as a whole, each of a line."""
    first = rows[0]
    data = _values(first, ORDER)
    data = {"version": 1, "status": "placed"} | data
    data["lines"] = [_values(row, LINE) for row in rows]
    who = _values(first, WHO)
    occurred_at = first.get(UPDATED) or first.get("placed_at") or told.as_of
    event = _event("order.updated", occurred_at, who, data, told)
    origins: dict[str, tuple[int, str]] = {f"customer.{name}": (0, column) for column, name in WHO.items()}
    origins |= {f"data.{name}": (0, column) for column, name in ORDER.items()}
    for place in range(len(rows)):
        origins |= {f"data.lines[{place}].{name}": (place, column) for column, name in LINE.items()}
    origins |= {"occurredAt": (0, UPDATED if UPDATED in first else "placed_at"), "id": (0, "order_id")}
    # Another content of the same version is another event under this id, and refused as such.
    about = [told.source, "order", data.get("orderId"), data["version"]]
    return Draft({"id": event_id(about)} | event, origins)


def contradictions(rows: Sequence[Mapping[str, str]]) -> list[tuple[int, Fault]]:
    """Where a later row of an order says of it, or of who ordered, what its first row does not."""
    told = [*ORDER, *WHO, UPDATED]
    return [
        (place, Fault(column, "INVALID", "must be empty, or as in the first row of the order"))
        for place, row in enumerate(rows)
        for column in told
        if column in row and row[column] != rows[0].get(column)
    ]


def event_id(content: object) -> str:
    """An id that the same content has always, in whichever file and row it stands."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return f"import.{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _event(kind: str, occurred_at: str, who: dict[str, Any], data: dict[str, Any], told: Told) -> dict[str, Any]:
    return {
        "type": kind,
        "version": 1,
        "shop": told.shop,
        "source": told.source,
        "occurredAt": occurred_at,
        "customer": who,
        "data": data,
    }


def _values(cells: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    return {name: _value(column, cells[column]) for column, name in names.items() if column in cells}


def _value(column: str, cell: str) -> Any:
    """A cell that is not of its column's form is left as it is: the event's schema says what is wrong with it."""
    if column in FLAGGED:
        return FLAGS.get(cell.lower(), cell)
    if column in COUNTED:
        return int(cell) if COUNT.fullmatch(cell) else cell
    if column in LISTING:
        return [tag.strip() for tag in cell.split(LISTED) if tag.strip()]
    return cell
