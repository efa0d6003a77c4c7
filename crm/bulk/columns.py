# crm/bulk/columns.py
"""What each column of a CSV says, and the event that rows make. Pure.

An empty cell says nothing: it leaves what is stored as it is. docs/import.md has the columns for people.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from crm.bulk import spelling
from crm.consent.service import CHANNELS, PURPOSES
from crm.customers import service as customers
from crm.customers.service import AttributeRule
from crm.kernel.errors import Fault

SOURCE: Final = "source"
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
    "latitude": "latitude",
    "longitude": "longitude",
}
MORE_ADDRESSES: Final = "more_addresses"
CONSENTS: Final = {f"consent_{channel}_{purpose}": (channel, purpose) for channel in CHANNELS for purpose in PURPOSES}
CONSENT: Final = {"consent_at": "occurredAt", "consent_source": "source"}
EVIDENCE: Final = "consents"
ATTRIBUTE: Final = "attribute_"
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
REFUND_ID: Final = "refund_id"
REFUND: Final = {REFUND_ID: "refundId", "order_id": "orderId", "currency": "currency", "refund_reason": "reason"}
REFUNDED: Final = "refunded_at"
RETURNED: Final = {"line_id": "lineId", "quantity": "quantity", "refund_amount": "amount"}
UPDATED: Final = "updated_at"

OF_CUSTOMERS: Final = frozenset([SOURCE, *CUSTOMER, *ADDRESS, MORE_ADDRESSES, *CONSENTS, *CONSENT, EVIDENCE, UPDATED])
OF_ORDERS: Final = frozenset([SOURCE, *WHO, *ORDER, *LINE, *REFUND, REFUNDED, *RETURNED, UPDATED])
NEEDED_BY_ORDERS: Final = ("order_id", "currency", "placed_at", "sku", "quantity", "unit_price")
TOGETHER: Final = ("order_id", REFUND_ID)
"""Rows in which these are alike, one below the other, tell of one order, or of one refund of it."""
IDENTIFYING: Final = ("external_id", "email", "phone")

READERS: Final[Mapping[str, Callable[[str], Any]]] = (
    dict.fromkeys(("email_verified", "test", "gift_card"), spelling.flag)
    | dict.fromkeys(("version", "quantity", "points_spent"), spelling.count)
    | dict.fromkeys(("tags", "line_tags"), spelling.listed)
    | dict.fromkeys(("latitude", "longitude"), spelling.degrees)
    | dict.fromkeys((MORE_ADDRESSES, EVIDENCE), spelling.json_list)
)


class Told(Struct, frozen=True):
    """What holds of all rows of an import: whose they are, which system they come from, and as of when they are true,
    where a row does not say (RFC 3339). `attributes` are the shop's own that take values, by key.
    """

    shop: str
    source: str
    as_of: str
    attributes: Mapping[str, AttributeRule] = field(default_factory=dict)


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
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return None, fault


def header_faults(columns: Sequence[str], *, orders: bool) -> list[Fault]:
    """What a file lacks that none of its rows could be taken without."""
    missing = [column for column in (NEEDED_BY_ORDERS if orders else ()) if column not in columns]
    found = [Fault(column, "REQUIRED", "is a column that must be there") for column in missing]
    if not any(column in columns for column in IDENTIFYING):
        found.append(Fault("external_id", "REQUIRED", f"or another of {', '.join(IDENTIFYING)} must be there"))
    return found


def unknown(columns: Sequence[str], told: Told, *, orders: bool) -> list[str]:
    """The columns that nothing is read from."""
    own = [] if orders else [f"{ATTRIBUTE}{key}" for key in told.attributes]
    known = OF_ORDERS if orders else OF_CUSTOMERS.union(own)
    return [column for column in columns if column and column not in known]


def customer(cells: Mapping[str, str], told: Told) -> Draft:
    """What one row says of a customer."""
    who = _values(cells, CUSTOMER)
    origins = {f"customer.{name}": (0, column) for column, name in CUSTOMER.items()}
    addresses = _addresses(cells)
    if addresses:
        who["addresses"] = addresses
        first = bool(_values(cells, ADDRESS))
        for place, _ in enumerate(addresses if isinstance(addresses, list) else ()):
            told_by = ADDRESS if first and place == 0 else dict.fromkeys([MORE_ADDRESSES], "")
            for at in (f"customer.addresses[{place}]", f"customer.addresses.{place}"):
                origins |= {f"{at}.{name}".rstrip("."): (0, column) for column, name in told_by.items()}
        origins["customer.addresses"] = (0, MORE_ADDRESSES if MORE_ADDRESSES in cells else "address_line1")
    attributes = _attributes(cells, told)
    if attributes:
        who["attributes"] = attributes
        origins |= {f"customer.attributes.{key}": (0, f"{ATTRIBUTE}{key}") for key in attributes}
    consents, its_origins = _consents(cells)
    event = _event("customer.updated", cells.get(UPDATED, told.as_of), cells, who, {"consents": consents}, told)
    return Draft(
        {"id": event_id(event)} | event, origins | its_origins | {"occurredAt": (0, UPDATED), SOURCE: (0, SOURCE)}
    )


def customer_faults(cells: Mapping[str, str], told: Told) -> list[Fault]:
    """What is wrong with a row that its event would not show: a consent that is told twice, and not alike, or a value
    that its attribute does not take, which other events leave out.
    """
    evidence = spelling.json_list(cells.get(EVIDENCE, ""))
    said = {
        (one.get("channel"), one.get("purpose")): one.get("state")
        for one in (evidence if isinstance(evidence, list) else ())
        if isinstance(one, dict) and not one.get("topic") and isinstance(one.get("channel"), str)
        and isinstance(one.get("purpose"), str)
    }  # fmt: skip
    otherwise = [
        Fault(column, "INVALID", f"must be empty, or as in {EVIDENCE}")
        for column, about in CONSENTS.items()
        if column in cells and about in said and said[about] != cells[column].lower()
    ]
    _, refused = customers.judged_attributes(
        told.attributes, _attributes(cells, told), path=lambda key: f"{ATTRIBUTE}{key}"
    )
    return [*otherwise, *refused]


def order(rows: Sequence[Mapping[str, str]], told: Told) -> Draft:
    """What rows say of one order: the first of the order as a whole, each of a line."""
    first = rows[0]
    data = _values(first, ORDER)
    data = {"version": 1, "status": "placed"} | data
    data["lines"] = [_values(row, LINE) for row in rows]
    who = _values(first, WHO)
    occurred_at = first.get(UPDATED) or first.get("placed_at") or told.as_of
    event = _event("order.updated", occurred_at, first, who, data, told)
    origins: dict[str, tuple[int, str]] = {f"customer.{name}": (0, column) for column, name in WHO.items()}
    origins |= {f"data.{name}": (0, column) for column, name in ORDER.items()}
    for place in range(len(rows)):
        origins |= {f"data.lines[{place}].{name}": (place, column) for column, name in LINE.items()}
    origins |= {"occurredAt": (0, UPDATED if UPDATED in first else "placed_at"), "id": (0, "order_id")}
    origins[SOURCE] = (0, SOURCE)
    # Another content of the same version is another event under this id, and refused as such.
    about = [event["source"], "order", data.get("orderId"), data["version"]]
    return Draft({"id": event_id(about)} | event, origins)


def refund(rows: Sequence[Mapping[str, str]], told: Told) -> Draft:
    """What rows say of one refund: the first of the refund as a whole, each of what was given back of a line."""
    first = rows[0]
    data = _values(first, REFUND) | {"lines": [_values(row, RETURNED) for row in rows]}
    event = _event("refund.created", first.get(REFUNDED, told.as_of), first, None, data, told)
    origins: dict[str, tuple[int, str]] = {f"data.{name}": (0, column) for column, name in REFUND.items()}
    for place in range(len(rows)):
        origins |= {f"data.lines[{place}].{name}": (place, column) for column, name in RETURNED.items()}
    origins |= {"occurredAt": (0, REFUNDED), "id": (0, REFUND_ID), SOURCE: (0, SOURCE)}
    about = [event["source"], "refund", data.get("orderId"), data.get("refundId")]
    return Draft({"id": event_id(about)} | event, origins)


def contradictions(rows: Sequence[Mapping[str, str]]) -> list[tuple[int, Fault]]:
    """Where a later row of an order or refund says of it, or of who ordered, what its first row does not."""
    told = [SOURCE, *ORDER, *WHO, UPDATED, REFUND_ID, "refund_reason", REFUNDED]
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


def _addresses(cells: Mapping[str, str]) -> Any:
    first = _values(cells, ADDRESS)
    others = READERS[MORE_ADDRESSES](cells.get(MORE_ADDRESSES, "[]"))
    if not isinstance(others, list):
        return others
    return [first, *others] if first else others


def _attributes(cells: Mapping[str, str], told: Told) -> dict[str, Any]:
    return {
        key: spelling.attribute(rule, cells[column])
        for key, rule in told.attributes.items()
        if (column := f"{ATTRIBUTE}{key}") in cells
    }


def _consents(cells: Mapping[str, str]) -> tuple[Any, dict[str, tuple[int, str]]]:
    """What the row's columns say, each only where the evidence does not, and the evidence."""
    evidence = READERS[EVIDENCE](cells.get(EVIDENCE, "[]"))
    if not isinstance(evidence, list):
        return evidence, {"data.consents": (0, EVIDENCE)}
    said = [
        (one.get("channel"), one.get("purpose")) for one in evidence if isinstance(one, dict) and not one.get("topic")
    ]
    more = _values(cells, CONSENT)
    given = [column for column, about in CONSENTS.items() if column in cells and about not in said]
    consents = [
        {"channel": CONSENTS[column][0], "purpose": CONSENTS[column][1], "state": cells[column].lower()} | more
        for column in given
    ]
    origins: dict[str, tuple[int, str]] = {"data.consents": (0, EVIDENCE)}
    for number, column in enumerate(given):
        path = f"data.consents[{number}]"
        origins |= {f"{path}.{name}": (0, at) for at, name in CONSENT.items()} | {path: (0, column)}
    origins |= {f"data.consents[{number}]": (0, EVIDENCE) for number in range(len(given), len(given) + len(evidence))}
    return [*consents, *evidence], origins


def _event(
    kind: str,
    occurred_at: str,
    cells: Mapping[str, str],
    who: dict[str, Any] | None,
    data: dict[str, Any],
    told: Told,
) -> dict[str, Any]:
    event = {
        "type": kind,
        "version": 1,
        "shop": told.shop,
        "source": cells.get(SOURCE, told.source),
        "occurredAt": occurred_at,
    }
    return event | ({"customer": who} if who is not None else {}) | {"data": data}


def _values(cells: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    return {name: _value(column, cells[column]) for column, name in names.items() if column in cells}


def _value(column: str, cell: str) -> Any:
    """A cell that is not of its column's form is left as it is: the event's schema says what is wrong with it."""
    return READERS[column](cell) if column in READERS else cell
