# crm/kernel/texts.py
"""What is wrong with a text that says something."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from crm.kernel.errors import Fault

UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What no text may hold, whoever sends it (docs/decisions/0062): controls but tabs and line ends, halves of characters,
and what Unicode says is none. Names hold no tabs and line ends either.
"""
MUST_BE_PRINTABLE = "must not hold control characters or half a character (a lone surrogate)"


def unprintable(value: Any, path: str = "") -> Iterator[Fault]:
    """A fault for each text in what JSON said that holds what none may; of one that is a name, at what it is in."""
    if isinstance(value, str):
        if UNPRINTABLE.search(value):
            yield Fault(path, "INVALID", MUST_BE_PRINTABLE)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from unprintable(inner, f"{path}[{index}]")
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if UNPRINTABLE.search(name):
                yield Fault(path, "INVALID", MUST_BE_PRINTABLE)
            else:
                yield from unprintable(inner, f"{path}.{name}".removeprefix("."))


def faults(path: str, text: str, *, longest: int) -> list[Fault]:
    """Beyond its limit, or nothing but spaces."""
    if len(text) > longest:
        return [Fault(path, "TOO_LONG", f"must have at most {longest} characters")]
    if not text.strip():
        return [Fault(path, "INVALID", f"must have between 1 and {longest} characters, and not only spaces")]
    return []


def line_faults(path: str, text: str, *, longest: int) -> list[Fault]:
    """What is wrong with a text that is one line: a name, a tag."""
    wrong = faults(path, text, longest=longest)
    if wrong or _is_visible_line(text):
        return wrong
    return [Fault(path, "INVALID", "must be one line with something to be seen")]


def as_line(text: str) -> str:
    """A text as one line, with spaces for line ends and tabs; empty where nothing is to be seen in it."""
    line = text if _is_visible_line(text) else " ".join(text.split())
    return line if _is_visible_line(line) else ""


def name_key(name: str) -> str:
    """What two names have in common that people take for one: whatever their case, their spaces, and how their
    characters are written (NFKC).
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def _is_visible_line(text: str) -> bool:
    kinds = [unicodedata.category(character) for character in text]
    return any(kind[0] not in "CZ" for kind in kinds) and not {"Cc", "Zl", "Zp"} & {*kinds}
