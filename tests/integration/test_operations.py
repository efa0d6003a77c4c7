# tests/integration/test_operations.py
"""Every example operation does what it says, for whom it is meant."""

import json
import re
from functools import partial
from typing import Any

import pytest

from crm.segmentation import in_force
from crm.segmentation import service as segmentation
from crm.shops import service as shops
from schema.node import global_id
from schema.operations import Operation, operations
from tests import bulk
from tests.asking import NOW, as_customer, ask
from tests.integration.rewards import reward
from tests.operations import caller, filled, made, meaning
from tests.segments import LATELY, REPEAT, id_of

PLACEHOLDER = re.compile("<[a-z ]+>")


def refusals(answered: Any) -> list[Any]:
    """What the answer holds of user errors and faults, however deep."""
    found: list[Any] = []
    if isinstance(answered, dict):
        for name, value in answered.items():
            found += value if name in {"userErrors", "faults"} else refusals(value)
    elif isinstance(answered, list):
        found = [refusal for value in answered for refusal in refusals(value)]
    return found


@pytest.mark.usefixtures("outlets")
@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.name)
def test_an_example_operation_answers_without_a_refusal(ann: str, operation: Operation) -> None:
    words = meaning(
        customer=global_id("Customer", ann),
        order=global_id("Order", "o1"),
        email="ann@example.com",
        shop="demo",
        now=NOW,
        moved=bulk.uploaded("email\nann@example.com\n"),
        segments=(global_id("Segment", id_of(REPEAT)), global_id("Segment", id_of(LATELY))),
        reward=global_id("RewardDefinition", reward(NOW, price=1)),
    )
    if "rfmBounds" in operation.text:
        segmentation.begin_day(shops.get("demo"), now=NOW)
        bulk.drain()
        in_force.forget_cached()
    themselves = partial(ask, principal=as_customer(ann))
    words = made(words, ask, themselves, of=PLACEHOLDER.findall(json.dumps(operation.variables)))
    answered = ask(operation.text, filled(operation, words), principal=caller(operation, ann))
    assert refusals(answered) == []
    assert all(value is not None for value in answered.values())
