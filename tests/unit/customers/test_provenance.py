# tests/unit/customers/test_provenance.py
import pytest

from crm.customers.provenance import Origin, is_third_party
from crm.kernel.actor import SYSTEM, Actor, Role

ORIGINS = [
    Origin.of_event("shopify"),
    Origin.here(Actor(Role.STAFF, "auth0|ann:7")),
    Origin.here(Actor(Role.CUSTOMER, "cus_1")),
    Origin.here(SYSTEM),
]


@pytest.mark.parametrize("origin", ORIGINS, ids=str)
def test_an_origin_is_read_as_it_was_written(origin: Origin) -> None:
    assert Origin.parse(str(origin)) == origin


def test_only_what_systems_say_can_be_third_party() -> None:
    named = {"shopify", "rapport"}
    assert [is_third_party(origin, named) for origin in ORIGINS] == [True, False, False, False]
    assert not is_third_party(Origin.of_event("till"), named)
