# crm/customers/identifiers.py
"""Identifiers in the form in which they are compared. The form in which they are sent to is kept as it came."""

import re
import unicodedata

from msgspec import Struct

EXTERNAL, EMAIL, PHONE = "external", "email", "phone"

BLOCKED = frozenset({
    "0", "-1", "-", ".", "?", "anonymous", "customer", "default", "email", "false", "guest", "invalid", "n/a",
    "na", "nan", "nil", "no-email", "noemail", "none", "null", "nobody", "test", "true", "undefined",
    "unknown", "user",
})  # fmt: skip
BLOCKED_EMAILS = frozenset({
    "a@a.com", "admin@admin.com", "email@email.com", "noemail@noemail.com", "none@none.com", "no@no.com",
    "no@email.com", "null@null.com", "test@test.com", "test@test.de", "unknown@unknown.com", "user@user.com",
})  # fmt: skip
BLOCKED_LOCAL_PARTS = frozenset(["noreply", "no-reply", "donotreply", "do-not-reply", "null", "undefined", "unknown"])

EMAIL_FORM = re.compile(r"(?=[^@]{1,64}@)[^@\s.]+(\.[^@\s.]+)*@[^@\s.]+(\.[^@\s.]+)+")
OURS = "rapport"
"""The source of the ids by which customers are exported that no system has given one."""
SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
E164 = re.compile(r"\+[1-9]\d{6,14}")
MOST_CHARACTERS = 254


class Claim(Struct, frozen=True):
    """An identifier as its key compares it. An external id's kind names its source: `external:shopify`."""

    kind: str
    value: str
    verified: bool = False

    @property
    def is_external(self) -> bool:
        return self.kind.startswith(EXTERNAL)


def matching_email(address: str) -> str | None:
    """The form in which e-mail addresses are compared: NFKC, lower case, domain in IDNA; None where it is none.

    The local part is lowered too: no provider that matters tells `Ann@` from `ann@`, and customers do not.
    """
    folded = unicodedata.normalize("NFKC", address).strip().lower()
    if len(folded) > MOST_CHARACTERS or not EMAIL_FORM.fullmatch(folded):
        return None
    local, _, domain = folded.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return None


def matching_phone(number: str) -> str | None:
    """E.164, where the number says its country (`+` or `00`); a national number identifies nobody: None."""
    digits = re.sub(r"[\s().\-/]", "", number)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    return digits if E164.fullmatch(digits) else None


def is_blocked(value: str) -> bool:
    """Whether the text stands for nothing or nobody (`null`, `test@test.com`, …): typed or exported in place of one."""
    folded = unicodedata.normalize("NFKC", value).strip().lower()
    return folded in BLOCKED_EMAILS or is_blocked_id(folded) or folded.rpartition("@")[0] in BLOCKED_LOCAL_PARTS


def external(source: str, value: str) -> Claim | None:
    """The claim of an external id, or None where it is blocked or its source is no name."""
    stripped = value.strip()
    if is_blocked_id(stripped) or not SOURCE.fullmatch(source):
        return None
    return Claim(f"{EXTERNAL}:{source}", stripped, verified=True)


def email(address: str, *, verified: bool) -> Claim | None:
    matching = matching_email(address)
    if matching is None or is_blocked(matching):
        return None
    return Claim(EMAIL, matching, verified=verified)


def phone(number: str) -> Claim | None:
    matching = matching_phone(number)
    # One digit all along, as in +1 000 000 0000: typed to get past a form.
    return None if matching is None or len(set(matching[3:])) == 1 else Claim(PHONE, matching)


def is_blocked_id(value: str) -> bool:
    """Whether a trimmed text is nobody's id, in whatever system."""
    return not value or value.lower() in BLOCKED or len(value) > MOST_CHARACTERS
