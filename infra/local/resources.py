# infra/local/resources.py
"""Creates in the emulator what the template declares. Safe to repeat: what is there stays, with its contents.

Event source mappings are left out on purpose: the dispatcher does what Lambda would.
"""

import json
from typing import Any

from botocore.exceptions import ClientError

from infra.local.clients import client
from infra.local.declarations import Queue, Rule, Table
from infra.local.wiring import Wiring

DEFAULT_BUS = "default"  # there without anybody's making it: what AWS itself tells comes by it


def create(wiring: Wiring, endpoint: str) -> None:
    dynamodb, sqs, events = (client(service, endpoint) for service in ("dynamodb", "sqs", "events"))
    for table in wiring.tables:
        _table(dynamodb, table)
    # Redrive policies name other queues, so those come first.
    for queue in sorted(wiring.queues, key=lambda queue: queue.redrive is not None):
        _queue(sqs, queue)
    for bus in wiring.buses:
        _unless_there(events.create_event_bus, Name=bus)
    _rules(events, wiring)
    s3, ses = client("s3", endpoint), client("sesv2", endpoint)
    for bucket in wiring.buckets:
        place = {"LocationConstraint": s3.meta.region_name}
        _unless_there(s3.create_bucket, Bucket=bucket, CreateBucketConfiguration=place)
    for identity in wiring.identities:
        verify_sender(ses, identity)
    for name in wiring.configuration_sets:
        _unless_there(ses.create_configuration_set, ConfigurationSetName=name)
    _mail_reports(ses, wiring)


def verify_sender(ses: Any, identity: str) -> None:
    """Let SES send from this address or domain."""
    _unless_there(ses.create_email_identity, EmailIdentity=identity)


def _mail_reports(ses: Any, wiring: Wiring) -> None:
    """Let SES report as the template says, and nowhere else."""
    for name in wiring.configuration_sets:
        existing = ses.get_configuration_set_event_destinations(ConfigurationSetName=name)
        for destination in existing.get("EventDestinations", []):
            ses.delete_configuration_set_event_destination(
                ConfigurationSetName=name, EventDestinationName=destination["Name"]
            )
    for reports in wiring.mail_reports:
        ses.create_configuration_set_event_destination(
            ConfigurationSetName=reports.configuration_set,
            EventDestinationName=reports.name,
            EventDestination=reports.definition,
        )


def _table(dynamodb: Any, table: Table) -> None:
    if _unless_there(dynamodb.create_table, TableName=table.name, **table.properties):
        dynamodb.get_waiter("table_exists").wait(TableName=table.name, WaiterConfig={"Delay": 1})
    if table.ttl_attribute is None:
        return
    current = dynamodb.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
    if current.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}:
        specification = {"Enabled": True, "AttributeName": table.ttl_attribute}
        dynamodb.update_time_to_live(TableName=table.name, TimeToLiveSpecification=specification)


def _queue(sqs: Any, queue: Queue) -> None:
    attributes = {
        "VisibilityTimeout": str(queue.visibility_timeout),
        "MessageRetentionPeriod": str(queue.retention),
        "RedrivePolicy": _redrive(queue),
    }
    try:
        url = sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
    except ClientError as error:
        if (
            "NonExistent" not in error.response["Error"]["Code"]
            and "DoesNotExist" not in error.response["Error"]["Code"]
        ):
            raise
        # An empty policy removes one from a queue; a new queue may not be given it.
        given = {key: value for key, value in attributes.items() if value}
        sqs.create_queue(QueueName=queue.name, Attributes=given)
    else:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)


def _redrive(queue: Queue) -> str:
    if queue.redrive is None:
        return ""
    policy = {"deadLetterTargetArn": queue.redrive.queue_arn, "maxReceiveCount": queue.redrive.max_receive_count}
    return json.dumps(policy)


def _rules(events: Any, wiring: Wiring) -> None:
    """Put the template's rules, and take away those that the template no longer has."""
    for bus in (*wiring.buses, DEFAULT_BUS):
        wanted = {rule.name for rule in wiring.rules if rule.bus == bus}
        for existing in events.list_rules(EventBusName=bus)["Rules"]:
            if existing["Name"] not in wanted:
                _remove_targets(events, bus, existing["Name"], keep=set())
                events.delete_rule(Name=existing["Name"], EventBusName=bus)
    for rule in wiring.rules:
        _rule(events, rule)


def _rule(events: Any, rule: Rule) -> None:
    events.put_rule(Name=rule.name, EventBusName=rule.bus, EventPattern=json.dumps(rule.pattern), State="ENABLED")
    # The emulator asks no policy: what AWS could not deliver goes to the dead letters at once, or nowhere.
    arns = {target.id: target.arn if target.permitted else target.dead_letters_arn for target in rule.targets}
    targets = [{"Id": identifier, "Arn": arn} for identifier, arn in arns.items() if arn is not None]
    _remove_targets(events, rule.bus, rule.name, keep={target["Id"] for target in targets})
    if targets:
        events.put_targets(Rule=rule.name, EventBusName=rule.bus, Targets=targets)


def _remove_targets(events: Any, bus: str, rule: str, *, keep: set[str]) -> None:
    existing = events.list_targets_by_rule(Rule=rule, EventBusName=bus)["Targets"]
    if gone := [target["Id"] for target in existing if target["Id"] not in keep]:
        events.remove_targets(Rule=rule, EventBusName=bus, Ids=gone)


def _unless_there(create: Any, **arguments: Any) -> bool:
    """Return True where it has been created, False where it was there."""
    there = {
        "ResourceInUseException",
        "ResourceAlreadyExistsException",
        "BucketAlreadyOwnedByYou",
        "AlreadyExistsException",
    }
    try:
        create(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] not in there:
            raise
        return False
    return True
