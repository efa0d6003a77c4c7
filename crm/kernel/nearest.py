# crm/kernel/nearest.py
"""What was probably meant by a name that there is not. Pure."""

import difflib
from collections.abc import Iterable
from typing import Final

LONGEST_NAME: Final = 80
"""Beyond it nothing is looked for that a name may have meant: the search takes time by the square of its length."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Of the known names the one that was probably meant, if any is near."""
    if len(name) > LONGEST_NAME:
        return None
    by_folded = {each.casefold(): each for each in known}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    if found:
        return by_folded[found[0]]
    # `tags` for `customer_tags`: people leave out what goes without saying.
    parts = [each for folded, each in by_folded.items() if name.casefold() in folded.split("_")]
    return min(parts, key=len, default=None)
