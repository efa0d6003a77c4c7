# crm/kernel/texts.py
"""What is wrong with a text that says something."""

import unicodedata

from crm.kernel.errors import Fault


def faults(path: str, text: str, *, longest: int) -> list[Fault]:
    """Beyond its limit, or nothing but spaces."""
    if len(text) > longest:
        return [Fault(path, "TOO_LONG", f"must have at most {longest} characters")]
    if not text.strip():
        return [Fault(path, "INVALID", f"must have between 1 and {longest} characters, and not only spaces")]
    return []


def is_visible_line(text: str) -> bool:
    """Whether something is to be seen in a text, on one line."""
    kinds = [unicodedata.category(character) for character in text]
    return any(kind[0] not in "CZ" for kind in kinds) and not {"Cc", "Zl", "Zp"} & {*kinds}
