# crm/kernel/stored_values.py
"""The attribute values of an item that was read, each decoded when it is first asked for.

PynamoDB decodes all of an item at once: of a page of orders four fifths of an answer's time, for attributes that nobody
asked for. What an attribute decodes to, its default included, is PynamoDB's own doing, only later.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pynamodb.attributes import Attribute, AttributeContainer, UnicodeAttribute

UNREAD: Any = object()
Raw = dict[str, dict[str, Any]]


class StoredValues(dict[str, Any]):
    """Behaves as the dictionary that PynamoDB would have filled. A value that cannot be decoded raises where it is
    asked for.
    """

    __slots__ = ("_attributes", "_raw")

    def __init__(self, attributes: Mapping[str, Attribute[Any]], raw: Raw) -> None:
        super().__init__()
        self._attributes = attributes
        self._raw = raw

    def get(self, name: str, default: Any = None) -> Any:
        value = super().get(name, UNREAD)
        if value is UNREAD:
            value = self._decoded(name)
        return default if value is UNREAD else value

    def __getitem__(self, name: str) -> Any:
        value = self.get(name, UNREAD)
        if value is UNREAD:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name, UNREAD) is not UNREAD

    def __iter__(self) -> Iterator[str]:
        self._decode_all()
        return super().__iter__()

    def __len__(self) -> int:
        self._decode_all()
        return super().__len__()

    def keys(self) -> Any:
        self._decode_all()
        return super().keys()

    def values(self) -> Any:
        self._decode_all()
        return super().values()

    def items(self) -> Any:
        self._decode_all()
        return super().items()

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)

    def _decoded(self, name: str) -> Any:
        attribute = self._attributes.get(name)
        if attribute is None:
            return UNREAD
        raw = self._raw.get(attribute.attr_path[-1])
        if raw and "NULL" not in raw:
            if attribute.__class__ is UnicodeAttribute and "S" in raw:
                value = raw["S"]  # most attributes are text, and stored as they are
            else:
                value = attribute.deserialize(attribute.get_value(raw))
        else:
            value = attribute.default() if callable(attribute.default) else attribute.default
            if value is None:
                return UNREAD
        self[name] = value
        return value

    def _decode_all(self) -> None:
        for name in self._attributes:
            if not super().__contains__(name):
                self._decoded(name)


class DecodedWhenAsked(AttributeContainer):
    """A container of attributes, whole items and maps in them, that decodes what was read when it is asked for it."""

    @classmethod
    def _instantiate(cls, attribute_values: Raw) -> Self:  # PynamoDB's own is not annotated
        stored: type[Self] = cls._get_discriminator_class(attribute_values) or cls
        if not issubclass(stored, cls):
            raise ValueError(f"Cannot instantiate a {cls.__name__} from the returned class: {stored.__name__}")  # noqa: TRY004  PynamoDB's own
        item = stored.__new__(stored)
        item.__dict__["attribute_values"] = StoredValues(stored.get_attributes(), attribute_values)
        return item

    def decode(self) -> Self:
        """Decode all of it now, maps and lists of them included: for whoever must know that it is whole. Raises what
        PynamoDB raises, a ValueError or TypeError, for a value that is not of its attribute's type.
        """
        for value in self.attribute_values.values():
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, DecodedWhenAsked):
                    part.decode()
        return self
