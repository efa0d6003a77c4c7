# schema/schema.py
"""The schema, assembled."""

from typing import Any

import strawberry
from graphql import GraphQLInputObjectType, GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from schema.customer.timeline import TimelineEntry
from schema.errors import UserError
from schema.forms import filled_in
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS


class Schema(strawberry.Schema):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in self.core.type_map.values():
            if isinstance(kind, GraphQLInputObjectType):
                definition = kind.extensions["strawberry-definition"]
                definition.from_input = filled_in
                kind.is_one_of = definition.is_one_of  # Strawberry prints it, and graphql-core judges it

    @property
    def core(self) -> GraphQLSchema:
        """graphql-core's own, which plans run against."""
        return self._schema


# Not `sort_schema=True`: it breaks enum output and prints directives twice.
schema = Schema(
    Query,
    Mutation,
    types=[*UserError.__subclasses__(), *TimelineEntry.__subclasses__()],
    config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
)
