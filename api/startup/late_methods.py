# api/startup/late_methods.py
"""Dataclasses whose methods are compiled when they are first called.

Python writes and compiles up to six methods for each, which is most of what making one takes. The gateway has 400, its
libraries' and Strawberry's types, and a cold start and its answer call fifty methods of all of them.

A method is compiled in a twin: a dataclass of the same fields and options that is nothing else.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import FrozenInstanceError, InitVar
from typing import Any, Final

OPTIONS: Final = {"__init__": "init", "__repr__": "repr", "__eq__": "eq", "__hash__": "unsafe_hash"}
"""Which option makes dataclasses write a method."""

UNDERSTOOD: Final = frozenset({"init", "repr", "eq", "unsafe_hash", "frozen", "match_args", "kw_only"})

at_once = dataclasses.dataclass


def dataclass(cls: type[Any] | None = None, /, **options: Any) -> Any:
    """What `dataclasses.dataclass` is until `end`. What is ordered or has slots is made at once."""
    if cls is None:
        return lambda cls: dataclass(cls, **options)
    if not UNDERSTOOD.issuperset(options):
        return at_once(cls, **options)
    cls.__doc__ = cls.__doc__ or cls.__name__  # else its signature is put together
    own = set(vars(cls))
    own_hash = "__hash__" in own and not (vars(cls)["__hash__"] is None and "__eq__" in own)
    made = {key: options[key] for key in ("match_args", "kw_only") if key in options}
    at_once(cls, init=False, repr=False, eq=False, **made)
    compared, frozen = options.get("eq", True), options.get("frozen", False)
    for name in ("__init__", "__repr__", "__eq__"):
        if options.get(OPTIONS[name], True) and name not in own:
            _leave(cls, name, frozen=frozen)
    if not own_hash and (options.get("unsafe_hash") or (compared and frozen)):
        _leave(cls, "__hash__", frozen=frozen)
    elif compared and "__hash__" not in own:
        cls.__hash__ = None  # type: ignore[assignment]  # as Python has it for what is compared
    if frozen:
        _freeze(cls)
    return cls


def _leave(cls: type[Any], name: str, *, frozen: bool) -> None:
    def method(self: Any, /, *values: Any, **named: Any) -> Any:
        compiled = _compiled(cls, name, frozen=frozen)
        setattr(cls, name, compiled)
        return compiled(self, *values, **named)

    setattr(cls, name, method)


def _compiled(cls: type[Any], name: str, *, frozen: bool) -> Callable[..., Any]:
    real = {field.name for field in dataclasses.fields(cls)}
    fields: list[tuple[str, Any, Any]] = []
    for field in cls.__dataclass_fields__.values():
        if field.name in real:
            fields.append((field.name, Any, _same(field)))
        elif isinstance(field.type, InitVar) or (isinstance(field.type, str) and "InitVar" in field.type):
            fields.append((field.name, InitVar[Any], _same(field)))
    bases = (type("Bare", (), {"__post_init__": None}),) if hasattr(cls, "__post_init__") else ()
    nothing = dict.fromkeys((*OPTIONS.values(), "match_args"), False)
    options: dict[str, Any] = nothing | {OPTIONS[name]: True, "frozen": frozen and name == "__init__"}
    twin = dataclasses.make_dataclass(cls.__name__, fields, bases=bases, **options)
    method: Callable[..., Any] = vars(twin)[name]
    method.__qualname__ = f"{cls.__qualname__}.{name}"
    return method


def _same(field: Any) -> Any:
    kept = ("default", "default_factory", "init", "repr", "hash", "compare", "kw_only")
    return dataclasses.field(**{name: getattr(field, name) for name in kept})


def _freeze(cls: type[Any]) -> None:
    """As dataclasses does, whose own would be compiled for each."""
    fields = frozenset(field.name for field in dataclasses.fields(cls))

    def refuse_to_set(self: Any, name: str, value: Any) -> None:
        if type(self) is cls or name in fields:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def refuse_to_delete(self: Any, name: str) -> None:
        if type(self) is cls or name in fields:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    cls.__setattr__ = refuse_to_set  # type: ignore[assignment]
    cls.__delattr__ = refuse_to_delete  # type: ignore[assignment]


def begin() -> None:
    dataclasses.dataclass = dataclass


def end() -> None:
    dataclasses.dataclass = at_once
