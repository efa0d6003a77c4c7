# infra/local/dispatcher/batches.py
"""What an answer says about a batch: which of its records are to come again."""

from collections.abc import Sequence
from typing import Any


def failed_items(answer: Any, identifiers: Sequence[str]) -> list[str]:
    """Return the identifiers to retry, in batch order.

    As Lambda reads it: nothing, null or an empty list is success; a malformed answer or an unknown identifier fails
    the whole batch.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    if answer is None or answer == {}:
        return []
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else _MALFORMED
    if failures is None:
        return []
    if not isinstance(failures, list):
        return list(identifiers)
    named = {failure.get("itemIdentifier") if isinstance(failure, dict) else None for failure in failures}
    if not named <= set(identifiers):
        return list(identifiers)
    return [identifier for identifier in identifiers if identifier in named]


_MALFORMED = object()
