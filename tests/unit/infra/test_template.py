# tests/unit/infra/test_template.py
from typing import Any

import pytest

from infra.local.template import Template, UnknownIntrinsic
from infra.local.wiring import Wiring


def template(**resources: Any) -> Template:
    body = {"Parameters": {"Stage": {"Type": "String", "Default": "dev"}}, "Resources": resources}
    return Template(body, endpoint="http://127.0.0.1:1")


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


QUEUE = resource("AWS::SQS::Queue")
BUS = resource("AWS::Events::EventBus", Name={"Fn::Sub": "rapport-${Stage}"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Work"}, "http://127.0.0.1:1/000000000000/Work"),
        ({"Ref": "Bus"}, "rapport-dev"),
        ({"Ref": "Stage"}, "dev"),
        ({"Fn::GetAtt": ["Work", "Arn"]}, "arn:aws:sqs:eu-west-1:000000000000:Work"),
        ({"Fn::GetAtt": "Work.QueueName"}, "Work"),
        ({"Fn::Sub": "${Work.QueueName} of ${AWS::Region}, ${!literally}"}, "Work of eu-west-1, ${literally}"),
        ({"Fn::Sub": ["${a}-${Stage}", {"a": "b"}]}, "b-dev"),
        ({"Fn::Join": ["/", ["a", {"Ref": "Stage"}]]}, "a/dev"),
        ({"Fn::Select": [1, ["a", "b"]]}, "b"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
    ],
)
def test_references_become_local_values(value: Any, expected: Any) -> None:
    assert template(Work=QUEUE, Bus=BUS).resolve(value) == expected


def test_a_reference_to_what_is_not_there_is_an_error() -> None:
    with pytest.raises(UnknownIntrinsic, match="Gone"):
        template().resolve({"Ref": "Gone"})


def test_a_function_we_cannot_resolve_is_an_error() -> None:
    with pytest.raises(UnknownIntrinsic, match="ImportValue"):
        template().resolve({"Fn::ImportValue": "x"})


def handler(**properties: Any) -> dict[str, Any]:
    return resource("AWS::Lambda::Function", Handler="functions.a.b.handler", **properties)


def mapping(arn: Any, **properties: Any) -> dict[str, Any]:
    return resource(
        "AWS::Lambda::EventSourceMapping", FunctionName={"Ref": "Handler"}, EventSourceArn=arn, **properties
    )


def test_a_queue_source_carries_all_that_the_mapping_says() -> None:
    wiring = Wiring.of(
        template(
            Work=resource("AWS::SQS::Queue", VisibilityTimeout=180),
            Handler=handler(Timeout=30, Environment={"Variables": {"QUEUE": {"Ref": "Work"}}}),
            Source=mapping(
                {"Fn::GetAtt": ["Work", "Arn"]},
                BatchSize=7,
                MaximumBatchingWindowInSeconds=2,
                FunctionResponseTypes=["ReportBatchItemFailures"],
                ScalingConfig={"MaximumConcurrency": 4},
                FilterCriteria={"Filters": [{"Pattern": '{"body": {"a": ["b"]}}'}]},
            ),
        )
    )
    (source,) = wiring.queue_sources
    assert (source.batch_size, source.window, source.partial, source.concurrency) == (7, 2, True, 4)
    assert source.filters == ({"body": {"a": ["b"]}},)
    assert source.queue.visibility_timeout == 180
    assert source.function.environment == {"QUEUE": "http://127.0.0.1:1/000000000000/Work"}


def test_a_stream_source_carries_all_that_the_mapping_says() -> None:
    table = resource("AWS::DynamoDB::Table", TableName="crm", StreamSpecification={"StreamViewType": "NEW_IMAGE"})
    wiring = Wiring.of(
        template(
            Crm=table,
            Archive=resource("AWS::S3::Bucket"),
            Handler=handler(),
            Source=mapping(
                {"Fn::GetAtt": ["Crm", "StreamArn"]},
                BisectBatchOnFunctionError=True,
                MaximumRetryAttempts=3,
                MaximumRecordAgeInSeconds=-1,
                ParallelizationFactor=2,
                DestinationConfig={"OnFailure": {"Destination": {"Fn::GetAtt": ["Archive", "Arn"]}}},
            ),
        )
    )
    (source,) = wiring.stream_sources
    assert (source.table, source.bisect, source.max_retries, source.max_age, source.lanes) == ("crm", True, 3, None, 2)
    assert source.on_failure == "arn:aws:s3:::rapport-archive"
    assert (source.batch_size, source.partial) == (100, False)


def test_what_is_switched_off_or_taken_out_is_not_there() -> None:
    arn = {"Fn::GetAtt": ["Work", "Arn"]}
    without = Wiring.of(template(Work=QUEUE, Handler=handler(), Source=mapping(arn, Enabled=False)))
    assert without.queue_sources == ()
    assert (without.rules, without.schedules) == ((), ())


def test_a_queue_without_its_redrive_policy_has_no_dead_letters() -> None:
    policy = {"deadLetterTargetArn": {"Fn::GetAtt": ["Lost", "Arn"]}, "maxReceiveCount": 5}
    with_policy = Wiring.of(template(Work=resource("AWS::SQS::Queue", RedrivePolicy=policy), Lost=QUEUE))
    assert [queue.name for queue in with_policy.dead_letter_queues()] == ["Lost"]
    assert Wiring.of(template(Work=QUEUE, Lost=QUEUE)).dead_letter_queues() == ()


def test_a_rule_keeps_its_bus_pattern_and_targets() -> None:
    rule = resource(
        "AWS::Events::Rule",
        EventBusName={"Ref": "Bus"},
        EventPattern={"source": ["a"]},
        Targets=[{"Id": "queue", "Arn": {"Fn::GetAtt": ["Work", "Arn"]}}],
    )
    (found,) = Wiring.of(template(Work=QUEUE, Bus=BUS, Route=rule)).rules
    assert (found.bus, found.pattern, found.targets[0].arn.rsplit(":", 1)[-1]) == (
        "rapport-dev",
        {"source": ["a"]},
        "Work",
    )


def test_a_rate_becomes_a_schedule() -> None:
    rule = resource(
        "AWS::Events::Rule",
        ScheduleExpression="rate(5 minutes)",
        Targets=[{"Id": "f", "Arn": {"Fn::GetAtt": ["Handler", "Arn"]}}],
    )
    (schedule,) = Wiring.of(template(Handler=handler(), EveryFive=rule)).schedules
    assert (schedule.seconds, schedule.function.logical_id) == (300, "Handler")
