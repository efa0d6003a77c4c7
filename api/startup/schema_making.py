# api/startup/schema_making.py
"""What making a schema of 290 types works out again and again, worked out once: Strawberry resolves the annotation of
each of 1,300 fields some seven times, and graphql-core judges 2,300 names letter by letter.

Nothing here is another answer, only a sooner one: tests/contract/test_startup.py makes the schema both ways.
"""

import sys
from functools import cached_property, partial
from inspect import Parameter
from types import GenericAlias, NoneType, UnionType
from typing import Any, Final

from graphql import GraphQLSchema
from graphql.type import definition, directives
from strawberry import annotation as annotations
from strawberry.annotation import StrawberryAnnotation
from strawberry.schema import schema as schemas
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import SELF_PARAMSPEC, StrawberryResolver

_resolved: dict[Any, Any] = {}


def name_asserted(name: str) -> Any:
    """The names of GraphQL are Python's of ASCII letters."""
    return (
        name
        if isinstance(name, str) and name.isascii() and name.isidentifier()
        else THEIRS[definition, "assert_name"](name)
    )


def keep_what_needed_no_names(self: StrawberryAnnotation, field: StrawberryField) -> None:
    """Strawberry forgets what an annotation was resolved to when it learns in which module it stands. What could be
    resolved before names no other name.
    """
    assert isinstance(field.origin, type)
    self.namespace = vars(sys.modules[field.origin.__module__])


def type_resolved(self: StrawberryField, *, type_definition: Any = None) -> Any:
    annotation = self.type_annotation
    if type_definition is None and annotation is not None and annotation is self._validated_type_annotation:
        known = annotation.__resolve_cache__
        if known is not None:
            return known
    return THEIRS[StrawberryField, "resolve_type"](self, type_definition=type_definition)


def _says_all(said: Any) -> bool:
    """A class, or a list of it, or either or None. An enum is left out: it may be told its name later."""
    if said.__class__ is UnionType:
        return len(said.__args__) == 2 and said.__args__[1] is NoneType and _says_all(said.__args__[0])  # noqa: PLR2004
    if said.__class__ is GenericAlias:
        return said.__origin__ is list and _says_all(said.__args__[0])
    return said.__class__ is type


def resolved_once(self: StrawberryAnnotation) -> Any:
    """Fields that say the same are of the same type, which nobody changes."""
    said = self.raw_annotation
    if not _says_all(said):
        return THEIRS[StrawberryAnnotation, "_resolve"](self)
    if said not in _resolved:
        _resolved[said] = THEIRS[StrawberryAnnotation, "_resolve"](self)
    return _resolved[said]


def evaluated(said: Any, *names: Any) -> Any:
    return said if _says_all(said) else THEIRS[annotations, "eval_type"](said, *names)


def reserved_parameters(self: StrawberryResolver[Any]) -> Any:
    """Most resolvers take nothing but `self`."""
    parameters = self.signature.parameters
    if list(parameters) == ["self"] and parameters["self"].annotation is Parameter.empty:
        return dict.fromkeys(self.RESERVED_PARAMSPEC) | {SELF_PARAMSPEC: parameters["self"]}
    return THEIRS[StrawberryResolver, "reserved_parameters"].func(self)


reserved_once = cached_property(reserved_parameters)
reserved_once.__set_name__(StrawberryResolver, "reserved_parameters")

SOONER: Final[tuple[tuple[Any, str, Any], ...]] = (
    (definition, "assert_name", name_asserted),
    (directives, "assert_name", name_asserted),
    (annotations, "eval_type", evaluated),
    (StrawberryAnnotation, "_resolve", resolved_once),
    (StrawberryAnnotation, "set_namespace_from_field", keep_what_needed_no_names),
    (StrawberryField, "resolve_type", type_resolved),
    (StrawberryResolver, "reserved_parameters", reserved_once),
    # The tests of a commit have judged its schema; to judge it at each start would only find the same.
    (schemas, "GraphQLSchema", partial(GraphQLSchema, assume_valid=True)),
)
THEIRS: Final = {(place, name): vars(place)[name] for place, name, _ in SOONER}


def begin() -> None:
    for place, name, sooner in SOONER:
        setattr(place, name, sooner)


def end() -> None:
    for (place, name), theirs in THEIRS.items():
        setattr(place, name, theirs)
    _resolved.clear()
