# schema/selections.py
"""What an operation selects of a type, as it is worked out once and answered many times."""

from collections.abc import Callable
from typing import Any, NamedTuple

from graphql import GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfo
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from msgspec import Struct

Read = Callable[[Any], Any]
ResolveInfo = GraphQLResolveInfo[Any]


class Note(NamedTuple):
    """The part of a resolve info that graphql-core's messages use."""

    parent_type: GraphQLObjectType
    field_name: str


class Entry(Struct):
    """How one selected field of one type is answered."""

    name: str
    parent: str
    details: FieldDetailsList
    type: GraphQLOutputType
    required: bool
    note: ResolveInfo
    read: Read | None
    """Reads the value from the parent alone; None: graphql-core's own way."""
    write: Read | None = None
    """Writes a leaf."""
    object: GraphQLObjectType | None = None
    """The type of the value where it is one object, or a list of them that cannot be null."""
    many: bool = False
    below: "Selection | None" = None
    """What is selected of the object, once it has been worked out."""


Selection = tuple[Entry, ...]
Compiled = dict[int, tuple[GroupedFieldSet, Selection]]
