# tests/unit/segmentation/language/test_renaming.py
import pytest

from crm.segmentation.language.catalogue import Catalogue, Segment
from crm.segmentation.language.renaming import canonical, renamed

SHOP = Catalogue("EUR", segments={"seg_1": Segment("seg_1", "VIP"), "seg_2": Segment("seg_2", "It's me")})


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("segment('vip')", "segment('Best 1''s')"),
        (
            "NOT  segment( name: 'VIP' )\nOR segment('vip') and first_name = 'VIP'",
            "NOT  segment( name: 'Best 1''s' )\nOR segment('Best 1''s') and first_name = 'VIP'",
        ),
        ("segment('seg_1')", None),
        ("segment('It''s me')", None),
        ("number_of_orders > 1", None),
        ("segment(", None),
    ],
)
def test_a_name_is_put_where_the_old_one_stood_and_all_else_stays_as_it_was_typed(
    text: str, becomes: str | None
) -> None:
    assert renamed(text, SHOP, "seg_1", "Best 1's") == becomes


def test_what_a_query_names_need_not_be_there_for_its_canonical_text() -> None:
    assert canonical("not segment ('gone')", SHOP) == "NOT segment('gone')"
    assert canonical("", SHOP) is None
