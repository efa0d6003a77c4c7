# tests/conftest.py
"""A fresh, small moto for each test that asks for `tables`; moto is the fake, there is no other."""

import os

os.environ.update(
    AWS_DEFAULT_REGION="eu-west-1",
    AWS_REGION="eu-west-1",
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_EC2_METADATA_DISABLED="true",
    POWERTOOLS_TRACE_DISABLED="1",
    POWERTOOLS_SERVICE_NAME="rapport",
    DOMAIN_BUS="domain",
    INTAKE_BUS="intake",
    ARCHIVE_BUCKET="rapport-archive",
    MAIL_CONFIGURATION_SET="rapport-test",
    CURSOR_SECRET="a secret for tests",
    VISITOR_SECRET="a secret of 32 bytes, for tests only",
    JWT_ISSUER="https://issuer.test",
    JWT_AUDIENCE="rapport",
    JWT_JWKS="/nowhere/jwks.json",
    INTAKE_QUEUE_URL="https://sqs.eu-west-1.amazonaws.com/123456789012/intake",
    INTAKE_DEAD_LETTERS_URL="https://sqs.eu-west-1.amazonaws.com/123456789012/intake-dead-letters",
    OPERATIONS_QUEUE_URL="https://sqs.eu-west-1.amazonaws.com/123456789012/operations",
    DEAD_LETTERS_URL="https://sqs.eu-west-1.amazonaws.com/123456789012/changes-dead-letters",
)
os.environ.pop("AWS_ENDPOINT_URL", None)

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from moto import mock_aws

from crm.customers import attribute_definitions
from crm.kernel import aws, side_by_side
from crm.kernel.settings import settings
from crm.kernel.table import Item, connection
from crm.kpis.models import KpiItem
from crm.loyalty.programmes import in_force as programmes
from crm.segmentation import in_force, known_texts
from crm.shops import service as shops
from crm.shops.models import Shop
from tests import swift_moto
from tests.kept import kept
from tests.segments import define_usual

swift_moto.install()

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def aws_services() -> Iterator[None]:
    with mock_aws():
        aws._client.cache_clear()
        yield
        aws._client.cache_clear()


@pytest.fixture
def tables(aws_services: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both tables, without streams (moto slows with them), and the queue of operations, which edits put tasks in."""
    connection()
    aws.sqs_client().create_queue(QueueName=settings().operations_queue_url.rpartition("/")[2])
    Item.create_table(wait=True)
    KpiItem.create_table(wait=True)
    shops.forget_cached()
    attribute_definitions.forget_cached()
    in_force.forget_cached()
    known_texts.forget_cached()
    programmes.forget_cached()
    monkeypatch.setattr(side_by_side, "AT_ONCE", 1)


@pytest.fixture
def shop(tables: None) -> Shop:
    """The shop `demo` in Vienna, in euros."""
    fields = shops.ShopFields(
        name="Demo", zone="Europe/Vienna", currency="EUR", locale="de-AT", sender="shop@example.com"
    )
    return shops.create("demo", fields)


@pytest.fixture
def segments(shop: Shop, now: datetime) -> None:
    """Those of tests/segments.py, defined long before anything happens."""
    kept(f"segments of {now}", lambda: define_usual(now=now - timedelta(days=365)))


@pytest.fixture
def two_shops(shop: Shop) -> None:
    """A second tenant, `other`."""
    fields = shops.ShopFields(name="Other", zone="America/New_York", currency="EUR", locale="en-US")
    shops.create("other", fields)


@pytest.fixture
def outlets(aws_services: None) -> None:
    """The queues, buses and bucket that the settings name."""
    for url in (
        settings().intake_queue_url,
        settings().intake_dead_letters_url,
        settings().dead_letters_url,
        settings().operations_queue_url,
    ):
        aws.sqs_client().create_queue(QueueName=url.rpartition("/")[2])
    for bus in (settings().domain_bus, settings().intake_bus):
        aws.events_client().create_event_bus(Name=bus)
    aws.s3_client().create_bucket(
        Bucket=settings().archive_bucket, CreateBucketConfiguration={"LocationConstraint": settings().aws_region}
    )
