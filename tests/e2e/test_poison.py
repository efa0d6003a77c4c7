# tests/e2e/test_poison.py
"""What can never be handled ends where a person finds it, whole and with its reasons, and holds up nobody."""

import json
import subprocess
import sys
from functools import partial
from typing import Any

from tests.e2e.effects import SHOP, Buyer, counted, rests, wait_for
from tests.local_system import ROOT, LocalSystem, eventually

LATER = "later"


def test_a_poison_event_is_dead_lettered_whole_and_its_sender_can_ask_why(system: LocalSystem) -> None:
    buyer = Buyer(system, "poisoner")
    poison = buyer.order("poison-1", lines=[{"sku": "A", "quantity": 0, "unitPrice": "much"}], currency="XXL")
    good = buyer.order("good-1")
    system.put_on_bus(poison, good)
    wait_for(buyer, counted)
    eventually(lambda: _letter(system, poison["id"]) is not None, "it is dead-lettered")
    letter = _letter(system, poison["id"])
    assert letter is not None
    assert _event(letter) == poison
    paths = ("data.lines[0].quantity", "data.lines[0].unitPrice")
    assert all(path in letter["MessageAttributes"]["reasons"]["StringValue"] for path in paths)
    told = system.told_of(poison["id"], shop=SHOP)
    assert told is not None
    assert told["status"] == "dead_lettered"
    assert {reason["path"] for reason in told["reasons"]} >= set(paths)


def test_a_redriven_event_is_applied_once(system: LocalSystem) -> None:
    """Its shop was founded too late; then an operator redrives it by its id."""
    buyer = Buyer(system, "pioneer")
    event = buyer.order("pioneer-1") | {"shop": LATER}
    system.put_on_bus(event)
    eventually(lambda: _letter(system, event["id"]) is not None, "it is dead-lettered")
    system.found_shop(LATER)
    system.instance.announce()
    redriven = _redrive(system, event["id"])
    assert redriven.returncode == 0
    assert f"{event['id']}: sent to IntakeQueue" in redriven.stdout
    eventually(lambda: (system.told_of(event["id"], shop=LATER) or {}).get("status") == "applied", "it is applied")
    rests(system)
    found = system.ask("{ customers { nodes { statistics { orderCount } } } }", shop=LATER)["customers"]["nodes"]
    assert found == [{"statistics": {"orderCount": 1}}]
    again = _redrive(system, event["id"])
    assert again.returncode == 1
    assert again.stderr == f"No dead letter has the id {event['id']}.\n"


def test_a_hopeless_message_of_any_queue_ends_in_its_dead_letters(system: LocalSystem) -> None:
    """Nobody can read it; it is received as often as the template allows, and no more."""
    sources = [source.queue for source in system.wiring.queue_sources if source.queue.logical_id != "IntakeQueue"]
    for queue in sources:
        body = json.dumps({"detail-type": "hopeless", "detail": {"queue": queue.logical_id}})
        system.sqs.send_message(QueueUrl=queue.url, MessageBody=body)

    def hopeless() -> set[str]:
        bodies = [json.loads(letter["Body"]) for letter in system.dead_letters()]
        return {body["detail"]["queue"] for body in bodies if body.get("detail-type") == "hopeless"}

    eventually(lambda: hopeless() == {queue.logical_id for queue in sources}, "all are dead-lettered", seconds=90)


def test_a_stored_item_that_no_stream_function_can_read_is_dead_lettered_by_both(system: LocalSystem) -> None:
    item = {"pk": {"S": f"SHOP#{SHOP}#CUSTOMER#broken"}, "sk": {"S": "ORDER#broken"}, "kind": {"S": "Order"}}
    system.dynamodb.put_item(TableName=system.table("CrmTable"), Item=item)
    for queue in ("ChangesDeadLetters", "RollUpDeadLetters"):
        eventually(partial(_has_letters, system, queue), f"a letter in {queue}")
        (letter,) = system.dead_letters(queue)
        assert json.loads(letter["Body"])["dynamodb"]["NewImage"] == item
    buyer = Buyer(system, "behind")
    system.post(buyer.order("behind-1"), shop=SHOP)
    wait_for(buyer, counted)


def _has_letters(system: LocalSystem, queue: str) -> bool:
    return bool(system.dead_letters(queue))


def _letter(system: LocalSystem, event_id: str) -> dict[str, Any] | None:
    letters = system.dead_letters("IntakeDeadLetters")
    return next((letter for letter in letters if _event(letter)["id"] == event_id), None)


def _event(letter: dict[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(letter["Body"])
    return event


def _redrive(system: LocalSystem, event_id: str) -> subprocess.CompletedProcess[str]:
    """`make redrive ID=…`"""
    command = [sys.executable, "-m", "infra.local.dead_letters", "redrive", "--id", event_id]
    return subprocess.run(command, env=system.environment, cwd=ROOT, check=False, capture_output=True, text=True)
