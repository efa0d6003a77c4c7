# infra/local/declarations.py
"""What a template declares, as values: the parts that `wiring` reads out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Pattern = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    name: str
    properties: Mapping[str, Any]
    ttl_attribute: str | None


@dataclass(frozen=True)
class Redrive:
    queue_arn: str
    max_receive_count: int


@dataclass(frozen=True)
class Queue:
    logical_id: str
    name: str
    url: str
    arn: str
    visibility_timeout: int
    retention: int
    redrive: Redrive | None


@dataclass(frozen=True)
class Target:
    """`permitted`: the target's own policy lets the rule send to it; else all its events are undeliverable."""

    id: str
    arn: str
    dead_letters_arn: str | None
    permitted: bool


@dataclass(frozen=True)
class Rule:
    name: str
    bus: str
    pattern: Pattern
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class MailReports:
    """Where SES reports what becomes of messages that were sent under a configuration set."""

    configuration_set: str
    name: str
    definition: Mapping[str, Any]


@dataclass(frozen=True)
class Function:
    """`on_failure` is where a failed asynchronous invocation goes: as a record of it, or as its bare event."""

    logical_id: str
    name: str
    handler: str
    timeout: int
    memory: int
    environment: Mapping[str, str]
    async_retries: int
    on_failure: str | None
    dead_letters: str | None


@dataclass(frozen=True)
class QueueSource:
    name: str
    function: Function
    queue: Queue
    batch_size: int
    window: int
    partial: bool
    concurrency: int
    filters: tuple[Pattern, ...]


@dataclass(frozen=True)
class StreamSource:
    """`max_retries` and `max_age` (seconds) are None where the template sets no bound."""

    name: str
    function: Function
    table: str
    batch_size: int
    window: int
    partial: bool
    bisect: bool
    max_retries: int | None
    max_age: int | None
    lanes: int
    filters: tuple[Pattern, ...]
    on_failure: str | None


@dataclass(frozen=True)
class Schedule:
    name: str
    function: Function
    seconds: int
    input: str | None
