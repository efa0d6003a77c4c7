# crm/kernel/errors.py
"""Refusals a caller can act on. Anything else is a bug and is left to crash."""

from pathlib import Path
from traceback import extract_tb

from msgspec import Struct


class CrmError(Exception):
    """A rule of the domain said no.

    `code` is public contract: clients switch on it, so it never changes meaning. `field` is the dotted path of the
    input at fault. A refusal that carries data is a subclass with attributes; GraphQL shows it as a typed `UserError`.
    """

    code = "REFUSED"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field

    @property
    def faults(self) -> "list[Fault]":
        """What is wrong, one by one; a refusal is one fault with its own code unless it says otherwise."""
        return [Fault(self.field or "", self.code, str(self))]


class Fault(Struct, frozen=True):
    """One thing wrong with an input: where, a stable code, and what was expected.

    The message is a predicate in lower case ("must be ..."), without the field's name and never with its value.
    """

    path: str
    code: str
    message: str


class InvalidInput(CrmError):
    """One input is not what it should be; the message is a fault's."""

    code = "INVALID_INPUT"

    @property
    def faults(self) -> list[Fault]:
        return [Fault(self.field or "", "INVALID", str(self))]


class NotFound(CrmError):
    """There is no such thing, or it belongs to another shop: the two answer alike."""

    code = "NOT_FOUND"


class VersionMismatch(CrmError):
    """The caller decided by a version that is no longer the stored one."""

    code = "VERSION_MISMATCH"

    def __init__(self, *, expected: int, actual: int) -> None:
        super().__init__(f"Version {expected} was expected, {actual} is stored.", field="expectedVersion")
        self.expected = expected
        self.actual = actual


class KeyReused(CrmError):
    """An idempotency key or event id came again with other content."""

    code = "KEY_REUSED"


class InvalidInputs(CrmError):
    """Everything that is wrong with an input, at once."""

    code = "INVALID_INPUT"

    def __init__(self, faults: list[Fault]) -> None:
        first = faults[0]
        super().__init__("; ".join(f"{fault.path}: {fault.message}" for fault in faults), field=first.path)
        self._faults = faults

    @property
    def faults(self) -> list[Fault]:
        return self._faults


def without_words(error: BaseException) -> str:
    """What kind of error it is (AWS's code of it, too) and where it came from, without its words, which may hold what
    a person wrote.
    """
    frames = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)[-5:]]
    caused = f", from {_kind(error.__cause__)}" if error.__cause__ else ""
    return f"{_kind(error)} at {', '.join(frames)}{caused}"


def _kind(error: BaseException) -> str:
    of_aws = getattr(error, "response", None)
    code = of_aws.get("Error", {}).get("Code") if isinstance(of_aws, dict) else getattr(error, "code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


class Stale(CrmError):
    """What the decision relied on has changed since it was read: read again and decide again."""

    code = "STALE"

    def __init__(self, message: str = "The record changed meanwhile.") -> None:
        super().__init__(message)
