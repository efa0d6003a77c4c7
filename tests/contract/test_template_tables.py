# tests/contract/test_template_tables.py
"""The tables and indexes of the template are those of the PynamoDB models."""

import importlib
from typing import Any

import pytest
from pynamodb.models import Model

from crm.bulk.files import KEPT
from crm.kernel.table import Item, Stored
from crm.kpis.models import KpiItem
from tests.contract.stack import ROOT, filtered_kinds, mappings, of_type, resources, template

TABLES = of_type("AWS::DynamoDB::Table")


def models() -> dict[str, type[Model]]:
    """The base model of each table, by the table's logical id; every area is imported on the way."""
    for path in sorted((ROOT / "crm").rglob("*.py")):
        if path.name != "__init__.py":
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return {"CrmTable": Item, "KpiTable": KpiItem}


MODELS = models()


def subclasses(model: type[Model]) -> set[type[Model]]:
    found = set(model.__subclasses__())
    return found.union(*(subclasses(one) for one in found))


def declared(table: dict[str, Any]) -> dict[str, Any]:
    """What the template says, in the shape of DynamoDB's own description."""
    return {
        "keys": {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]},
        "attributes": {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]},
        "indexes": {
            index["IndexName"]: (
                kind,
                {key["KeyType"]: key["AttributeName"] for key in index["KeySchema"]},
                index["Projection"]["ProjectionType"],
            )
            for kind in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
            for index in table.get(kind, [])
        },
    }


def modelled(model: type[Model]) -> dict[str, Any]:
    """What PynamoDB would create for a model, in the same shape."""
    schema: dict[str, Any] = dict(model._get_schema())
    indexes = {
        "LocalSecondaryIndexes": schema["local_secondary_indexes"],
        "GlobalSecondaryIndexes": schema["global_secondary_indexes"],
    }
    return {
        "keys": {key["KeyType"]: key["AttributeName"] for key in schema["key_schema"]},
        "attributes": {one["AttributeName"]: one["AttributeType"] for one in schema["attribute_definitions"]},
        "indexes": {
            index["index_name"]: (
                kind,
                {key["KeyType"]: key["AttributeName"] for key in index["key_schema"]},
                index["projection"]["ProjectionType"],
            )
            for kind, group in indexes.items()
            for index in group
        },
    }


def test_there_are_two_tables_and_each_has_its_model() -> None:
    assert set(TABLES) == set(MODELS)
    assert set(MODELS.values()) == {model for model in subclasses(Stored) if "Meta" in vars(model)}


@pytest.mark.parametrize("name", TABLES)
def test_keys_and_indexes_of_a_table_are_those_of_its_model(name: str) -> None:
    assert declared(TABLES[name]) == modelled(MODELS[name])


@pytest.mark.parametrize("name", TABLES)
def test_a_table_outlives_its_stack_and_can_be_set_back_to_any_second(name: str) -> None:
    assert resources()[name]["DeletionPolicy"] == "Retain"
    assert resources()[name]["UpdateReplacePolicy"] == "Retain"
    assert TABLES[name]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert TABLES[name]["BillingMode"] == "PAY_PER_REQUEST"


def test_changes_are_streamed_with_both_images_and_expiry_is_the_models_attribute() -> None:
    crm = TABLES["CrmTable"]
    assert crm["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert crm["TimeToLiveSpecification"] == {"AttributeName": Item.expires_at.attr_name, "Enabled": True}


def test_derived_figures_are_not_streamed() -> None:
    assert "StreamSpecification" not in TABLES["KpiTable"]


@pytest.mark.parametrize("name", mappings(of="AWS::DynamoDB::Table"))
def test_a_stream_is_filtered_by_kinds_that_exist(name: str) -> None:
    kinds = filtered_kinds(mappings(of="AWS::DynamoDB::Table")[name])
    known = {Item.kind.get_discriminator(model) for model in subclasses(Item)}
    assert kinds
    assert kinds <= known


def test_a_fresh_stage_names_its_tables_as_the_code_expects_them() -> None:
    parameters = template()["Parameters"]
    assert parameters["CrmTableName"]["Default"] == "crm"
    assert parameters["KpiTableName"]["Default"] == "kpis"


def test_the_archive_is_private_encrypted_and_forgets() -> None:
    (bucket,) = of_type("AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    rules = {rule.get("Prefix", ""): rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert {prefix: rule["ExpirationInDays"] for prefix, rule in rules.items()} == {"": 90, "operations/": KEPT.days}
    for rule in rules.values():
        assert rule["Status"] == "Enabled"
        assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] <= 7
    assert rules[""]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == KEPT.days, "no sooner than its parts"
    assert resources()["ArchiveBucket"]["DeletionPolicy"] == "Retain"
