# crm/loyalty/programmes/in_force.py
"""Which programme counts at an instant. A process looks once a minute whether there is a newer version.

A version takes effect some time after it is written (`defining.NOTICE`): by then every process has looked. So what
counts at an instant that has been is the same whoever asks, and whenever.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from crm.kernel.remembered import Remembered
from crm.loyalty.programme import Programme
from crm.loyalty.programmes import repository
from crm.loyalty.programmes.versions import Version, version_of
from crm.shops import service as shops

FRESH_FOR: Final = timedelta(seconds=60)
MOST_KNOWN: Final = 20
"""Versions of a shop that a process keeps, the newest; those before are read for orders as old as they."""

_cache = Remembered[tuple[datetime, tuple[Version, ...]]]()


def programme(shop: str, *, now: datetime, at: datetime | None = None) -> Programme:
    """The one that counts at `at`, or now. Raises NotFound for an unknown shop."""
    return version(shop, at=at or now, now=now).programme


def then(shop: str, *, at: datetime, now: datetime, number: int | None = None) -> Version:
    """By which something is judged that is said to have happened at `at`. A clock may be ahead of ours, and what is to
    come may yet be withdrawn: then it is the one that counts now. Raises NotFound for an unknown shop.
    """
    return version(shop, at=min(at, now), now=now, number=number)


def version(shop: str, *, at: datetime, now: datetime, number: int | None = None) -> Version:
    """The version of that number, where one is given; else the one that counts at `at`: of those that had taken effect
    by then the newest. Raises NotFound for an unknown shop.
    """
    if number is None:
        return next(each for each in _versions(shop, now=now) if each.counts_at(at))
    known = next((each for each in _known(shop, now=now) if each.number == number), None)
    return known or _read(shop, number, now=now)


def standing(shop: str, *, now: datetime) -> list[Version]:
    """The version that counts now, and those that are to come, the newest first. Raises NotFound."""
    found = []
    for each in _versions(shop, now=now):
        found.append(each)
        if each.counts_at(now):
            return found
    raise AssertionError("the programme of no version always counts")


def counted(shop: str, *, now: datetime) -> list[Version]:
    """All that have counted by now, the oldest first; not those that another was put before. Raises NotFound."""
    found: list[Version] = []
    until = None
    for each in _versions(shop, now=now):
        if each.counts_at(now) and (each.effective_at is None or until is None or each.effective_at < until):
            found.append(each)
            until = each.effective_at
    return found[::-1]


def upcoming(versions: Iterable[Version], *, now: datetime) -> list[Version]:
    """Of those that are `standing`, the ones that will count at some instant, the next one first: one that is to come
    no earlier than a newer one never does.
    """
    coming: list[Version] = []
    earliest: datetime | None = None
    for each in versions:
        if each.effective_at is not None and now < each.effective_at and (not earliest or each.effective_at < earliest):
            earliest = each.effective_at
            coming.append(each)
    return coming[::-1]


def in_version(shop: str, number: int, *, now: datetime) -> Programme:
    """What a version says. Raises NotFound for an unknown shop."""
    return version(shop, at=now, now=now, number=number).programme


def newest(shop: str, *, now: datetime) -> Version:
    """As it is stored now, whatever this process knows. Raises NotFound."""
    item = next(repository.newest_first(shop), None)
    return version_of(item) if item else _undefined(shop, now=now)


def forget_cached(shop: str | None = None) -> None:
    """What this process has changed it reads anew; all shops, for tests, whose tables are new each time."""
    _cache.forget(shop)


def _versions(shop: str, *, now: datetime) -> Iterator[Version]:
    """All of them, the newest first; read only as far as they are asked for."""
    known = _known(shop, now=now)
    yield from known
    if len(known) == MOST_KNOWN:
        yield from map(version_of, repository.newest_first(shop, before=known[-1].number))
    yield _undefined(shop, now=now)


def _known(shop: str, *, now: datetime) -> tuple[Version, ...]:
    read_at, known = _cache.get(shop) or (None, ())
    if read_at is None or abs(now - read_at) >= FRESH_FOR:
        stored = repository.newest_first(shop, after=known[0].number if known else 0)
        newer = [version_of(item) for item in islice(stored, MOST_KNOWN)]
        known = (*newer, *known)[:MOST_KNOWN]
        _cache.keep(shop, (now, known))
    return known


def _read(shop: str, number: int, *, now: datetime) -> Version:
    if not number:
        return _undefined(shop, now=now)
    item = repository.get(shop, number)
    if item is None:
        raise ValueError(f"version {number} of the programme is not there")
    return version_of(item)


def _undefined(shop: str, *, now: datetime) -> Version:
    """Of a shop that has defined none: in its own currency and zone."""
    found = shops.current(shop, now=now)
    return Version(0, Programme(currency=found.currency, zone=found.zone))
