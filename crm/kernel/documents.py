# crm/kernel/documents.py
"""Texts that a shop's apps name by their hash (docs/decisions/0046), kept for as long as they are used.

Key design (docs/access-patterns.md, AP-91):
    Document  pk=SHOP#<shop>#DOCUMENT#<sha256>  sk=DOCUMENT  `expires_at`: 30 days after the last day it was used on

The hash is the text's identity: whoever writes it writes the same, so a write needs no condition.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import DoesNotExist

from crm.kernel.table import Item, shop_key

KEPT: Final = timedelta(days=30)
RENEWED: Final = timedelta(days=1)
"""How old the word that a document is used may be; processes that have it in memory ask again as often."""


class Document(Item, discriminator="document"):
    text = UnicodeAttribute()


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read(shop: str, sha256: str, *, now: datetime) -> str | None:
    """AP-91. The text of this hash, of this shop. That it was read is written down, once a day: an app that knows its
    document to be registered never sends it again, and it must not be forgotten under the app's feet.
    """
    try:
        found = Document.get(_key(shop, sha256), "DOCUMENT")
    except DoesNotExist:
        return None
    left = float(found.expires_at or 0) - now.timestamp()
    if left <= 0 or hash_of(found.text) != sha256:  # DynamoDB deletes what has expired when it comes to it
        return None
    if left <= (KEPT - RENEWED).total_seconds():
        keep(shop, found.text, now=now)
    return found.text


def keep(shop: str, text: str, *, now: datetime) -> None:
    expires_at = int((now + KEPT).timestamp())
    Document(_key(shop, hash_of(text)), "DOCUMENT", text=text, expires_at=expires_at).save()


def _key(shop: str, sha256: str) -> str:
    return f"{shop_key(shop)}#DOCUMENT#{sha256}"
