# tests/e2e/test_wiring_of_facts.py
"""What tells segmentation of facts is wired kind by kind: taken out of the template, the segment it fills is missed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from samtranslator.yaml_helper import yaml_parse

from infra.local.template import TEMPLATE
from tests.e2e.effects import PATIENCE, Buyer, counted, has_points, message_sent, rests, wait_for
from tests.e2e.telling import (
    RECORDED,
    TELLINGS,
    Telling,
    found,
    gives_gold,
    has_colours,
    is_asked_anew_by,
    is_in,
    moves,
    recorded,
    takes_part,
    tell,
    zone_of_segments,
)
from tests.e2e.test_wiring import JOURNEY, VISITOR, Missing, missed, names, rewire
from tests.local_system import LocalSystem, eventually

SHOP = "wired"
ELSEWHERE = "Asia/Tokyo"
TOLD: Final = "test_segments.py::test_whatever_is_told_of_somebody_brings_them_into_the_segment_that_asks_for_it"
COLOURED: Final = "test_segments.py::test_segments_that_ask_for_an_attribute_are_asked_anew_once_it_has_other_choices"
GOLDEN: Final = "test_segments.py::test_who_is_given_a_tier_is_in_the_segment_that_asks_for_it"
JOINED: Final = "test_segments.py::test_who_takes_part_is_in_the_segment_that_asks_since_when_before_any_points"
MOVED: Final = "test_segments.py::test_a_shop_that_moves_has_its_segments_computed_by_its_new_days"


def _without_detail_type(name: str) -> Callable[[dict[str, Any]], None]:
    def take_out(resources: dict[str, Any]) -> None:
        resources["ChangesToSegmentation"]["Properties"]["EventPattern"]["detail-type"].remove(name)

    return take_out


def _without_kind(name: str) -> Callable[[dict[str, Any]], None]:
    def take_out(resources: dict[str, Any]) -> None:
        stream = resources["PublishChangesFunction"]["Properties"]["Events"]["CrmStream"]["Properties"]
        (criterion,) = stream["FilterCriteria"]["Filters"]
        pattern = json.loads(criterion["Pattern"])
        pattern["dynamodb"]["NewImage"]["kind"]["S"].remove(name)
        criterion["Pattern"] = json.dumps(pattern)

    return take_out


def moved(buyer: Buyer) -> bool:
    return zone_of_segments(buyer.system, buyer.shop) == ELSEWHERE


def recoloured(buyer: Buyer) -> bool:
    return is_asked_anew_by(buyer.system, buyer.shop, "colour")


def joined(buyer: Buyer) -> bool:
    """Beside what they looked at when they were known, what they looked at before."""
    seen = [one["type"] for one in buyer.shown().get("touchpoints", {}).get("nodes", [])]
    return seen.count("product.viewed") == 2


def _rule(telling: Telling) -> Missing:
    name = telling.detail_type
    return Missing(f"{name} of ChangesToSegmentation", _without_detail_type(name), is_in(telling.segment), TOLD)


def _kind(name: str, holds: Callable[[Buyer], bool], missed_by: str) -> Missing:
    return Missing(f"{name} of PublishChangesFunctionCrmStream", _without_kind(name), holds, missed_by)


DETAIL_TYPES: Final = (
    *map(_rule, TELLINGS),
    Missing("shop.changed of ChangesToSegmentation", _without_detail_type("shop.changed"), moved, MOVED),
    Missing(
        "attribute.defined of ChangesToSegmentation", _without_detail_type("attribute.defined"), recoloured, COLOURED
    ),
    Missing("tier.changed of ChangesToSegmentation", _without_detail_type("tier.changed"), is_in("Golden"), GOLDEN),
    Missing(
        "loyalty.enrolled of ChangesToSegmentation", _without_detail_type("loyalty.enrolled"), is_in("Members"), JOINED
    ),
)
KINDS: Final = (
    *(_kind(each.kind, is_in(each.segment), TOLD) for each in TELLINGS if each.kind != "Order"),
    _kind("Shop", moved, MOVED),
    _kind("AttributeDefinition", recoloured, COLOURED),
    _kind("TierChange", is_in("Golden"), GOLDEN),
    _kind("Enrolled", is_in("Members"), JOINED),
    _kind("Message", message_sent, JOURNEY),
    _kind("VisitorLink", joined, VISITOR),
)
ORDERS: Final = (_kind("Order", has_points, JOURNEY), _rule(RECORDED))
"""Apart: without orders there are no points, and who was never looked at is looked at for every segment at once."""
CUSTOMERS: Final = (_kind("Customer", is_in(RECORDED.segment), TOLD),)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A system to be broken; its dispatcher is started anew for each template."""
    system = LocalSystem(tmp_path_factory.mktemp("broken"))
    try:
        system.start()
        found(system, SHOP)
        _no_walk_is_due(system)
        yield system
    finally:
        system.stop()


def test_without_a_detail_type_the_segment_that_it_fills_is_missed(broken: LocalSystem, tmp_path: Path) -> None:
    rewire(broken, DETAIL_TYPES, tmp_path)
    buyer = Buyer(broken, "untold", shop=SHOP)
    recorded(buyer)
    tell(buyer, *TELLINGS)
    moves(broken, SHOP, ELSEWHERE)
    has_colours(broken, SHOP, "red", "blue")
    gives_gold(buyer)
    takes_part(buyer)
    wait_for(buyer, counted, has_points)
    _reads_on(broken)
    assert missed(buyer, DETAIL_TYPES) == names(DETAIL_TYPES)
    moves(broken, SHOP, "Europe/Vienna")


def test_without_a_kind_in_the_filter_the_segment_that_it_fills_is_missed(broken: LocalSystem, tmp_path: Path) -> None:
    rewire(broken, KINDS, tmp_path)
    buyer = Buyer(broken, "unpublished", shop=SHOP)
    recorded(buyer)
    tell(buyer, *TELLINGS)
    broken.post(*buyer.looks_around(), shop=SHOP)
    moves(broken, SHOP, ELSEWHERE)
    has_colours(broken, SHOP, "red", "green")
    gives_gold(buyer)
    takes_part(buyer)
    wait_for(buyer, counted, has_points, is_in("Buyers"))
    _reads_on(broken)
    assert missed(buyer, KINDS) == names(KINDS)


def test_without_orders_or_the_rule_for_customers_points_and_newcomers_are_missed(
    broken: LocalSystem, tmp_path: Path
) -> None:
    rewire(broken, ORDERS, tmp_path)
    buyer = Buyer(broken, "unordered", shop=SHOP)
    broken.post(buyer.order("unordered-1"), shop=SHOP)
    wait_for(buyer, counted)
    _reads_on(broken)
    assert missed(buyer, ORDERS) == names(ORDERS)


def test_without_customers_in_the_filter_newcomers_are_missed(broken: LocalSystem, tmp_path: Path) -> None:
    rewire(broken, CUSTOMERS, tmp_path)
    buyer = Buyer(broken, "unheard", shop=SHOP)
    recorded(buyer)
    assert missed(buyer, CUSTOMERS) == names(CUSTOMERS)


def test_every_kind_that_segmentation_hears_of_is_taken_out_once() -> None:
    others = {"attribute.defined", "loyalty.enrolled", "shop.changed", "tier.changed"}
    assert {each.detail_type for each in (RECORDED, *TELLINGS)} | others == {
        one.part.partition(" of ")[0] for one in (*DETAIL_TYPES, *ORDERS[1:])
    }
    rule = yaml_parse(TEMPLATE.read_text())["Resources"]["ChangesToSegmentation"]["Properties"]["EventPattern"]
    assert {one.part for one in (*DETAIL_TYPES, *ORDERS[1:])} == {
        f"{each} of ChangesToSegmentation" for each in rule["detail-type"]
    }


def _reads_on(system: LocalSystem) -> None:
    eventually(system.settled, "what is read is at rest", seconds=PATIENCE)


def _no_walk_is_due(system: LocalSystem) -> None:
    """Once segments are defined, all customers are walked, and the newest once more minutes later: that task is taken
    away, not waited for.
    """
    rests(system)
    system.sqs.purge_queue(QueueUrl=system.url("OperationsQueue"))
