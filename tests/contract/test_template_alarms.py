# tests/contract/test_template_alarms.py
"""Somebody is told: of every dead letter, every function that crashes, and every reader that falls behind."""

import pytest

from tests.contract.stack import listed, mappings, name_in, names_in, of_type

ALARMS = of_type("AWS::CloudWatch::Alarm")


def watched(metric: str) -> set[str]:
    """The resources whose metric some alarm watches."""
    return {
        name_in(dimension["Value"])
        for alarm in ALARMS.values()
        if alarm["MetricName"] == metric
        for dimension in alarm["Dimensions"]
    }


def test_every_dead_letter_is_noticed() -> None:
    queues = {name for name in of_type("AWS::SQS::Queue") if name.endswith("DeadLetters")}
    assert watched("ApproximateNumberOfMessagesVisible") == queues
    thresholds = {
        alarm["Threshold"] for alarm in ALARMS.values() if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    assert thresholds == {0}


def test_every_queue_that_falls_behind_is_noticed() -> None:
    sources = {name_in(mapping["EventSourceArn"]) for mapping in mappings(of="AWS::SQS::Queue").values()}
    assert watched("ApproximateAgeOfOldestMessage") == sources


def test_every_stream_reader_that_falls_behind_or_gives_up_is_noticed() -> None:
    readers = mappings(of="AWS::DynamoDB::Table")
    assert watched("IteratorAge") == {name_in(mapping["FunctionName"]) for mapping in readers.values()}
    assert watched("OnFailureDestinationDeliveredEventCount") == set(readers)
    for mapping in readers.values():
        # Without it Lambda does not publish the count.
        assert mapping["MetricsConfig"] == {"Metrics": ["EventCount"]}


def test_every_function_that_crashes_is_noticed() -> None:
    assert watched("Errors") == set(of_type("AWS::Lambda::Function"))


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_reaches_whoever_is_on_call_and_says_what_it_means(name: str) -> None:
    alarm = ALARMS[name]
    assert names_in(listed(alarm["AlarmActions"])) == {"AlarmTopic"}
    assert alarm["AlarmDescription"]
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["TreatMissingData"] == "notBreaching"


def test_alarms_may_reach_their_topic() -> None:
    (policy,) = of_type("AWS::SNS::TopicPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert names_in(statement["Resource"]) == {"AlarmTopic"}
