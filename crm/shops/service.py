# crm/shops/service.py
"""What can be done with shops."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from crm.kernel import clock, locales, texts
from crm.kernel.change import Change, retrying
from crm.kernel.errors import CrmError, Fault, InvalidInputs, NotFound, VersionMismatch
from crm.kernel.money import is_currency
from crm.shops import repository
from crm.shops.models import ALL, Shop

__all__ = ["Shop", "ShopExists", "ShopFields", "create", "current", "faults", "get", "list_all", "update"]

FRESH_FOR = timedelta(seconds=60)
SHOP_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
SENDER = re.compile(r"(?=[^@]{1,64}@)[^@\s.]+(\.[^@\s.]+)*@[^@\s.]+(\.[^@\s.]+)+")
MOST_CHARACTERS = 200
SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
SOURCE_EXPECTED = "must be 1 to 40 lower-case letters, digits, dots, hyphens and underscores"
MOST_SOURCES = 100
LONGEST_SENDER = 254

_cache: dict[str, tuple[datetime, Shop]] = {}
_cache_lock = Lock()

list_all = repository.list_shops


class ShopExists(CrmError):
    code = "SHOP_EXISTS"


class ShopFields(Struct, frozen=True):
    """What may be said of a shop. None leaves a field as it is."""

    name: str | None = None
    zone: str | None = None
    currency: str | None = None
    locale: str | None = None
    sender: str | None = None
    no_sender: bool = False
    """Takes the sender away: no more messages are sent."""
    third_party_sources: Sequence[str] | None = None

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "no_sender" and value is not None}


def create(shop: str, fields: ShopFields) -> Shop:
    """Found a shop. Raises InvalidInputs, or ShopExists where the id is taken."""
    wrong = faults(fields)
    if not SHOP_ID.fullmatch(shop):
        wrong.append(Fault("id", "INVALID", "must be 1 to 40 lower-case letters, digits and hyphens"))
    wrong += [
        Fault(name, "REQUIRED", "is required")
        for name in ("name", "zone", "currency", "locale")
        if name not in fields.given()
    ]
    if wrong:
        raise InvalidInputs(wrong)
    item = Shop.of(shop)
    _set(item, fields)
    item.rev, item.cause = 1, f"shop:{shop}:create"
    change = Change()
    change.create(item, otherwise=ShopExists(f"The shop {shop!r} exists.", field="id"))
    change.commit()
    return item


def update(shop: str, fields: ShopFields, *, expected_version: int | None = None) -> Shop:
    """Change what is given; where nothing is another, the version stays. A zone that changes counts from now on: days
    already written keep theirs.

    Raises InvalidInputs, NotFound, and VersionMismatch where the stored version is another.
    """
    if wrong := faults(fields):
        raise InvalidInputs(wrong)

    def attempt() -> Shop:
        item = get(shop)
        if expected_version is not None and item.rev != expected_version:
            raise VersionMismatch(expected=expected_version, actual=int(item.rev))
        before = _said(item)
        _set(item, fields)
        if _said(item) == before and item.list_pk is not None:
            return item
        item.list_pk, item.list_sk = ALL, shop  # those from before there was a list had none
        change = Change()
        change.revise(item)
        item.cause = f"shop:{shop}:update:{int(item.rev)}"
        change.commit()
        return item

    item = retrying(attempt)
    with _cache_lock:
        _cache.pop(shop, None)
    return item


def get(shop: str) -> Shop:
    """Raises NotFound."""
    item = repository.get_shop(shop)
    if item is None:
        raise NotFound(f"There is no shop {shop!r}.", field="shop")
    return item


def current(shop: str, *, now: datetime) -> Shop:
    """The shop as it was at most a minute ago; for events, which would otherwise read it each time. Raises NotFound."""
    with _cache_lock:
        cached = _cache.get(shop)
    if cached and abs(now - cached[0]) < FRESH_FOR:
        return cached[1]
    item = get(shop)
    with _cache_lock:
        _cache[shop] = (now, item)
    return item


def forget_cached() -> None:
    """For tests, whose tables are new each time."""
    with _cache_lock:
        _cache.clear()


def _set(item: Shop, fields: ShopFields) -> None:
    for name, value in fields.given().items():
        setattr(item, name, (set(value) or None) if name == "third_party_sources" else value)  # no stored set is empty
    if fields.no_sender:
        item.sender = None


def _said(item: Shop) -> dict[str, Any]:
    return {name: getattr(item, name) for name in ShopFields.__struct_fields__ if name != "no_sender"}


def faults(fields: ShopFields) -> list[Fault]:
    """Everything wrong with what is given."""
    found: list[Fault] = []
    if fields.name is not None:
        found += texts.line_faults("name", fields.name, longest=MOST_CHARACTERS)
    if fields.zone is not None and not clock.is_zone(fields.zone):
        found.append(Fault("zone", "INVALID", "must be an IANA time zone such as Europe/Berlin"))
    if fields.currency is not None and not is_currency(fields.currency):
        found.append(Fault("currency", "INVALID", "must be an ISO 4217 currency such as EUR"))
    if fields.locale is not None and not locales.is_locale(fields.locale):
        found.append(Fault("locale", "INVALID", locales.EXPECTED))
    if fields.sender is not None and not (len(fields.sender) <= LONGEST_SENDER and SENDER.fullmatch(fields.sender)):
        found.append(Fault("sender", "INVALID", "must be an e-mail address such as shop@example.com"))
    sources = fields.third_party_sources or ()
    if len(set(sources)) > MOST_SOURCES:
        found.append(Fault("third_party_sources", "TOO_MANY", f"must be {MOST_SOURCES} at most"))
    found += [
        Fault(f"third_party_sources.{index}", "INVALID", SOURCE_EXPECTED)
        for index, source in enumerate(sources)
        if not SOURCE.fullmatch(source)
    ]
    return found
