# tests/integration/test_segment_definitions.py
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.customers import service as customers
from crm.kernel.actor import Actor, Role
from crm.kernel.errors import InvalidInputs, NotFound, Stale
from crm.kernel.meter import metering
from crm.kernel.remembered import Remembered
from crm.segmentation import defining, in_force, known_texts, querying, repository, service
from crm.segmentation.defining import SegmentFields
from crm.segmentation.language.facts import Fact
from crm.segmentation.language.reading import only
from crm.segmentation.models import DYNAMIC, STATIC, SegmentDefinition
from crm.segmentation.refusals import QueryFault, TooManySegments
from crm.shops import service as shops
from crm.shops.service import ShopFields

pytestmark = pytest.mark.usefixtures("shop")

ANNA = Actor(Role.STAFF, "anna")
SIZES = customers.AttributeFields(name="Size", type="choice", choices=[("s", "Small"), ("m", "Medium")])


def created(now: datetime, name: str = "VIP", query: str = "amount_spent > 500", **said: Any) -> SegmentDefinition:
    return service.create("demo", DYNAMIC, SegmentFields(name, query=query, **said), actor=ANNA, now=now).definition


def faults(now: datetime, kind: str = DYNAMIC, **said: Any) -> dict[str, str]:
    with pytest.raises(InvalidInputs) as refusal:
        service.create("demo", kind, SegmentFields(**said), actor=ANNA, now=now)
    return {fault.path: fault.code for fault in refusal.value.faults}


def test_a_segment_is_in_force_as_soon_as_it_is_defined(now: datetime) -> None:
    defined = created(now, query="amount_spent>500")
    assert (defined.query_text, defined.normalized, defined.rev) == ("amount_spent>500", "amount_spent > 500", 1)

    found = service.current("demo", now=now)

    assert (found.version, found.zone, found.currency) == (1, "Europe/Vienna", "EUR")
    segment = found.segments[defined.segment_id]
    assert (segment.name, segment.kind, segment.version, segment.is_broken) == ("VIP", DYNAMIC, 1, False)
    assert segment.reads == only(Fact.STATISTICS) | only(Fact.MEMBERSHIPS)
    assert segment.meaning == in_force.Meaning(1, now, f"segment:{defined.segment_id}:define:1")


def test_a_shop_without_segments_has_a_zone_and_a_currency_all_the_same(now: datetime) -> None:
    found = service.current("demo", now=now)
    assert (found.version, found.zone, found.currency, dict(found.segments)) == (0, "Europe/Vienna", "EUR", {})
    with pytest.raises(NotFound):
        service.current("nowhere", now=now)


def test_who_defined_it_when_and_what_for_is_written_down(now: datetime) -> None:
    defined = created(now, description="Who spends.", picture_url="https://example.com/a.png", goals=["Thank them"])

    stored = service.get("demo", defined.segment_id)
    assert (stored.created_by, stored.created_at, stored.updated_at) == ("staff:anna", now, now)
    assert (stored.description, stored.picture_url, stored.goals) == (
        "Who spends.", "https://example.com/a.png", ["Thank them"],
    )  # fmt: skip
    version = service.get_version("demo", defined.segment_id, 1)
    assert version is not None
    assert (version.query_text, version.written_by) == ("amount_spent > 500", "staff:anna")


def test_a_segment_of_another_shop_is_not_there(now: datetime, two_shops: None) -> None:
    defined = created(now)
    assert service.find("other", defined.segment_id) is None
    assert service.list_definitions("other") == []
    with pytest.raises(NotFound):
        service.get("other", defined.segment_id)


def test_all_that_is_wrong_is_told_at_once(now: datetime) -> None:
    created(now)
    assert faults(now) == {"name": "REQUIRED", "query": "REQUIRED"}
    assert faults(now, name="vip", query="x = 1", goals=["g", " "], picture_url="http://a.at/b", description=" ") == {
        "name": "TAKEN", "query": "UNKNOWN_ATTRIBUTE", "goals.1": "INVALID", "picture_url": "INVALID",
        "description": "INVALID",
    }  # fmt: skip
    assert faults(now, name="seg_a", query="number_of_orders > 1", goals=["g"] * 11) == {
        "name": "RESERVED", "goals": "TOO_MANY",
    }  # fmt: skip
    assert faults(now, kind=STATIC, name="n" * 101, query="number_of_orders > 1") == {
        "name": "TOO_LONG", "query": "INVALID",
    }  # fmt: skip
    assert len(service.list_definitions("demo")) == 1


@pytest.mark.parametrize(
    "address",
    ["ftp://a.example", "https://", "https://a b.example", "https://u:p@a.example", "//a.example", "https://a.example:x",
     "https://a.example/" + "x" * 2_000, "https://[a", "picture.png"],
)  # fmt: skip
def test_a_picture_has_an_https_address(now: datetime, address: str) -> None:
    assert faults(now, name="A", query="number_of_orders > 1", picture_url=address) == {"picture_url": "INVALID"}


def test_each_mistake_in_a_query_says_where_it_is_and_what_was_meant(now: datetime) -> None:
    with pytest.raises(InvalidInputs) as refusal:
        created(now, query="amount_spend > 5 AND number_of_orders > 'x'")
    told = [fault.mistake for fault in refusal.value.faults if isinstance(fault, QueryFault)]
    assert [(mistake.code, mistake.offset, mistake.nearest) for mistake in told] == [
        ("UNKNOWN_ATTRIBUTE", 0, "amount_spent"), ("VALUE", 40, None),
    ]  # fmt: skip
    assert told[1].expected == ("a whole number",)


def test_a_segment_may_not_ask_about_itself(now: datetime) -> None:
    assert faults(now, name="Loop", query="segment('loop')") == {"query": "CYCLE"}


def test_a_segment_whose_members_are_set_by_hand_has_no_query(now: datetime) -> None:
    defined = service.create("demo", STATIC, SegmentFields("Staff"), actor=ANNA, now=now).definition
    segment = service.current("demo", now=now).segments[defined.segment_id]
    assert (segment.compiled, segment.is_broken, segment.reads) == (None, False, only(Fact.MEMBERSHIPS))


def test_a_shop_has_200_segments_at_most(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defining, "MOST_SEGMENTS", 2)
    created(now, "A")
    created(now, "B")
    with pytest.raises(TooManySegments):
        created(now, "C")


def test_of_two_edits_at_once_one_comes_after_the_other(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    read, others = repository.list_definitions, ["VIP"]

    def overtaken(shop: str) -> list[SegmentDefinition]:
        found = read(shop)
        if others:
            created(now, others.pop())
        return found

    monkeypatch.setattr(repository, "list_definitions", overtaken)
    assert faults(now, name="vip", query="number_of_orders > 1") == {"name": "TAKEN"}
    assert [each.name for each in service.list_definitions("demo")] == ["VIP"]


def test_a_segment_means_something_else_once_one_that_it_names_does(now: datetime) -> None:
    vip = created(now)
    named = created(now, "Lost", "segment('vip') AND last_order_date < -90d")
    by_way = created(now, "Won back", "NOT segment('Lost')")
    asked = service.current("demo", now=now).segments
    assert [asked[each.segment_id].meaning.version for each in (vip, named, by_way)] == [1, 2, 3]

    catalogue = repository.get_catalogue("demo")
    assert catalogue is not None
    vip.changed_in, catalogue.rev = 4, 4
    definitions = [vip, named, by_way]
    rebuilt = in_force.build("demo", catalogue, definitions, own={}).segments
    assert [rebuilt[each.segment_id].meaning.version for each in definitions] == [4, 4, 4]


def test_new_thresholds_change_what_asks_for_scores_and_nothing_else(now: datetime) -> None:
    scored, other = created(now, "A", "rfm_group = 'CHAMPIONS'"), created(now, "B")
    catalogue = repository.get_catalogue("demo")
    assert catalogue is not None
    catalogue.rfm_version, catalogue.rfm_changed_in, catalogue.rfm_changed_at = 7, 3, now
    segments = in_force.build("demo", catalogue, [scored, other], own={}).segments
    assert segments[scored.segment_id].meaning == in_force.Meaning(3, now, "rfm:7:score")
    assert segments[other.segment_id].meaning.version == 2


def test_for_a_minute_nothing_is_asked_and_then_only_whether_anything_changed(now: datetime) -> None:
    created(now)
    service.current("demo", now=now)
    for later, requests in ((59, 0), (60, 1), (119, 0)):
        with metering() as meter:
            service.current("demo", now=now + timedelta(seconds=later))
        assert meter.requests == requests, later

    known = service.current("demo", now=now)
    created(now, "B")
    in_force._cache.keep("demo", (now, known))  # another process' cache
    with metering() as meter:
        found = service.current("demo", now=now + timedelta(seconds=60))
    assert (found.version, meter.operations) == (2, {"GetItem": 2, "Query": 2})


def test_of_many_shops_those_that_were_asked_about_last_are_kept(
    now: datetime, monkeypatch: pytest.MonkeyPatch, two_shops: None
) -> None:
    for module, asked in ((in_force, service.current), (known_texts, querying.known_texts)):
        monkeypatch.setattr(module, "_cache", Remembered[Any](most=1))
        for shop, is_known in (("demo", False), ("demo", True), ("other", False), ("demo", False)):
            with metering() as meter:
                asked(shop, now=now)
            assert (meter.requests == 0) is is_known, (module.__name__, shop)


def test_a_version_that_is_known_to_exist_is_asked_for_at_once(now: datetime) -> None:
    created(now)
    known = service.current("demo", now=now)
    created(now, "B")
    in_force._cache.keep("demo", (now, known))
    assert service.current("demo", now=now, at_least=2).version == 2
    with pytest.raises(Stale):
        service.current("demo", now=now, at_least=3)


def test_definitions_that_change_while_they_are_read_are_read_again(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    created(now)
    read, others = repository.list_definitions, ["B"]

    def overtaken(shop: str) -> list[SegmentDefinition]:
        found = read(shop)
        if others:
            created(now, others.pop())
        return found

    monkeypatch.setattr(repository, "list_definitions", overtaken)
    found = service.current("demo", now=now)
    assert (found.version, len(found.segments)) == (2, 2)


def test_an_attribute_that_is_retired_is_asked_for_as_before_by_segments_that_name_it(now: datetime) -> None:
    customers.define_attribute("demo", "size", SIZES, now=now)
    defined = created(now, query="attributes.size = 's'")
    customers.retire_attribute("demo", "size", now=now)
    in_force.forget_cached()
    assert not service.current("demo", now=now).segments[defined.segment_id].is_broken
    assert faults(now, name="B", query="attributes.size = 's'") == {"query": "RETIRED"}


def test_a_choice_that_is_gone_breaks_its_segment_and_no_other(now: datetime) -> None:
    customers.define_attribute("demo", "size", SIZES, now=now)
    broken, sound = created(now, query="attributes.size = 's'"), created(now, "B")
    customers.define_attribute("demo", "size", customers.AttributeFields(choices=[("m", "Medium")]), now=now)
    in_force.forget_cached()
    segments = service.current("demo", now=now).segments
    assert [segments[each.segment_id].is_broken for each in (broken, sound)] == [True, False]


def test_queries_are_understood_in_the_zone_and_currency_that_the_catalogue_says(now: datetime) -> None:
    created(now)
    shops.update("demo", ShopFields(currency="USD"))
    created(now, "B")
    assert service.current("demo", now=now).currency == "EUR"
