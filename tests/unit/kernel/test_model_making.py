# tests/unit/kernel/test_model_making.py
from copy import deepcopy
from inspect import getmembers
from typing import Any

import pynamodb.attributes
import pynamodb.models
from pynamodb.attributes import Attribute
from pynamodb.indexes import Index

from crm.customers.models import Customer
from crm.kernel.model_making import members
from crm.kernel.table import Stored
from crm.kpis.models import KpiItem
from crm.orders.models import Order


def models(cls: Any) -> list[Any]:
    return [cls, *(below for sub in cls.__subclasses__() for below in models(sub))]


def test_pynamodb_finds_the_attributes_and_indexes_that_it_found() -> None:
    assert pynamodb.attributes.getmembers is members  # type: ignore[attr-defined]
    for model in models(Stored):
        for kind in (Attribute, Index):
            assert members(model, lambda it: isinstance(it, kind)) == getmembers(model, lambda it: isinstance(it, kind))  # noqa: B023


def test_each_model_has_indexes_of_its_own() -> None:
    for model in (Customer, Order, KpiItem):
        for index in model._indexes.values():
            assert index._model is model
    assert Customer.timeline is not Order.timeline
    assert deepcopy(Customer.timeline).Meta is Customer.timeline.Meta
