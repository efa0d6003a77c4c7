# tests/unit/segmentation/language/test_references.py
"""Segments that ask about segments."""

import pytest

from crm.segmentation.language import references
from crm.segmentation.language.catalogue import Catalogue, Segment
from crm.segmentation.language.compiling import compiled as from_query
from crm.segmentation.language.compiling import understand
from crm.segmentation.language.facts import Statistics
from crm.segmentation.language.mistakes import Mistakes
from crm.segmentation.language.parser import parse
from crm.segmentation.language.tree import Query
from crm.segmentation.language.verdicts import Verdict
from tests.unit.segmentation.language.some import by_name, compiled, facts, local, verdict

NOW = local("2026-03-10T12:00")
BOUGHT = local("2026-03-01T12:00")
KNOWN = facts(statistics=Statistics(3, 50_000, 16_667, BOUGHT, BOUGHT), memberships=frozenset({"staff"}))


def query(text: str) -> Query:
    found = parse(text, Mistakes(text)).query
    assert found is not None
    return found


def in_circle() -> Catalogue:
    """`a` asks about `b`, that about `c`, that about `a`; `d` stands aside and asks about `a`."""
    asks = {"a": "segment('b')", "b": "age > 3 OR segment('c')", "c": "NOT segment('a')", "d": "segment('a')"}
    return Catalogue("EUR", {}, {name: Segment(name, name, query(text)) for name, text in asks.items()})


def test_a_segment_is_named_by_id_or_by_name_whatever_its_case() -> None:
    shop = by_name(big="amount_spent > 100", staff=None)
    for text in ("segment('big')", "segment('BIG')", "segment('Big')", "segment('staff') AND segment('STAFF')"):
        assert verdict(text, KNOWN, NOW, shop).member


def test_what_flips_there_flips_here() -> None:
    shop = by_name(recent="last_order_date >= -30d")
    flips_at = local("2026-04-01T00:00")
    assert verdict("NOT segment('recent')", KNOWN, NOW, shop) == Verdict(False, flips_at)  # noqa: FBT003
    assert verdict("NOT segment('recent')", KNOWN, flips_at, shop).member


def test_somebody_of_whom_it_is_unknown_is_no_member() -> None:
    shop = by_name(men="gender = 'male'")
    assert not verdict("segment('men')", KNOWN, NOW, shop).member
    assert verdict("NOT segment('men')", KNOWN, NOW, shop).member


def test_it_reads_what_the_others_read_and_names_them_all() -> None:
    shop = by_name(big="amount_spent > 100", buyers="segment('big') AND orders_placed(since: -30d)", staff=None)
    reads = compiled("segment('buyers') OR segment('staff')", shop).reads
    assert reads.facts == {"statistics", "orders", "memberships"}
    assert reads.segments == {"big", "buyers", "staff"}


def test_a_segment_may_not_ask_about_itself_by_way_of_others() -> None:
    shop = by_name(b="age > 3", c="segment('b')", d="segment('c')")
    (mistake,) = understand("age > 3 AND segment('d')", shop, itself="b").mistakes
    assert (mistake.code, mistake.offset) == ("CYCLE", 20)
    assert understand("segment('d')", shop, itself="e").compiled
    (itself,) = understand("segment('B')", shop, itself="b").mistakes
    assert itself.code == "CYCLE"


def test_who_asks_about_a_segment_is_known_by_way_of_others_too() -> None:
    assert references.dependents("b", in_circle()) == {"a", "c", "d"}
    shop = by_name(b="age > 3", c="segment('b')", d="segment('c')", e="age > 4")
    assert references.dependents("b", shop) == {"c", "d"}
    assert references.dependents("e", shop) == frozenset()


def test_a_segment_whose_query_no_longer_is_right_cannot_be_asked_about() -> None:
    shop = Catalogue("EUR", {}, {"a": Segment("a", "a", query("attributes.gone = 'x'"))})
    (mistake,) = understand("segment('a')", shop).mistakes
    assert (mistake.code, mistake.message) == ("UNKNOWN_SEGMENT", "The query of this segment no longer is right.")
    with pytest.raises(ValueError, match="UNKNOWN_ATTRIBUTE"):
        from_query(query("attributes.gone = 'x'"), shop)


def test_segments_that_ask_twice_as_much_each_are_refused_and_quickly() -> None:
    known = {"s0": Segment("s0", "s0", query("age > 3"))}
    for number in range(1, 20):
        asked = f"segment('s{number - 1}')"
        known[f"s{number}"] = Segment(f"s{number}", f"s{number}", query(f"{asked} OR {asked}"))
    shop = Catalogue("EUR", {}, known)
    assert understand("segment('s7')", shop).compiled
    (mistake,) = understand("segment('s19')", shop).mistakes
    assert mistake.code == "TOO_MANY"


def test_a_chain_of_segments_has_a_length() -> None:
    known = {"s0": Segment("s0", "s0", query("age > 3"))}
    for number in range(1, 2_000):
        known[f"s{number}"] = Segment(f"s{number}", f"s{number}", query(f"segment('s{number - 1}')"))
    shop = Catalogue("EUR", {}, known)
    (mistake,) = understand("segment('s1999')", shop).mistakes
    assert mistake.code == "TOO_DEEP"
