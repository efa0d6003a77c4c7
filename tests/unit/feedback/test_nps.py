# tests/unit/feedback/test_nps.py
from crm.feedback import nps


def test_nine_and_ten_promote_seven_and_eight_are_passive_and_the_rest_detract() -> None:
    groups = [nps.group(score) for score in range(nps.LOWEST, nps.HIGHEST + 1)]
    assert groups == [nps.DETRACTOR] * 7 + [nps.PASSIVE] * 2 + [nps.PROMOTER] * 2
