# tests/unit/api/test_late_methods.py
import dataclasses
from collections.abc import Callable
from dataclasses import FrozenInstanceError, InitVar, field
from typing import Any, ClassVar

import pytest

from api.startup import late_methods


def compared(dataclass: Any) -> Any:
    @dataclass
    class Ship:
        kind: ClassVar[str] = "ship"
        name: str
        flags: list[str] = field(default_factory=list)
        tonnes: int = field(default=1, repr=False, compare=False)
        age: int = field(default=7, init=False)

    return Ship


def frozen(dataclass: Any) -> Any:
    @dataclass(frozen=True, kw_only=True, repr=False)
    class Ship:
        name: str
        tonnes: int = 1

    return Ship


def frozen_below(dataclass: Any) -> Any:
    @dataclass(frozen=True, kw_only=True)
    class Tanker(frozen(dataclass)):  # type: ignore[misc]
        name: str = "Urania"
        oil: int = 0

    return Tanker


def put_right(dataclass: Any) -> Any:
    @dataclass(kw_only=True, eq=False, match_args=False)
    class Ship:
        name: str
        prefix: InitVar[str] = "SS"

        def __post_init__(self, prefix: str) -> None:
            self.name = f"{prefix} {self.name}"

    return Ship


def with_a_hash(dataclass: Any) -> Any:
    @dataclass(unsafe_hash=True)
    class Ship:
        name: str

    return Ship


def with_its_own(dataclass: Any) -> Any:
    @dataclass
    class Ship:
        name: str = "Urania"

        def __init__(self, *, name: str) -> None:
            self.name = name.upper()

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 1

    return Ship


def with_slots(dataclass: Any) -> Any:
    @dataclass(slots=True, order=True)
    class Ship:
        name: str

    return Ship


DONE: dict[str, Callable[[Any], Any]] = {
    "printed": lambda cls: repr(cls(name="Argo")).partition("locals>.")[2].partition(" at 0x")[0],
    "said": lambda cls: vars(cls(name="Argo")).items(),
    "said of a ship in a row": lambda cls: vars(cls("Argo")).items(),
    "said with nothing": lambda cls: vars(cls()).items(),
    "said with too much": lambda cls: cls(name="Argo", wings=2),
    "compared": lambda cls: [cls(name="Argo") == cls(name="Argo"), cls(name="Argo") == cls(name="Urania")],
    "hashed": lambda cls: len({cls(name="Argo"), cls(name="Argo")}),
    "set": lambda cls: setattr(cls(name="Argo"), "name", "Urania"),
    "taken from it": lambda cls: delattr(cls(name="Argo"), "name"),
    "told more": lambda cls: setattr(cls(name="Argo"), "captain", "Jason"),
    "changed": lambda cls: vars(dataclasses.replace(cls(name="Argo"), name="Urania")).items(),
    "matched": lambda cls: getattr(cls, "__match_args__", None),
    "fields": lambda cls: [(each.name, each.kw_only, each.init) for each in dataclasses.fields(cls)],
    "put in order": lambda cls: cls(name="Argo") < cls(name="Urania"),
}


def outcome(do: Callable[[Any], Any], cls: Any) -> Any:
    try:
        return do(cls)
    except (TypeError, FrozenInstanceError, AttributeError) as error:
        return type(error), str(error)


@pytest.mark.parametrize(
    "ship",
    [compared, frozen, frozen_below, put_right, with_a_hash, with_its_own, with_slots],
    ids=lambda ship: ship.__name__,
)
@pytest.mark.parametrize("do", DONE.values(), ids=DONE)
def test_what_is_compiled_late_does_the_same(ship: Any, do: Any) -> None:
    late = ship(late_methods.dataclass)
    told = outcome(do, ship(dataclasses.dataclass))

    assert str(outcome(do, late)) == str(told)
    assert str(outcome(do, late)) == str(told), "once it is compiled, too"


def test_a_method_is_compiled_once_when_it_is_called() -> None:
    cls = compared(late_methods.dataclass)
    left = cls.__init__

    cls("Argo")

    assert cls.__init__ is not left
    assert cls.__init__.__qualname__.endswith("Ship.__init__")
    compiled = cls.__init__
    cls("Urania")
    assert cls.__init__ is compiled


def test_dataclasses_are_made_late_until_the_end_only() -> None:
    at_once = dataclasses.dataclass
    late_methods.begin()
    assert dataclasses.dataclass is late_methods.dataclass
    late_methods.end()
    assert dataclasses.dataclass is at_once
