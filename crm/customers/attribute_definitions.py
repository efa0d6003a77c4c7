# crm/customers/attribute_definitions.py
"""Which attributes of its own a shop has, and how it defines and retires them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock

from crm.customers import repository
from crm.customers.attributes import (
    CHOICE,
    CHOICE_KEY,
    CUSTOMER_ACCESS,
    ELEMENT_TYPES,
    KEY,
    LIST,
    MONEY,
    MOST_CHOICES,
    MOST_DEFINITIONS,
    PARTIES,
    TYPES,
    Rule,
)
from crm.customers.models import AttributeDefinition
from crm.customers.refusals import TooManyAttributes
from crm.kernel import texts
from crm.kernel.change import Change, retrying
from crm.kernel.errors import Fault, InvalidInputs, NotFound, VersionMismatch
from crm.kernel.money import is_currency
from crm.kernel.said import UNSAID, Said

FRESH_FOR = timedelta(seconds=60)
MOST_CHARACTERS, LONGEST_DESCRIPTION = 200, 500
NEEDED = ("name", "type")
TYPED = {"element_type", "choices", "currency"}
"""What is right or wrong by the type."""

Definitions = Mapping[str, AttributeDefinition]

_cache: dict[str, tuple[datetime, Definitions]] = {}
_cache_lock = Lock()


class AttributeFields(Said, frozen=True):
    """What may be said of a definition; UNSAID leaves a field as it is. `choices` are (key, name), in their order.

    `currency` is the only one that money may be in; None: any. `customer_access` is what customers may do with it,
    `party` whose data it is.
    """

    name: str = UNSAID
    type: str = UNSAID
    element_type: str | None = UNSAID
    description: str | None = UNSAID
    choices: Sequence[tuple[str, str]] = UNSAID
    currency: str | None = UNSAID
    party: str = UNSAID
    customer_access: str = UNSAID


def define(
    shop: str, key: str, said: AttributeFields, *, now: datetime, expected_version: int | None = None
) -> AttributeDefinition:
    """Define an attribute, or say more of one that is defined; one that was retired takes values again.

    The type of a key, and of the elements of a list, is for ever: values that are stored keep their meaning. Raises
    InvalidInputs, TooManyAttributes, and VersionMismatch (0 is the version of what is not defined yet).
    """
    if wrong := faults(key, said):
        raise InvalidInputs(wrong)

    def attempt() -> AttributeDefinition:
        stored = repository.get_definition(shop, key)
        definition = stored or AttributeDefinition.of(shop, key, now=now)
        _expect(definition, expected_version)
        fixed, wrong = _fixed(stored, said), _set(definition, said)
        if fixed:  # by a type that it does not have, nothing is judged
            wrong = [*fixed, *(fault for fault in wrong if fault.path not in TYPED)]
        if wrong:
            raise InvalidInputs(wrong)
        definition.retired_at, definition.updated_at = None, now
        change = Change(now)
        if stored is None:
            repository.count_definition(change, shop, otherwise=TooManyAttributes(MOST_DEFINITIONS))
        change.revise(definition)
        definition.cause = f"attribute:{key}:define:{int(definition.rev)}"
        change.commit()
        return definition

    return _forgetting(shop, retrying(attempt))


def faults(key: str, said: AttributeFields) -> list[Fault]:
    """What is wrong with a definition whatever is stored of it: with its key, and with what is said."""
    found = _set(AttributeDefinition(), said)
    if not KEY.fullmatch(key):  # nothing is stored of it
        expected = "must be a lower-case letter, then such letters, digits and _; 40 at most"
        return [Fault("key", "INVALID", expected), *found]
    given = said.given()
    alone = {"name", "description", "party", "customer_access", "type"} | (TYPED if "type" in given else set())
    return [fault for fault in found if fault.path in given.keys() & alone]


def retire(shop: str, key: str, *, now: datetime, expected_version: int | None = None) -> AttributeDefinition:
    """Take no more values; those that are there stay. Raises NotFound, VersionMismatch."""

    def attempt() -> AttributeDefinition:
        definition = repository.get_definition(shop, key)
        if definition is None:
            raise NotFound("There is no such attribute.", field="key")
        _expect(definition, expected_version)
        if definition.retired_at is None:
            definition.retired_at, definition.updated_at = now, now
            change = Change(now)
            change.revise(definition)
            definition.cause = f"attribute:{key}:retire:{int(definition.rev)}"
            change.commit()
        return definition

    return _forgetting(shop, retrying(attempt))


def fresh(shop: str, *, now: datetime) -> Definitions:
    """All definitions by key, also the retired."""
    found = {definition.key: definition for definition in repository.list_definitions(shop)}
    with _cache_lock:
        _cache[shop] = (now, found)
    return found


def current(shop: str, *, now: datetime, knowing: Collection[str] = ()) -> Definitions:
    """The definitions as they were at most a minute ago; as they are, where they lack a key that must be `knowing`."""
    with _cache_lock:
        cached = _cache.get(shop)
    if cached and abs(now - cached[0]) < FRESH_FOR and cached[1].keys() >= set(knowing):
        return cached[1]
    return fresh(shop, now=now)


def forget_cached() -> None:
    """For tests, whose tables are new each time."""
    with _cache_lock:
        _cache.clear()


def rule_of(definition: AttributeDefinition) -> Rule:
    return Rule(
        key=definition.key,
        type=definition.type,
        element=definition.element_type,
        choices=[choice["key"] for choice in definition.choices],
        currency=definition.currency,
        access=definition.customer_access,
        retired=definition.retired_at is not None,
    )


def rules_of(definitions: Definitions) -> dict[str, Rule]:
    return {key: rule_of(definition) for key, definition in definitions.items()}


def _forgetting(shop: str, definition: AttributeDefinition) -> AttributeDefinition:
    with _cache_lock:
        _cache.pop(shop, None)
    return definition


def _expect(definition: AttributeDefinition, version: int | None) -> None:
    if version is not None and definition.rev != version:
        raise VersionMismatch(expected=version, actual=int(definition.rev))


def _fixed(stored: AttributeDefinition | None, said: AttributeFields) -> list[Fault]:
    if stored is None:
        return []
    kept = {"type": stored.type, "element_type": stored.element_type}
    return [
        Fault(name, "FIXED", "may not change: an attribute keeps its type")
        for name, value in said.given().items()
        if name in kept and value != kept[name]
    ]


def _set(definition: AttributeDefinition, said: AttributeFields) -> list[Fault]:
    for name, value in said.given().items():
        known = [{"key": key, "name": label} for key, label in value] if name == "choices" else value
        setattr(definition, name, known)
    missing = {
        name: Fault(name, "REQUIRED", "is required") for name in _needed(definition) if not getattr(definition, name)
    }
    problems = [Fault(name, "INVALID", problem) for name, problem in _problems(definition) if problem]
    return [*missing.values(), *(fault for fault in problems if fault.path not in missing)]


def _needed(definition: AttributeDefinition) -> Iterator[str]:
    yield from NEEDED
    if definition.type == LIST:
        yield "element_type"
    if CHOICE in (definition.type, definition.element_type if definition.type == LIST else None):
        yield "choices"


def _problems(definition: AttributeDefinition) -> Iterator[tuple[str, str | None]]:
    """Each field with what is wrong with it, if anything. What depends on the type is judged where there is one."""
    yield "name", None if _is_name(definition.name or "") else f"must be one line of 1 to {MOST_CHARACTERS} characters"
    yield "type", _unknown(definition.type, TYPES)
    if definition.type in TYPES:
        yield from _problems_of_type(definition)
    if len(definition.description or "") > LONGEST_DESCRIPTION:
        yield "description", f"must have {LONGEST_DESCRIPTION} characters at most"
    yield "party", _unknown(definition.party, PARTIES)
    yield "customer_access", _unknown(definition.customer_access, CUSTOMER_ACCESS)


def _problems_of_type(definition: AttributeDefinition) -> Iterator[tuple[str, str | None]]:
    kind = definition.element_type if definition.type == LIST else definition.type
    if definition.type == LIST:
        yield "element_type", _unknown(definition.element_type, ELEMENT_TYPES)
    elif definition.element_type is not None:
        yield "element_type", f"may be given of a {LIST.upper()} only"
    yield "choices", _choices_problem(definition.choices, wanted=kind == CHOICE)
    if definition.currency is not None and (kind != MONEY or not is_currency(definition.currency)):
        yield "currency", f"must be an ISO 4217 currency, and may be given of {MONEY.upper()} only"


def _unknown(value: str | None, known: Collection[str]) -> str | None:
    return None if value in known else f"must be one of {', '.join(known).upper()}"


def _is_name(text: str) -> bool:
    return not texts.line_faults("", text, longest=MOST_CHARACTERS)


def _choices_problem(choices: Sequence[Mapping[str, str]], *, wanted: bool) -> str | None:
    keys, names = [choice["key"] for choice in choices], [choice["name"] for choice in choices]
    if choices and not wanted:
        return f"may be given of a {CHOICE.upper()} only"
    if len(choices) > MOST_CHOICES or len(set(keys)) < len(keys):
        return f"must be {MOST_CHOICES} at most, each with a key of its own"
    if not all(CHOICE_KEY.fullmatch(key) for key in keys):
        return "must have keys of 1 to 64 letters, digits, _, . and -"
    if not all(map(_is_name, names)):
        return f"must have names of one line and 1 to {MOST_CHARACTERS} characters"
    return None


__all__ = [
    "AttributeFields",
    "Definitions",
    "current",
    "define",
    "forget_cached",
    "fresh",
    "retire",
    "rule_of",
    "rules_of",
]
