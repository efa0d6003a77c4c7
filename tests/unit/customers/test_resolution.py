# tests/unit/customers/test_resolution.py
import pytest

from crm.customers.identifiers import EMAIL, PHONE, Claim
from crm.customers.resolution import Holder, Resolution, is_anothers, resolve

SHOP_ID = Claim("external:shopify", "1", verified=True)
VERIFIED, UNVERIFIED = Claim(EMAIL, "a@b.co", verified=True), Claim(EMAIL, "a@b.co")
NUMBER = Claim(PHONE, "+436641234567")


def known_as(customer_id: str, *kinds: str, verified: bool = True) -> Holder:
    return Holder(customer_id, frozenset(kinds), verified=verified)


def test_an_external_id_outranks_an_address_and_the_address_stays_with_its_holder() -> None:
    decided = resolve([VERIFIED, SHOP_ID], {SHOP_ID: known_as("c1"), VERIFIED: known_as("c2")})
    assert (decided.customer_id, decided.conflicting) == ("c1", (VERIFIED,))


def test_our_own_id_outranks_everything() -> None:
    assert resolve([SHOP_ID], {SHOP_ID: known_as("c1")}, known=Holder("c9")).customer_id == "c9"


def test_a_verified_address_outranks_a_number_and_a_number_an_unverified_address() -> None:
    holders = {VERIFIED: known_as("c1"), UNVERIFIED: known_as("c1"), NUMBER: known_as("c2")}
    assert resolve([NUMBER, VERIFIED], holders).customer_id == "c1"
    assert resolve([NUMBER, UNVERIFIED], holders).customer_id == "c2"


def test_two_identified_customers_are_never_joined() -> None:
    decided = resolve([SHOP_ID, VERIFIED], {VERIFIED: known_as("c1", "external:shopify")})
    assert decided.customer_id is None
    assert (decided.gained, decided.conflicting) == ((SHOP_ID,), (VERIFIED,))


def test_an_account_takes_over_a_guest_only_by_an_address_it_has_verified() -> None:
    guest = known_as("guest")
    assert resolve([SHOP_ID, VERIFIED], {VERIFIED: guest}).customer_id == "guest"
    assert resolve([SHOP_ID, UNVERIFIED], {UNVERIFIED: guest}).customer_id is None


def test_a_number_typed_beside_somebody_elses_address_is_not_given_to_them() -> None:
    decided = resolve([UNVERIFIED, NUMBER], {UNVERIFIED: known_as("c1")})
    assert decided.customer_id is None
    assert (decided.gained, decided.conflicting) == ((NUMBER,), (UNVERIFIED,))


def test_an_unverified_address_alone_is_its_holder() -> None:
    assert resolve([UNVERIFIED], {UNVERIFIED: known_as("c1")}).customer_id == "c1"


def test_a_second_source_joins_the_customer_its_verified_address_names() -> None:
    assert resolve([SHOP_ID, VERIFIED], {VERIFIED: known_as("c1", "external:till")}).customer_id == "c1"


def test_a_source_that_knows_the_customer_by_another_id_means_somebody_else() -> None:
    decided = resolve([SHOP_ID], {}, known=known_as("c1", "external:shopify"))
    assert (decided.customer_id, decided.gained, decided.conflicting) == ("c1", (), (SHOP_ID,))


def test_whoever_has_verified_an_address_takes_it_from_an_identified_customer_who_has_not() -> None:
    pretender = known_as("mallory", "external:till", verified=False)
    decided = resolve([SHOP_ID, VERIFIED], {VERIFIED: pretender})
    assert (decided.customer_id, decided.gained, decided.taken_over) == (None, (SHOP_ID,), (VERIFIED,))


def test_a_guest_is_joined_by_the_address_once_it_is_verified() -> None:
    guest = known_as("guest", verified=False)
    assert resolve([SHOP_ID, VERIFIED], {VERIFIED: guest}) == Resolution("guest", gained=(SHOP_ID,))


def test_nobody_is_known_by_nothing() -> None:
    assert resolve([], {}).customer_id is None


@pytest.mark.parametrize(
    ("holder", "theirs"),
    [
        (Holder("cus_g"), False),
        (Holder("cus_g", verified=True), True),
        (Holder("cus_g", frozenset({"external:shopify"})), True),
    ],
)
def test_an_address_is_its_holders_who_verified_it_or_is_known_by_more_than_it(holder: Holder, *, theirs: bool) -> None:
    assert is_anothers(holder) is theirs
