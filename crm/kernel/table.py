# crm/kernel/table.py
"""The `crm` table: one partition per customer, one item per fact about them.

Every key begins with the shop. Within a customer's partition three local indexes sort: `timeline` the moments of one
kind, `moments` those of all kinds, and `changes` what apps keep a copy of, by when it was recorded. `listing` (global
index) holds lists that span customers, and timers, under sharded keys.
"""

from copy import deepcopy
from datetime import datetime
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.attributes import (
    BooleanAttribute,
    DiscriminatorAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.connection.table import TableConnection
from pynamodb.exceptions import PynamoDBException
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, LocalSecondaryIndex
from pynamodb.models import Model

from crm.kernel import clock, service_models  # noqa: F401  read before the client is made
from crm.kernel.model_making import CopiedAlone
from crm.kernel.settings import settings
from crm.kernel.stored_values import DecodedWhenAsked

STORE_ERRORS = (PynamoDBException, BotoCoreError, ClientError, TimeoutError)
"""What a store raises that does not answer, or not as asked: trying again later may help."""


class Timeline(CopiedAlone, LocalSecondaryIndex["Item"]):
    class Meta:
        index_name = "timeline"
        projection = AllProjection()

    pk = UnicodeAttribute(hash_key=True)
    timeline_key = UnicodeAttribute(range_key=True)


class Moments(CopiedAlone, LocalSecondaryIndex["Item"]):
    class Meta:
        index_name = "moments"
        projection = AllProjection()

    pk = UnicodeAttribute(hash_key=True)
    moment_key = UnicodeAttribute(range_key=True)


class Changes(CopiedAlone, LocalSecondaryIndex["Item"]):
    class Meta:
        index_name = "changes"
        projection = AllProjection()

    pk = UnicodeAttribute(hash_key=True)
    changed_key = UnicodeAttribute(range_key=True)


class Listing(CopiedAlone, GlobalSecondaryIndex["Item"]):
    class Meta:
        index_name = "listing"
        projection = AllProjection()
        billing_mode = "PAY_PER_REQUEST"

    list_pk = UnicodeAttribute(hash_key=True)
    list_sk = UnicodeAttribute(range_key=True)


class Stored(DecodedWhenAsked, Model):
    """An item of any table. `kind` names its class."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = DiscriminatorAttribute()


class Item(Stored):
    """What is stored in `crm`. An item without `expires_at` stays for good."""

    class Meta:
        table_name = settings().crm_table
        region = settings().aws_region
        billing_mode = "PAY_PER_REQUEST"
        connect_timeout_seconds = 1
        read_timeout_seconds = 5
        max_pool_connections = 32  # as many as the gateway has threads

    kind = DiscriminatorAttribute()  # each table its own: PynamoDB gives a base the indexes of all kinds it knows
    timeline_key = UnicodeAttribute(null=True)
    moment_key = UnicodeAttribute(null=True)
    changed_key = UnicodeAttribute(null=True)
    list_pk = UnicodeAttribute(null=True)
    list_sk = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)

    timeline = Timeline()
    moments = Moments()
    changes = Changes()
    listing = Listing()

    def happens(self, noun: str, at: datetime, identity: str) -> Self:
        """Put it on its customer's timeline: `identity` tells apart what happens at one instant."""
        self.timeline_key = f"{noun}#{clock.text(at)}#{identity}"
        self.moment_key = f"{clock.text(at)}#{noun}#{identity}"
        return self


class Correlated(Item):
    """An item that says for which request or delivery it was last written; `Change` sees to it."""

    correlation_id = UnicodeAttribute(null=True)


class Published(Correlated):
    """An item that counts its changes (`rev`), knows what made the last one (`cause`), and so can be published. Which
    are, and as what, says crm/intake/changes.py; statistics, order references, heads and shops are not.
    """

    rev = NumberAttribute(default=0)
    cause = UnicodeAttribute(null=True)
    replayed = BooleanAttribute(default=False)


class Synced(Published):
    """What apps keep a copy of. Each write moves it to the end of `changes`; crm/kernel/change.py sees to that."""


class Part(DecodedWhenAsked, MapAttribute[str, Any]):
    """A map inside an item."""

    def __init__(self, *args: Any, **attributes: Any) -> None:  # PynamoDB's own is not annotated
        super().__init__(*args, **attributes)  # type: ignore[no-untyped-call]

    def _make_attribute(self) -> None:
        # PynamoDB makes the element attribute of a list anew, with deep copies of its own attributes, for each list it
        # reads: half the time of reading an order. The copies are shared; whoever gives them a path copies them first.
        if self.attribute_kwargs:
            super()._make_attribute()  # type: ignore[no-untyped-call]
        elif (made := _made.get(type(self))) is not None:
            self.__dict__.clear()
            self.__dict__.update(made, attr_path=list(made["attr_path"]))
        else:
            super()._make_attribute()  # type: ignore[no-untyped-call]
            _made[type(self)] = dict(self.__dict__)

    def _update_attribute_paths(self, path_segment: str) -> None:
        for name in self.get_attributes():
            self.__dict__[name] = deepcopy(self.__dict__[name])
        super()._update_attribute_paths(path_segment)  # type: ignore[no-untyped-call]


_made: dict[type[Part], dict[str, Any]] = {}


def connection() -> TableConnection:
    """The one connection of all models. Touched first on the base: each model would otherwise make a client of its
    own (100 ms each).
    """
    return Item._get_connection()  # noqa: SLF001  PynamoDB has no public door to it


connection()  # made here, before any model asks for one of its own; its client is made when it is first used


def join(base: type[Stored]) -> None:
    """Let the models of another table use the one connection too, so that there is one client for all tables.

    `base` is the model that names the table; call it once, where that model is defined.
    """
    own = base._get_connection()  # noqa: SLF001  as above; a connection makes its client only when first asked for it
    connection().connection.add_meta_table(own.get_meta_table())
    own.connection = connection().connection


def client() -> Any:
    """The botocore client below PynamoDB, for calls by raw key and for event hooks."""
    return connection().connection.client


def shop_key(shop: str) -> str:
    return f"SHOP#{shop}"


def customer_key(shop: str, customer_id: str) -> str:
    return f"SHOP#{shop}#CUSTOMER#{customer_id}"


def whose(pk: str) -> tuple[str, str]:
    """The shop and the customer in whose partition an item is: the inverse of `customer_key`."""
    noun, shop, owner, customer_id = pk.split("#", 3)
    if (noun, owner) != ("SHOP", "CUSTOMER"):
        raise ValueError(f"{pk} is no customer's")
    return shop, customer_id
