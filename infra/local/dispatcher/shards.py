# infra/local/dispatcher/shards.py
"""A reader's place in a table's stream (the emulator has one shard a stream)."""

import base64
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infra.local.dispatcher.positions import Positions
from infra.local.dispatcher.retries import Record, sequence_number

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MOST_PER_READ = 1000
_LOST_PLACE = {"TrimmedDataAccessException", "ExpiredIteratorException"}


class Shard:
    """Reads on from the noted position; where the stream no longer has it, from the oldest record there is."""

    def __init__(self, reader: str, table: str, dynamodb: "DynamoDBClient", streams: Any, positions: Positions) -> None:
        self._reader = reader
        self._table = table
        self._dynamodb = dynamodb
        self._streams = streams
        self._positions = positions
        self._arn = ""
        self._iterator: str | None = None
        self._unread = positions.leftover(reader, now=time.time())
        self._has_leftover = bool(self._unread)

    def read(self, most: int) -> list[Record]:
        """Return up to `most` records; none means that there is nothing new."""
        if not self._unread:
            self._unread = self._fetch()
        taken, self._unread = self._unread[:most], self._unread[most:]
        return taken

    def handled(self, records: list[Record]) -> None:
        """These need never be read again."""
        self._positions.note(self._reader, sequence_number(records[-1]))
        if self._has_leftover and not self._unread:
            self._positions.leave(self._reader, [])
            self._has_leftover = False

    def leave(self, records: list[Record]) -> int:
        """Write down `records` and all that has not been read, for the next start; return how many those are."""
        records = [*records, *self._unread]
        while more := self._fetch():
            records += more
        self._positions.leave(self._reader, records)
        if records:
            self._positions.note(self._reader, sequence_number(records[-1]))
        return len(records)

    def _fetch(self) -> list[Record]:
        if self._iterator is None:
            self._iterator = self._open()
        try:
            page = self._streams.get_records(ShardIterator=self._iterator, Limit=_MOST_PER_READ)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _LOST_PLACE:
                raise
            self._iterator = None
            return []
        self._iterator = page.get("NextShardIterator")
        return [self._plain(record) for record in page["Records"]]

    def _open(self) -> str:
        self._arn = self._dynamodb.describe_table(TableName=self._table)["Table"]["LatestStreamArn"]
        shards = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        place = {"StreamArn": self._arn, "ShardId": shards[0]["ShardId"]}
        position = self._positions.read(self._reader)
        if position is not None:
            try:
                return self._iterator_at(ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=position, **place)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _LOST_PLACE:
                    raise
        return self._iterator_at(ShardIteratorType="TRIM_HORIZON", **place)

    def _iterator_at(self, **place: str) -> str:
        return str(self._streams.get_shard_iterator(**place)["ShardIterator"])

    def _plain(self, record: Record) -> Record:
        """Return the record as Lambda writes it in JSON: botocore has made times and bytes of it."""
        return {**_json(record), "eventSourceARN": self._arn}


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value
