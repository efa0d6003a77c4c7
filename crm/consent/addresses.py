# crm/consent/addresses.py
"""Addresses in the form in which suppressions know them. Pure: texts in, texts out (docs/decisions/0055)."""

import hashlib
import re

from crm.customers.identifiers import matching_email, matching_phone

EMAIL, SMS, PUSH = CHANNELS = ("email", "sms", "push")
"""The channels whose messages go to an address of their own."""
TOKEN = re.compile(r"\S{1,1000}")


def normalised(channel: str, address: str) -> str | None:
    """The form in which addresses of the channel are compared: an e-mail address as identities are, a phone number in
    E.164, a device's token as it is. None where it is no such address.
    """
    match channel:
        case "email":
            return matching_email(address)
        case "sms":
            return matching_phone(address)
        case "push":
            return address.strip() if TOKEN.fullmatch(address.strip()) else None
    return None


def digest(shop: str, channel: str, normal: str) -> str:
    """What a key holds of an address. The shop is in it, so that two shops' keys tell nothing of each other."""
    return hashlib.sha256(f"{shop}\n{channel}\n{normal}".encode()).hexdigest()


def hint(channel: str, normal: str) -> str:
    """As much of an address as tells people that it is the one they mean."""
    match channel:
        case "email":
            local, _, domain = normal.rpartition("@")
            return f"{local[0]}…@{domain}"
        case "sms":
            return f"{normal[:3]}…{normal[-3:]}"
    return f"…{normal[-4:]}"
