# crm/kernel/domain_events.py
"""What areas publish on the domain bus: ids, amounts and causes, never personal data."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from msgspec import Struct
from msgspec.structs import fields

from crm.kernel import clock
from crm.kernel.errors import InvalidInput

CORRELATION = "correlationId"


class DomainEvent(Struct, frozen=True, kw_only=True):
    """Its fields are the event's detail, in camel case. Times are RFC 3339 in UTC.

    `correlation_id` is not the event's to know: whoever publishes it sets it, and it is absent where there is none.
    """

    detail_type: ClassVar[str]

    correlation_id: str | None = None

    def detail(self) -> dict[str, Any]:
        values = {camel(name): getattr(self, name) for name in self.__struct_fields__}
        if self.correlation_id is None:
            del values[CORRELATION]
        return {name: _written(value) for name, value in values.items()}

    @classmethod
    def parse(cls, detail: Any) -> Self:
        """Raises InvalidInput. What is not there, or of another type than it was written as, is refused: a number in
        quotes is somebody's mistake, and guessing would hide whose. A field with a default came with a later release:
        events from before it are still on their way.
        """
        if not isinstance(detail, dict):
            raise InvalidInput("the detail of an event is an object")
        told = [each for each in fields(cls) if each.required or camel(each.name) in detail]
        return cls(**{each.name: READERS[each.type](detail, camel(each.name)) for each in told})


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return clock.text(value)
    return list(value) if isinstance(value, tuple) else value


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


def _text(detail: Mapping[str, Any], name: str) -> Any:
    return _of_type(str, "a text", detail, name)


def _text_or_none(detail: Mapping[str, Any], name: str) -> Any:
    return None if _value(detail, name) is None else _text(detail, name)


def _whole(detail: Mapping[str, Any], name: str) -> Any:
    return _of_type(int, "a whole number", detail, name)


def _whole_or_none(detail: Mapping[str, Any], name: str) -> Any:
    return None if _value(detail, name) is None else _whole(detail, name)


def _flag(detail: Mapping[str, Any], name: str) -> Any:
    return _of_type(bool, "true or false", detail, name)


def _instant(detail: Mapping[str, Any], name: str) -> datetime:
    return clock.parse(_text(detail, name), field=name)


def _instant_or_none(detail: Mapping[str, Any], name: str) -> datetime | None:
    return None if _value(detail, name) is None else _instant(detail, name)


def _texts(detail: Mapping[str, Any], name: str) -> Any:
    values = _value(detail, name)
    if type(values) is not list or not all(type(value) is str for value in values):
        raise InvalidInput(f"{name} is a list of texts", field=name)
    return tuple(values)


def _numbers(detail: Mapping[str, Any], name: str) -> Any:
    values = _of_type(dict, "whole numbers by name", detail, name)
    if not all(type(value) is int for value in values.values()):
        raise InvalidInput(f"{name} is whole numbers by name", field=name)
    return values


def _of_type(kind: type[Any], words: str, detail: Mapping[str, Any], name: str) -> Any:
    value = _value(detail, name)
    if type(value) is not kind:  # not isinstance: True is an int
        raise InvalidInput(f"{name} is {words}", field=name)
    return value


def _value(detail: Mapping[str, Any], name: str) -> Any:
    if name not in detail:
        raise InvalidInput(f"{name} is missing", field=name)
    return detail[name]


READERS: Mapping[Any, Callable[[Mapping[str, Any], str], Any]] = {
    str: _text,
    str | None: _text_or_none,
    int: _whole,
    int | None: _whole_or_none,
    bool: _flag,
    tuple[str, ...]: _texts,
    dict[str, int]: _numbers,
    datetime: _instant,
    datetime | None: _instant_or_none,
}
