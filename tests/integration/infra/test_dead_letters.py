# tests/integration/infra/test_dead_letters.py
import json
from datetime import datetime
from typing import Any

import boto3
import pytest

from crm.kernel.aws import s3_client
from crm.kernel.dead_letters import put
from crm.kernel.errors import Fault
from infra import dead_letters
from infra.dead_letters import dead_letter_queues, letters
from infra.local import dead_letters as local_dead_letters


@pytest.fixture
def sqs(aws_services: None) -> Any:
    client = boto3.client("sqs")
    letter_box = client.create_queue(QueueName="IntakeDeadLetters")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=letter_box, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    client.create_queue(QueueName="IntakeQueue", Attributes={"RedrivePolicy": policy})
    client.create_queue(QueueName="RollUpDeadLetters")
    boto3.client("s3").create_bucket(
        Bucket="rapport-archive", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
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
    return dead_letters.run(arguments, sqs=sqs, s3=s3_client(), invoke=lambda _whose, _records: succeeds)


def discard(key: str) -> None:
    """As Lambda writes what a stream function gave up on."""
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:RollUpFunction"
    context = {"functionArn": f"{arn}:$LATEST", "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 11}
    payload = json.dumps({"Records": [{"eventID": "r1", "dynamodb": {"SequenceNumber": "1"}}]})
    body = json.dumps({"requestContext": context, "payload": payload})
    boto3.client("s3").put_object(Bucket="rapport-archive", Key=key, Body=body.encode())


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


def test_a_message_nobody_gave_up_on_says_how_often_it_failed_however_often_it_is_looked_at(sqs: Any) -> None:
    bury(sqs, "IntakeDeadLetters", {"id": "e1"})
    (queue,) = [queue for queue in dead_letter_queues(sqs) if queue.name == "IntakeDeadLetters"]
    for _ in range(3):
        with letters(sqs, queue) as found:
            assert (found[0].codes, found[0].reasons) == (["EXHAUSTED"], "failed 5 times")


def test_a_batch_that_a_stream_function_gave_up_on_is_listed_and_handed_to_it_again(
    sqs: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "aws/lambda/mapping/shard/2026/03/10/2026-03-10T12.00.00-abc"
    discard(key)
    assert run(sqs, "list") == 0
    printed = capsys.readouterr().out
    assert "2026-03-10T12.00.00-abc" in printed
    assert "DISCARDED: 1 records that RollUpFunction failed on 11 times (RetryAttemptsExhausted)" in printed
    assert run(sqs, "redrive", "--reason", "discarded", succeeds=False) == 1
    handed: list[Any] = []

    def invoke(whose: str, records: list[dict[str, Any]]) -> bool:
        handed.append((whose.partition(":function:")[2], [record["eventID"] for record in records]))
        return True

    for asked in ("2026-03-10T12.00.00-abc", "r1", key):
        discard(key)
        assert dead_letters.run(["redrive", "--id", asked], sqs=sqs, s3=s3_client(), invoke=invoke) == 0
        assert boto3.client("s3").list_objects_v2(Bucket="rapport-archive")["KeyCount"] == 0
    assert handed == [("RollUpFunction:$LATEST", ["r1"])] * 3


@pytest.mark.parametrize("asked", [("--id", "nope"), ("--reason", "NOPE")])
def test_a_redrive_that_finds_nothing_says_so_and_fails(
    sqs: Any, capsys: pytest.CaptureFixture[str], asked: tuple[str, str]
) -> None:
    bury(sqs, "IntakeDeadLetters", {"id": "e1"}, reason="NOT_FOUND")
    assert run(sqs, "redrive", *asked) == 1
    assert f"No dead letter has the {asked[0][2:]} {asked[1]}." in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), ("--id", "e1", "--reason", "INVALID")])
def test_a_redrive_that_says_not_which_is_told_what_make_takes(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert local_dead_letters.main(["redrive", *arguments]) == 2
    assert "make redrive ID=" in capsys.readouterr().err


def test_a_letter_goes_back_whole_with_its_own_attributes_and_without_ours(sqs: Any) -> None:
    bury(sqs, "IntakeDeadLetters", {"id": "e1", "data": "ä"}, reason="NOT_FOUND", replay="true")
    bury(sqs, "IntakeDeadLetters", {"id": "e2"}, reason="NOT_FOUND")
    assert run(sqs, "redrive", "--id", "e1") == 0
    assert bodies(sqs, "IntakeQueue") == [({"id": "e1", "data": "ä"}, ["replay"])]
    assert [body["id"] for body, _ in bodies(sqs, "IntakeDeadLetters")] == ["e2"]


def test_redriving_by_reason_moves_all_that_have_it_and_a_repeat_moves_nothing(sqs: Any) -> None:
    for n in range(15):
        bury(sqs, "IntakeDeadLetters", {"id": f"e{n}"}, reason="UNKNOWN_TYPE,INVALID" if n % 3 else "TOO_LARGE")
    assert run(sqs, "redrive", "--reason", "invalid") == 0
    assert run(sqs, "redrive", "--reason", "INVALID") == 1
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
    record = {"eventID": "r1", "dynamodb": {"SequenceNumber": "1", "NewImage": {"a": {"S": "x" * 300_000}}}}
    fault = Fault("", "INVALID", "cannot be read")
    letter_box = url(sqs, "RollUpDeadLetters")
    put(letter_box, json.dumps(record), source="roll_up", reasons=[fault], now=now)
    handed: list[Any] = []

    def invoke(_queue: str, given: list[dict[str, Any]]) -> bool:
        handed.extend(given)
        return True

    dead_letters.run(["redrive", "--reason", "INVALID"], sqs=sqs, s3=s3_client(), invoke=invoke)
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
