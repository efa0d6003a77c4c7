# tests/integration/test_segment_edits.py
"""Segments are changed, renamed, deleted and duplicated."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from crm.customers import service as customers
from crm.kernel import operations
from crm.kernel.actor import Actor, Role
from crm.kernel.errors import InvalidInputs, NotFound, Stale, VersionMismatch
from crm.kernel.operations import Operation
from crm.segmentation import books, defining, keeping, repository, service
from crm.segmentation.defining import Edited, SegmentFields
from crm.segmentation.in_force import Meaning, Status
from crm.segmentation.models import DYNAMIC, STATIC, SegmentDefinition
from crm.segmentation.refusals import SegmentNamed, TooManySegments
from crm.shops import service as shops
from crm.shops.service import ShopFields
from tests import bulk

pytestmark = pytest.mark.usefixtures("shop")

ANNA, BEN = Actor(Role.STAFF, "anna"), Actor(Role.STAFF, "ben")


def created(now: datetime, name: str = "VIP", query: str = "amount_spent > 500", **said: Any) -> SegmentDefinition:
    return service.create("demo", DYNAMIC, SegmentFields(name, query=query, **said), actor=ANNA, now=now).definition


def updated(segment: SegmentDefinition, now: datetime, *, expected: int | None = None, **said: Any) -> Edited:
    fields = SegmentFields(**said)
    return service.update("demo", segment.segment_id, fields, actor=BEN, now=now, expected_version=expected)


def faults(segment: SegmentDefinition, now: datetime, **said: Any) -> dict[str, str]:
    with pytest.raises(InvalidInputs) as refusal:
        updated(segment, now, **said)
    return {fault.path: fault.code for fault in refusal.value.faults}


def meaning(segment: SegmentDefinition, now: datetime) -> Meaning:
    return service.current("demo", now=now).segments[segment.segment_id].meaning


def stored(segment: SegmentDefinition) -> SegmentDefinition:
    return service.get("demo", segment.segment_id)


def persona(segment: SegmentDefinition) -> tuple[str | None, list[str], str | None]:
    found = stored(segment)
    return found.description, found.goals, found.picture_url


def test_another_query_is_another_meaning_and_another_name_is_not(now: datetime) -> None:
    vip, later = created(now), now + timedelta(hours=1)

    described = updated(
        vip, later, name="Best", description="Who spends", goals=["Thank"], picture_url="https://a.at/b"
    )
    assert (described.operation, described.definition.rev, meaning(vip, later).version) == (None, 2, 1)

    defined = updated(vip, later, query="amount_spent > 900")
    assert defined.operation is not None
    assert meaning(vip, later) == Meaning(3, later, f"segment:{vip.segment_id}:define:3")
    assert (stored(vip).updated_by, stored(vip).updated_at, stored(vip).created_at) == ("staff:ben", later, now)


def test_what_is_not_said_stays_and_null_clears(now: datetime) -> None:
    vip = created(now, description="Who spends", goals=["Thank"], picture_url="https://a.at/b")
    updated(vip, now, name="Best")
    assert persona(vip) == ("Who spends", ["Thank"], "https://a.at/b")
    updated(vip, now, description=None, goals=None, picture_url=None)
    assert persona(vip) == (None, [], None)
    assert stored(vip).name == "Best"
    assert faults(vip, now, name=None, query=None) == {"name": "REQUIRED", "query": "REQUIRED"}


def test_where_nothing_is_another_the_version_stays(now: datetime) -> None:
    vip = created(now)
    assert updated(vip, now, name="VIP", query="amount_spent > 500").definition.rev == 1
    spelled = updated(vip, now, query="amount_spent>500")
    assert (spelled.definition.rev, spelled.operation, meaning(vip, now).version) == (2, None, 1)


def test_a_version_that_is_not_the_stored_one_is_refused(now: datetime) -> None:
    vip = created(now)
    updated(vip, now, expected=1, name="Best")
    with pytest.raises(VersionMismatch):
        updated(vip, now, expected=1, name="Better")
    with pytest.raises(VersionMismatch):
        service.delete("demo", vip.segment_id, actor=BEN, now=now, expected_version=1)
    assert stored(vip).name == "Best"


def test_every_version_is_kept(now: datetime) -> None:
    vip = created(now)
    updated(vip, now, query="amount_spent > 900")
    versions = [service.get_version("demo", vip.segment_id, version) for version in (1, 2, 3)]
    assert [version and version.query_text for version in versions] == [
        "amount_spent > 500", "amount_spent > 900", None,
    ]  # fmt: skip


def test_a_segment_that_is_renamed_goes_on_being_named_by_others(now: datetime) -> None:
    vip = created(now)
    named = created(now, "Lost", "segment('vip')  and last_order_date < -90d")
    by_way = created(now, "Both", "segment('VIP') OR segment('Lost')")
    by_id = created(now, "By id", f"segment('{vip.segment_id}')")

    renamed = updated(vip, now, name="It's me")

    assert renamed.operation is None
    assert stored(named).query_text == "segment('It''s me')  and last_order_date < -90d"
    assert stored(by_way).normalized == "segment('It''s me') OR segment('Lost')"
    assert (stored(named).rev, stored(by_way).rev, stored(by_id).rev) == (2, 2, 1)
    assert [meaning(each, now).version for each in (vip, named, by_way, by_id)] == [1, 2, 3, 4]
    assert not any(each.is_broken for each in service.current("demo", now=now).segments.values())


def test_a_segment_may_be_renamed_and_redefined_at_once(now: datetime) -> None:
    vip = created(now)
    named = created(now, "Lost", "segment('VIP')")
    assert updated(vip, now, name="Best", query="number_of_orders > 9").operation is not None
    assert (stored(named).normalized, meaning(named, now).version) == ("segment('Best')", 3)


def test_a_segment_whose_query_is_broken_can_be_renamed_and_mended(now: datetime) -> None:
    sizes = customers.AttributeFields(name="Size", type="choice", choices=[("s", "Small"), ("m", "Medium")])
    customers.define_attribute("demo", "size", sizes, now=now)
    small = created(now, query="attributes.size = 's'")
    customers.define_attribute("demo", "size", customers.AttributeFields(choices=[("m", "Medium")]), now=now)

    updated(small, now, name="Small")
    assert service.current("demo", now=now).segments[small.segment_id].is_broken
    assert faults(small, now, query="attributes.size = 's'") == {"query": "VALUE"}
    assert updated(small, now, query="attributes.size = 'm'").operation is not None
    assert not service.current("demo", now=now).segments[small.segment_id].is_broken


def test_a_name_that_too_many_queries_hold_is_kept(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defining, "MOST_RENAMED", 1)
    vip = created(now)
    created(now, "A", "segment('VIP')")
    assert updated(vip, now, name="Best").definition.rev == 2
    created(now, "B", "segment('Best')")
    assert faults(vip, now, name="VIP") == {"name": "TOO_MANY"}
    monkeypatch.setattr(defining, "MOST_RENAMED", 2)
    monkeypatch.setattr(defining, "LARGEST_RENAMED", 50)
    assert faults(vip, now, name="VIP") == {"name": "TOO_MANY"}


def test_as_many_queries_as_are_allowed_fit_one_transaction(now: datetime) -> None:
    vip = created(now)
    others = [created(now, f"S{number}", "segment('VIP')") for number in range(defining.MOST_RENAMED)]
    updated(vip, now, name="Best", query="number_of_orders > 9")
    assert {stored(each).query_text for each in others} == {"segment('Best')"}


def test_a_segment_asks_about_itself_by_no_way(now: datetime) -> None:
    vip = created(now)
    created(now, "Lost", "segment('VIP')")
    created(now, "Won back", "segment('Lost')")
    assert faults(vip, now, query="segment('Won back')") == {"query": "CYCLE"}


def test_of_two_edits_that_would_make_a_circle_the_second_is_refused(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = created(now, "One"), created(now, "Other")
    read, others = repository.list_definitions, [one]

    def overtaken(shop: str) -> list[SegmentDefinition]:
        found = read(shop)
        if others:
            updated(others.pop(), now, query="segment('Other')")
        return found

    monkeypatch.setattr(repository, "list_definitions", overtaken)
    assert faults(other, now, query="segment('One')") == {"query": "CYCLE"}


def test_a_query_may_not_make_another_one_too_large(now: datetime) -> None:
    small, large = created(now, "Small"), " OR ".join(["number_of_orders > 9"] * 90)
    created(now, "Many", " OR ".join(["segment('Small')"] * 6))
    assert faults(small, now, query=large) == {"query": "TOO_MANY"}
    assert stored(small).rev == 1


def test_a_segment_that_others_ask_about_is_not_deleted(now: datetime) -> None:
    vip = created(now)
    lost = created(now, "Lost", "segment('vip')")
    with pytest.raises(SegmentNamed) as refusal:
        service.delete("demo", vip.segment_id, actor=BEN, now=now)
    assert refusal.value.segments == {lost.segment_id: "Lost"}

    service.delete("demo", lost.segment_id, actor=BEN, now=now)
    service.delete("demo", vip.segment_id, actor=BEN, now=now)
    assert service.list_definitions("demo") == []


def test_a_deleted_segment_is_gone_and_what_it_was_is_known(now: datetime) -> None:
    vip, later = created(now), now + timedelta(hours=1)
    deleted = service.delete("demo", vip.segment_id, actor=BEN, now=later)

    assert service.find("demo", vip.segment_id) is None
    for again in (service.delete, service.duplicate, service.recompute):
        with pytest.raises(NotFound):
            again("demo", vip.segment_id, actor=BEN, now=later)
    with pytest.raises(NotFound):
        updated(vip, later, name="Best")
    found = service.current("demo", now=later)
    assert (dict(found.segments), found.gone) == (
        {}, {vip.segment_id: Meaning(2, later, f"segment:{vip.segment_id}:delete:2")},
    )  # fmt: skip
    kept = repository.get_definition("demo", vip.segment_id)
    assert kept is not None
    assert (kept.name, kept.deleted_at) == ("VIP", later)
    assert not kept.query_text
    version = service.get_version("demo", vip.segment_id, 1)
    assert version is not None
    assert version.query_text == "amount_spent > 500"
    assert deleted.operation is not None
    assert deleted.operation.arguments == {"version": 2, "segment": vip.segment_id}
    assert created(later).segment_id != vip.segment_id, "its name is free"


def test_deleted_segments_make_room(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defining, "MOST_SEGMENTS", 1)
    vip = created(now)
    with pytest.raises(TooManySegments):
        service.duplicate("demo", vip.segment_id, actor=BEN, now=now)
    service.delete("demo", vip.segment_id, actor=BEN, now=now)
    created(now)


def test_a_segment_is_duplicated_under_the_first_name_that_is_free(now: datetime) -> None:
    vip = created(now, description="Who spends", goals=["Thank"])
    copies = [service.duplicate("demo", vip.segment_id, actor=BEN, now=now) for _ in range(2)]
    assert [copy.definition.name for copy in copies] == ["VIP (2)", "VIP (3)"]
    assert all(copy.operation is not None for copy in copies)
    copy = stored(copies[0].definition)
    assert (copy.query_text, copy.description, copy.goals, copy.created_by) == (
        "amount_spent > 500", "Who spends", ["Thank"], "staff:ben",
    )  # fmt: skip
    long = created(now, "n" * 100)
    assert service.duplicate("demo", long.segment_id, actor=BEN, now=now).definition.name == "n" * 96 + " (2)"
    named = service.duplicate("demo", vip.segment_id, actor=BEN, now=now, name="Other").definition
    assert named.name == "Other"
    with pytest.raises(InvalidInputs):
        service.duplicate("demo", vip.segment_id, actor=BEN, now=now, name="vip")


def test_a_segment_set_by_hand_stays_one(now: datetime) -> None:
    staff = service.create("demo", STATIC, SegmentFields("Staff"), actor=ANNA, now=now)
    assert staff.operation is None
    assert faults(staff.definition, now, query="number_of_orders > 1") == {"query": "INVALID"}
    copy = service.duplicate("demo", staff.definition.segment_id, actor=BEN, now=now).definition
    assert copy.segment_kind == STATIC


def test_a_segment_of_another_shop_cannot_be_edited(now: datetime, two_shops: None) -> None:
    vip = created(now)
    with pytest.raises(NotFound):
        service.update("other", vip.segment_id, SegmentFields("Mine"), actor=BEN, now=now)
    with pytest.raises(NotFound):
        service.delete("other", vip.segment_id, actor=BEN, now=now)


def test_queries_are_understood_anew_once_the_shop_moves(now: datetime) -> None:
    vip, later = created(now), now + timedelta(hours=1)
    assert keeping.shop_changed("demo", now=later) is None, "nothing is another"
    shops.update("demo", ShopFields(zone="Asia/Tokyo", currency="JPY"))

    operation = keeping.shop_changed("demo", now=later)

    assert operation is not None
    found = service.current("demo", now=later)
    assert (found.version, found.zone, found.currency) == (2, "Asia/Tokyo", "JPY")
    assert meaning(vip, later) == Meaning(2, later, "shop:demo:update:2")
    assert keeping.shop_changed("demo", now=later) is None


def test_a_shop_that_has_just_moved_has_its_first_segment_where_it_is(now: datetime) -> None:
    """Whoever defines it may have looked at the shop before."""
    before = shops.current("demo", now=now)
    shops.update("demo", ShopFields(zone="Asia/Tokyo"))
    shops._cache["demo"] = (now, before)
    created(now)
    assert service.current("demo", now=now).zone == "Asia/Tokyo"


def test_a_shop_that_moves_while_its_first_segment_is_defined_has_it_where_it_moves(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, zones = repository.list_definitions, ["Asia/Tokyo"]

    def overtaken(shop: str) -> list[SegmentDefinition]:
        if zones:
            shops.update("demo", ShopFields(zone=zones.pop()))
            assert keeping.shop_changed("demo", now=now) is None, "there is nothing to move yet"
        return read(shop)

    monkeypatch.setattr(repository, "list_definitions", overtaken)
    created(now)
    assert service.current("demo", now=now).zone == "Asia/Tokyo"


def test_a_shop_without_segments_has_nothing_to_understand_anew(now: datetime) -> None:
    shops.update("demo", ShopFields(zone="Asia/Tokyo"))
    assert keeping.shop_changed("demo", now=now) is None
    assert repository.get_catalogue("demo") is None


def test_new_thresholds_are_in_force_at_once_and_move_those_only_whom_scores_move(now: datetime) -> None:
    def score(version: int) -> Operation | None:
        return books.edit("demo", lambda edited: edited.score(version), actor=ANNA, now=now)[1]

    vip = created(now)
    assert score(1) is None
    scored = created(now, "Champions", "rfm_group = 'CHAMPIONS'")
    assert score(2) is not None
    assert (meaning(vip, now).version, meaning(scored, now)) == (1, Meaning(4, now, "rfm:2:score"))


def test_a_segment_is_asked_about_all_anew_on_demand(now: datetime) -> None:
    vip, later = created(now), now + timedelta(hours=1)
    again = service.recompute("demo", vip.segment_id, actor=BEN, now=later)
    assert again.operation is not None
    assert meaning(vip, later) == Meaning(2, later, f"segment:{vip.segment_id}:recompute:2")


def test_an_edit_and_the_operation_it_makes_necessary_stand_or_fall_together(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever dies between the commit and the task has sent one beforehand, which comes late enough to find it."""
    monkeypatch.setattr(operations, "IN_CASE", 0)
    with monkeypatch.context() as broken:
        broken.setattr(books.Books, "commit", _dies_after(books.Books.commit))
        with pytest.raises(KeyboardInterrupt):
            created(now)
    assert [each.name for each in service.list_definitions("demo")] == ["VIP"]
    [task] = bulk.tasks()
    told = operations.Task.parse(task["Body"])
    waiting = operations.get("demo", told.operation_id)
    assert (waiting.name, waiting.rev, waiting.arguments) == (books.REFRESH, told.rev, {"version": 1})


def _dies_after(commit: Any) -> Any:
    def dies(self: books.Books, operation_id: str) -> Operation:
        commit(self, operation_id)
        raise KeyboardInterrupt

    return dies


def test_an_edit_that_is_always_overtaken_changes_nothing(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    vip = created(now)
    monkeypatch.setattr("crm.kernel.change.time.sleep", lambda _: None)
    read = repository.get_catalogue

    def older(shop: str) -> Any:
        catalogue = read(shop)
        assert catalogue is not None
        catalogue.rev = int(catalogue.rev) - 1
        return catalogue

    monkeypatch.setattr(repository, "get_catalogue", older)
    with pytest.raises(Stale):
        updated(vip, now, query="amount_spent > 900")
    assert stored(vip).rev == 1


def test_a_segment_is_ready_once_all_customers_have_been_looked_at(now: datetime) -> None:
    vip = created(now)
    segment = service.current("demo", now=now).segments[vip.segment_id]
    assert service.ready_in("demo") == 0
    assert [segment.status(ready_in) for ready_in in (0, 1, 2)] == [Status.COMPUTING, Status.READY, Status.READY]
    assert replace(segment, compiled=None).status(2) is Status.BROKEN
    assert replace(segment, compiled=None, kind=STATIC).status(0) is Status.READY
