# crm/kernel/remembered.py
"""What a process remembers of some shops: those asked about last. A warm process serves any number of them."""

from collections import OrderedDict
from threading import Lock
from typing import Final, Generic, TypeVar

T = TypeVar("T")

SHOPS: Final = 50
"""Of as many shops at once."""


class Remembered(Generic[T]):
    """By shop, for all threads; beyond `most` the one that was neither asked for nor kept for longest is forgotten."""

    def __init__(self, most: int = SHOPS) -> None:
        self._most = most
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = Lock()

    def get(self, shop: str) -> T | None:
        with self._lock:
            if shop in self._kept:
                self._kept.move_to_end(shop)
            return self._kept.get(shop)

    def keep(self, shop: str, what: T) -> None:
        with self._lock:
            self._kept[shop] = what
            self._kept.move_to_end(shop)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def forget(self, shop: str | None = None) -> None:
        """All shops, where none is said."""
        with self._lock:
            if shop is None:
                self._kept.clear()
            else:
                self._kept.pop(shop, None)
