# crm/kernel/details.py
"""Reading an event of the domain bus. What is not there, or is of another type than it was written as, is refused: a
number in quotes is somebody's mistake, and guessing would hide whose.
"""

from datetime import datetime
from typing import Any

from crm.kernel import clock
from crm.kernel.errors import InvalidInput


class Detail:
    """An event's detail, field by field. Each method raises InvalidInput with the field."""

    def __init__(self, given: Any) -> None:
        if not isinstance(given, dict):
            raise InvalidInput("the detail of an event is an object")
        self._given = given

    def text(self, field: str) -> str:
        value = self._value(field)
        if not isinstance(value, str):
            raise InvalidInput(f"{field} is a text", field=field)
        return value

    def text_or_none(self, field: str) -> str | None:
        return None if self._value(field) is None else self.text(field)

    def whole(self, field: str) -> int:
        value = self._value(field)
        if type(value) is not int:  # True is an int
            raise InvalidInput(f"{field} is a whole number", field=field)
        return value

    def flag(self, field: str) -> bool:
        value = self._value(field)
        if not isinstance(value, bool):
            raise InvalidInput(f"{field} is true or false", field=field)
        return value

    def instant(self, field: str) -> datetime:
        return clock.parse(self.text(field), field=field)

    def _value(self, field: str) -> Any:
        if field not in self._given:
            raise InvalidInput(f"{field} is missing", field=field)
        return self._given[field]
