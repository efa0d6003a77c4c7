# crm/segmentation/refusals.py
"""Why segmentation says no."""

from collections.abc import Mapping
from types import MappingProxyType

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
    """Others ask about the segment: `segments`, or `rules` and `rewards` of loyalty; their names by id."""

    code = "SEGMENT_NAMED"

    def __init__(
        self,
        segments: Mapping[str, str],
        *,
        rules: Mapping[str, str] = MappingProxyType({}),
        rewards: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__("Segments, rules or rewards name this one: change them, or give them up, first.", field="id")
        self.segments, self.rules, self.rewards = segments, rules, rewards
