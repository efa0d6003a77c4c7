# tests/unit/kernel/test_said.py
from crm.kernel.said import UNSAID, Said


class Words(Said, frozen=True):
    name: str | None = UNSAID
    count: int = UNSAID


def test_what_goes_unsaid_is_not_given_and_none_is_said() -> None:
    assert Words().given() == {}
    assert Words(count=0).given() == {"count": 0}
    assert Words(None, 3).given() == {"name": None, "count": 3}
