# schema/schema.py
"""The schema, assembled."""

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from schema.errors import UserError
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS


class Schema(strawberry.Schema):
    @property
    def core(self) -> GraphQLSchema:
        """graphql-core's own, which plans run against."""
        return self._schema


# Not `sort_schema=True`: it breaks enum output and prints directives twice.
schema = Schema(
    Query,
    Mutation,
    types=UserError.__subclasses__(),
    config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
)
