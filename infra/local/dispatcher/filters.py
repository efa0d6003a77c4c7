# infra/local/dispatcher/filters.py
"""Which records an event source mapping hands on: the pattern language of EventBridge and Lambda.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Pattern = Mapping[str, Any]

_MISSING = object()


class UnknownOperator(Exception):
    """A filter uses an operator the local run does not know; on AWS it might be valid."""


def wanted(record: Mapping[str, Any], filters: Sequence[Pattern]) -> bool:
    """True when any filter matches, or when there is none."""
    return not filters or any(matches(pattern, record) for pattern in filters)


def wanted_message(message: Mapping[str, Any], filters: Sequence[Pattern]) -> bool:
    """As `wanted`, for an SQS record: where a filter looks into `body`, the body must be JSON."""
    if not filters:
        return True
    try:
        body = json.loads(message["body"])
    except ValueError:
        body = message["body"]
    return wanted({**message, "body": body}, filters)


def matches(pattern: Pattern, value: Any) -> bool:
    """True when every key of `pattern` is satisfied; keys of `value` that it does not name do not matter."""
    for key, expected in pattern.items():
        if key == "$or":
            if not any(matches(branch, value) for branch in expected):
                return False
            continue
        found = value.get(key, _MISSING) if isinstance(value, Mapping) else _MISSING
        if isinstance(expected, Mapping):
            # An absent object is still walked: `exists: false` below it holds.
            if not matches(expected, {} if found is _MISSING else found):
                return False
        elif not _any_leaf(expected, found):
            return False
    return True


def _any_leaf(alternatives: Sequence[Any], found: Any) -> bool:
    values = found if isinstance(found, list) else [found]
    # `exists` works on leaves only: an object in its place counts as absent.
    leaves = [_MISSING if isinstance(value, Mapping) else value for value in values] or [_MISSING]
    return any(_leaf(alternative, leaf) for alternative in alternatives for leaf in leaves)


def _leaf(alternative: Any, leaf: Any) -> bool:
    if isinstance(alternative, Mapping):
        return all(_operator(operator)(operand, leaf) for operator, operand in alternative.items())
    return leaf is not _MISSING and _equal(alternative, leaf)


def _equal(expected: Any, leaf: Any) -> bool:
    # True is not 1 in JSON.
    return isinstance(expected, bool) == isinstance(leaf, bool) and bool(expected == leaf)


def _operator(name: str) -> Callable[[Any, Any], bool]:
    operators: dict[str, Callable[[Any, Any], bool]] = {
        "exists": lambda operand, leaf: operand == (leaf is not _MISSING),
        "prefix": _prefix,
        "suffix": _suffix,
        "equals-ignore-case": _equals_ignore_case,
        "anything-but": _anything_but,
        "numeric": _numeric,
    }
    if name not in operators:
        raise UnknownOperator(name)
    return operators[name]


def _prefix(operand: Any, leaf: Any) -> bool:
    return isinstance(leaf, str) and leaf.startswith(operand)


def _suffix(operand: Any, leaf: Any) -> bool:
    return isinstance(leaf, str) and leaf.endswith(operand)


def _equals_ignore_case(operand: Any, leaf: Any) -> bool:
    return isinstance(leaf, str) and leaf.lower() == str(operand).lower()


def _anything_but(operand: Any, leaf: Any) -> bool:
    if leaf is _MISSING:
        return False
    excluded = operand if isinstance(operand, list) else [operand]
    return not any(_leaf(one, leaf) for one in excluded)


def _numeric(operand: Sequence[Any], leaf: Any) -> bool:
    if isinstance(leaf, bool) or not isinstance(leaf, int | float):
        return False
    comparisons: dict[str, Callable[[float, float], bool]] = {
        "=": lambda a, b: a == b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
    pairs = zip(operand[::2], operand[1::2], strict=True)
    return all(comparisons[symbol](leaf, bound) for symbol, bound in pairs)
