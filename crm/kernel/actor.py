# crm/kernel/actor.py
"""Who does something, as it is written down beside what they did."""

from enum import StrEnum
from typing import Self

from msgspec import Struct


class Role(StrEnum):
    CUSTOMER = "customer"
    STAFF = "staff"
    SERVICE = "service"
    SYSTEM = "system"


class Actor(Struct, frozen=True):
    """`id` is a customer's id, of staff the subject of their token, of a service the source that its events name."""

    role: Role
    id: str | None = None

    def __str__(self) -> str:
        return self.role if self.id is None else f"{self.role}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        role, _, id_ = text.partition(":")
        return cls(Role(role), id_ or None)


SYSTEM = Actor(Role.SYSTEM)
"""Rapport itself, and the commands of its operators."""
