# infra/local/dispatcher/positions.py
"""How far each stream reader has got, kept over restarts, and the records a stop left unread.

The emulator forgets a stream when it stops, so what a reader could not finish by then is written down here.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Record = dict[str, Any]

_CREATED = "ApproximateCreationDateTime"


class Positions:
    """One file a reader. A crash between handling and noting repeats a batch, as Lambda would."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, reader: str) -> str | None:
        try:
            return self._position(reader).read_text()
        except FileNotFoundError:
            return None

    def note(self, reader: str, sequence_number: str) -> None:
        _replace(self._position(reader), sequence_number)

    def leftover(self, reader: str, *, now: float) -> list[Record]:
        """Return what a stop left, as much younger as the stop was long: nobody was late while nothing ran."""
        path = self._leftover(reader)
        try:
            lines, stopped_for = path.read_text().splitlines(), now - path.stat().st_mtime
        except FileNotFoundError:
            return []
        return [_younger(json.loads(line), stopped_for) for line in lines]

    def leave(self, reader: str, records: Sequence[Record]) -> None:
        if records:
            _replace(self._leftover(reader), "".join(json.dumps(record) + "\n" for record in records))
        else:
            self._leftover(reader).unlink(missing_ok=True)

    def _position(self, reader: str) -> Path:
        return self._folder / f"{reader}.position"

    def _leftover(self, reader: str) -> Path:
        return self._folder / f"{reader}.leftover.jsonl"


def _younger(record: Record, seconds: float) -> Record:
    change = record["dynamodb"]
    return {**record, "dynamodb": {**change, _CREATED: float(change[_CREATED]) + seconds}}


def _replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)
