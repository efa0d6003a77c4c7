# tests/unit/infra/test_batches.py
from typing import Any

import pytest

from infra.local.dispatcher.batches import failed_items

BATCH = ["a", "b", "c"]


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_answer_without_failures_is_success(answer: Any) -> None:
    assert failed_items(answer, BATCH) == []


def test_only_the_named_come_again_in_the_order_of_the_batch() -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": "c"}, {"itemIdentifier": "a"}]}
    assert failed_items(answer, BATCH) == ["a", "c"]


@pytest.mark.parametrize(
    "answer",
    [
        "done",
        {"batchItemFailures": "a"},
        {"batchItemFailures": [{"itemIdentifier": "unknown"}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"identifier": "a"}]},
        {"batchItemFailures": ["a"]},
    ],
)
def test_a_malformed_answer_fails_the_whole_batch(answer: Any) -> None:
    assert failed_items(answer, BATCH) == BATCH
