# crm/customers/unusable.py
"""Identifiers that could identify nobody, and why: a person should hear of it, an event should not. Pure."""

from collections.abc import Iterable

from msgspec.structs import replace

from crm.customers import identifiers, profile
from crm.kernel import texts
from crm.kernel.errors import Fault

STANDS_FOR_NOBODY = "stands for nobody"
PHONE_EXPECTED = "must be a phone number with its country, such as +491701234567"
SOURCE_EXPECTED = "must be 1 to 40 lower-case letters, digits, dots, hyphens and underscores"


def faults_of_email(address: str) -> list[Fault]:
    if identifiers.matching_email(address) is None:
        return [Fault("email", "INVALID", profile.EMAIL_EXPECTED)]
    usable = identifiers.email(address, verified=False)
    return [] if usable else [Fault("email", "BLOCKED", STANDS_FOR_NOBODY)]


def faults_of_phone(number: str) -> list[Fault]:
    if identifiers.matching_phone(number) is None:
        return [Fault("phone", "INVALID", PHONE_EXPECTED)]
    return [] if identifiers.phone(number) else [Fault("phone", "BLOCKED", STANDS_FOR_NOBODY)]


def faults_of_external(source: str, value: str) -> list[Fault]:
    """Of an id of another system and of the name of that system, both."""
    found = [] if identifiers.SOURCE.fullmatch(source) else [Fault("source", "INVALID", SOURCE_EXPECTED)]
    wrong = texts.faults("value", value, longest=profile.MOST_CHARACTERS)
    if not wrong and identifiers.is_blocked_id(value.strip()):
        wrong = [Fault("value", "BLOCKED", STANDS_FOR_NOBODY)]
    return [*found, *wrong]


def faults_of_external_ids(given: Iterable[tuple[str, str]]) -> list[Fault]:
    """Everything wrong with ids of other systems, by their place; a system has one id for a customer."""
    found, sources = [], set()
    for index, (source, value) in enumerate(given):
        if source in sources:
            found.append(Fault(f"external_ids.{index}.source", "DUPLICATE", "must be unlike those before it"))
        sources.add(source)
        wrong = faults_of_external(source, value)
        found += [replace(fault, path=f"external_ids.{index}.{fault.path}") for fault in wrong]
    return found
