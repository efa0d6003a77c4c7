# crm/segmentation/refusals.py
"""Why segmentation says no."""

from collections.abc import Mapping

from crm.kernel.errors import CrmError, Fault
from crm.segmentation.language.mistakes import Mistake


class QueryFault(Fault, frozen=True):
    """One mistake in a query. Its code is one of docs/segments.md."""

    mistake: Mistake

    @classmethod
    def of(cls, mistake: Mistake) -> "QueryFault":
        return cls("query", mistake.code.value, mistake.message, mistake)


class TooManySegments(CrmError):
    """The shop has as many segments as it may have."""

    code = "TOO_MANY_SEGMENTS"

    def __init__(self, most: int) -> None:
        super().__init__(f"A shop has at most {most} segments.")


class SegmentNamed(CrmError):
    """Others ask about the segment: `segments` are their names by id."""

    code = "SEGMENT_NAMED"

    def __init__(self, segments: Mapping[str, str]) -> None:
        super().__init__("Other segments name this one: change or delete them first.", field="id")
        self.segments = segments
