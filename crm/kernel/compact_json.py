# crm/kernel/compact_json.py
"""JSON as it is stored: without spaces and escapes, so that its size in UTF-8 is that of what it says."""

import json
from typing import Any

from pynamodb.attributes import JSONAttribute


def text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def size(value: Any) -> int:
    """In bytes, as DynamoDB counts them."""
    return len(text(value).encode())


class CompactJSONAttribute(JSONAttribute):
    def serialize(self, value: Any) -> str:
        return text(value)
