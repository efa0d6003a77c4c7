# crm/customers/attributes.py
"""What values a shop's own attributes can have. Pure: a definition's rule and what was said go in, a value comes out.

A value is JSON of its type: texts, choices and dates as text; a number as decimal text, without needless zeros; money
as `{"minor": …, "currency": …}`; a flag as true or false; a list as a list of those.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from crm.kernel.errors import Fault, InvalidInput, InvalidInputs
from crm.kernel.money import Money, is_currency

TEXT, NUMBER, MONEY, DATE, BOOLEAN, CHOICE, LIST = TYPES = (
    "text", "number", "money", "date", "boolean", "choice", "list",
)  # fmt: skip
ELEMENT_TYPES = tuple(kind for kind in TYPES if kind != LIST)
HIDDEN, VISIBLE, EDITABLE = CUSTOMER_ACCESS = "hidden", "visible", "editable"
FIRST, THIRD = PARTIES = "first", "third"

KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
CHOICE_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,6})?")
HALF: Final = re.compile("[\ud800-\udfff]")  # of a character, which cannot be stored
DATE_FORM: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOST_DEFINITIONS, MOST_CHOICES = 200, 100
MOST_AT_ONCE = 90  # that people set in one write, which holds a condition for each
MOST_CHARACTERS, MOST_ELEMENTS = 500, 100
MOST_BYTES = 1_000
"""Of one value, as stored. So all attributes of a customer fit one item, and in whatever order they come, none is
refused for those that came before it.
"""


class Rule(Struct, frozen=True):
    """What a definition demands of a value. `currency` is None where any will do."""

    key: str
    type: str
    element: str | None = None
    choices: Collection[str] = ()
    currency: str | None = None
    access: str = HIDDEN
    retired: bool = False


class Typed(Struct, frozen=True):
    """A value whose sender says its type, too. Events do not: there the definition says it."""

    type: str
    value: Any


def accepted(
    rules: Mapping[str, Rule],
    given: Mapping[str, Any],
    *,
    path: Callable[[str], str],
    key_path: Callable[[str], str] | None = None,
    by_customer: bool = False,
) -> dict[str, Any]:
    """All of the values that were given, as `judged` has them. Raises InvalidInputs with everything that is wrong."""
    values, faults = judged(rules, given, path=path, key_path=key_path, by_customer=by_customer)
    if faults:
        raise InvalidInputs(faults)
    return values


def judged(
    rules: Mapping[str, Rule],
    given: Mapping[str, Any],
    *,
    path: Callable[[str], str],
    key_path: Callable[[str], str] | None = None,
    by_customer: bool = False,
) -> tuple[dict[str, Any], list[Fault]]:
    """The good ones of the values that were given, as they are stored, and what is wrong with the others; None clears.

    `path` says how their sender calls a key's value, and `key_path` the key where that stands elsewhere. To customers,
    what they may not see is not there.
    """
    key_path = key_path or path
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for key, said in given.items():
        rule = rules.get(key)
        if rule is None or (by_customer and rule.access == HIDDEN):
            faults.append(Fault(key_path(key), "UNKNOWN", "is no key of the shop's attributes"))
        elif by_customer and rule.access != EDITABLE:
            faults.append(Fault(key_path(key), "FORBIDDEN", "is for staff only"))
        elif rule.retired:
            faults.append(Fault(key_path(key), "RETIRED", "is retired and takes no values any more"))
        else:
            try:
                values[key] = None if said is None else value_of(rule, said, path=path(key))
            except InvalidInputs as refusal:
                faults += refusal.faults
    return values, faults


def value_of(rule: Rule, said: Any, *, path: str) -> Any:
    """What was said as the rule's type has it; an empty list is none. Raises InvalidInputs."""
    if rule.type == LIST:
        value = _list(rule, said, path) or None
    else:
        try:
            value = _single(rule, rule.type, said)
        except ValueError as error:
            raise InvalidInputs([Fault(path, "INVALID", str(error))]) from None
    if len(written(value)) > MOST_BYTES:
        raise InvalidInputs([Fault(path, "TOO_LARGE", f"must not exceed {MOST_BYTES:,} bytes of JSON")])
    return value


def shown(value: Any) -> str | None:
    """A value for people, as one text."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case {"minor": minor, "currency": currency}:
            return f"{Money(minor, currency).amount} {currency}"
    return json.dumps([shown(element) for element in value], ensure_ascii=False)


def written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _list(rule: Rule, said: Any, path: str) -> list[Any]:
    said = said.value if isinstance(said, Typed) and said.type == LIST else said
    if not isinstance(said, Sequence) or isinstance(said, str):
        raise InvalidInputs([Fault(path, "INVALID", f"must be a list of values of type {rule.element}")])
    if len(said) > MOST_ELEMENTS:
        raise InvalidInputs([Fault(path, "INVALID", f"must have {MOST_ELEMENTS} elements at most")])
    values: list[Any] = []
    faults: list[Fault] = []
    for index, element in enumerate(said):
        try:
            values.append(_single(rule, rule.element or TEXT, element))
        except ValueError as error:
            faults.append(Fault(f"{path}[{index}]", "INVALID", str(error)))
    if faults:
        raise InvalidInputs(faults)
    return values


def _single(rule: Rule, kind: str, said: Any) -> Any:
    """Raises ValueError with what was expected; never with the value, which may be personal."""
    if isinstance(said, Typed):
        if said.type != kind:
            raise ValueError(f"must be of type {kind}")
        said = said.value
    return READERS[kind](rule, said)


def _text(_: Rule, said: Any) -> str:
    if not isinstance(said, str) or not said.strip() or len(said) > MOST_CHARACTERS or HALF.search(said):
        raise ValueError(f"must be a text of 1 to {MOST_CHARACTERS} characters")
    return said


def _number(_: Rule, said: Any) -> str:
    """Floats are refused: 71.5 is exact as text only."""
    text = str(said) if isinstance(said, int) and not isinstance(said, bool) else said
    if not isinstance(text, str) or not DECIMAL.fullmatch(text):
        raise ValueError("must be a whole number, or a decimal text such as 71.5, of at most 18 and 6 digits")
    exact = format(Decimal(text), "f")
    plain = exact.rstrip("0").rstrip(".") if "." in exact else exact
    return "0" if plain == "-0" else plain


def _money(rule: Rule, said: Any) -> dict[str, Any]:
    amount, currency = (said.get("amount"), said.get("currency")) if isinstance(said, Mapping) else (None, None)
    if not isinstance(amount, str) or not isinstance(currency, str) or not DECIMAL.fullmatch(amount):
        raise ValueError("must be an amount as decimal text with its currency")
    if not is_currency(currency) or rule.currency not in (None, currency):
        raise ValueError(f"must be in {rule.currency or 'a currency of ISO 4217'}")
    try:
        return {"minor": Money.parse(amount, currency).minor, "currency": currency}
    except InvalidInput:
        raise ValueError("is finer than its currency allows") from None


def _date(_: Rule, said: Any) -> str:
    try:
        if isinstance(said, str) and DATE_FORM.fullmatch(said):
            return date.fromisoformat(said).isoformat()
    except ValueError:
        pass
    raise ValueError("must be a calendar day such as 2026-01-31")


def _boolean(_: Rule, said: Any) -> bool:
    if not isinstance(said, bool):
        raise ValueError("must be true or false")  # noqa: TRY004  one exception for what readers refuse
    return said


def _choice(rule: Rule, said: Any) -> str:
    if not isinstance(said, str) or said not in rule.choices:
        raise ValueError("must be the key of one of the definition's choices")
    return said


READERS: Mapping[str, Callable[[Rule, Any], Any]] = {
    TEXT: _text,
    NUMBER: _number,
    MONEY: _money,
    DATE: _date,
    BOOLEAN: _boolean,
    CHOICE: _choice,
}
