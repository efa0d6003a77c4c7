# tests/integration/test_change.py
"""Which write a failed condition belongs to, as the engine's positions say it."""

from itertools import permutations

import pytest

from crm.kernel.change import Change
from crm.kernel.errors import NotFound
from crm.kernel.table import client
from crm.kpis.models import Cell, Contribution, KpiItem
from crm.orders.models import OrderRef

pytestmark = pytest.mark.usefixtures("tables")
VERBS = ("check", "delete", "create", "update")


def ref(name: str) -> OrderRef:
    return OrderRef.of("demo", name)


def add(change: Change, verb: str) -> None:
    """A write of its own item, which fails where that item is there already (a put) or is not (the others)."""
    refusal, item = NotFound(verb), ref(verb)
    match verb:
        case "check":
            change.check(item, when=OrderRef.sk.exists(), otherwise=refusal)
        case "delete":
            change.delete(item, when=OrderRef.sk.exists(), otherwise=refusal)
        case "create":
            change.create(item, otherwise=refusal)
        case "update":
            change.update(item, [OrderRef.rev.set(2)], when=OrderRef.sk.exists(), otherwise=refusal)


@pytest.mark.parametrize("failing", VERBS)
def test_a_failed_condition_raises_its_own_refusal_whatever_was_added_when(failing: str) -> None:
    for verb in VERBS:
        if (verb == "create") == (verb == failing):
            ref(verb).save()
    for order in permutations(VERBS):
        change = Change()
        for verb in order:
            add(change, verb)
        with pytest.raises(NotFound, match=f"^{failing}$"):
            change.commit()


def test_a_cause_is_recognised_among_other_verbs() -> None:
    ref("cause").save()
    ref("update").save()
    change = Change()
    add(change, "update")
    change.once(ref("cause"))
    assert not change.commit()
    assert OrderRef.get(ref("update").pk, "ORDERREF").rev == 0


def test_the_tables_are_written_together_or_not_at_all() -> None:
    for repeat in (False, True):
        change = Change()
        change.once(ref("cause"))
        change.update(Cell("cells", "2026-03-01"), [Cell.value.add(5)], when=None, otherwise=NotFound("never"))
        assert change.commit() is not repeat
    assert Cell.get("cells", "2026-03-01").value == 5


def test_all_tables_share_one_client() -> None:
    clients = {id(kind._get_connection().connection.client) for kind in (OrderRef, KpiItem, Cell, Contribution)}
    assert len(clients) == 1


def test_attributes_that_this_code_does_not_know_survive_a_revision() -> None:
    change, item = Change(), ref("o1")
    change.revise(item)
    change.commit()
    item.update([OrderRef.cause.set("kept")])
    dynamodb = client()
    dynamodb.update_item(
        TableName=OrderRef.Meta.table_name,
        Key={"pk": {"S": item.pk}, "sk": {"S": item.sk}},
        UpdateExpression="SET novelty = :n",
        ExpressionAttributeValues={":n": {"S": "new"}},
    )
    change = Change()
    change.revise(item)
    assert change.commit()
    stored = dynamodb.get_item(TableName=OrderRef.Meta.table_name, Key={"pk": {"S": item.pk}, "sk": {"S": item.sk}})[
        "Item"
    ]
    assert (stored["novelty"], stored["rev"], stored["kind"]) == ({"S": "new"}, {"N": "2"}, {"S": "OrderRef"})
