# tests/unit/functions/test_batches.py
from types import SimpleNamespace
from typing import Any

import pytest

from functions import batches
from tests.shop_events import record


def test_what_breaks_a_record_is_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    def fail(record: Any) -> None:
        raise ValueError("time data 'ann@example.com' is no time")

    answered = batches.answer({"Records": [record({"id": "e1"})]}, SimpleNamespace(), fail)  # type: ignore[arg-type]
    assert len(answered["batchItemFailures"]) == 1
    logged = caplog.text
    assert "ValueError at " in logged
    assert "ann@example.com" not in logged
