# crm/kernel/publishing.py
"""How a stored change becomes an event on the domain bus.

An event on the bus carries ids, amounts and causes, never personal data. Its id is the changed item's key and revision,
so that a consumer can tell a repeat; consumers deduplicate by their own effect all the same.
"""

import json
import logging

from botocore.exceptions import BotoCoreError, ClientError

from crm.kernel.aws import events_client
from crm.kernel.domain_events import DomainEvent
from crm.kernel.settings import settings
from crm.kernel.table import Published

log = logging.getLogger(__name__)

SOURCE = "rapport.domain"
MOST_ENTRIES = 10  # PutEvents' limit


def change_id(item: Published) -> str:
    return f"{item.pk}|{item.sk}@{int(item.rev)}"


def put(events: list[DomainEvent]) -> list[DomainEvent]:
    """Put events on the domain bus; return those that it did not take."""
    refused: list[DomainEvent] = []
    for start in range(0, len(events), MOST_ENTRIES):
        batch = events[start : start + MOST_ENTRIES]
        entries = [
            {
                "EventBusName": settings().require("domain_bus"),
                "Source": SOURCE,
                "DetailType": event.detail_type,
                "Detail": json.dumps(event.detail()),
            }
            for event in batch
        ]
        try:
            answer = events_client().put_events(Entries=entries)
        except (BotoCoreError, ClientError):
            log.exception("events not put", extra={"events": len(events) - start})
            return refused + events[start:]
        refused += [event for event, entry in zip(batch, answer["Entries"], strict=True) if entry.get("ErrorCode")]
    return refused
