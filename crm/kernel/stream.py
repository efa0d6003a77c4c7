# crm/kernel/stream.py
"""Records of the `crm` table's stream, and what becomes of those that cannot be used.

A stream replays everything from the lowest failed sequence number, and its failure destination gets metadata only. So a
record that can never succeed is dead-lettered here, whole, and one that failed for now is answered to Lambda.
"""

import json
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from msgspec import Struct

from crm.kernel import correlation, dead_letters
from crm.kernel.errors import CrmError, Fault, InvalidInput, InvalidInputs, without_words
from crm.kernel.settings import settings
from crm.kernel.table import STORE_ERRORS, Item

log = logging.getLogger(__name__)
V = TypeVar("V")

TTL_DELETION = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


class Record(Struct, frozen=True):
    """One change of one item. `position` is its place in the delivery, which is the order of its shard."""

    position: int
    raw: dict[str, Any]

    @property
    def sequence_number(self) -> str:
        return str(self.raw["dynamodb"]["SequenceNumber"])

    @property
    def correlation_id(self) -> str | None:
        image: dict[str, dict[str, str]] = (self.raw.get("dynamodb") or {}).get("NewImage") or {}
        return image.get("correlation_id", {}).get("S")

    @property
    def is_expiry(self) -> bool:
        """Housekeeping of DynamoDB's time to live: nothing happened in the shop."""
        identity = self.raw.get("userIdentity") or {}
        return all(identity.get(name) == value for name, value in TTL_DELETION.items())

    @property
    def is_removal(self) -> bool:
        return self.raw.get("eventName") == "REMOVE"

    def item(self) -> Item:
        """The item as it was stored. Raises InvalidInputs where it is not whole, ValueError for an unknown kind."""
        return _item(self.raw["dynamodb"]["NewImage"])

    def before(self) -> Item | None:
        """The item as it was before; None where it was not there, or was unreadable and has been mended."""
        image = self.raw["dynamodb"].get("OldImage")
        try:
            return Item.from_raw_data(image).decode() if image else None
        except (TypeError, ValueError):
            return None


class Delivery:
    """What one invocation was given, and what became of it record by record."""

    def __init__(self, event: dict[str, Any]) -> None:
        self._records = [Record(position, raw) for position, raw in enumerate(event["Records"])]
        self._refused: dict[int, list[Fault]] = {}
        self._failed: set[int] = set()

    def parsed(self, parse: Callable[[Record], V]) -> list[tuple[Record, V]]:
        """What `parse` makes of each record that says something. One that it cannot decide it never can: it is refused
        for good, unless it was the store that did not answer.

        Removals are no corrections (those are new revisions): erasing a person leaves what was counted as it is.
        """
        values = []
        for record in self._records:
            if record.is_expiry or record.is_removal:
                continue
            try:
                values.append((record, parse(record)))
            except CrmError as refusal:
                self.refuse(record, dead_letters.reasons_of(refusal))
            except STORE_ERRORS:
                with correlation.bound(record.correlation_id):
                    log.exception("not read")
                self.fail([record])
            except Exception as error:  # noqa: BLE001  one bad record must not hold up the shard
                self.refuse(record, [Fault("", "UNREADABLE", without_words(error))])
        return values

    def refuse(self, record: Record, reasons: list[Fault]) -> None:
        self._refused[record.position] = reasons

    def fail(self, records: Iterable[Record]) -> None:
        """These did not succeed and may yet."""
        self._failed |= {record.position for record in records}

    def settle(self, *, source: str, now: datetime) -> dict[str, Any]:
        """Dead-letter what was refused; answer the lowest sequence number that is to be replayed, if any.

        What is refused behind a failure comes again with the replay and is dead-lettered then: once.
        """
        url = settings().require("dead_letters_url")
        for position in sorted(self._refused):
            if self._failed and position > min(self._failed):
                break
            record, reasons = self._records[position], self._refused[position]
            codes = ",".join(fault.code for fault in reasons)
            body = json.dumps(record.raw)
            with correlation.bound(record.correlation_id):
                try:
                    key = dead_letters.put(url, body, source=source, reasons=reasons, now=now)
                except STORE_ERRORS:
                    log.exception("not dead-lettered", extra={"codes": codes})
                    self._failed.add(position)
                else:
                    log.error("dead-lettered", extra={"codes": codes, "archive": key})
        if not self._failed:
            return {"batchItemFailures": []}
        lowest = self._records[min(self._failed)]
        return {"batchItemFailures": [{"itemIdentifier": lowest.sequence_number}]}

    def counts(self) -> dict[str, Any]:
        """What became of how many records, and what they were written for: for the log."""
        counts = {"records": len(self._records), "refused": len(self._refused), "failed": len(self._failed)}
        found = dict.fromkeys(record.correlation_id for record in self._records if record.correlation_id)
        return counts | {"correlation_ids": list(found)}


def _item(image: dict[str, Any]) -> Item:
    if "kind" not in image:
        raise InvalidInput("the item says no kind", field="kind")
    item = Item.from_raw_data(image).decode()
    faults = [
        Fault(name, "MISSING", f"{type(item).__name__} has none")
        for name, attribute in type(item).get_attributes().items()
        if not attribute.null and getattr(item, name) is None
    ]
    if faults:
        raise InvalidInputs(faults)
    return item
