# tests/unit/loyalty/test_programme_parts.py
"""What rules and bonuses have in common: they are parts of a programme that people name."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import pytest
from msgspec.structs import replace

from crm.kernel.errors import Fault, InvalidInputs, NotFound
from crm.loyalty.earning.defining import RULES, RuleFields
from crm.loyalty.earning.definitions import Caps, Earning, Kind, Rule
from crm.loyalty.ledger.refusals import Archived
from crm.loyalty.programme import Programme
from crm.loyalty.programmes.defining import Decide

THEN: Final = datetime(2026, 3, 1, tzinfo=UTC)
TEA: Final = Rule("rul_tea", "Tea", Kind.FIXED, Decimal(5))
CAKE: Final = Rule("rul_cake", "Cake", Kind.FIXED, Decimal(7))
SOLD: Final = Programme("EUR", "UTC", earning=Earning((TEA, CAKE), Caps(per_order=100)))


def fine(_programme: Programme, _before: Rule | None, _after: Rule) -> Iterator[Fault]:
    yield from ()


def rules(programme: Programme) -> dict[str, str]:
    return {rule.id: rule.name for rule in programme.earning.active}


def refused(decide: Decide, programme: Programme = SOLD) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInputs) as told:
        decide(programme)
    return [(fault.path, fault.code) for fault in told.value.faults]


def missing(decide: Decide, programme: Programme = SOLD) -> tuple[str, str | None]:
    with pytest.raises(NotFound) as told:
        decide(programme)
    return str(told.value), told.value.field


def test_what_is_new_stands_behind_the_others_and_nothing_else_is_another() -> None:
    pie = replace(TEA, id="rul_pie", name="Pie")
    after = RULES.adding(pie, fine)(SOLD)
    assert list(rules(after).items()) == [("rul_tea", "Tea"), ("rul_cake", "Cake"), ("rul_pie", "Pie")]
    assert after == replace(SOLD, earning=Earning((TEA, CAKE, pie), Caps(per_order=100)))


def test_what_goes_unsaid_stays_and_so_does_its_place() -> None:
    after = RULES.changing("rul_tea", RuleFields(name="Green tea", budget=None), fine)(SOLD)
    assert after.earning.rules == (replace(TEA, name="Green tea"), CAKE)
    assert RULES.changing("rul_tea", RuleFields(), fine)(SOLD) == SOLD


def test_names_are_one_part_s_at_a_time_but_for_its_own() -> None:
    assert refused(RULES.changing("rul_tea", RuleFields(name="CAKE"), fine)) == [("name", "TAKEN")]
    assert rules(RULES.changing("rul_tea", RuleFields(name="TEA"), fine)(SOLD))["rul_tea"] == "TEA"
    without = RULES.archiving("rul_cake", now=THEN)(SOLD)
    assert rules(RULES.changing("rul_tea", RuleFields(name="Cake"), fine)(without)) == {"rul_tea": "Cake"}


def test_there_are_as_many_as_may_be_and_the_archived_do_not_count() -> None:
    two, pie = replace(RULES, most=2), replace(TEA, id="rul_pie", name="Pie")
    assert refused(two.adding(pie, fine)) == [("", "TOO_MANY")]
    assert rules(two.changing("rul_tea", RuleFields(name="Pie"), fine)(SOLD))["rul_tea"] == "Pie"
    assert rules(two.adding(pie, fine)(two.archiving("rul_tea", now=THEN)(SOLD))).keys() == {"rul_cake", "rul_pie"}


def test_all_that_is_wrong_is_told_at_once_by_what_it_was_and_would_be() -> None:
    def judge(programme: Programme, before: Rule | None, after: Rule) -> Iterator[Fault]:
        assert programme == SOLD
        yield Fault("value", f"{before.value if before else None} to {after.value}", "must be another")

    assert refused(RULES.changing("rul_tea", RuleFields(name="cake", value=Decimal(9)), judge)) == [
        ("value", "5 to 9"),
        ("name", "TAKEN"),
    ]
    assert refused(RULES.adding(replace(TEA, id="rul_pie", name="Pie"), judge)) == [("value", "None to 5")]


def test_what_is_archived_once_stays_so_and_is_changed_no_more() -> None:
    without = RULES.archiving("rul_tea", now=THEN)(SOLD)
    assert without.earning.rules == (replace(TEA, archived_at=THEN), CAKE)
    assert RULES.archiving("rul_tea", now=THEN + timedelta(days=1))(without) == without
    told = ("There is no such rule.", "rule_id")
    with pytest.raises(Archived) as refused:
        RULES.changing("rul_tea", RuleFields(name="Tea"), fine)(without)
    assert (str(refused.value), refused.value.field) == ("The rule is archived.", "rule_id")
    assert missing(RULES.changing("rul_none", RuleFields(name="Tea"), fine)) == told
    assert missing(RULES.archiving("rul_none", now=THEN)) == told


def test_spaces_around_a_name_make_no_other_name() -> None:
    spaced = replace(TEA, id="rul_spaced", name=" Tea ")
    assert refused(RULES.adding(spaced, fine)) == [("name", "TAKEN")]
    assert refused(RULES.adding(replace(spaced, name="\uff34ea"), fine)) == [("name", "TAKEN")]
    assert refused(RULES.changing("rul_cake", RuleFields(name="tea "), fine)) == [("name", "TAKEN")]
    renamed = RULES.changing("rul_cake", RuleFields(name=" Pie "), fine)(SOLD)
    assert rules(renamed)["rul_cake"] == "Pie"
