# tests/integration/test_graphql_segments.py


from tests.asking import as_staff, ask
from tests.segments import LATELY, REPEAT, id_of


def test_segments_are_listed_for_staff(segments: None) -> None:
    found = ask("{ segments { segmentId name } }", principal=as_staff("segments:read"))
    assert {segment["name"]: segment["segmentId"] for segment in found["segments"]} == {
        name: id_of(name) for name in (LATELY, REPEAT)
    }


def test_a_page_of_customers_shows_the_segments_of_each(ann: str) -> None:
    found = ask("{ customers { nodes { firstName segments { segment { name } } } } }")["customers"]["nodes"]
    names = {each["firstName"]: {stay["segment"]["name"] for stay in each["segments"]} for each in found}
    assert names == {"Ann": {LATELY, REPEAT}}
