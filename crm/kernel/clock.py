# crm/kernel/clock.py
"""The one place that asks what time it is. Edges call it; everything below them is given `now`."""

from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm.kernel.errors import InvalidInput
from crm.kernel.settings import settings


def now() -> datetime:
    """The present, aware and in UTC. On a laptop the clock can be moved forward by the seconds in CRM_CLOCK_FILE."""
    present = datetime.now(UTC)
    if settings().crm_clock_file:
        path = Path(settings().crm_clock_file)
        if path.exists():
            present += timedelta(seconds=float(path.read_text() or 0))
    return present


def parse(text: str, *, field: str | None = None) -> datetime:
    """Read RFC 3339 into UTC. Raises InvalidInput; a time without a zone is refused: nobody could say when it was."""
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise InvalidInput("must be a time in RFC 3339", field=field) from error
    if instant.tzinfo is None:
        raise InvalidInput("a time needs its zone", field=field)
    # A year of room at either end: zones are applied to it, and days added.
    if not MINYEAR < instant.year < MAXYEAR:
        raise InvalidInput("a time beyond the calendar", field=field)
    return instant.astimezone(UTC)


def text(instant: datetime) -> str:
    """Write RFC 3339 in UTC with microseconds, so that texts sort as the instants they name."""
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def is_zone(name: str) -> bool:
    """Whether it is a zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: what the file system will not take as a name
        return False
    return True


def local_day(instant: datetime, zone: str) -> date:
    """The calendar day of an instant in an IANA zone; a day of 23 or 25 hours is one day."""
    return instant.astimezone(ZoneInfo(zone)).date()


def start_of_day(day: date, zone: str) -> datetime:
    """The first instant of a shop-local day, in UTC. Where midnight is skipped, the first instant after the gap."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
