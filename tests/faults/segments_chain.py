# tests/faults/segments_chain.py
"""From an event to memberships, in this process and at moments that are given: what the stream says is published is
handed to segmentation as its queue would, and due timers are swept.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

Event = dict[str, Any]


class Chain:
    """Of some shops, beginning with what is stored next. `told`: the domain events by type."""

    def __init__(self, *shops: str) -> None:
        from crm.kernel.settings import settings
        from crm.kernel.table import client
        from infra.local.clients import client as local_client

        self._shops = frozenset(shops)
        self._streams = local_client("dynamodbstreams", client().meta.endpoint_url)
        arn = client().describe_table(TableName=settings().crm_table)["Table"]["LatestStreamArn"]
        shard = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
        asked = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "LATEST"}
        self._iterator = self._streams.get_shard_iterator(**asked)["ShardIterator"]
        self.told: Counter[str] = Counter()

    def hear(self, event: Event, *, now: datetime) -> str:
        """An event and all that follows from it; returns the customer's id."""
        customer_id = take_in(event, now=now)
        self.follow(now=now)
        return customer_id

    def follow(self, *, now: datetime) -> None:
        """Until nothing more follows."""
        from crm.segmentation import keeping

        while events := list(self._published()):
            for event in events:
                self.told[event.detail_type] += 1
                if type(event) in keeping.TOUCHED_BY:
                    refresh(event, now=now)

    def forget(self) -> None:
        """Whatever has been stored so far is not followed."""
        for _ in self._published():
            pass

    def sweep(self, *, now: datetime) -> int:
        """Handle every timer that is due; returns how many there were."""
        from crm.segmentation import keeping

        count = 0
        while due := [each for each in fired(now) if each.shop in self._shops and each.owner == "segmentation"]:
            for each in due:
                keeping.wake(each, now=now)
            count += len(due)
        return count

    def _published(self) -> Iterator[Any]:
        """What the records say that have come since; of other shops nothing."""
        from crm.intake import changes
        from crm.kernel.stream import Record

        while True:
            answer = self._streams.get_records(ShardIterator=self._iterator, Limit=1000)
            self._iterator = answer["NextShardIterator"]
            if not answer["Records"]:
                return
            for raw in answer["Records"]:
                record = Record(0, raw)
                if record.is_removal:
                    continue
                item = record.item()
                if isinstance(item, tuple(changes.PUBLISHERS)):
                    yield from (each for each in changes.events_of(item, record.before()) if self._is_ours(each))

    def _is_ours(self, event: Any) -> bool:
        return event.shop in self._shops


def take_in(event: Event, *, now: datetime) -> str:
    """As its queue delivers it; returns the customer's id."""
    from crm.intake import service as intake

    return intake.apply(json.dumps(event), now=now).customer_id or ""


def refresh(event: Any, *, now: datetime) -> None:
    """As functions/segmentation/refresh_memberships does."""
    from crm.segmentation import keeping

    keeping.refresh(
        event.shop,
        event.customer_id,
        touched=keeping.touched(event),
        cause=event.cause,
        occurred_at=event.occurred_at,
        now=now,
        replayed=event.replayed,
    )


def fired(now: datetime) -> list[Any]:
    """The timers that the sweep tells of, as functions/timers/fire_due runs it."""
    from crm.kernel import timers

    told: list[Any] = []

    def put(events: list[Any]) -> list[Any]:
        told.extend(events)
        return []

    publish, timers.put = timers.put, put  # type: ignore[attr-defined]
    try:
        for shard in range(timers.SHARDS):
            assert timers.fire(shard, holder="sweep", now=now) is not None
    finally:
        timers.put = publish  # type: ignore[attr-defined]
    return told
