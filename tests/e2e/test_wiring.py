# tests/e2e/test_wiring.py
"""The template is the wiring: what is taken out of it is missed by the effect that the other e2e tests wait for.

Each run takes out several things that do not depend on each other, so that each effect is missed for its own lack.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from samtranslator.yaml_helper import yaml_parse

from infra.local.template import TEMPLATE
from infra.local.wiring import Wiring
from tests.e2e.effects import (
    SHOP,
    Buyer,
    birthday_awaited,
    birthday_been,
    compared,
    counted,
    give_for_events,
    has_bonus,
    has_points,
    in_kpi,
    in_segment,
    message_decided,
    message_sent,
    rests,
    suppressed,
    visitor_joined,
    wait_for,
)  # fmt: skip
from tests.faults import stored
from tests.local_system import LocalSystem, eventually
from tests.moving import Mover
from tests.usual_segments import LATELY

Resources = dict[str, Any]
FIRED: Final = "timers fired"


def _without(resource: str, *path: str) -> Callable[[Resources], None]:
    """Take a resource out, or a part of its properties."""

    def take_out(resources: Resources) -> None:
        if not path:
            del resources[resource]
            return
        place = resources[resource]["Properties"]
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return take_out


def _disconnected(rule: str) -> Callable[[Resources], None]:
    """A rule without its target is a rule that is not there; policies may go on naming it."""

    def take_out(resources: Resources) -> None:
        resources[rule]["Properties"]["Targets"] = []

    return take_out


@dataclass(frozen=True)
class Missing:
    """`holds` is what no longer holds for somebody who orders, and which test of what is whole waits for it."""

    part: str
    take_out: Callable[[Resources], None]
    holds: Callable[[Buyer], bool]
    missed_by: str


JOURNEY = "test_order_journey.py::test_a_posted_order_reaches_statistics_segment_points_kpi_and_message"
BUS = "test_order_journey.py::test_an_event_of_a_source_on_the_bus_has_its_effect"
HOPELESS = "test_poison.py::test_a_hopeless_message_of_any_queue_ends_in_its_dead_letters"
UNREADABLE = "test_poison.py::test_a_stored_item_that_no_stream_function_can_read_is_dead_lettered_by_both"
REPORTED = "test_order_journey.py::test_a_message_that_bounces_or_is_complained_about_is_the_last_to_its_address"
SIMULATED: Final = "bounce@simulator.amazonses.com"
VISITOR = "test_order_journey.py::test_what_a_visitor_did_is_the_customers_once_they_are_known"
BULK = "test_bulk.py::test_a_file_of_customers_is_taken_in_step_by_step_and_each_row_is_told_of"
SHARED = "test_order_journey.py::test_what_only_the_shop_has_a_name_for_earns_points"
TIME = "test_timers.py::test_a_customer_leaves_the_segment_when_time_passes_at_the_time_that_was_due"
DAY = "test_timers.py::test_the_day_of_a_shop_begins_by_itself"
AGAIN = "test_timers.py::test_a_message_refused_for_want_of_consent_is_looked_at_again"


def heard_on_the_bus(buyer: Buyer) -> bool:
    return buyer.system.told_of(f"{buyer.name}-bus", shop=SHOP) is not None


def bounce_heard(buyer: Buyer) -> bool:
    return suppressed(buyer, SIMULATED)


def nothing_is_dead_lettered_by(queue: str) -> Callable[[Buyer], bool]:
    def holds(buyer: Buyer) -> bool:
        return not buyer.system.dead_letters(queue)

    return holds


def hopeless_ends_in(queue: str) -> Callable[[Buyer], bool]:
    def holds(buyer: Buyer) -> bool:
        return any("hopeless" in letter["Body"] for letter in buyer.system.dead_letters(queue))

    return holds


def moves_in(buyer: Buyer) -> bool:
    """By a file of their own, which was begun before."""
    mover = Mover(buyer.system, SHOP)
    return mover.is_over(mover.asked_for("customersImport", buyer.name)["id"])


def left_by_time(buyer: Buyer) -> bool:
    """As stored; what GraphQL computes needs no timer."""
    tables = {"crm": buyer.system.table("CrmTable"), "kpis": buyer.system.table("KpiTable")}
    found = stored.read(buyer.system.dynamodb, SHOP, **tables).customers[buyer.name]
    return bool(found.stays) and LATELY not in found.found.segments


RULES_AND_MAPPINGS: Final = (
    Missing("SourcesToIntake", _disconnected("SourcesToIntake"), heard_on_the_bus, BUS),
    Missing("MailReportsToIntake", _disconnected("MailReportsToIntake"), bounce_heard, REPORTED),
    Missing("ChangesToSegmentation", _disconnected("ChangesToSegmentation"), in_segment, JOURNEY),
    Missing("OrdersToLoyalty", _disconnected("OrdersToLoyalty"), has_points, JOURNEY),
    Missing("CustomersToLoyalty", _disconnected("CustomersToLoyalty"), birthday_awaited, TIME),
    Missing("HappeningsToLoyalty", _disconnected("HappeningsToLoyalty"), has_bonus, SHARED),
    Missing("MessagesToDeliveries", _disconnected("MessagesToDeliveries"), message_sent, JOURNEY),
    Missing("VisitorsToJoins", _disconnected("VisitorsToJoins"), visitor_joined, VISITOR),
    Missing("RollUpFunctionCrmStream", _without("RollUpFunction", "Events", "CrmStream"), in_kpi, JOURNEY),
)
CONSUMERS: Final = (
    Missing("MailReports", _without("MailReports"), bounce_heard, REPORTED),
    Missing("OrdersToNotifications", _disconnected("OrdersToNotifications"), message_decided, JOURNEY),
    Missing(
        "RefreshMembershipsFunctionSegmentation",
        _without("RefreshMembershipsFunction", "Events", "Segmentation"),
        in_segment,
        JOURNEY,
    ),
    Missing("PostPointsFunctionLoyalty", _without("PostPointsFunction", "Events", "Loyalty"), has_points, JOURNEY),
    Missing("JoinVisitorFunctionJoins", _without("JoinVisitorFunction", "Events", "Joins"), visitor_joined, VISITOR),
    Missing("RunOperationFunctionOperations", _without("RunOperationFunction", "Events", "Operations"), moves_in, BULK),
)
FILTERS_AND_DEAD_LETTERS: Final = (
    Missing(
        "filter of PublishChangesFunctionCrmStream",
        _without("PublishChangesFunction", "Events", "CrmStream", "Properties", "FilterCriteria"),
        nothing_is_dead_lettered_by("ChangesDeadLetters"),
        JOURNEY,
    ),
    Missing(
        "filter of RollUpFunctionCrmStream",
        _without("RollUpFunction", "Events", "CrmStream", "Properties", "FilterCriteria"),
        nothing_is_dead_lettered_by("RollUpDeadLetters"),
        JOURNEY,
    ),
    *(
        Missing(
            f"dead letters of {name}Queue",
            _without(f"{name}Queue", "RedrivePolicy"),
            hopeless_ends_in(f"{name}DeadLetters"),
            HOPELESS,
        )
        for name in ("Segmentation", "Loyalty", "Deliveries", "Joins", "Operations")
    ),
)
TIMERS: Final = (
    Missing("TimersToNotifications", _disconnected("TimersToNotifications"), message_sent, AGAIN),
    Missing("TimersToSegmentation", _disconnected("TimersToSegmentation"), left_by_time, TIME),
    Missing("TimersToLoyalty", _disconnected("TimersToLoyalty"), birthday_been, TIME),
)
SCHEDULE: Final = (
    Missing("EveryMinute", _disconnected("EveryMinute"), left_by_time, TIME),
    Missing("EveryHour", _disconnected("EveryHour"), compared, DAY),
)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A system to be broken; its dispatcher is started anew for each template."""
    system = LocalSystem(tmp_path_factory.mktemp("broken"))
    try:
        system.start()
        system.found_shop(SHOP)
        give_for_events(system)
        yield system
    finally:
        system.stop()


def rewire(system: LocalSystem, missing: tuple[Missing, ...], folder: Path) -> None:
    """Run by a copy of the template without these."""
    body = yaml_parse(TEMPLATE.read_text())
    for one in missing:
        one.take_out(body["Resources"])
    template = folder / "template.yaml"
    template.write_text(json.dumps(body))
    system.end("dispatcher")
    system.wire(template)
    system.start_dispatcher()


def missed(buyer: Buyer, missing: tuple[Missing, ...]) -> list[str]:
    return [one.part for one in missing if not one.holds(buyer)]


def names(missing: tuple[Missing, ...]) -> list[str]:
    return [one.part for one in missing]


def test_without_a_rule_or_a_stream_mapping_its_effect_is_missed(broken: LocalSystem, tmp_path: Path) -> None:
    rewire(broken, RULES_AND_MAPPINGS, tmp_path)
    buyer = Buyer(broken, "unruly")
    broken.put_on_bus(buyer.order("unruly-0") | {"id": "unruly-bus"})
    broken.send_mail(SIMULATED, tags={"shop": SHOP})
    broken.post(buyer.says_yes(), buyer.order("unruly-1"), buyer.shares(), *buyer.looks_around(), shop=SHOP)
    wait_for(buyer, counted, message_decided)
    _reads_on(broken)
    assert missed(buyer, RULES_AND_MAPPINGS) == names(RULES_AND_MAPPINGS)


def test_without_a_rule_or_a_queue_mapping_its_effect_is_missed(broken: LocalSystem, tmp_path: Path) -> None:
    rewire(broken, CONSUMERS, tmp_path)
    buyer = Buyer(broken, "unread")
    broken.send_mail(SIMULATED, tags={"shop": SHOP})
    Mover(broken, SHOP).started("customersImport", buyer.name, "external_id\nunread\n")
    broken.post(buyer.says_yes(), buyer.order("unread-1"), *buyer.looks_around(), shop=SHOP)
    wait_for(buyer, counted)
    _reads_on(broken)
    assert missed(buyer, CONSUMERS) == names(CONSUMERS)


def test_without_a_filter_or_a_dead_letter_queue_what_it_is_for_is_missed(broken: LocalSystem, tmp_path: Path) -> None:
    rewire(broken, FILTERS_AND_DEAD_LETTERS, tmp_path)
    buyer = Buyer(broken, "unfiltered")
    body = json.dumps({"detail-type": "hopeless", "detail": {}})
    hopeless = [
        broken.sqs.send_message(QueueUrl=broken.url(f"{queue}Queue"), MessageBody=body)["MessageId"]
        for queue in ("Notifications", "Segmentation", "Loyalty", "Deliveries", "Joins", "Operations")
    ]
    broken.post(buyer.order("unfiltered-1"), shop=SHOP)
    wait_for(buyer, counted, hopeless_ends_in("NotificationsDeadLetters"))
    for message in hopeless[1:]:  # received more often than the template allows
        eventually(partial(_told, broken, message, over=5), "it goes round", seconds=60)
    assert missed(buyer, FILTERS_AND_DEAD_LETTERS) == names(FILTERS_AND_DEAD_LETTERS)


def test_without_a_timers_rule_what_time_changes_is_missed(broken: LocalSystem, tmp_path: Path) -> None:
    rewire(broken, TIMERS, tmp_path)
    buyer = Buyer(broken, "timeless")
    broken.post(buyer.order("timeless-1"), shop=SHOP)
    wait_for(buyer, counted, in_segment, message_decided, birthday_awaited)
    broken.post(buyer.says_yes(), shop=SHOP)
    rests(broken)
    log = broken.folder / "dispatcher.log"
    for step, missing in (("PT16M", TIMERS[:1]), ("P31D", TIMERS[1:])):
        told = log.read_text().count(FIRED)
        broken.move_clock(step)
        eventually(partial(_told, broken, FIRED, over=told), "timers are fired", seconds=60)
        rests(broken)
        assert missed(buyer, missing) == names(missing)


def test_without_the_schedules_no_timer_is_fired_and_no_day_begun(broken: LocalSystem, tmp_path: Path) -> None:
    rewire(broken, SCHEDULE, tmp_path)
    assert Wiring.read(broken.template).schedules == ()
    buyer = Buyer(broken, "undisturbed")
    broken.post(buyer.order("undisturbed-1"), shop=SHOP)
    wait_for(buyer, counted, in_segment)
    rests(broken)
    broken.move_clock("P31D")
    other = Buyer(broken, "meanwhile")
    broken.post(other.order("meanwhile-1"), shop=SHOP)
    wait_for(other, counted, in_segment, has_points)
    assert missed(buyer, SCHEDULE) == names(SCHEDULE)


def _told(system: LocalSystem, what: str, *, over: int) -> bool:
    """Whether the workers' log says it more often than that."""
    return (system.folder / "dispatcher.log").read_text(errors="replace").count(what) > over


def _reads_on(system: LocalSystem) -> None:
    """Nothing waits where the wiring still reads; the queues that nobody reads any more hold what they were sent."""
    eventually(system.settled, "what is read is at rest", seconds=60)
