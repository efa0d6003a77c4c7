# tests/integration/test_graphql_unknown_shop.py
"""A token of a shop that does not exist founds nothing and changes nothing."""

import pytest

from crm.kernel.table import Item
from schema.node import global_id
from schema.principal import SCOPES
from tests.asking import as_staff, ask

CUSTOMER = global_id("Customer", "cus_1")

pytestmark = pytest.mark.usefixtures("shop")


@pytest.mark.parametrize(
    "mutation",
    [
        'customerCreate(input: {email: "ann@example.com"})',
        f'customerUpdate(input: {{id: "{CUSTOMER}", firstName: "X"}})',
        f'customerDelete(input: {{id: "{CUSTOMER}"}})',
        f'customerRestore(input: {{id: "{CUSTOMER}"}})',
        f'customerTagsAdd(input: {{id: "{CUSTOMER}", tags: ["x"]}})',
        f'customerTagsRemove(input: {{id: "{CUSTOMER}", tags: ["x"]}})',
        f"""consentUpdate(input: {{id: "{CUSTOMER}", idempotencyKey: "k",
            consents: [{{channel: EMAIL, purpose: MARKETING, state: GRANTED}}]}})""",
        "eventsIngest(input: {events: [{}]})",
        f'feedbackSubmit(input: {{customer: "{CUSTOMER}", score: 9, idempotencyKey: "k"}})',
    ],
)
def test_a_shop_that_does_not_exist_has_no_customers(mutation: str) -> None:
    (payload,) = ask(
        f"mutation {{ {mutation} {{ userErrors {{ code }} }} }}", principal=as_staff(*SCOPES, shop="nosuch")
    ).values()
    assert payload["userErrors"] == [{"code": "NOT_FOUND"}]
    assert [item.pk for item in Item.scan() if item.pk.startswith("SHOP#nosuch")] == []
