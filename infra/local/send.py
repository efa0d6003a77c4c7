# infra/local/send.py
"""`python -m infra.local.send FILE [--bus]`: events from a file to POST /v1/events of the running instance, or to its
intake bus.

FILE is JSON Lines of envelopes, or a CSV of orders (columns: infra/local/files.py). Interrupted, it goes on where it
was; repeated, it has no second effect. Ends with 1 where any event was refused.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from infra.local import files
from infra.local.files import Row, Unreadable
from infra.local.instance import DEMO_SHOP, INTERRUPTED, Instance, NotRunning
from infra.local.senders import MOST_BYTES, MOST_EVENTS, Bus, Gateway, Unreachable


class Journal:
    """How many events of a file have been taken, and which were refused: kept by the hash of the file."""

    def __init__(self, folder: Path, content: bytes, shop: str) -> None:
        name = hashlib.sha256(content + b"\0" + shop.encode()).hexdigest()[:32]
        self._path = folder / f"{name}.json"
        state = json.loads(self._path.read_text()) if self._path.exists() else {}
        self.sent: int = state.get("sent", 0)
        self.refused: list[str] = state.get("refused", [])

    def note(self, sent: int, refused: Sequence[str]) -> None:
        self.sent += sent
        self.refused += refused
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps({"sent": self.sent, "refused": self.refused}))
        new.replace(self._path)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.send", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--shop", default=DEMO_SHOP, help=f"whose events they are ({DEMO_SHOP})")
    parser.add_argument("--source", default="csv", help="what the events of a CSV name as their source (csv)")
    parser.add_argument("--bus", action="store_true", help="put them on the intake bus, as a source in AWS would")
    given = parser.parse_args(arguments)
    try:
        instance = Instance.running()
        rows = files.read(given.file, shop=given.shop, source=given.source)
        door: Gateway | Bus = Bus(instance.endpoint) if given.bus else Gateway(instance.url, given.shop)
        name = f"{given.shop}\0bus" if given.bus else given.shop
        journal = Journal(instance.folder / "sent", given.file.read_bytes(), name)
        send(rows, door, journal)
    except (NotRunning, Unreadable, Unreachable) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    for line in journal.refused:
        print(line, file=sys.stderr)
    print(f"{len(rows)} events, {len(journal.refused)} refused")
    return 1 if journal.refused else 0


def send(rows: Sequence[Row], gateway: Gateway | Bus, journal: Journal) -> None:
    """Post what the journal does not have yet. Raises Unreachable; what was taken until then is noted."""
    columns = (TextColumn("events"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("", total=len(rows), completed=journal.sent)
        for batch in batches(rows[journal.sent :]):
            unreadable = [f"line {row.line}: {row.fault}" for row in batch if row.fault]
            readable = [row for row in batch if not row.fault]
            refused = gateway.post([row.event for row in readable]) if readable else []
            reasons = [f"line {readable[one.number].line} ({one.id}): {'; '.join(one.reasons)}" for one in refused]
            journal.note(len(batch), unreadable + reasons)
            progress.update(task, completed=journal.sent)


def batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Cut into what one request may carry."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        length = len(json.dumps(row.event))
        if batch and (len(batch) == MOST_EVENTS or size + length > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch


if __name__ == "__main__":
    sys.exit(main())
