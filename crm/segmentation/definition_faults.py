# crm/segmentation/definition_faults.py
"""What is wrong with what is said of a segment. Pure."""

from collections.abc import Collection, Iterator
from typing import Final
from urllib.parse import urlsplit

from crm.kernel import texts
from crm.kernel.errors import Fault
from crm.segmentation.language.kinds import folded
from crm.segmentation.models import SegmentDefinition

LONGEST_NAME: Final = 100
LONGEST_DESCRIPTION: Final = 2_000
LONGEST_URL: Final = 2_000
MOST_GOALS, LONGEST_GOAL = 10, 200
OF_IDS: Final = "seg_"
"""What ids begin with, and no name: queries name segments by either."""


def of_texts(definition: SegmentDefinition, names: Collection[str]) -> Iterator[Fault]:
    """`names` are those of the shop's other segments, folded."""
    yield from of_name(definition.name, names)
    if definition.description is not None:
        yield from texts.faults("description", definition.description, longest=LONGEST_DESCRIPTION)
    if definition.picture_url is not None and not _is_address(definition.picture_url):
        yield Fault("picture_url", "INVALID", f"must be an https address of at most {LONGEST_URL:,} characters")
    if len(definition.goals) > MOST_GOALS:
        yield Fault("goals", "TOO_MANY", f"must be {MOST_GOALS} at most")
    for index, goal in enumerate(definition.goals[:MOST_GOALS]):
        yield from texts.line_faults(f"goals.{index}", goal, longest=LONGEST_GOAL)


def of_name(name: str | None, names: Collection[str]) -> Iterator[Fault]:
    if name is None:
        yield Fault("name", "REQUIRED", "is required")
        return
    wrong = texts.line_faults("name", name, longest=LONGEST_NAME)
    yield from wrong
    if wrong:
        return
    if folded(name).startswith(OF_IDS):
        yield Fault("name", "RESERVED", f"must not begin with {OF_IDS}, as ids do")
    if folded(name) in names:
        yield Fault("name", "TAKEN", "is the name of another segment, whatever its case")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        named = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False
    return named and len(text) <= LONGEST_URL and text.isprintable() and " " not in text
