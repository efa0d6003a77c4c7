# tests/unit/schema/test_node.py
import base64

import pytest

from schema.node import GlobalId, global_id, key_of


def test_an_id_names_its_type_and_key() -> None:
    assert GlobalId.parse(global_id("Message", "cus_1", "order:o1:thanks")) == GlobalId(
        "Message", ("cus_1", "order:o1:thanks")
    )
    assert key_of("Customer", global_id("Customer", "cus_1")) == ("cus_1",)


def test_an_id_of_another_type_names_nothing_here() -> None:
    assert key_of("Order", global_id("Customer", "cus_1")) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "Customer:1",
        "ünicode",
        "a" * 2000,
        base64.b64encode(b"Customer\x1fcus_1").decode(),
        "Q3VzdG9tZXI",
        "\x00",
    ],
)
def test_what_is_no_id_names_nothing(text: str) -> None:
    assert GlobalId.parse(text) is None
