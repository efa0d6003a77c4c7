# tests/integration/infra/test_dead_letters.py
import json
from datetime import datetime
from typing import Any

import boto3
import pytest

from crm.kernel.dead_letters import put
from crm.kernel.errors import Fault
from infra import dead_letters
from infra.dead_letters import dead_letter_queues, letters


@pytest.fixture
def sqs(aws_services: None) -> Any:
    client = boto3.client("sqs")
    letter_box = client.create_queue(QueueName="IntakeDeadLetters")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=letter_box, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    client.create_queue(QueueName="IntakeQueue", Attributes={"RedrivePolicy": policy})
    client.create_queue(QueueName="RollUpDeadLetters")
    return client


def url(sqs: Any, name: str) -> str:
    return str(sqs.get_queue_url(QueueName=name)["QueueUrl"])


def bury(sqs: Any, queue: str, body: Any, **attributes: str) -> None:
    sqs.send_message(
        QueueUrl=url(sqs, queue),
        MessageBody=json.dumps(body),
        MessageAttributes={k: {"DataType": "String", "StringValue": v} for k, v in attributes.items()},
    )


def bodies(sqs: Any, queue: str) -> list[Any]:
    answer = sqs.receive_message(
        QueueUrl=url(sqs, queue), MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"]
    )
    return [(json.loads(m["Body"]), sorted(m.get("MessageAttributes", {}))) for m in answer.get("Messages", [])]


def run(sqs: Any, *arguments: str, succeeds: bool = True) -> int:
    return dead_letters.run(arguments, sqs=sqs, invoke=lambda _queue, _record: succeeds)


def test_a_listing_names_queue_id_and_reasons_and_leaves_all_as_it_was(
    sqs: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(12):
        bury(sqs, "IntakeDeadLetters", {"id": f"e{n}"}, reason="UNKNOWN_TYPE", reasons="type: must be one of ...")
    for _ in range(2):
        assert run(sqs, "list") == 0
        printed = capsys.readouterr().out
        assert all(f"IntakeDeadLetters  e{n} " in printed for n in range(12))
        assert "UNKNOWN_TYPE: type: must be one of ..." in printed
        assert "12 dead letters" in printed


def test_a_message_nobody_gave_up_on_says_that_it_failed_too_often(sqs: Any) -> None:
    bury(sqs, "IntakeDeadLetters", {"id": "e1"})
    (queue,) = [queue for queue in dead_letter_queues(sqs) if queue.name == "IntakeDeadLetters"]
    with letters(sqs, queue) as found:
        assert found[0].codes == ["EXHAUSTED"]


def test_a_letter_goes_back_whole_with_its_own_attributes_and_without_ours(sqs: Any) -> None:
    bury(sqs, "IntakeDeadLetters", {"id": "e1", "data": "ä"}, reason="NOT_FOUND", replay="true")
    bury(sqs, "IntakeDeadLetters", {"id": "e2"}, reason="NOT_FOUND")
    assert run(sqs, "redrive", "--id", "e1") == 0
    assert bodies(sqs, "IntakeQueue") == [({"id": "e1", "data": "ä"}, ["replay"])]
    assert [body["id"] for body, _ in bodies(sqs, "IntakeDeadLetters")] == ["e2"]


def test_redriving_by_reason_moves_all_that_have_it_and_a_repeat_moves_nothing(sqs: Any) -> None:
    for n in range(15):
        bury(sqs, "IntakeDeadLetters", {"id": f"e{n}"}, reason="UNKNOWN_TYPE,INVALID" if n % 3 else "TOO_LARGE")
    assert run(sqs, "redrive", "--reason", "INVALID") == 0
    assert run(sqs, "redrive", "--reason", "INVALID") == 0
    attributes = sqs.get_queue_attributes(
        QueueUrl=url(sqs, "IntakeQueue"), AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "10"
    assert len(bodies(sqs, "IntakeDeadLetters")) == 5


def test_a_stream_record_goes_back_to_its_function_and_stays_while_that_fails(sqs: Any) -> None:
    bury(sqs, "RollUpDeadLetters", {"eventID": "r1", "dynamodb": {"SequenceNumber": "1"}}, reason="INVALID")
    assert run(sqs, "redrive", "--id", "r1", succeeds=False) == 1
    assert len(bodies(sqs, "RollUpDeadLetters")) == 1
    assert run(sqs, "redrive", "--id", "r1") == 0
    assert bodies(sqs, "RollUpDeadLetters") == []


def test_a_letter_too_large_for_its_queue_is_handed_on_whole(sqs: Any, now: datetime) -> None:
    boto3.client("s3").create_bucket(
        Bucket="rapport-archive", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    record = {"eventID": "r1", "dynamodb": {"SequenceNumber": "1", "NewImage": {"a": {"S": "x" * 300_000}}}}
    fault = Fault("", "INVALID", "cannot be read")
    letter_box = url(sqs, "RollUpDeadLetters")
    put(letter_box, json.dumps(record), source="roll_up", reasons=[fault], now=now)
    handed: list[Any] = []

    def invoke(_queue: str, given: dict[str, Any]) -> bool:
        handed.append(given)
        return True

    dead_letters.run(["redrive", "--reason", "INVALID"], sqs=sqs, invoke=invoke)
    assert handed == [record]


def test_what_a_rule_could_not_deliver_goes_to_the_queue_the_rule_named(sqs: Any) -> None:
    bury(sqs, "RollUpDeadLetters", {"detail": {"id": "e1"}}, TARGET_ARN="arn:aws:sqs:eu-west-1:1:IntakeQueue")
    assert run(sqs, "redrive", "--id", "e1") == 0
    assert [body for body, _ in bodies(sqs, "IntakeQueue")] == [{"detail": {"id": "e1"}}]


def test_a_letter_that_is_no_json_is_listed_and_goes_back(sqs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    told = {"reason": {"DataType": "String", "StringValue": "NOT_JSON"}}
    sqs.send_message(QueueUrl=url(sqs, "IntakeDeadLetters"), MessageBody="{not json", MessageAttributes=told)
    assert run(sqs, "list") == 0
    assert "NOT_JSON" in capsys.readouterr().out
    assert run(sqs, "redrive", "--reason", "NOT_JSON") == 0
    (message,) = sqs.receive_message(QueueUrl=url(sqs, "IntakeQueue"))["Messages"]
    assert message["Body"] == "{not json"
