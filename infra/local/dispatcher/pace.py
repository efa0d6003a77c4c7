# infra/local/dispatcher/pace.py
"""How much faster than on AWS the local run gives up and tries again."""

SHRINK = 100
"""Visibility time-outs, waits between retries and schedules are divided by this, so that a dead letter takes seconds.

Function time-outs and record ages are not: the work they bound takes its real time here too.
"""

PACE = 0.03
"""Seconds between two looks at a busy source: each look costs the machine about as much as handling a record, so small
batches would cost more than they save. The first look after a pause is not held back.
"""

_SHORTEST_SCHEDULE = 2.0


def retry_visibility(visibility_timeout: int) -> int:
    """Return after how many seconds (whole, as SQS counts them) a failed message is seen again."""
    return max(1, round(visibility_timeout / SHRINK))


def stream_wait(attempt: int) -> float:
    """Return the seconds before retry number `attempt`: doubling from one to sixty, shrunk."""
    return float(min(2 ** min(attempt, 6), 60)) / SHRINK


def async_wait(attempt: int) -> float:
    """Return the seconds before retry number `attempt` of an asynchronous invocation: one minute, then two, shrunk."""
    return 60.0 * attempt / SHRINK


def schedule_seconds(seconds: int) -> float:
    return max(_SHORTEST_SCHEDULE, seconds / SHRINK)
