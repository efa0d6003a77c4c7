# bench/baselines/gateway.py
"""A minimal Strawberry + Starlette + PynamoDB app that does one `get`."""

import asyncio
import os

import strawberry
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL


class Customer(Model):
    class Meta:
        table_name = os.environ["CRM_TABLE"]
        region = "eu-west-1"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    first_name = UnicodeAttribute(null=True)


@strawberry.type
class Person:
    first_name: str | None


@strawberry.type
class Query:
    @strawberry.field
    async def customer(self, pk: str) -> Person | None:
        found = await asyncio.to_thread(Customer.get, pk, "HEAD#PROFILE")
        return Person(first_name=found.first_name)


app = Starlette(routes=[Route("/graphql", GraphQL(strawberry.Schema(Query)))])
