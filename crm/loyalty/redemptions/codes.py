# crm/loyalty/redemptions/codes.py
"""Codes of vouchers: read aloud, typed from a screen, and guessed by nobody."""

import secrets

ALPHABET = "34679CDFGHJKMNPQRTVWXY"
"""None that is taken for another (0 O, 1 I L, 2 Z, 5 S, 8 B, U V), and no vowels: no code is a word."""
LENGTH, GROUP = 12, 4
_LETTERS = frozenset(ALPHABET)


def new() -> str:
    """One of 22^12 (53 bits): with a million vouchers of a shop in use, one guess in ten thousand million hits one."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def canonical(typed: str) -> str | None:
    """The code that was typed, with or without hyphens and spaces and in whatever case; None: it is no code of ours."""
    if len(typed) > 2 * LENGTH:
        return None
    code = "".join(typed.upper().replace("-", " ").split())
    return code if len(code) == LENGTH and _LETTERS.issuperset(code) else None


def shown(code: str) -> str:
    """In groups of four: `CDFG-3467-HJKM`."""
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))
