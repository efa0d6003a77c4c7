# api/startup.py
"""Imported before all else by `api.app`, which ends it: what makes a cold start shorter (docs/decisions/0075).

No garbage is collected meanwhile: what importing makes stays, and to look through all of it again and again costs a
twentieth of a cold start. And Strawberry's types, each a dataclass, are made without what answers never ask of them.
"""

import dataclasses
import gc
from collections.abc import Callable
from types import ModuleType
from typing import Any

from strawberry.types import object_type


class _Dataclasses(ModuleType):
    """What Strawberry knows as `dataclasses`: its types are neither compared nor printed, and each of the methods for
    that would be compiled for each type.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(dataclasses, name)

    @staticmethod
    def dataclass(*, kw_only: bool) -> Callable[[type[Any]], type[Any]]:
        def made(cls: type[Any]) -> type[Any]:
            cls.__doc__ = cls.__doc__ or cls.__name__  # else its signature is put together
            return dataclasses.dataclass(kw_only=kw_only, eq=False, repr=False, match_args=False)(cls)

        return made


gc.disable()
object_type.dataclasses = _Dataclasses("dataclasses")  # type: ignore[attr-defined]  # its own, which it imports


def end() -> None:
    """From here on garbage is collected, but never looked for among what is there already."""
    gc.freeze()
    gc.enable()
