# crm/kernel/said.py
"""What is said of something that is stored; of what goes unsaid, everything stays as it is."""

from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

UNSAID: Any = object()
"""In the place of a value, so that None can be one: it clears a field that may be empty."""


class Said(Struct, frozen=True):
    """Fields that may each go unsaid."""

    def given(self) -> dict[str, Any]:
        """What is said, by field."""
        return {name: value for name, value in asdict(self).items() if value is not UNSAID}
