# tests/unit/infra/test_filters.py
import pytest

from infra.local.dispatcher.filters import UnknownOperator, matches, wanted, wanted_message

ORDER = {
    "eventName": "INSERT",
    "dynamodb": {"NewImage": {"kind": {"S": "Order"}, "net": {"N": "1200"}}, "Keys": {"pk": {"S": "SHOP#demo"}}},
}
EXPIRED = {"eventName": "REMOVE", "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"}}


def test_without_filters_every_record_is_wanted() -> None:
    assert wanted(ORDER, [])


def test_a_record_is_wanted_when_any_filter_matches_it() -> None:
    customers = {"dynamodb": {"NewImage": {"kind": {"S": ["Customer"]}}}}
    orders = {"dynamodb": {"NewImage": {"kind": {"S": ["Shop", "Order"]}}}}
    assert wanted(ORDER, [customers, orders])
    assert not wanted(ORDER, [customers])


def test_every_key_of_a_filter_must_match() -> None:
    assert not matches({"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"kind": {"S": ["Order"]}}}}, ORDER)


def test_what_the_time_to_live_removed_can_be_told_apart() -> None:
    by_a_person = {"userIdentity": {"principalId": [{"exists": False}]}}
    assert matches(by_a_person, ORDER)
    assert not matches(by_a_person, EXPIRED)


@pytest.mark.parametrize(
    ("alternative", "yes", "no"),
    [
        ({"prefix": "order."}, "order.placed", "refund.created"),
        ({"suffix": ".placed"}, "order.placed", "order.paid"),
        ({"equals-ignore-case": "Ada"}, "ADA", "Eva"),
        ({"anything-but": ["a", "b"]}, "c", "b"),
        ({"anything-but": "a"}, "c", "a"),
        ({"anything-but": {"prefix": "rapport."}}, "shop", "rapport.domain"),
        ({"numeric": [">", 0, "<=", 5]}, 5, 6),
        ({"numeric": ["=", 3]}, 3.0, "3"),
        ({"exists": True}, "anything", {"an": "object"}),
        (1, 1, True),
        (None, None, "null"),
    ],
)
def test_operators(alternative: object, yes: object, no: object) -> None:
    assert matches({"field": [alternative]}, {"field": yes})
    assert not matches({"field": [alternative]}, {"field": no})


def test_an_absent_field_equals_nothing_not_even_null() -> None:
    for alternative in (None, "", {"anything-but": "a"}, {"prefix": ""}):
        assert not matches({"field": [alternative]}, {})


def test_one_value_of_a_list_is_enough() -> None:
    assert matches({"tags": ["vip"]}, {"tags": ["new", "vip"]})


def test_or_is_satisfied_by_one_branch() -> None:
    either = {"$or": [{"a": [1]}, {"b": [2]}]}
    assert matches(either, {"b": 2})
    assert not matches(either, {"a": 2, "b": 1})


def test_an_operator_we_do_not_know_is_an_error_and_not_a_silent_no() -> None:
    with pytest.raises(UnknownOperator):
        matches({"field": [{"cidr": "10.0.0.0/8"}]}, {"field": "10.0.0.1"})


def test_a_filter_looks_into_the_body_of_a_message_only_where_that_is_json() -> None:
    filters = [{"body": {"detail": {"owner": ["segmentation"]}}}]
    assert wanted_message({"body": '{"detail": {"owner": "segmentation"}}'}, filters)
    assert not wanted_message({"body": "segmentation"}, filters)
