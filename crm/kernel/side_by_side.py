# crm/kernel/side_by_side.py
"""The same for each of several customers, several at once. One for whom it cannot be done holds up no other."""

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from crm.kernel.errors import without_words

log = logging.getLogger(__name__)

AT_ONCE: int = 8
"""Threads, each of which waits for the store; moto takes but one."""

Known = TypeVar("Known")
Outcome = TypeVar("Outcome")


def for_each(
    shop: str, customers: Mapping[str, Known], do: Callable[[Known], Outcome], *, otherwise: str, patient: bool
) -> dict[str, Outcome]:
    """What came of it, by customer, of all of whom something is known. While one is `patient`, what may pass is raised;
    then whoever it cannot be done for is left out, and the log says `otherwise`.
    """

    def one(customer_id: str) -> dict[str, Outcome]:
        try:
            return {customer_id: do(customers[customer_id])}
        except Exception as error:
            if patient:
                raise
            told = {"shop": shop, "customer_id": customer_id}
            log.error("%s: %s", otherwise, without_words(error), extra=told)  # noqa: TRY400  its words may be theirs
            return {}

    done: dict[str, Outcome] = {}
    for outcome in _outcomes(one, customers):
        done |= outcome
    return done


def _outcomes(one: Callable[[str], dict[str, Outcome]], customers: Iterable[str]) -> list[dict[str, Outcome]]:
    if AT_ONCE == 1:
        return list(map(one, customers))
    with ThreadPoolExecutor(AT_ONCE) as threads:
        # With the context, in which the store is asked on behalf of an operation, and counted.
        running = [threads.submit(copy_context().run, one, each) for each in customers]
    return [each.result() for each in running]
