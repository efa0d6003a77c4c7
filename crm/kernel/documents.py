# crm/kernel/documents.py
"""Texts that a shop's apps name by their hash (docs/decisions/0046), kept for as long as they are used.

Key design (docs/access-patterns.md, AP-91):
    Document  pk=SHOP#<shop>#DOCUMENT#<sha256>  sk=DOCUMENT  `expires_at`: 30 days after it was last registered

The hash is the text's identity: whoever writes it writes the same, so a write needs no condition.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import DoesNotExist

from crm.kernel.table import Item, shop_key

KEPT: Final = timedelta(days=30)


class Document(Item, discriminator="document"):
    text = UnicodeAttribute()


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read(shop: str, sha256: str, *, now: datetime) -> str | None:
    """AP-91. The text of this hash, of this shop."""
    try:
        found = Document.get(_key(shop, sha256), "DOCUMENT")
    except DoesNotExist:
        return None
    # DynamoDB deletes what has expired when it comes to it.
    expired = float(found.expires_at or 0) <= now.timestamp()
    return None if expired or hash_of(found.text) != sha256 else found.text


def keep(shop: str, text: str, *, now: datetime) -> None:
    expires_at = int((now + KEPT).timestamp())
    Document(_key(shop, hash_of(text)), "DOCUMENT", text=text, expires_at=expires_at).save()


def _key(shop: str, sha256: str) -> str:
    return f"{shop_key(shop)}#DOCUMENT#{sha256}"
