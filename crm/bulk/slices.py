# crm/bulk/slices.py
"""An import's file, slice by slice: what each import does before its rows, and behind them."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from crm.bulk import files, reading
from crm.bulk.files import UploadChanged
from crm.bulk.reading import SLICE_BYTES, Place, Slice
from crm.kernel.errors import Fault, InvalidInputs
from crm.kernel.operations import DONE, Operation

APPLIED, REFUSED = "applied", "refused"
CHANGED = Fault("", "UPLOAD_CHANGED", "is not the file any more that the import was started with")
PLACE, ETAG, IGNORED, IMPORTED = "place", "etag", "ignored", "imported"
"""In an operation's state: where to go on, in which file, without which columns; whether all rows are done."""


def take(
    operation: Operation, ignored: Callable[[tuple[str, ...]], list[str]], *, together: Sequence[str] = ()
) -> Slice | None:
    """The next rows. None where the operation is over: all rows are done, or the file is none that can be imported.

    `ignored` says from which of a CSV's columns nothing is read, and raises InvalidInputs for columns that will not do.
    """
    if IMPORTED in operation.state:
        files.join(operation)
        operation.status = DONE
        return None
    place = Place.of(operation.state[PLACE])
    try:
        data = files.read(operation, place.offset, SLICE_BYTES, etag=operation.state[ETAG])
        last = place.offset + len(data) >= int(operation.bytes_total)
        found = reading.read(data, place, operation.arguments["format"], together=together, last=last)
        if place.header is None and found.place.header is not None:
            operation.state = operation.state | {IGNORED: ignored(found.place.header.columns)}
    except UploadChanged:
        give_up(operation, [CHANGED])
    except InvalidInputs as refusal:
        give_up(operation, refusal.faults)
    else:
        return found
    return None


def tell(operation: Operation, found: Slice, results: Sequence[dict[str, Any]]) -> None:
    """Keep what came of the rows, and go on behind them."""
    if results:
        files.put_part(operation, "".join(f"{json.dumps(one)}\n" for one in results))
    operation.bytes_done = int(operation.bytes_total) if found.done else found.place.offset
    operation.state = operation.state | {PLACE: found.place.stored()} | ({IMPORTED: True} if found.done else {})


def give_up(operation: Operation, faults: list[Fault]) -> None:
    """What was done before is told all the same."""
    files.join(operation)
    operation.fail(faults)
