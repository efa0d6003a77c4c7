# crm/loyalty/programmes/versions.py
"""A programme since a moment: its versions as values, and as they are stored."""

from datetime import datetime

import msgspec
from msgspec import Struct

from crm.loyalty.programme import Programme
from crm.loyalty.programmes.models import ProgrammeVersion


class Version(Struct, frozen=True):
    """`number` 0 is the programme of a shop that has defined none: it has always counted, and nobody wrote it.
    `tiers_in`: the version that has said first what accounts keep of tiers; 0: there are none.
    """

    number: int
    programme: Programme
    effective_at: datetime | None = None
    written_at: datetime | None = None
    written_by: str | None = None
    tiers_in: int = 0

    def counts_at(self, instant: datetime) -> bool:
        """Whether it does, unless a newer one does too."""
        return self.effective_at is None or self.effective_at <= instant


def version_of(item: ProgrammeVersion) -> Version:
    programme = msgspec.json.decode(item.document, type=Programme)
    return Version(
        int(item.number), programme, item.effective_at, item.written_at, item.written_by, int(item.tiers_in or 0)
    )


def document(programme: Programme) -> str:
    """Numbers with decimals are written as texts: exactly."""
    return msgspec.json.encode(programme).decode()
