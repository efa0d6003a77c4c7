# tests/unit/segmentation/language/test_truth.py
"""SQL's three-valued logic, and for how long each truth holds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.segmentation.language import truth
from crm.segmentation.language.days import FOREVER
from crm.segmentation.language.facts import Address, Profile, Statistics
from crm.segmentation.language.truth import Moment, Stand, Standing, Truth
from crm.segmentation.language.verdicts import Verdict
from tests.unit.segmentation.language.some import facts, verdict

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
T, F, U = True, False, None
TRUTHS: list[Truth] = [T, U, F]
AND: list[list[Truth]] = [[T, U, F], [U, U, F], [F, F, F]]
OR: list[list[Truth]] = [[T, T, T], [T, U, U], [T, U, F]]
ADDED = datetime(2024, 1, 1, tzinfo=UTC)


def always(standing: Standing) -> Stand:
    return lambda _: standing


def lasting(value: Truth) -> Standing:
    return value, FOREVER, FOREVER


def joined(how: str, *parts: Standing) -> Standing:
    join = truth.both if how == "AND" else truth.either
    return join([always(part) for part in parts])(Moment(facts(), NOW))


@pytest.mark.parametrize("one", TRUTHS)
@pytest.mark.parametrize("other", TRUTHS)
def test_the_truth_tables(one: Truth, other: Truth) -> None:
    row, column = TRUTHS.index(one), TRUTHS.index(other)
    assert joined("AND", lasting(one), lasting(other)) == lasting(AND[row][column])
    assert joined("OR", lasting(one), lasting(other)) == lasting(OR[row][column])


@pytest.mark.parametrize(("of", "opposite"), [(T, F), (F, T), (U, U)])
def test_not_of_unknown_is_unknown(of: Truth, opposite: Truth) -> None:
    assert truth.opposite(always(lasting(of)))(Moment(facts(), NOW)) == lasting(opposite)


SOON, LATER = NOW + timedelta(days=1), NOW + timedelta(days=2)


@pytest.mark.parametrize(
    ("how", "one", "other", "expected"),
    [
        ("AND", (T, SOON), (T, LATER), (T, SOON, SOON)),
        ("AND", (F, SOON), (F, LATER), (F, LATER, LATER)),
        ("AND", (F, SOON), (T, LATER), (F, SOON, SOON)),
        ("AND", (T, SOON), (F, LATER), (F, LATER, LATER)),
        ("AND", (U, SOON), (F, FOREVER), (F, FOREVER, FOREVER)),
        # What is unknown is not true for as long as that part is not, and not false until one becomes so.
        ("AND", (U, FOREVER), (T, SOON), (U, FOREVER, SOON)),
        ("AND", (U, LATER), (T, SOON), (U, LATER, SOON)),
        ("AND", (U, LATER), (F, SOON), (F, LATER, SOON)),
        ("OR", (F, SOON), (F, LATER), (F, SOON, SOON)),
        ("OR", (T, SOON), (T, LATER), (T, LATER, LATER)),
        ("OR", (T, SOON), (F, LATER), (T, SOON, SOON)),
        ("OR", (U, FOREVER), (F, SOON), (U, SOON, FOREVER)),
        ("OR", (U, LATER), (T, SOON), (T, SOON, LATER)),
    ],
)
def test_what_decides_decides_for_as_long_as_it_lasts(
    how: str, one: tuple[Truth, datetime], other: tuple[Truth, datetime], expected: Standing
) -> None:
    first, second = (*one, one[1]), (*other, other[1])
    assert joined(how, first, second) == expected
    assert joined(how, second, first) == expected


def test_not_asks_of_a_part_for_how_long_it_is_false() -> None:
    assert truth.opposite(always((U, SOON, LATER)))(Moment(facts(), NOW)) == (U, LATER, SOON)
    assert truth.opposite(always((T, SOON, LATER)))(Moment(facts(), NOW)) == (F, LATER, SOON)


def test_nobody_is_woken_for_what_cannot_make_them_a_member() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    known = facts(statistics=Statistics(1, 100, 100, at, at))
    assert verdict("last_order_date < -90d", known, NOW).flips_at
    assert verdict("gender = 'male' AND last_order_date < -90d", known, NOW) == Verdict(member=False)
    assert verdict("NOT (gender = 'male' OR last_order_date >= -90d)", known, NOW) == Verdict(member=False)


STEPS = st.lists(
    st.tuples(st.sampled_from(TRUTHS), st.integers(1, 5)), min_size=1, max_size=5
)  # a truth, and for how many days it lasts


@settings(deadline=None)
@given(st.lists(STEPS, min_size=2, max_size=4), st.sampled_from(["AND", "OR"]), st.integers(0, 12))
def test_whatever_changes_when_nothing_changes_before_it_says(
    parts: list[list[tuple[Truth, int]]], how: str, day: int
) -> None:
    def at(steps: list[tuple[Truth, int]], now: datetime) -> Standing:
        ends = NOW
        for value, lasts in steps:
            ends += timedelta(days=lasts)
            if now < ends:
                return value, ends, ends
        return lasting(steps[-1][0])

    stands: list[Stand] = [lambda moment, steps=steps: at(steps, moment.now) for steps in parts]  # type: ignore[misc]
    join = truth.both if how == "AND" else truth.either
    now = NOW + timedelta(days=day)
    found, of_true, of_false = join(stands)(Moment(facts(), now))
    assert min(of_true, of_false) > now
    for hours in range(0, 24 * 27, 12):
        later = now + timedelta(hours=hours)
        then = join(stands)(Moment(facts(), later))[0]
        assert later >= of_true or (then is True) == (found is True)
        assert later >= of_false or (then is False) == (found is False)


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ("gender = 'male'", False),
        ("gender != 'male'", False),
        ("NOT gender = 'male'", False),
        ("gender NOT IN ('male', 'other')", False),
        ("gender IS NULL", True),
        ("gender IS NOT NULL", False),
        ("NOT gender IS NULL", False),
        ("gender = 'male' OR number_of_orders = 0", True),
        ("gender = 'male' AND number_of_orders = 0", False),
        ("NOT (gender = 'male' AND number_of_orders = 1)", True),
        ("NOT (gender = 'male' OR number_of_orders = 1)", False),
        ("birth_date < today", False),
        ("NOT birth_date < today", False),
        ("age != 30", False),
        ("age IS NULL", True),
        ("age IS NOT NULL", False),
        ("anniversary(birth_date) != today", False),
        ("anniversary(birth_date) IS NULL", True),
        ("average_order_value NOT BETWEEN 1 AND 2", False),
        ("nps_score NOT BETWEEN 0 AND 6", False),
        ("first_name NOT CONTAINS 'a'", False),
        ("first_name NOT STARTS WITH 'a'", False),
        ("NOT customer_within_distance(52.5, 13.4, 100)", False),
        ("rfm_group != 'NEW'", False),
        ("attributes.newsletter = false", False),
        ("attributes.newsletter IS NULL", True),
        # A list is never unknown, at most empty.
        ("customer_tags NOT CONTAINS 'vip'", True),
        ("NOT customer_tags CONTAINS 'vip'", True),
        ("customer_tags IS NULL", True),
        ("customer_countries IS NOT NULL", False),
        ("attributes.hobbies NOT CONTAINS 'chess'", True),
        ("attributes.hobbies IS NULL", True),
        # Nor is what is counted, at most zero, nor what nobody said anything of.
        ("amount_spent = 0", True),
        ("amount_spent IS NULL", False),
        ("sms_subscription_status != 'SUBSCRIBED'", True),
        ("sms_subscription_status = 'NOT_SUBSCRIBED'", True),
        ("NOT orders_placed()", True),
        ("NOT event('quiz.done')", True),
    ],
)
def test_missing_is_not_false(query: str, member: bool) -> None:
    nobody = facts(orders=(), touchpoints={}, attributes={})
    assert verdict(query, nobody, NOW).member is member


def test_an_address_without_coordinates_is_nowhere() -> None:
    somewhere = Profile(ADDED, addresses=(Address(city="Berlin"),))
    query = "NOT customer_within_distance(52.5, 13.4, 100)"
    assert not verdict(query, facts(profile=somewhere), NOW).member
    far = Profile(ADDED, addresses=(Address(city="Berlin"), Address(latitude=0.0, longitude=0.0)))
    assert verdict(query, facts(profile=far), NOW).member
