# tests/integration/test_dead_letters.py
import json

import pytest

from crm.kernel import dead_letters
from crm.kernel.aws import s3_client
from crm.kernel.errors import Fault, InvalidInput, InvalidInputs
from crm.kernel.settings import settings
from tests.conftest import NOW
from tests.letters import letters_in

pytestmark = pytest.mark.usefixtures("outlets")
FAULT = Fault("data.currency", "INVALID", "no currency")


def buried(body: str, *reasons: Fault) -> dict[str, str]:
    url = settings().dead_letters_url
    dead_letters.put(url, body, source="intake.ingest", reasons=reasons or (FAULT,), now=NOW)
    (letter,) = letters_in(url)
    assert dead_letters.body_of(letter) == body
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    return attributes | {"body": letter["Body"]}


def test_a_dead_letter_says_who_gave_up_why_and_where_it_is_archived() -> None:
    letter = buried("{}", FAULT, Fault("data.lines", "MISSING", "is required"), FAULT)
    assert letter == {
        "body": "{}",
        "source": "intake.ingest",
        "reason": "INVALID,MISSING",
        "reasons": "data.currency: no currency; data.lines: is required; data.currency: no currency",
        "archive": dead_letters.archive_key("{}", source="intake.ingest", now=NOW),
    }
    assert letter["archive"].startswith("dead-letters/intake.ingest/2026-03-10/")


def test_a_body_larger_than_a_message_is_kept_whole_in_the_archive() -> None:
    letter = buried(json.dumps({"comment": "ö" * 200_000}, ensure_ascii=False))
    assert json.loads(letter["body"]) == {"archive": letter["archive"]}


def test_a_body_that_merely_looks_like_a_pointer_is_a_body() -> None:
    buried(json.dumps({"archive": "dead-letters/someone-elses"}))


def test_a_letter_outlives_its_copy_in_the_archive() -> None:
    url = settings().dead_letters_url
    key = dead_letters.put(url, "{}", source="a", reasons=[FAULT], now=NOW)
    s3_client().delete_object(Bucket=settings().archive_bucket, Key=key)
    assert [dead_letters.body_of(letter) for letter in letters_in(url)] == ["{}"]


@pytest.mark.parametrize("odd", ["\x00\x0b", "\ud800", "\uffff", ""])
def test_reasons_may_quote_what_queues_refuse(odd: str) -> None:
    letter = buried("{}", Fault(odd, "INVALID", odd * 5000))
    assert letter["reason"] == "INVALID"
    assert len(letter["reasons"]) <= dead_letters.LONGEST_REASONS


def test_the_same_letter_twice_is_archived_once() -> None:
    for _ in range(2):
        dead_letters.put(settings().dead_letters_url, "{}", source="a", reasons=[FAULT], now=NOW)
    assert s3_client().list_objects_v2(Bucket=settings().archive_bucket)["KeyCount"] == 1


def test_every_fault_of_a_refusal_is_a_reason() -> None:
    assert dead_letters.reasons_of(InvalidInputs([FAULT, FAULT])) == [FAULT, FAULT]
    assert dead_letters.reasons_of(InvalidInput("no", field="a.b")) == [Fault("a.b", "INVALID", "no")]
