# tests/integration/test_customer_changes.py
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.customers import lookup, repository
from crm.customers import service as customers
from crm.customers.refusals import IdentifierTaken
from crm.customers.service import Words
from crm.kernel.errors import InvalidInputs, NotFound, VersionMismatch
from tests.shop_events import deliver, event

pytestmark = pytest.mark.usefixtures("shop")


def words(**fields: Any) -> Words:
    return Words(fields=fields)


def test_an_address_can_be_given_to_one_customer_only(now: datetime) -> None:
    ann = customers.create("demo", words(email="Ann@example.com"), now=now)
    with pytest.raises(IdentifierTaken) as taken:
        customers.create("demo", words(email="ann@EXAMPLE.com"), now=now)
    assert (taken.value.kind, taken.value.customer_id) == ("email", ann.customer_id)


def test_of_two_who_looked_at_once_one_gets_the_address(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    real = repository.get_identities
    rivals = [words(email="ann@example.com")]

    def racing(shop: str, claims: Any) -> Any:
        seen = real(shop, claims)
        if rivals:
            customers.create(shop, rivals.pop(), now=now)
        return seen

    monkeypatch.setattr(repository, "get_identities", racing)
    with pytest.raises(IdentifierTaken):
        customers.create("demo", words(email="ann@example.com"), now=now)


def test_an_address_that_is_replaced_is_free_again(now: datetime) -> None:
    ann = customers.create("demo", words(email="old@example.com"), now=now)
    customers.update("demo", ann.customer_id, words(email="new@example.com"), now=now + timedelta(seconds=1))
    assert customers.find("demo", "email", "old@example.com") is None
    assert customers.find("demo", "email", "new@example.com") == ann.customer_id
    bob = customers.create("demo", words(email="old@example.com"), now=now)
    assert customers.find("demo", "email", "old@example.com") == bob.customer_id


def test_writing_an_address_in_another_case_keeps_it(now: datetime) -> None:
    ann = customers.create("demo", words(email="ann@example.com"), now=now)
    later = customers.update("demo", ann.customer_id, words(email="Ann@Example.com"), now=now + timedelta(seconds=1))
    assert later.email == "Ann@Example.com"
    assert customers.find("demo", "email", "ann@example.com") == ann.customer_id


def test_a_customer_cannot_take_anothers_address(now: datetime) -> None:
    customers.create("demo", words(email="ann@example.com"), now=now)
    bob = customers.create("demo", words(first_name="Bob"), now=now)
    with pytest.raises(IdentifierTaken):
        customers.update("demo", bob.customer_id, words(email="ann@example.com"), now=now)


def test_an_update_by_an_old_version_is_refused_with_the_stored_one(now: datetime) -> None:
    ann = customers.create("demo", words(first_name="Ann"), now=now)
    customers.update(
        "demo", ann.customer_id, words(first_name="Anna"), now=now + timedelta(seconds=1), expected_version=1
    )
    with pytest.raises(VersionMismatch) as refusal:
        customers.update("demo", ann.customer_id, words(first_name="A"), now=now, expected_version=1)
    assert (refusal.value.expected, refusal.value.actual) == (1, 2)


def test_an_update_that_changes_nothing_moves_no_version(now: datetime) -> None:
    ann = customers.create("demo", words(first_name="Ann", tags={"a"}), now=now)
    again = customers.update("demo", ann.customer_id, words(first_name="Ann", tags={"a"}), now=now)
    assert again.version == 1


def test_what_staff_say_now_is_not_undone_by_an_event_from_before(now: datetime) -> None:
    ann = customers.create("demo", Words(external_ids={"shopify": "ann"}, fields={"first_name": "Ann"}), now=now)
    deliver(
        event(
            "customer.updated", {}, customer={"externalId": "ann", "firstName": "X"}, occurredAt="2026-03-01T00:00:00Z"
        )
    )
    assert customers.get("demo", ann.customer_id).first_name == "Ann"


def test_tags_are_added_and_removed_without_losing_anothers(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = customers.create("demo", words(first_name="Ann", tags={"a"}), now=now).customer_id
    real = customers.get
    rivals = ["b"]

    def racing(shop: str, customer_id: str) -> Any:
        read = real(shop, customer_id)
        if rivals:
            customers.change_tags(shop, customer_id, add=[rivals.pop()], now=now + timedelta(seconds=1))
        return read

    monkeypatch.setattr(lookup, "get", racing)
    changed = customers.change_tags("demo", ann, add=["c"], remove=["a"], now=now + timedelta(seconds=2))
    assert set(changed.tags) == {"b", "c"}


def test_a_customer_of_another_shop_is_as_unknown_as_nobody(now: datetime, two_shops: None) -> None:
    ann = customers.create("demo", words(email="ann@example.com"), now=now)
    for customer_id in (ann.customer_id, "cus_nobody"):
        with pytest.raises(NotFound, match="no such customer"):
            customers.get("other", customer_id)
    assert customers.find("other", "email", "ann@example.com") is None


def test_replacing_an_address_leaves_an_external_id_of_the_same_text(now: datetime) -> None:
    said = Words(external_ids={"shop": "ann@example.com"}, fields={"email": "ann@example.com"})
    ann = customers.create("demo", said, now=now).customer_id
    after = customers.update("demo", ann, words(email="new@example.com"), now=now + timedelta(seconds=1))
    assert [(claim.kind, claim.value) for claim in after.identities] == [
        ("email", "new@example.com"),
        ("external:shop", "ann@example.com"),
    ]


@pytest.mark.parametrize("source", ["a#b", "", "x" * 41, "Shop"])
def test_a_source_that_is_no_name_is_refused(source: str, now: datetime) -> None:
    with pytest.raises(InvalidInputs):
        customers.create("demo", Words(external_ids={source: "1"}), now=now)
    with pytest.raises(InvalidInputs):
        customers.find("demo", "external", "1", source=source)


@pytest.mark.parametrize(
    "address", [{"line1": "x" * 201}, {"country": "Narnia"}, {"latitude": 90.1, "longitude": 180.5}]
)
def test_an_address_that_is_none_is_refused(address: dict[str, Any], now: datetime) -> None:
    with pytest.raises(InvalidInputs) as refusal:
        customers.create("demo", words(first_name="Ann", addresses=[{"city": "Wien"}, address]), now=now)
    assert [fault.path for fault in refusal.value.faults] == [f"addresses.1.{name}" for name in address]


@pytest.mark.parametrize("email", ["nobody", "test@test.com", ""])
def test_an_address_nobody_can_be_known_by_is_refused_to_staff(email: str, now: datetime) -> None:
    with pytest.raises(InvalidInputs) as refusal:
        customers.create("demo", words(email=email), now=now)
    assert {fault.path for fault in refusal.value.faults} == {"email"}


def test_customers_are_listed_newest_first_in_each_shard(now: datetime) -> None:
    made = [
        customers.create("demo", words(first_name="Ann"), now=now + timedelta(seconds=second)).customer_id
        for second in range(12)
    ]
    shards = [repository.list_shard("demo", shard, before=None, limit=100) for shard in range(customers.SHARDS)]
    assert sorted(customer.customer_id for shard in shards for customer in shard) == sorted(made)
    for shard in shards:
        assert [c.customer_id for c in shard] == sorted((c.customer_id for c in shard), reverse=True)
        if len(shard) > 1:
            (second, *_) = repository.list_shard("demo", customers_shard(shard[0]), before=shard[0].list_sk, limit=1)
            assert second.customer_id == shard[1].customer_id


def customers_shard(customer: customers.Customer) -> int:
    return int(customer.list_pk.rpartition("#")[2])
