# tests/unit/customers/test_standing.py
from dataclasses import dataclass

import pytest

from crm.customers.standing import ACTIVE, BLOCKED, DELETED, is_hidden, takes_part


@dataclass(frozen=True)
class Profile:
    status: str
    merged_into: str | None = None


@pytest.mark.parametrize(
    ("profile", "partakes", "hidden"),
    [
        (Profile(ACTIVE), True, False),
        (Profile(BLOCKED), False, False),
        (Profile(DELETED), False, True),
        (Profile(ACTIVE, merged_into="cus_2"), False, False),
    ],
)
def test_only_the_active_take_part_and_only_the_deleted_are_hidden(
    profile: Profile, *, partakes: bool, hidden: bool
) -> None:
    assert (takes_part(profile), is_hidden(profile)) == (partakes, hidden)
