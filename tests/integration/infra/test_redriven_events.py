# tests/integration/infra/test_redriven_events.py
import json

import pytest

from crm.kernel.aws import s3_client, sqs_client
from crm.kernel.settings import settings
from crm.orders import service as orders
from crm.shops import service as shops
from functions.intake.ingest import handler
from infra import dead_letters
from tests.letters import letters_in
from tests.shop_events import deliver, placed

pytestmark = pytest.mark.usefixtures("tables", "outlets")


@pytest.mark.parametrize("came", ["as a replay", "live"])
def test_a_dead_letter_is_redriven_as_it_came(came: str) -> None:
    sqs, dead_letters_url = sqs_client(), settings().require("intake_dead_letters_url")
    arn = sqs.get_queue_attributes(QueueUrl=dead_letters_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    intake_url = settings().require("intake_queue_url")
    sqs.set_queue_attributes(QueueUrl=intake_url, Attributes={"RedrivePolicy": policy})

    assert deliver(placed(), replay=came == "as a replay") == []  # the shop is not founded yet
    fields = shops.ShopFields(name="Demo", zone="Europe/Vienna", currency="EUR", locale="de-AT")
    shops.create("demo", fields)
    assert (
        dead_letters.run(
            ["redrive", "--reason", "NOT_FOUND"], sqs=sqs, s3=s3_client(), invoke=lambda _queue, _record: False
        )
        == 0
    )

    (message,) = letters_in(intake_url)
    attributes = {
        name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    again = {"messageId": "m0", "eventSource": "aws:sqs", "body": message["Body"], "messageAttributes": attributes}
    assert handler({"Records": [again]}, None) == {"batchItemFailures": []}  # type: ignore[arg-type]
    assert orders.get("demo", "o1").replayed is (came == "as a replay")
