# infra/local/wiring.py
"""What the template says about who is connected to whom, as values."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from infra.local.declarations import (
    Function,
    MailReports,
    Pattern,
    Queue,
    QueueSource,
    Redrive,
    Rule,
    Schedule,
    StreamSource,
    Table,
    Target,
)
from infra.local.template import TEMPLATE, Resource, Template

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True)
class Wiring:
    tables: tuple[Table, ...]
    queues: tuple[Queue, ...]
    buses: tuple[str, ...]
    rules: tuple[Rule, ...]
    buckets: tuple[str, ...]
    identities: tuple[str, ...]
    configuration_sets: tuple[str, ...]
    mail_reports: tuple[MailReports, ...]
    functions: tuple[Function, ...]
    queue_sources: tuple[QueueSource, ...]
    stream_sources: tuple[StreamSource, ...]
    schedules: tuple[Schedule, ...]

    @classmethod
    def read(cls, path: Path = TEMPLATE, *, endpoint: str = "http://127.0.0.1:4566") -> Self:
        return cls.of(Template.read(path, endpoint=endpoint))

    @classmethod
    def of(cls, template: Template) -> Self:
        queues = {queue.arn: queue for queue in _queues(template)}
        functions = {function.name: function for function in _functions(template)}
        mappings = list(template.resources("AWS::Lambda::EventSourceMapping"))
        rules = list(template.resources("AWS::Events::Rule"))
        policies = [policy.properties for policy in template.resources("AWS::SQS::QueuePolicy")]
        return cls(
            tables=tuple(_tables(template)),
            queues=tuple(queues.values()),
            buses=tuple(bus.name for bus in template.resources("AWS::Events::EventBus")),
            rules=tuple(_rule(template, rule, policies) for rule in rules if "EventPattern" in rule.properties),
            buckets=tuple(bucket.name for bucket in template.resources("AWS::S3::Bucket")),
            identities=tuple(r.properties["EmailIdentity"] for r in template.resources("AWS::SES::EmailIdentity")),
            configuration_sets=tuple(each.name for each in template.resources("AWS::SES::ConfigurationSet")),
            mail_reports=tuple(_mail_reports(template)),
            functions=tuple(functions.values()),
            queue_sources=tuple(
                _queue_source(m.logical_id, m.properties, queues, functions)
                for m in mappings
                if ":sqs:" in m.properties["EventSourceArn"] and _enabled(m.properties)
            ),
            stream_sources=tuple(
                _stream_source(m.logical_id, m.properties, functions)
                for m in mappings
                if ":dynamodb:" in m.properties["EventSourceArn"] and _enabled(m.properties)
            ),
            schedules=tuple(_schedules(template, functions)),
        )

    def queue(self, arn: str) -> Queue:
        return next(queue for queue in self.queues if queue.arn == arn)

    def function(self, logical_id: str) -> Function:
        return next(function for function in self.functions if function.logical_id == logical_id)

    def dead_letter_queues(self) -> tuple[Queue, ...]:
        """Return every queue that something else's failures end in."""
        arns = {queue.redrive.queue_arn for queue in self.queues if queue.redrive}
        arns |= {arn for f in self.functions for arn in (f.on_failure, f.dead_letters) if arn}
        arns |= {target.dead_letters_arn for rule in self.rules for target in rule.targets if target.dead_letters_arn}
        arns |= {source.on_failure for source in self.stream_sources if source.on_failure}
        names = re.compile("deadletter|dlq", re.IGNORECASE)
        return tuple(queue for queue in self.queues if queue.arn in arns or names.search(queue.logical_id))


def _enabled(properties: Mapping[str, Any]) -> bool:
    return properties.get("Enabled", True) is not False


def _tables(template: Template) -> list[Table]:
    kept = {"KeySchema", "AttributeDefinitions", "LocalSecondaryIndexes", "GlobalSecondaryIndexes", "BillingMode"}
    tables = []
    for resource in template.resources("AWS::DynamoDB::Table"):
        properties = {key: value for key, value in resource.properties.items() if key in kept}
        if view := resource.properties.get("StreamSpecification", {}).get("StreamViewType"):
            properties["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
        ttl = resource.properties.get("TimeToLiveSpecification", {})
        tables.append(Table(resource.name, properties, ttl.get("AttributeName") if ttl.get("Enabled") else None))
    return tables


def _queues(template: Template) -> list[Queue]:
    queues = []
    for resource in template.resources("AWS::SQS::Queue"):
        properties = resource.properties
        policy = properties.get("RedrivePolicy")
        if isinstance(policy, str):
            policy = json.loads(policy)
        queues.append(
            Queue(
                resource.logical_id,
                resource.name,
                template.resolve({"Ref": resource.logical_id}),
                template.resolve({"Fn::GetAtt": [resource.logical_id, "Arn"]}),
                int(properties.get("VisibilityTimeout", 30)),
                int(properties.get("MessageRetentionPeriod", 345600)),
                Redrive(policy["deadLetterTargetArn"], int(policy["maxReceiveCount"])) if policy else None,
            )
        )
    return queues


def _rule(template: Template, resource: Resource, policies: Sequence[Mapping[str, Any]]) -> Rule:
    properties = resource.properties
    arn = template.resolve({"Fn::GetAtt": [resource.logical_id, "Arn"]})
    targets = (
        Target(
            target["Id"],
            target["Arn"],
            target.get("DeadLetterConfig", {}).get("Arn"),
            permitted=any(_permits(policy, sender=arn, queue=target["Arn"]) for policy in policies),
        )
        for target in properties.get("Targets", [])
        if properties.get("State", "ENABLED") == "ENABLED"
    )
    bus = str(properties.get("EventBusName", "default")).rsplit("/", 1)[-1]
    return Rule(resource.name, bus, properties["EventPattern"], tuple(targets))


def _permits(policy: Mapping[str, Any], *, sender: str, queue: str) -> bool:
    """True when a statement lets EventBridge send to the queue, for this rule or for any."""
    for statement in policy["PolicyDocument"]["Statement"]:
        senders = _listed(statement.get("Condition", {}).get("ArnEquals", {}).get("aws:SourceArn", sender))
        if (
            statement["Effect"] == "Allow"
            and "events.amazonaws.com" in _listed(statement.get("Principal", {}).get("Service", []))
            and "sqs:SendMessage" in _listed(statement["Action"])
            and queue in _listed(statement["Resource"])
            and sender in senders
        ):
            return True
    return False


def _mail_reports(template: Template) -> list[MailReports]:
    """CloudFormation and the API write the types of events otherwise: `bounce`, `BOUNCE`."""
    reports = []
    for resource in template.resources("AWS::SES::ConfigurationSetEventDestination"):
        destination = dict(resource.properties["EventDestination"])
        types = [re.sub("(?=[A-Z])", "_", name).upper() for name in destination["MatchingEventTypes"]]
        name = destination.pop("Name")
        configuration_set = resource.properties["ConfigurationSetName"]
        reports.append(MailReports(configuration_set, name, destination | {"MatchingEventTypes": types}))
    return reports


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _functions(template: Template) -> list[Function]:
    invocations = {
        _function_name(resource.properties["FunctionName"]): resource.properties
        for resource in template.resources("AWS::Lambda::EventInvokeConfig")
    }
    functions = []
    for resource in template.resources("AWS::Lambda::Function"):
        properties = resource.properties
        config = invocations.get(resource.name, {})
        functions.append(
            Function(
                resource.logical_id,
                resource.name,
                properties["Handler"],
                int(properties.get("Timeout", 3)),
                int(properties.get("MemorySize", 128)),
                {key: str(value) for key, value in properties.get("Environment", {}).get("Variables", {}).items()},
                int(config.get("MaximumRetryAttempts", 2)),
                config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
                properties.get("DeadLetterConfig", {}).get("TargetArn"),
            )
        )
    return functions


def _function_name(reference: str) -> str:
    return reference.rsplit(":function:", 1)[-1].split(":", 1)[0]


def _filters(properties: Mapping[str, Any]) -> tuple[Pattern, ...]:
    filters = properties.get("FilterCriteria", {}).get("Filters", [])
    return tuple(json.loads(one["Pattern"]) for one in filters)


def _partial(properties: Mapping[str, Any]) -> bool:
    return "ReportBatchItemFailures" in properties.get("FunctionResponseTypes", [])


def _queue_source(
    name: str, properties: Mapping[str, Any], queues: Mapping[str, Queue], functions: Mapping[str, Function]
) -> QueueSource:
    return QueueSource(
        name,
        functions[_function_name(properties["FunctionName"])],
        queues[properties["EventSourceArn"]],
        int(properties.get("BatchSize", 10)),
        int(properties.get("MaximumBatchingWindowInSeconds", 0)),
        _partial(properties),
        int(properties.get("ScalingConfig", {}).get("MaximumConcurrency", 1000)),
        _filters(properties),
    )


def _bound(value: Any) -> int | None:
    return None if value is None or int(value) < 0 else int(value)


def _stream_source(name: str, properties: Mapping[str, Any], functions: Mapping[str, Function]) -> StreamSource:
    return StreamSource(
        name,
        functions[_function_name(properties["FunctionName"])],
        properties["EventSourceArn"].split(":table/", 1)[1].split("/", 1)[0],
        int(properties.get("BatchSize", 100)),
        int(properties.get("MaximumBatchingWindowInSeconds", 0)),
        _partial(properties),
        bool(properties.get("BisectBatchOnFunctionError", False)),
        _bound(properties.get("MaximumRetryAttempts")),
        _bound(properties.get("MaximumRecordAgeInSeconds")),
        int(properties.get("ParallelizationFactor", 1)),
        _filters(properties),
        properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
    )


def _schedules(template: Template, functions: Mapping[str, Function]) -> list[Schedule]:
    schedules = []
    for resource in template.resources("AWS::Events::Rule", "AWS::Scheduler::Schedule"):
        properties = resource.properties
        expression = properties.get("ScheduleExpression")
        if expression is None or properties.get("State", "ENABLED") != "ENABLED":
            continue
        rate = _RATE.fullmatch(expression)
        if rate is None:
            # A cron line names hours of the day; nothing local waits for those.
            continue
        seconds = int(rate[1]) * _UNIT_SECONDS[rate[2]]
        targets = properties["Targets"] if "Targets" in properties else [properties["Target"]]
        schedules += [
            Schedule(resource.logical_id, function, seconds, target.get("Input"))
            for target in targets
            if (function := functions.get(_function_name(target["Arn"]))) is not None
        ]
    return schedules
