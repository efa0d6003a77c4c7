# crm/intake/parsing.py
"""From the text of an event to its envelope, or to everything that is wrong with it.

What is right is parsed by msgspec, quickly; only where that fails is the JSON Schema asked, which is slower to import
and to run but tells every fault at once.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from crm.consent import service as consent
from crm.customers import service as customers
from crm.intake import words
from crm.intake.event_types import (
    EVENT_TYPES,
    EXPECTED,
    RESERVED,
    Behaviour,
    CartPart,
    ConsentData,
    ConsentPart,
    CustomData,
    CustomerData,
    Envelope,
    EventType,
    OrderData,
    RefundData,
    SuppressionData,
)
from crm.kernel import texts
from crm.kernel.domain_events import camel
from crm.kernel.errors import Fault, InvalidInput, InvalidInputs
from crm.kernel.money import is_currency, minor_units
from crm.touchpoints import service as touchpoints

MOST_BYTES = 200_000
OF_AN_APP = "app."
"""What the ids of apps' events begin with: the door puts it there, and no shop's id may."""
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=10)
HALF = re.compile("[\ud800-\udfff]")
UNSENDABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")
MAYBE_UNPRINTABLE = re.compile(r"\\[bf]|\\u(?:00[01]|007[fF]|[fF]{3}[eEfF])|[\x7f\ufffe\uffff]")
"""How JSON writes what `texts.UNPRINTABLE` finds, and some that it does not: few events hold any."""
MOST_FAULTS = 50


def parse(body: str, *, now: datetime, by_app: bool = False, imported: bool = False) -> Envelope[Any]:
    """Raises InvalidInputs with every fault: not JSON, too large, unknown type, failing its schema, from the future.

    `by_app`: the door took it from an app, and gave it an id of theirs, which nobody else may use. `imported`: it is a
    row of a file, which may be an export of ours, and so may name us as its source.
    """
    try:
        size = len(body.encode())
    except UnicodeEncodeError as error:
        raise InvalidInputs([Fault("", "NOT_JSON", "holds half a character (a lone surrogate)")]) from error
    if size > MOST_BYTES:
        raise InvalidInputs([Fault("", "TOO_LARGE", f"must have {MOST_BYTES:,} bytes at most")])
    try:
        head = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInputs([Fault("", "NOT_JSON", _not_json(body, error))]) from error
    if not isinstance(head, dict):
        raise InvalidInputs([Fault("", "INVALID", "must be a JSON object")])
    name = head.get("type")
    kind = EVENT_TYPES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise InvalidInputs(_faults_without_type(head))
    try:
        envelope: Envelope[Any] = _decoder(kind.name).decode(body)
    except msgspec.ValidationError as error:
        raise InvalidInputs(_faults_of_type(kind, head) or [Fault("", "INVALID", str(error))]) from error
    faults = [
        *([] if by_app else _id_faults(envelope)),
        *([] if imported else _source_faults(envelope)),
        *_faults(envelope, now),
    ]
    if MAYBE_UNPRINTABLE.search(body):
        faults += _unprintable(envelope, {fault.path for fault in faults})
    if faults:
        raise InvalidInputs(faults)
    return envelope


def _unprintable(envelope: Envelope[Any], told: Collection[str]) -> Iterator[Fault]:
    """Of what the type knows: nothing else is kept."""
    found = texts.unprintable(msgspec.to_builtins(envelope))
    return islice((fault for fault in found if fault.path not in told), MOST_FAULTS)


def _not_json(body: str, error: Exception) -> str:
    """Python's own parser takes numbers of any size, also those that `written` wrote as it does (`Infinity`)."""
    with suppress(ValueError, RecursionError):
        json.loads(body)
        return "holds a number that is beyond all bounds"
    return str(error)


def written(event: Any) -> str:
    """An event as the text that a queue takes: what SQS refuses, or is no whole character, is written as an escape."""
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return UNSENDABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def id_of(event: Any) -> str | None:
    """The id of an event as it is told to its sender; None where there is none that can be written."""
    event_id = event.get("id") if isinstance(event, dict) else None
    return event_id if isinstance(event_id, str) and not HALF.search(event_id) else None


def is_identifier(text: str) -> bool:
    """Whether a text may stand in a key."""
    return re.fullmatch(r"[^\s#|]{1,128}", text) is not None


def content_hash(body: str) -> str:
    """A hash of what an event says, whatever the order and spacing of its JSON."""
    with suppress(ValueError, RecursionError):  # what is no JSON is only ever equal to itself
        body = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()


@cache
def _decoder(name: str) -> msgspec.json.Decoder[Envelope[Any]]:
    envelope: Any = Envelope
    return msgspec.json.Decoder(envelope[EVENT_TYPES[name].data])


def _faults(envelope: Envelope[Any], now: datetime) -> Iterable[Fault]:
    """What a schema cannot say."""
    kind = EVENT_TYPES[envelope.type]
    yield from _time_faults("occurredAt", envelope.occurred_at, now)
    if kind.needs_customer and envelope.customer is None:
        yield Fault("customer", "REQUIRED", "is required")
    if envelope.customer is not None:
        fields = words.customer_words(envelope.customer, envelope.source).fields
        yield from customers.faults(fields, now=now, path=lambda name: f"customer.{camel(name)}")
    data = envelope.data
    if isinstance(data, CustomerData | ConsentData):
        yield from _consent_faults(data.consents, envelope.source, now)
    if isinstance(data, SuppressionData):
        for fault in consent.suppression_faults(words.suppression_given(data, envelope.source)):
            yield replace(fault, path=f"data.{fault.path}")
    if isinstance(data, OrderData):
        yield from _order_faults(data, kind.status)
        yield from _time_faults("data.placedAt", data.placed_at, now)
    if isinstance(data, Behaviour):
        yield from _touchpoint_faults(envelope.type, data)
    if isinstance(data, RefundData):
        yield from _currency_faults(data.currency)
        for index, line in enumerate(data.lines):
            yield from _amount_faults(f"data.lines[{index}].amount", line.amount, data.currency)


def _id_faults(envelope: Envelope[Any]) -> Iterable[Fault]:
    if envelope.id.startswith(OF_AN_APP):
        yield Fault("id", "RESERVED", f"must not begin with {OF_AN_APP}, as the ids of apps' events do")


def _source_faults(envelope: Envelope[Any]) -> Iterable[Fault]:
    if envelope.source == customers.HERE:
        yield Fault("source", "RESERVED", f"must not be {customers.HERE}: that is what people say through our own API")


def _touchpoint_faults(type_: str, data: Behaviour) -> Iterable[Fault]:
    """Also what storing it would refuse, so that what a door accepts can be stored."""
    if isinstance(data, CustomData) and data.name.partition(".")[0] in RESERVED:
        yield Fault("data.name", "RESERVED", "begins with a noun of Rapport's own")
    if isinstance(data, CartPart):
        yield from _cart_faults(data)
    properties = "data.properties" if isinstance(data, CustomData) else "data"
    for fault in touchpoints.faults(words.touchpoint_seen(type_, data)):
        yield replace(fault, path=properties if fault.path == "properties" else f"data.{fault.path}")


def _cart_faults(data: CartPart) -> Iterable[Fault]:
    amounts = {f"data.lines[{index}].unitPrice": line.unit_price for index, line in enumerate(data.lines or ())}
    amounts |= {"data.total": data.total}
    if data.currency is not None:
        yield from _currency_faults(data.currency)
        for path, amount in amounts.items():
            yield from _amount_faults(path, amount, data.currency)
    elif any(amount is not None for amount in amounts.values()):
        yield Fault("data.currency", "REQUIRED", "is required where there are amounts")


def _time_faults(path: str, instant: datetime, now: datetime) -> Iterable[Fault]:
    if instant > now + LATEST:
        yield Fault(path, "FROM_THE_FUTURE", "lies more than 10 minutes in the future")
    if instant < EARLIEST:
        yield Fault(path, "INVALID", "lies before 1970")


def _consent_faults(parts: Sequence[ConsentPart], source: str, now: datetime) -> Iterable[Fault]:
    given = words.consents_given(parts, source)
    yield from consent.faults(given, path=lambda number, name: f"data.consents[{number}].{name}")
    for number, part in enumerate(parts):
        if part.occurred_at is not None:
            yield from _time_faults(f"data.consents[{number}].occurredAt", part.occurred_at, now)


def _order_faults(data: OrderData, status: str | None) -> Iterable[Fault]:
    if status is not None and data.status != status:
        yield Fault("data.status", "INVALID", f"must be {status} in an event of this type")
    yield from _currency_faults(data.currency)
    yield from _amount_faults("data.shipping", data.shipping, data.currency)
    seen: set[str] = set()
    for index, line in enumerate(data.lines):
        path = f"data.lines[{index}]"
        line_id = line.id or str(index + 1)
        if line_id in seen:
            yield Fault(f"{path}.id", "DUPLICATE", "must be unlike those of the order's other lines")
        seen.add(line_id)
        faults = [
            *_amount_faults(f"{path}.unitPrice", line.unit_price, data.currency),
            *_amount_faults(f"{path}.discount", line.discount, data.currency),
            *_amount_faults(f"{path}.tax", line.tax, data.currency),
        ]
        yield from faults
        if not faults and is_currency(data.currency):
            worth = line.quantity * minor_units(line.unit_price, data.currency)
            if minor_units(line.discount, data.currency) > worth:
                yield Fault(f"{path}.discount", "INVALID", "is more than the line is worth")


def _currency_faults(currency: str) -> Iterable[Fault]:
    if not is_currency(currency):
        yield Fault("data.currency", "INVALID", "must be an ISO 4217 currency such as EUR")


def _amount_faults(path: str, amount: str | None, currency: str) -> Iterable[Fault]:
    if amount is not None and is_currency(currency):
        try:
            minor_units(amount, currency)
        except InvalidInput as error:
            yield Fault(path, "INVALID", str(error))


def _faults_without_type(head: dict[str, Any]) -> list[Fault]:
    """What can be said of an event whose data nobody can judge: its envelope's faults, and that of its type."""
    from crm.intake.schemas import envelope_schema  # late, as below

    unknown = Fault("type", "UNKNOWN_TYPE", f"must be one of {', '.join(EVENT_TYPES)}")
    return [*([unknown] if isinstance(head.get("type"), str) else []), *_schema_faults(envelope_schema(), head)]


def _faults_of_type(kind: EventType, head: dict[str, Any]) -> list[Fault]:
    from crm.intake.schemas import schema_of  # late, as below

    return _schema_faults(schema_of(kind), head)


def _schema_faults(schema: dict[str, Any], envelope: Any) -> list[Fault]:
    # Imported here: it takes a fifth of a cold start, and only bad events need it.
    from jsonschema import Draft202012Validator, FormatChecker

    formats: Any = FormatChecker(formats=())
    formats.checks("date-time", raises=ValueError)(_is_instant)
    formats.checks("date", raises=ValueError)(_is_date)
    validator = Draft202012Validator(schema, format_checker=formats)
    found = [inner for error in validator.iter_errors(envelope) for inner in _useful(error)]
    errors = sorted(found, key=lambda error: list(map(str, error.absolute_path)))
    return [_fault(error) for error in errors[:MOST_FAULTS]]


def _useful(error: Any) -> Iterable[Any]:
    """Of a nullable field, the complaints about its other form."""
    nested = [inner for inner in error.context or [] if inner.validator != "type"]
    if error.validator != "anyOf" or not nested:
        yield error
    else:
        for inner in nested:
            yield from _useful(inner)


def _fault(error: Any) -> Fault:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    if error.validator == "required":
        missing = next((key for key in error.validator_value if key not in error.instance), "")
        # One error a missing field: jsonschema names it in its message only.
        missing = next((key for key in error.validator_value if f"'{key}' is a required" in error.message), missing)
        return Fault(f"{path}.{missing}".lstrip("."), "REQUIRED", "is required")
    expected: dict[str, Callable[[], str]] = {
        "type": lambda: f"must be of type {error.validator_value}",
        "format": lambda: (
            f"must be a {error.validator_value}, with its zone"
            if error.validator_value == "date-time"
            else f"must be a {error.validator_value}"
        ),
        "enum": lambda: f"must be one of {', '.join(map(str, error.validator_value))}",
        "const": lambda: f"must be {error.validator_value}",
        "pattern": lambda: f"must be {error.schema[EXPECTED]}",
        "minimum": lambda: f"must be at least {error.validator_value}",
        "maximum": lambda: f"must be at most {error.validator_value}",
        "minLength": lambda: f"must have at least {_counted(error.validator_value, 'character', 'characters')}",
        "maxLength": lambda: f"must have at most {_counted(error.validator_value, 'character', 'characters')}",
        "minItems": lambda: f"must have at least {_counted(error.validator_value, 'entry', 'entries')}",
        "maxItems": lambda: f"must have at most {_counted(error.validator_value, 'entry', 'entries')}",
        "anyOf": lambda: f"must be of type {' or '.join(str(inner.validator_value) for inner in error.context)}",
    }
    # jsonschema's own messages quote the value, which may be personal.
    message = expected.get(error.validator, lambda: f"fails {error.validator}")()
    return Fault(path, "TOO_LONG" if error.validator == "maxLength" else "INVALID", message)


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def _is_instant(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    instant = datetime.fromisoformat(value)
    return "T" in value.upper() and instant.tzinfo is not None


def _is_date(value: Any) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))
