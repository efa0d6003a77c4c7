# crm/touchpoints/urls.py
"""What is kept of an address that a browser was on: where it was, not who was on it."""

from urllib.parse import urlsplit, urlunsplit

LONGEST = 500


def plain(url: str) -> str | None:
    """Scheme, host and path, cut where they get long; None where it names no place.

    User names, queries and fragments are left out: they hold sessions, e-mail addresses and links that sign in.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not parts.scheme or not host:
        return None
    place = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, f"{place}:{port}" if port else place, parts.path, "", ""))[:LONGEST]


def host(url: str) -> str | None:
    """The host of an address, without a leading `www.`."""
    found = plain(url)
    return (urlsplit(found).hostname or "").removeprefix("www.") or None if found else None
