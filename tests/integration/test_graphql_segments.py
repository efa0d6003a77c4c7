# tests/integration/test_graphql_segments.py


from crm.shops.service import Shop
from tests.asking import as_staff, ask


def test_segments_are_listed_for_staff(shop: Shop) -> None:
    found = ask("{ segments { segmentId name } }", principal=as_staff("segments:read"))
    assert {segment["segmentId"] for segment in found["segments"]} >= {"seg_repeat_buyer"}
